"""Who is paid or entitled under J or T, to whom a birth means an exit review."""

from datetime import date, timedelta

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.registry import state_on
from connectors.registry_copy import copy_out
from etl.births.classify import BENEFICIARIES
from schemas.registry import CASE, DECISION

EXITED = "3"


def beneficiaries_before(connection: Connection, business_date: date) -> pa.Table:
    """Read who had a case that has not exited, or was found eligible, on the day before.

    That day, since the decisions of the date itself rest on what is found about its births. Whoever has a
    case is reviewed where the case is kept.
    """
    day_before = business_date - timedelta(days=1)
    paid = sa.select(CASE.c.person_id, CASE.c.programme_code, CASE.c.division_code).where(
        CASE.c.state_code != EXITED, state_on(CASE, day_before)
    )
    has_case = sa.exists().where(
        CASE.c.person_id == DECISION.c.person_id,
        CASE.c.programme_code == DECISION.c.programme_code,
        CASE.c.state_code != EXITED,
        state_on(CASE, day_before),
    )
    entitled = sa.select(DECISION.c.person_id, DECISION.c.programme_code, DECISION.c.division_code).where(
        DECISION.c.decision_code == "eligible", state_on(DECISION, day_before), ~has_case
    )
    beneficiaries = sa.union_all(paid, entitled).subquery()
    in_order = sa.select(beneficiaries).order_by(*beneficiaries.columns)
    return copy_out(connection, in_order, BENEFICIARIES)
