"""Airflow reads its settings when it is imported: point it at the project, its logs at a folder to lose."""

import os
import tempfile

from connectors.settings import PROJECT

AIRFLOW = {
    "AIRFLOW_HOME": str(PROJECT),
    "AIRFLOW__LOGGING__BASE_LOG_FOLDER": tempfile.gettempdir(),
    # Nobody listens there: a DAG that asked the database while it is imported would fail.
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql+psycopg://nobody@127.0.0.1:1/none",
}


def use_airflow_settings() -> None:
    """Set them for this process, before anything of Airflow is imported."""
    os.environ.update(AIRFLOW)
