"""Objections to a case that was made public, and their answers; no case goes on while one is open."""

import sqlalchemy as sa

from connectors.settings import Settings
from etl.subsidy.case_life import Act, next_number, state_of
from etl.subsidy.case_refusals import case_session
from schemas.registry import CASE_OBJECTION, CASE_OBJECTION_ANSWER


def raise_objection(settings: Settings, case_number: str, kind_code: str, act: Act) -> int:
    """Put an objection on record, and tell its number.

    `kind_code` is facts, identity, procedure or other.

    Raises:
        Refusal: the case is not public, or is filed already.
    """
    with case_session(settings, is_trial=act.is_trial) as connection:
        now = state_of(connection, case_number)
        number = next_number(connection, CASE_OBJECTION.c.objection_number, case_number)
        row = {
            "case_number": case_number,
            "objection_number": number,
            "step_number": now["step_number"],
            "state_code": now["to_state_code"],
            "raised_on": act.on,
            "kind_code": kind_code,
        }
        connection.execute(sa.insert(CASE_OBJECTION).values(row | act.recorded))
    return number


def answer_objection(
    settings: Settings, case_number: str, objection_number: int, act: Act, *, is_upheld: bool
) -> None:
    """Answer an objection; one that is upheld sends the case back to the village, or ends it.

    Raises:
        Refusal: no such objection, or it was answered.
    """
    row = {
        "case_number": case_number,
        "objection_number": objection_number,
        "answered_on": act.on,
        "outcome_code": "upheld" if is_upheld else "dismissed",
    }
    with case_session(settings, is_trial=act.is_trial) as connection:
        connection.execute(sa.insert(CASE_OBJECTION_ANSWER).values(row | act.recorded))
