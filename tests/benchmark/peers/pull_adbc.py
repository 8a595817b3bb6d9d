"""ADBC's PostgreSQL driver, streamed into Parquet without any order or check."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from adbc_driver_postgresql import dbapi

from tests.benchmark.peers.pulled import pulled, target


def run(inputs: dict[str, Any]) -> Path:
    file = target(inputs)
    with dbapi.connect(inputs["population_url"]) as connection, connection.cursor() as cursor:
        cursor.execute(inputs["query"])
        batches = cursor.fetch_record_batch()
        with pq.ParquetWriter(file, batches.schema, compression="zstd") as writer:
            for batch in batches:
                writer.write_batch(batch)
    return file


def answer(file: Path, inputs: dict[str, Any]) -> dict[str, Any]:
    return pulled([file])
