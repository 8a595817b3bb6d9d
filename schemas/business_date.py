"""The business date is Beijing's: dates are told in Asia/Shanghai, never in UTC."""

import re
from datetime import date, datetime
from zoneinfo import ZoneInfo

from schemas.refusal import Refusal

BEIJING = ZoneInfo("Asia/Shanghai")
WRITTEN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def business_date_of(instant: datetime) -> date:
    """Tell the Beijing date of an aware instant.

    Raises:
        Refusal: the instant has no time zone, so its date cannot be known.
    """
    if instant.tzinfo is None:
        raise Refusal(
            "naive_instant",
            found="an instant without a time zone",
            expected="an instant with a time zone",
            to_do="attach the zone in which the clock was read",
        )
    return instant.astimezone(BEIJING).date()


def parse_business_date(text: str) -> date:
    """Read a business date written YYYY-MM-DD.

    Raises:
        Refusal: anything else, such as 20260601, 2026-W23-1 or a date that does not exist.
    """
    try:
        if not WRITTEN.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise Refusal(
            "business_date_unreadable",
            found=f"{len(text)} characters that are no date",
            expected="a date such as 2026-06-01",
            to_do="give business_date as YYYY-MM-DD",
        ) from None
