"""Tasks begin with all steps loaded, and nothing but loading has happened."""

import json
import os
import subprocess
import sys

from connectors.settings import PROJECT

LOADED = """
import gc, json, sys, threading
import sqlalchemy as sa
from etl.warm import load_steps

load_steps()
print(json.dumps({
    "missing": [name for name in WANTED if name not in sys.modules],
    "threads": threading.active_count(),
    "engines": sum(isinstance(each, sa.Engine) for each in gc.get_objects()),
}))
"""
WANTED = ("great_expectations", "pandas", "etl.night", "quality.gate")


def test_loading_the_steps_connects_to_nothing_and_starts_no_thread() -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"WANTED = {WANTED}\n{LOADED}"],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "missing": [],
        "threads": 1,
        "engines": 0,
    }


def test_airflow_uses_it() -> None:
    asked = (
        "from airflow.executors.executor_loader import ExecutorLoader as L; print(L.get_default_executor())"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "AIRFLOW_HOME": str(PROJECT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "WarmExecutor" in done.stdout
