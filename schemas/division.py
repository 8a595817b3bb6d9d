"""Divisions of the city: one tree of four levels, 12 digits each, as it was or will be on a day."""

import csv
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path

import pyarrow as pa

from schemas.division_change import CHANGES, read_changes
from schemas.division_level import CITY, CITY_CODE, DISTRICT, LEVELS, TOWN, VILLAGE, level_of
from schemas.division_tree import DivisionTree

__all__ = [
    "CITY",
    "CITY_CODE",
    "DISTRICT",
    "LEVELS",
    "TOWN",
    "VILLAGE",
    "level_of",
    "load_divisions",
    "load_tree",
]

DIVISIONS = Path(__file__).resolve().parent / "divisions" / "beijing_divisions_2023.csv"
# The bureau of statistics lists this day; changes before it lead back from the list, later ones on.
SNAPSHOT_DAY = date(2023, 6, 30)


def load_divisions(day: date) -> pa.Table:
    """Read the divisions of a day: `division_code`, `division_name`, `level_code`, `parent_code`, by code.

    Levels are 1 city, 2 district, 3 street or town, 4 village or community; the city has no parent.
    They come with the program; see `connectors.divisions` for those of an installation.
    """
    return load_tree().known_on(day).table_on(day)


def load_tree(more: Sequence[Path] = ()) -> DivisionTree:
    """Load the dated tree, with the changes of further files.

    Raises:
        Refusal: a file cannot be read, or the changes do not make one tree.
    """
    paths = (*sorted(CHANGES.glob("*.csv")), *more)
    return _load_tree(tuple((path, path.stat().st_mtime_ns, path.stat().st_size) for path in paths))


@lru_cache(maxsize=4)
def _load_tree(files: tuple[tuple[Path, int, int], ...]) -> DivisionTree:
    return DivisionTree(_snapshot(), read_changes(path for path, _, _ in files), SNAPSHOT_DAY)


@lru_cache(maxsize=1)
def _snapshot() -> dict[str, str]:
    with DIVISIONS.open(encoding="utf-8", newline="") as file:
        return {row["code12"]: row["name"] for row in csv.DictReader(file)}
