"""What the DAG files declare, imported once."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from connectors.settings import PROJECT
from tests.support.airflow_settings import use_airflow_settings

use_airflow_settings()


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
