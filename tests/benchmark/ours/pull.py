"""Our pull of all persons: one snapshot, every row as promised, in the order of keys, one Parquet file.

What a night does beside it (landing under a digest, two smaller tables) is in the night's own figures.
"""

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from connectors.population_db import open_population
from connectors.settings import Settings
from etl.pull.reading import ReadTable
from etl.pull.table import read_table
from schemas.contract import load_contract


def run(inputs: dict[str, Any]) -> ReadTable:
    settings, contract = Settings(var=Path(inputs["city"])), load_contract("population_person")
    with open_population(settings) as snapshot:
        snapshot.check_table(contract)
        folder, day = Path(inputs["folder"]) / "pull", date.fromisoformat(inputs["day"])
        return read_table(settings, snapshot, contract, None, day, folder, is_full=True)


def answer(read: ReadTable, inputs: dict[str, Any]) -> dict[str, Any]:
    metadata = pq.ParquetFile(read.file).metadata
    return {"rows": metadata.num_rows, "columns": metadata.num_columns, "bytes": read.file.stat().st_size}
