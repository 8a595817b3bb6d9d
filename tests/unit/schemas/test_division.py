"""The divisions are one tree of four levels."""

from collections import Counter
from datetime import date

from schemas.division import CITY_CODE, LEVELS, load_divisions

TODAY = date(2026, 6, 1)


def test_the_city_has_16_districts_349_towns_and_7535_villages() -> None:
    counted = Counter(load_divisions(TODAY)["level_code"].to_pylist())
    assert [counted[level] for level in LEVELS] == [1, 16, 349, 7535]


def test_every_division_but_the_city_hangs_under_one_of_the_level_above() -> None:
    rows = load_divisions(TODAY).to_pylist()
    level = {row["division_code"]: int(row["level_code"]) for row in rows}
    assert len(level) == len(rows)
    orphans = [
        row["division_code"]
        for row in rows
        if row["division_code"] != CITY_CODE and level.get(row["parent_code"]) != int(row["level_code"]) - 1
    ]
    assert orphans == []


def test_the_code_of_a_division_begins_with_that_of_the_one_above() -> None:
    digits = {"2": 2, "3": 6, "4": 9}
    for row in load_divisions(TODAY).to_pylist():
        if row["division_code"] != CITY_CODE:
            above = row["division_code"][: digits[row["level_code"]]].ljust(12, "0")
            assert row["parent_code"] == above
