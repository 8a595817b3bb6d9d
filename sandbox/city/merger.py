"""A merger that never was: a street of 延庆 goes into its neighbour, another one gets another name. INVENTED.

A city that lives into September 2026 meets it. The pipeline learns of it as it would of a real one, by a file
of changes of its installation; the register gives people their new codes on the day it takes effect.
"""

import csv
from datetime import date
from functools import lru_cache

from connectors.settings import Settings
from sandbox.city.day_book import DayBook
from sandbox.city.places import read_divisions
from schemas.division_change import COLUMNS

KNOWN_SINCE, EFFECTIVE = date(2026, 8, 15), date(2026, 9, 1)
GIVEN_UP, GOES_ON = "110119002000", "110119003000"
RENAMED, NEW_NAME = "110119001000", "百泉新街道"
FILE = "sandbox_invented.csv"
NUMBER, TEXT, SOURCE = (
    "110119-2026-01",
    "虚构：撤销香水园街道，并入儒林街道；百泉街道更名",
    "invented for the sandbox",
)


@lru_cache(maxsize=1)
def moved_codes() -> dict[str, str]:
    """Tell the new code of every community of the street that is given up; none of them is taken yet."""
    codes = [row["code12"] for row in read_divisions("beijing_divisions_2023.csv")]
    own = [code for code in codes if code[:9] == GIVEN_UP[:9] and code != GIVEN_UP]
    return {code: f"{GOES_ON[:9]}{int(code[9:]) + 100:03d}" for code in own} | {GIVEN_UP: GOES_ON}


def announce_merger(settings: Settings, business_date: date) -> None:
    """Put the change on file for the pipeline, unless the city begins after it."""
    path = settings.divisions / FILE
    path.unlink(missing_ok=True)
    if business_date >= EFFECTIVE:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(COLUMNS)
        for kind, old, new, name in _lines():
            dates = (EFFECTIVE.isoformat(), KNOWN_SINCE.isoformat())
            lines.writerow([NUMBER, TEXT, kind, _names()[old], old, name, new, *dates, SOURCE, "invented"])


def _lines() -> list[tuple[str, str, str, str]]:
    names = _names()
    moves = [("move", old, new, names[old]) for old, new in moved_codes().items() if old != GIVEN_UP]
    return [
        *moves,
        ("merge", GIVEN_UP, GOES_ON, names[GOES_ON]),
        ("rename", RENAMED, RENAMED, NEW_NAME),
    ]


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    return {row["code12"]: row["name"] for row in read_divisions("beijing_divisions_2023.csv")}


def follow_merger(settings: Settings, book: DayBook) -> int:
    """Give the people of the street their new codes, in the register and in what is reported from then on.

    Partners do not send again what they sent before.
    """
    if book.on < EFFECTIVE or not (settings.divisions / FILE).exists():
        return 0
    moved = moved_codes()
    for column in ("residence_division", "hukou_division", "managing_unit"):
        concerned = book.mask("population_person", column, *moved)
        for person in book.tables["population_person"].filter(concerned).to_pylist():
            if person["person_id"] not in book.changed["population_person"]:
                book.write("population_person", person)
    count = 0
    for rows in book.changed.values():
        for key, row in rows.items():
            told = {name: moved.get(value, value) for name, value in row.items() if isinstance(value, str)}
            if row.get("household_code") and row["household_code"][:12] in moved:
                told["household_code"] = moved[row["household_code"][:12]] + row["household_code"][12:]
            count += any(told[name] != row[name] for name in told)
            rows[key] = {**row, **told}
    return count
