"""The business date is Beijing's, whatever the clock's zone."""

from datetime import UTC, date, datetime

import pytest

from schemas.business_date import business_date_of, parse_business_date
from schemas.refusal import Refusal


@pytest.mark.parametrize(
    ("instant", "business_date"),
    [
        (datetime(2026, 5, 31, 15, 59, tzinfo=UTC), date(2026, 5, 31)),
        (datetime(2026, 5, 31, 16, 0, tzinfo=UTC), date(2026, 6, 1)),
        (datetime(2024, 2, 28, 16, 0, tzinfo=UTC), date(2024, 2, 29)),
        (datetime(2026, 12, 31, 16, 0, tzinfo=UTC), date(2027, 1, 1)),
    ],
)
def test_an_instant_belongs_to_the_beijing_day(instant: datetime, business_date: date) -> None:
    assert business_date_of(instant) == business_date


def test_an_instant_without_a_zone_has_no_date() -> None:
    with pytest.raises(Refusal, match="naive_instant"):
        business_date_of(datetime(2026, 6, 1))  # noqa: DTZ001 - the point of the test


@pytest.mark.parametrize("text", ["", "20260601", "2026-6-1", "2026-02-30", "2026-06-01T00:00", "2026-W23-1"])
def test_other_spellings_of_a_date_are_refused(text: str) -> None:
    with pytest.raises(Refusal, match="business_date_unreadable"):
        parse_business_date(text)


def test_a_plain_date_is_read() -> None:
    assert parse_business_date("2024-02-29") == date(2024, 2, 29)
