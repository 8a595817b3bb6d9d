"""What of the night before is still to come, and which states of the registry it would write."""

from collections.abc import Mapping
from datetime import date

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from etl.divisions.moves import ToCome
from etl.night import RECEIVER, STEPS
from etl.steps import HOLDS_UP
from schemas.registry import STEP_RUN

DONE, HELD_UP, OPEN = "done", "held_up", "open"


def states_to_come(connection: Connection, business_date: date) -> dict[str, ToCome]:
    """Tell which states a step of the night before is still to write, and which step that is.

    The night before is the newest earlier date on which any step ran; what comes by the receiver's clock
    makes no night.
    """
    of_a_night = [step.name for step in STEPS if step.reach != RECEIVER]
    before = connection.scalar(
        sa.select(sa.func.max(STEP_RUN.c.business_date)).where(
            STEP_RUN.c.business_date < business_date, STEP_RUN.c.step.in_(of_a_night)
        )
    )
    if before is None:
        return {}
    coming = steps_to_come(ends_of(connection, before))
    return {
        state: ToCome(step.name, before) for step in STEPS if step.name in coming for state in step.states
    }


def ends_of(connection: Connection, business_date: date) -> dict[str, str]:
    """Tell per step of a date that ran how it ended: done if ever, else as it ended last."""
    runs = sa.select(STEP_RUN).where(STEP_RUN.c.business_date == business_date)
    ends: dict[str, str] = {}
    for run in connection.execute(runs.order_by(STEP_RUN.c.started_at)).mappings():
        if ends.get(run["step"]) != DONE:
            ends[run["step"]] = _end(run)
    return ends


def _end(run: sa.RowMapping) -> str:
    """Tell how a run ended: held up is also what a later date has overtaken."""
    counts = run["counts"]
    if counts.get("state") in HOLDS_UP or counts.get("refusal") == "later_state_on_record":
        return HELD_UP
    return DONE if run["state"] == "done" else OPEN


def steps_to_come(ends: Mapping[str, str]) -> set[str]:
    """Name the steps that go on, failed, or have not run though what they need has ended or is to come.

    Not to come is a step that was held up, or that needs one that was; nor is a step that needs nothing and
    that nobody began.
    """
    ended = {name for name, end in ends.items() if end == DONE}
    coming: set[str] = set()
    for step in STEPS:
        end = ends.get(step.name)
        is_due = bool(step.needs) and set(step.needs) <= ended | coming
        if end == OPEN or (end is None and is_due):
            coming.add(step.name)
    return coming
