"""connectorx as a stream of Arrow, written as it comes."""

from pathlib import Path
from typing import Any

import connectorx
import pyarrow.parquet as pq

from tests.benchmark.peers.pulled import ROWS_AT_ONCE, pulled, target


def run(inputs: dict[str, Any]) -> Path:
    file = target(inputs)
    url, query = inputs["population_url"], inputs["query"]
    batches = connectorx.read_sql(url, query, return_type="arrow_stream", batch_size=ROWS_AT_ONCE)
    with pq.ParquetWriter(file, batches.schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)
    return file


def answer(file: Path, inputs: dict[str, Any]) -> dict[str, Any]:
    return pulled([file])
