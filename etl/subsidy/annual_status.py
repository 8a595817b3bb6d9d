"""How far an annual review is: who has signed, waits or is late by level, and which cases are in question."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from etl.subsidy.annual import digits_of
from schemas.case_calendar import due_on
from schemas.division_level import CITY, DIGITS, DISTRICT, LENGTH, TOWN, VILLAGE
from schemas.registry import ANNUAL_CASE, ANNUAL_SIGN

# By when a level signs: the days of the calendar that its steps have too.
STEP_OF_LEVEL = {VILLAGE: "assess", TOWN: "pass", DISTRICT: "approve", CITY: "file"}
RESULT = ("case_number", "division_code", "state_code", "result_code", "reason_codes", "exit_reason_code")


@dataclass(frozen=True)
class LevelStatus:
    """Divisions of one level that have cases: those that signed, of them late, and those that wait."""

    programme_code: str
    level_code: str
    due: date
    signed: tuple[str, ...]
    late: tuple[str, ...]
    waiting: tuple[str, ...]


def results_of(
    connection: Connection, cycle_year: int, programme_code: str, division_code: str
) -> list[dict[str, Any]]:
    """List the cases of a division with what its village signed or would: NULL waits for a visit."""
    result = sa.func.subsidy.annual_result(cycle_year, programme_code, division_code).table_valued(*RESULT)
    in_order = sa.select(result).order_by(result.c.division_code, result.c.case_number)
    return [dict(row) for row in connection.execute(in_order).mappings()]


def status_of(
    connection: Connection, cycle_year: int, programme_code: str, division_code: str
) -> list[LevelStatus]:
    """Tell per level of a division, from the village up, who signed the review of a year."""
    begins = digits_of(division_code)
    villages = _villages(connection, cycle_year, programme_code, division_code)
    signs = sa.select(ANNUAL_SIGN.c.division_code, ANNUAL_SIGN.c.level_code, ANNUAL_SIGN.c.signed_on).where(
        ANNUAL_SIGN.c.cycle_year == cycle_year,
        ANNUAL_SIGN.c.programme_code == programme_code,
        ANNUAL_SIGN.c.division_code.startswith(begins),
    )
    signed: dict[str, dict[str, date]] = defaultdict(dict)
    for division, level, day in connection.execute(signs):
        signed[level][division] = day
    return [
        _status(cycle_year, programme_code, level, villages, signed[level])
        for level in (VILLAGE, TOWN, DISTRICT, CITY)
        if DIGITS[level] >= len(begins)
    ]


def _villages(connection: Connection, cycle_year: int, programme_code: str, division_code: str) -> set[str]:
    """Name the villages that have listed cases, or have some that are on no list."""
    result = sa.func.subsidy.annual_result(cycle_year, programme_code, division_code)
    standing = result.table_valued("division_code", "is_listed").c
    listed = sa.select(ANNUAL_CASE.c.division_code).where(
        ANNUAL_CASE.c.cycle_year == cycle_year,
        ANNUAL_CASE.c.programme_code == programme_code,
        ANNUAL_CASE.c.division_code.startswith(digits_of(division_code)),
    )
    return set(connection.scalars(sa.select(standing.division_code).where(~standing.is_listed).union(listed)))


def _status(
    cycle_year: int, programme_code: str, level_code: str, villages: set[str], signed: dict[str, date]
) -> LevelStatus:
    due = due_on(STEP_OF_LEVEL[level_code], cycle_year)
    expected = {village[: DIGITS[level_code]].ljust(LENGTH, "0") for village in villages}
    return LevelStatus(
        programme_code,
        level_code,
        due,
        tuple(sorted(signed)),
        tuple(sorted(division for division, day in signed.items() if day > due)),
        tuple(sorted(expected - set(signed))),
    )
