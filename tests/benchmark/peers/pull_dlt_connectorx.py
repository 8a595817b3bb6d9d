"""dlt with its connectorx backend."""

from pathlib import Path
from typing import Any

from tests.benchmark.peers import pull_dlt


def run(inputs: dict[str, Any]) -> Path:
    return pull_dlt.pull(inputs, "connectorx")


answer = pull_dlt.answer
