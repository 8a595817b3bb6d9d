"""What a measurement depends on: the machine, the versions, the commit."""

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from connectors.settings import PROJECT
from tests.benchmark.measure import PEER_PYTHON

OURS = ("duckdb", "pyarrow", "deltalake", "great_expectations", "adbc-driver-postgresql", "psycopg", "pandas")
PEERS = (
    "adbc-driver-postgresql", "connectorx", "dlt", "duckdb", "great_expectations", "lxml", "openfisca-core",
    "pandas", "pandera", "pointblank", "polars", "psycopg", "pyarrow", "recordlinkage", "splink",
    "sqlalchemy", "xmlschema",
)  # fmt: skip


def machine() -> dict[str, Any]:
    """Tell what machine this is; no name of it."""
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="ascii"))
    return {
        "processor": cpu[1] if cpu else platform.machine(),
        "processors": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": platform.system(),
        "python": platform.python_version(),
        "load_before": [round(load, 2) for load in os.getloadavg()],
    }


def versions(*, with_peers: bool) -> dict[str, dict[str, str]]:
    """Tell the versions that are measured."""
    found = {"ours": {name: version(name) for name in OURS}}
    if with_peers:
        asked = f"from importlib.metadata import version\nfor n in {PEERS!r}: print(n, version(n))"
        told = subprocess.run(
            [PEER_PYTHON, "-c", asked], capture_output=True, text=True, check=True
        ).stdout.split()
        found["peers"] = dict(zip(told[::2], told[1::2], strict=True))
    return found


def commit() -> str:
    """Tell the commit, and whether something was changed since."""
    told = [
        subprocess.run(["git", *words], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
        for words in (("rev-parse", "--short=12", "HEAD"), ("status", "--porcelain", "--untracked-files=no"))
    ]
    return told[0].strip() + ("+" if told[1].strip() else "")


def now() -> str:
    """Tell the time, in UTC."""
    return datetime.now(UTC).isoformat(timespec="minutes")
