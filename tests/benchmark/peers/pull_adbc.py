"""ADBC's PostgreSQL driver, streamed into Parquet without any order or check."""

from pathlib import Path
from typing import Any

from adbc_driver_postgresql import dbapi

from tests.benchmark.peers.pulled import pulled, target, write_batches


def run(inputs: dict[str, Any]) -> Path:
    with dbapi.connect(inputs["population_url"]) as connection, connection.cursor() as cursor:
        cursor.execute(inputs["query"])
        return write_batches(target(inputs), cursor.fetch_record_batch())


def answer(file: Path, inputs: dict[str, Any]) -> dict[str, Any]:
    return pulled([file])
