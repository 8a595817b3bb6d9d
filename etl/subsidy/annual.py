"""The annual review: who continues by itself, who is visited, and who signs, from village to city.

The nightly review is the automatic check (`subsidy.case_review`): a village visits what it puts in question,
or proposes the exit. The database makes the list that a village signs, and knows who has to sign before whom.
"""

from collections import Counter
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.settings import Settings
from etl.subsidy.case_life import Act, next_number, state_of
from etl.subsidy.case_refusals import case_session
from schemas.division_level import DIGITS, level_of
from schemas.refusal import Refusal
from schemas.registry import ANNUAL_CASE, ANNUAL_CHECK, ANNUAL_SIGN, ANNUAL_VISIT, CASE_REVIEW

RESULTS = ("continued", "visited", "exit")


def visit_case(
    settings: Settings, cycle_year: int, case_number: str, investigators: Sequence[str], act: Act
) -> list[str]:
    """Put on record that a case in question continues, by a visit; tell which exceptions were looked into.

    An exception that comes later, before the village signs, asks for another visit.

    Raises:
        Refusal: too few different investigators, the village has signed, no night reviewed the case, or it
            is neither in payment nor suspended.
    """
    with case_session(settings, is_trial=act.is_trial) as connection:
        now = state_of(connection, case_number)
        reasons = _in_question(connection, case_number)
        of_year = ANNUAL_VISIT.c.cycle_year == cycle_year
        row = {
            "cycle_year": cycle_year,
            "case_number": case_number,
            "visit_number": next_number(connection, ANNUAL_VISIT.c.visit_number, case_number, of_year),
            "step_number": now["step_number"],
            "state_code": now["to_state_code"],
            "visited_on": act.on,
            "investigators": list(investigators),
            "reason_codes": reasons,
        }
        connection.execute(sa.insert(ANNUAL_VISIT).values(row | act.recorded))
    return reasons


def _in_question(connection: Connection, case_number: str) -> list[str]:
    of_case = CASE_REVIEW.c.case_number == case_number
    newest = sa.select(CASE_REVIEW.c.reason_codes).where(of_case, CASE_REVIEW.c.recorded_to.is_(None))
    reasons: list[str] | None = connection.scalar(newest)
    if reasons is None:
        raise Refusal(
            "annual_not_reviewed",
            found=f"尚无核定 · a case that no night reviewed ({len(case_number)} characters)",
            expected="已核定的个案 · a case that a night held against the decisions",
            to_do="当晚核定后办理 · wait for the night",
        )
    return reasons


def sign_annual(
    settings: Settings, cycle_year: int, programme_code: str, division_code: str, act: Act
) -> dict[str, int]:
    """Sign the annual review of a division, and count what is listed beneath it by result.

    Raises:
        Refusal: a case in question was not visited, somebody beneath has not signed, an exit waits, the
            sample was not checked or is not in order, or this person signed for another level.
    """
    row = {
        "cycle_year": cycle_year,
        "programme_code": programme_code,
        "division_code": division_code,
        "level_code": level_of(division_code),
        "signed_on": act.on,
    }
    with case_session(settings, is_trial=act.is_trial) as connection:
        connection.execute(sa.insert(ANNUAL_SIGN).values(row | act.recorded))
        beneath = ANNUAL_CASE.c.division_code.startswith(digits_of(division_code))
        chosen = sa.select(ANNUAL_CASE.c.result_code).where(
            ANNUAL_CASE.c.cycle_year == cycle_year, ANNUAL_CASE.c.programme_code == programme_code, beneath
        )
        counted = Counter(connection.scalars(chosen))
    return {result: counted[result] for result in RESULTS}


def digits_of(division_code: str) -> str:
    """Give the digits with which the codes beneath a division begin."""
    return division_code[: DIGITS[level_of(division_code)]]


def check_annual_case(
    settings: Settings,
    cycle_year: int,
    case_number: str,
    act: Act,
    *,
    is_procedure_complete: bool,
    is_exit_correct: bool,
) -> None:
    """Put on record what the city found of a listed case; a later check of the same case counts instead.

    Raises:
        Refusal: no village listed the case for this year, or this person acted for another level.
    """
    with case_session(settings, is_trial=act.is_trial) as connection:
        of_year = ANNUAL_CHECK.c.cycle_year == cycle_year
        row = {
            "cycle_year": cycle_year,
            "case_number": case_number,
            "check_number": next_number(connection, ANNUAL_CHECK.c.check_number, case_number, of_year),
            "checked_on": act.on,
            "is_procedure_complete": is_procedure_complete,
            "is_exit_correct": is_exit_correct,
        }
        connection.execute(sa.insert(ANNUAL_CHECK).values(row | act.recorded))
