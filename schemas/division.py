"""Today's divisions of the city: one tree of four levels, 12 digits each."""

from functools import lru_cache
from pathlib import Path

import pyarrow as pa
from pyarrow import csv

DIVISIONS = Path(__file__).resolve().parent / "divisions" / "beijing_divisions_2023.csv"
CITY_CODE = "110000000000"
CITY, DISTRICT, TOWN, VILLAGE = LEVELS = ("1", "2", "3", "4")


@lru_cache(maxsize=1)
def load_divisions() -> pa.Table:
    """Read the divisions: `division_code`, `division_name`, `level_code`, `parent_code`, by code.

    Levels are 1 city, 2 district, 3 street or town, 4 village or community; the city has no parent.
    """
    text = csv.ConvertOptions(
        column_types=dict.fromkeys(("code12", "name", "level", "parent_code12", "kind"), pa.string()),
        strings_can_be_null=True,
    )
    rows = csv.read_csv(DIVISIONS, convert_options=text)
    divisions = rows.select(["code12", "name", "level", "parent_code12"]).rename_columns(
        ["division_code", "division_name", "level_code", "parent_code"]
    )
    return divisions.sort_by("division_code").combine_chunks()


def level_of(division_code: str) -> str:
    """Tell the level of a 12-digit division: 1 city, 2 district, 3 town, 4 village."""
    if division_code.endswith("0" * 8):
        return CITY
    if division_code.endswith("0" * 6):
        return DISTRICT
    return TOWN if division_code.endswith("0" * 3) else VILLAGE
