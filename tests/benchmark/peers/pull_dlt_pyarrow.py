"""dlt with its pyarrow backend."""

from pathlib import Path
from typing import Any

from tests.benchmark.peers import pull_dlt


def run(inputs: dict[str, Any]) -> Path:
    return pull_dlt.pull(inputs, "pyarrow")


answer = pull_dlt.answer
