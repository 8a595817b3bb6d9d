"""List our DAGs as JSON, in a process that can open no connection: `python -m tests.support.dag_listing`."""

import json
import socket
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from connectors.settings import PROJECT


def _refuse(*_: object, **__: object) -> None:
    raise AssertionError("importing a DAG opened a connection")


def list_dags(folder: Path) -> dict[str, Any]:
    """Import every DAG file as the dag processor does, and tell what it declares."""
    socket.socket.connect = socket.socket.connect_ex = _refuse  # type: ignore[assignment, method-assign]
    from airflow.dag_processing.dagbag import BundleDagBag

    bag = BundleDagBag(dag_folder=folder, bundle_path=folder, bundle_name="dags", load_op_links=False)
    return {
        "import_errors": bag.import_errors,
        "dags": [_told(dag) for dag in bag.dags.values()],
        "modules": sorted({"pandas", "duckdb", "great_expectations", "etl.night"} & set(sys.modules)),
    }


def _patience(task: Any) -> timedelta:
    """Tell for how long a task that always fails is tried again, at the least."""
    delays = [
        task.retry_delay * (task.retry_exponential_backoff or 1) ** number for number in range(task.retries)
    ]
    return sum((min(delay, task.max_retry_delay or delay) for delay in delays), timedelta())


def _told(dag: Any) -> dict[str, Any]:
    return {
        "file": Path(dag.fileloc).stem,
        "dag_id": dag.dag_id,
        "doc": dag.doc_md or "",
        "tags": sorted(dag.tags),
        "params": {name: dag.params.get_param(name).schema for name in dag.params},
        "max_active_runs": dag.max_active_runs,
        "catchup": dag.catchup,
        "schedule": type(dag.timetable).__name__,
        "deadlines": [
            (type(alert.reference).__name__, alert.interval.total_seconds() / 3600, alert.callback.path)
            for alert in dag.deadline or []
        ],
        "tasks": {
            task.task_id: {
                "owner": task.owner,
                "retries": task.retries,
                "patience": _patience(task).total_seconds() / 60,
                "upstream": sorted(task.get_flat_relative_ids(upstream=True)),
                "announces": sorted(asset.name for asset in task.outlets),
                "trigger_rule": str(task.trigger_rule),
            }
            for task in dag.tasks
        },
    }


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(list_dags(PROJECT / "dags")))
