"""Airflow reads its settings when it is imported: point it at the project, its logs at a folder to lose."""

import json
import os
import subprocess
import sys
import tempfile
from typing import Any

import pytest

from connectors.settings import PROJECT

AIRFLOW = {
    "AIRFLOW_HOME": str(PROJECT),
    "AIRFLOW__LOGGING__BASE_LOG_FOLDER": tempfile.gettempdir(),
    # Nobody listens there: a DAG that asked the database while it is imported would fail.
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql+psycopg://nobody@127.0.0.1:1/none",
}
os.environ.update(AIRFLOW)


@pytest.fixture(scope="session")
def listing() -> dict[str, Any]:
    """What the DAG files declare, imported where no connection can be opened."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.dag_listing"],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture(scope="session")
def dags(listing: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The DAGs by their names."""
    return {dag["dag_id"]: dag for dag in listing["dags"]}
