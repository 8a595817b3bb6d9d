"""Counties through time: codes of the whole country that ever were."""

import csv
from functools import lru_cache
from pathlib import Path

import pyarrow as pa

FOLDER = Path(__file__).resolve().parent / "divisions"


@lru_cache(maxsize=1)
def load_counties() -> pa.Table:
    """List every county code of 6 digits that is or once was in force: `county_code`, by code.

    Resident IDs keep the county of their day of issue for ever, so that codes never expire here.
    """
    codes = _column("gbt2260_county_code_timeline.csv", "code6") | _column("china_counties_2023.csv", "code6")
    return pa.table({"county_code": pa.array(sorted(codes), pa.string())})


def _column(file_name: str, column: str) -> set[str]:
    with (FOLDER / file_name).open(encoding="utf-8", newline="") as file:
        return {row[column] for row in csv.DictReader(file)}
