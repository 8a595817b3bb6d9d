"""Pull a partner's drops: that of the business date, and earlier ones that have not come yet."""

import logging
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from connectors.registry import registry_session
from connectors.settings import Settings
from connectors.sftp import SftpPartner
from etl.pull.drop_state import dates_complete, drops_missing
from etl.pull.drops import NOTHING, clock, pull_drop
from schemas.drop_source import LOOK_BACK_DAYS, DropSource
from schemas.policy import load_parameter
from schemas.refusal import Refusal
from schemas.registry import DEADLINE

LOG = logging.getLogger(__name__)


def pull_source(
    settings: Settings,
    source: DropSource,
    business_date: date,
    partner: SftpPartner,
    *,
    now: Callable[[], datetime] = clock,
) -> dict[str, Any]:
    """Land the drop of a business date if it has arrived whole, and tell the drop's state.

    `state` is complete, waiting, overdue or refused, see `etl.pull.drops.pull_drop`; of a partner that is
    not expected every night it is `nothing` where there is no drop, `late` where only earlier ones came.
    Older dates still missing are looked for again; `late` lists those that have arrived now. What comes
    once is not asked for again.
    """
    if source.rhythm == "once" and _has_come(settings, source, business_date):
        return {"state": NOTHING}
    told = pull_drop(settings, source, business_date, partner, now=now)
    late = [
        day.isoformat()
        for day in _days_before(settings, source, business_date)
        if _comes(settings, source, day, partner, now)
    ]
    if late and told["state"] == NOTHING:
        # There is something to conform after all, though nothing of this date.
        told = {"state": "late"}
    return {**told, "late": late} if late else told


def _has_come(settings: Settings, source: DropSource, business_date: date) -> bool:
    with registry_session(settings) as connection:
        complete = dates_complete(connection, source.name)
    return bool(complete - {business_date})


def _days_before(settings: Settings, source: DropSource, business_date: date) -> list[date]:
    """List the earlier dates to look at again, oldest first."""
    with registry_session(settings) as connection:
        complete = dates_complete(connection, source.name)
        missing = drops_missing(connection, business_date - timedelta(days=1))
    days = {drop["business_date"] for drop in missing if drop["source_name"] == source.name}
    if not source.is_expected:
        days |= {business_date - timedelta(days=back) for back in range(1, LOOK_BACK_DAYS)}
    return sorted(days - complete - _left_alone(settings, source, days, business_date))


def _left_alone(settings: Settings, source: DropSource, days: set[date], business_date: date) -> set[date]:
    """Tell which dates nobody looks for by himself: too old, or given up by a person."""
    most = load_parameter("deadlines/drop_asking_days").on(business_date)
    is_given_up = sa.and_(
        DEADLINE.c.kind_code == "drop", DEADLINE.c.subject_id == source.name, DEADLINE.c.state == "given_up"
    )
    with registry_session(settings) as connection:
        given_up = set(connection.scalars(sa.select(DEADLINE.c.business_date).where(is_given_up)))
    return given_up | {day for day in days if (business_date - day).days > most}


def _comes(
    settings: Settings, source: DropSource, day: date, partner: SftpPartner, now: Callable[[], datetime]
) -> bool:
    try:
        return bool(pull_drop(settings, source, day, partner, now=now)["state"] == "complete")
    except Refusal as refusal:
        # Of another date: what is asked for now does not fail for it.
        LOG.warning("%s of %s: %s", source.dataset, day, refusal)
        return False
