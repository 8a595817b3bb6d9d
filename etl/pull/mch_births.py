"""Pull the births that the maternal-health system reports, one drop per business date."""

import logging
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

from connectors.registry import registry_session
from connectors.settings import Settings
from connectors.sftp import SftpPartner
from etl.pull.drop_state import drops_missing
from etl.pull.drops import DropSource, clock, pull_drop
from schemas.refusal import Refusal

LOG = logging.getLogger(__name__)

MCH_BIRTHS = DropSource(
    name="mch",
    dataset="mch_birth",
    folder="/outgoing/{business_date}",
    due_time=time(6),
    patience=timedelta(hours=2),
)


def pull_mch_births(
    settings: Settings, business_date: date, partner: SftpPartner, *, now: Callable[[], datetime] = clock
) -> dict[str, Any]:
    """Land the births of a business date if their drop has arrived whole, and tell the drop's state.

    `state` is complete, waiting, overdue or refused; see `etl.pull.drops.pull_drop`. Older dates still
    missing are looked for again; `late` lists those that have arrived now.
    """
    told = pull_drop(settings, MCH_BIRTHS, business_date, partner, now=now)
    late = [
        day.isoformat() for day in _missing(settings, business_date) if _comes(settings, day, partner, now)
    ]
    return {**told, "late": late} if late else told


def _missing(settings: Settings, business_date: date) -> list[date]:
    with registry_session(settings) as connection:
        missing = drops_missing(connection, business_date - timedelta(days=1))
    return [drop["business_date"] for drop in missing if drop["source_name"] == MCH_BIRTHS.name]


def _comes(settings: Settings, day: date, partner: SftpPartner, now: Callable[[], datetime]) -> bool:
    try:
        return bool(pull_drop(settings, MCH_BIRTHS, day, partner, now=now)["state"] == "complete")
    except Refusal as refusal:
        # Of another date: what is asked for now does not fail for it.
        LOG.warning("%s of %s: %s", MCH_BIRTHS.dataset, day, refusal)
        return False
