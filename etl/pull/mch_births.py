"""Pull the births that the maternal-health system reports, one drop per business date."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

from connectors.settings import Settings
from connectors.sftp import SftpPartner
from etl.pull.drops import DropSource, clock, pull_drop

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

    `state` is complete, waiting, overdue or refused; see `etl.pull.drops.pull_drop`.
    """
    return pull_drop(settings, MCH_BIRTHS, business_date, partner, now=now)
