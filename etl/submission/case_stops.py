"""Whom people keep from being paid: a case that is suspended or has ended is not reported as new."""

from datetime import date

import sqlalchemy as sa

from connectors.registry import state_on
from schemas.registry import CASE

# Codes of schemas/codes/case_state.yaml.
IN_PAYMENT, SUSPENDED, EXITED = "1", "2", "3"


def stops_on(business_date: date) -> sa.Subquery:
    """Select whoever has cases of a programme and none in payment, with the state that is nearest to it.

    `programme_code`, `person_id` and `state_code`: SUSPENDED, also while an exit is in question, or EXITED.
    Whoever has no case at all is not there: nobody has stopped what has not begun.
    """
    state = sa.func.min(CASE.c.state_code)
    return (
        sa.select(CASE.c.programme_code, CASE.c.person_id, state.label("state_code"))
        .where(state_on(CASE, business_date))
        .group_by(CASE.c.programme_code, CASE.c.person_id)
        .having(state > IN_PAYMENT)
        .subquery("stops")
    )
