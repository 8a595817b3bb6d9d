"""Take the cases of the baseline over: each becomes a life, as it was found."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

import sqlalchemy as sa

from connectors.registry import hold_lock, registry_session, state_on
from connectors.settings import Settings
from etl.subsidy.case_life import Act, take_over_as_found
from etl.subsidy.case_refusals import case_session
from etl.subsidy.case_standing import STATE_CODES
from schemas.business_date import BEIJING
from schemas.case_life import load_case_life
from schemas.division_level import VILLAGE, level_of
from schemas.refusal import Refusal
from schemas.registry import CASE, CASE_LIFE

# Who takes over at night, and why; a person takes every other step.
BASELINE = "baseline"
WHY = "承接基线个案 · taken over as the baseline has it"
# Each life holds a lock of its person until its transaction ends; a server has some thousand.
AT_ONCE = 500
Row = Mapping[str, Any]


def take_over_cases(settings: Settings, business_date: date) -> dict[str, Any]:
    """Take over what the import did not question; rerunning changes nothing.

    A case that was taken over keeps its life: no later night takes a step of it. In shadow nothing is taken
    over.

    Returns:
        cases `taken_over` by this run, by the state in which they were found; those `left`, with the
        `reasons` {code of what stands in the way: cases}.
    """
    taken: Counter[str] = Counter()
    left: Counter[str] = Counter()
    if settings.shadow is None:
        with hold_lock(settings, "etl.subsidy.take_over", business_date):
            taken, left = _take_over(settings, business_date)
    return {
        "taken_over": taken.total(),
        **{state: taken[state] for state in STATE_CODES if taken[state]},
        "left": left.total(),
        "reasons": dict(sorted(left.items())),
    }


def _take_over(settings: Settings, business_date: date) -> tuple[Counter[str], Counter[str]]:
    """Take over whom nobody has taken over yet; exited cases first, since a person has one open case."""
    end_of_day = datetime.combine(business_date, time(23, 59, 59), BEIJING)
    act = Act(BASELINE, business_date, WHY, end_of_day, known_on=business_date)
    taken: Counter[str] = Counter()
    left: Counter[str] = Counter()
    fitting = []
    for case in _waiting(settings, business_date):
        obstacle = _obstacle(case)
        left.update([obstacle] if obstacle else [])
        fitting += [] if obstacle else [case]
    for first in range(0, len(fitting), AT_ONCE):
        together = fitting[first : first + AT_ONCE]
        try:
            taken.update(_take_over_together(settings, together, act))
        except Refusal:
            for case in together:
                try:
                    taken.update(_take_over_together(settings, [case], act))
                except Refusal as refusal:
                    left.update([refusal.code])
    return taken, left


def _take_over_together(settings: Settings, cases: Sequence[Row], act: Act) -> list[str]:
    with case_session(settings) as connection:
        return take_over_as_found(connection, cases, act)


def _waiting(settings: Settings, business_date: date) -> Sequence[Row]:
    has_life = sa.exists().where(CASE_LIFE.c.case_number == CASE.c.case_number)
    chosen = sa.select(CASE).where(
        CASE.c.source_code == BASELINE,
        CASE.c.entry_code == "imported",
        state_on(CASE, business_date),
        ~has_life,
    )
    with registry_session(settings) as connection:
        in_order = chosen.order_by(CASE.c.state_code.desc(), CASE.c.case_number)
        return [dict(row) for row in connection.execute(in_order).mappings()]


def _obstacle(case: Row) -> str | None:
    """Tell what of a case the registry would refuse; None if it can be taken over."""
    life, programme = load_case_life(), case["programme_code"]
    if level_of(case["division_code"]) != VILLAGE:
        return "village_unknown"
    if case["category_code"] not in life.categories.get(programme, ()):
        return "category_of_another_programme"
    reason = case["exit_reason_code"]
    if reason is not None and reason not in life.exit_reasons[programme]:
        return "exit_reason_of_another_programme"
    return None
