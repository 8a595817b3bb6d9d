"""connectorx as a stream of Arrow, written as it comes."""

from pathlib import Path
from typing import Any

import connectorx

from tests.benchmark.peers.pulled import ROWS_AT_ONCE, pulled, target, write_batches


def run(inputs: dict[str, Any]) -> Path:
    url, query = inputs["population_url"], inputs["query"]
    batches = connectorx.read_sql(url, query, return_type="arrow_stream", batch_size=ROWS_AT_ONCE)
    return write_batches(target(inputs), batches)


def answer(file: Path, inputs: dict[str, Any]) -> dict[str, Any]:
    return pulled([file])
