"""What lives say of cases on a business date, as rows of `subsidy.case` tell it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import sqlalchemy as sa

from connectors.divisions import all_retired_divisions
from connectors.registry import registry_session
from connectors.settings import Settings
from schemas.registry import CASE_LIFE, CASE_STEP

IN_PAYMENT, SUSPENDED, EXITED = "1", "2", "3"
# While an exit is in question nobody is paid; codes of schemas/codes/case_state.yaml.
STATE_CODES = {
    "in_payment": IN_PAYMENT,
    "suspended": SUSPENDED,
    "exit_proposed": SUSPENDED,
    "exit_passed": SUSPENDED,
    "exited": EXITED,
}
DIFFERS, GONE = "baseline_differs", "baseline_gone"
Row = Mapping[str, Any]


def standing_on(settings: Settings, business_date: date) -> dict[str, Row]:
    """Tell by number how each case stands that was ever in payment, as a business date knows it.

    A shadow takes no steps: it reads those of the registry itself, as it reads landed bytes.
    """
    trunk = replace(settings, shadow=None)
    with registry_session(trunk) as connection:
        rows = connection.execute(_newest_steps(business_date)).mappings().all()
    retired = all_retired_divisions(settings, business_date).to_pylist()
    heirs = {row["retired_code"]: row["successor_code"] for row in retired}
    return {row["case_number"]: _standing(row, heirs) for row in rows}


def _newest_steps(business_date: date) -> sa.Select[Any]:
    """Select the newest step of each case that a date knows, beside its first and the days that matter."""
    known = sa.select(CASE_STEP).where(CASE_STEP.c.business_date <= business_date).subquery("known")
    number, at = known.c.case_number, known.c.step_number
    newest, first = sa.alias(known, "newest"), sa.alias(known, "first")
    paid_from = sa.func.min(known.c.happened_on).filter(known.c.to_state_code == "in_payment")
    proposed_on = sa.func.max(known.c.happened_on).filter(known.c.step_code == "propose_exit")
    days = (
        sa.select(
            number,
            sa.func.max(at).label("last"),
            paid_from.label("paid_from"),
            proposed_on.label("proposed_on"),
        )
        .group_by(number)
        .subquery("days")
    )
    told_first = (
        first.c[name].label(f"first_{name}")
        for name in ("step_code", "to_state_code", "category_code", "division_code", "exit_reason_code")
    )
    return (
        sa.select(newest, CASE_LIFE.c.person_id, days.c.paid_from, days.c.proposed_on, *told_first)
        .join(CASE_LIFE, CASE_LIFE.c.case_number == newest.c.case_number)
        .join(first, sa.and_(first.c.case_number == newest.c.case_number, first.c.step_number == 1))
        .join(days, sa.and_(days.c.case_number == newest.c.case_number, days.c.last == newest.c.step_number))
        .where(newest.c.to_state_code.in_(tuple(STATE_CODES)))
        .order_by(newest.c.case_number)
    )


def _standing(row: sa.RowMapping, heirs: Mapping[str, str]) -> Row:
    return {
        **row,
        "state_code": STATE_CODES[row["to_state_code"]],
        "first_state_code": STATE_CODES.get(row["first_to_state_code"]),
        "exit_reason_code": row["exit_reason_code"] if row["to_state_code"] == "exited" else None,
        "division_code": heirs.get(row["division_code"], row["division_code"]),
        "is_moved": row["division_code"] != row["first_division_code"],
    }


def follow_life(case: Row, life: Row | None) -> Row:
    """Let what people did to a case stand for what the baseline said of it before.

    A baseline that now says something else, neither what was taken over nor what the case has become, is a
    question: `baseline_differs`.
    """
    if life is None:
        return case
    told = (case["state_code"], case["category_code"], case["exit_reason_code"])
    taken_over = (life["first_state_code"], life["first_category_code"], life["first_exit_reason_code"])
    become = (life["state_code"], life["category_code"], life["exit_reason_code"])
    is_ended = life["state_code"] == EXITED
    asked = set() if is_ended else set(case["reason_codes"])
    return {
        **case,
        "state_code": life["state_code"],
        "category_code": life["category_code"],
        "exit_reason_code": life["exit_reason_code"],
        "division_code": life["division_code"] if life["is_moved"] else case["division_code"],
        "end_month": _last_month(life) if is_ended and case["state_code"] != EXITED else case["end_month"],
        "reason_codes": sorted(asked if told in (taken_over, become) else asked | {DIFFERS}),
    }


def case_of_life(life: Row) -> Row:
    """Make a row of `subsidy.case` for a case that the baseline does not have.

    Paid from the month in which the city filed it. One that was taken over from a baseline that has it no
    more goes on, in question: `baseline_gone`.
    """
    is_gone = life["first_step_code"] != "apply" and life["state_code"] != EXITED
    return {
        "case_number": life["case_number"],
        "programme_code": life["programme_code"],
        "category_code": life["category_code"],
        "person_id": life["person_id"],
        "first_year": (life["paid_from"] or life["happened_on"]).year,
        "start_month": (life["paid_from"] or life["happened_on"]).replace(day=1),
        "end_month": _last_month(life),
        "state_code": life["state_code"],
        "exit_reason_code": life["exit_reason_code"],
        "division_code": life["division_code"],
        "source_code": "life",
        "entry_code": "questioned" if is_gone else "imported",
        "reason_codes": [GONE] if is_gone else [],
        "landing_id": None,
        "landing_row": None,
    }


def _last_month(life: Row) -> date | None:
    """Tell the last month of payment: that in which the village proposed the exit, which ends it."""
    if life["state_code"] != EXITED:
        return None
    ended: date = life["proposed_on"] or life["happened_on"]
    return ended.replace(day=1)


def cases_without(lives: Mapping[str, Row], numbers: Iterable[str]) -> list[Row]:
    """List what lives tell of cases that are not among those of the baseline."""
    others = sorted(set(lives) - set(numbers))
    return [case_of_life(lives[number]) for number in others]
