"""When a receiver takes files: an instant against drawn windows, told in Beijing."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest

from schemas.business_date import BEIJING
from schemas.padis_window import Window, next_opening

WHOLE = Window((1, 1), (12, 31), time(0), None)
QUARTER = Window((1, 5), (3, 31), time(8), time(18))
NIGHTS = Window((10, 1), (12, 25), time(20), time(6))
WINDOWS = (QUARTER, NIGHTS)


def at(text: str) -> datetime:
    return datetime.strptime(f"2026-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=BEIJING)


@pytest.mark.parametrize(
    ("instant", "opens"),
    [
        # What the windows say of an instant, and from when on files may be sent.
        ("01-04 12:00", "01-05 08:00"),
        ("01-05 07:59", "01-05 08:00"),
        ("01-05 08:00", "01-05 08:00"),
        ("01-05 18:00", "01-06 08:00"),
        ("03-31 17:59", "03-31 17:59"),
        ("03-31 18:00", "10-01 00:00"),
        ("10-01 05:59", "10-01 05:59"),
        ("10-01 06:00", "10-01 20:00"),
        ("12-25 23:59", "12-25 23:59"),
    ],
)
def test_from_when_on_files_may_be_sent(instant: str, opens: str) -> None:
    assert next_opening(WINDOWS, at(instant)) == at(opens)


def test_the_next_opening_may_be_in_another_year() -> None:
    assert next_opening(WINDOWS, at("12-26 00:00")) == datetime(2027, 1, 5, 8, tzinfo=BEIJING)


def test_hours_are_beijings_wherever_the_clock_was_read() -> None:
    assert QUARTER.contains(datetime(2026, 1, 5, 0, 30, tzinfo=UTC))
    assert not QUARTER.contains(datetime(2026, 1, 5, 12, 30, tzinfo=UTC))


def test_a_window_of_the_whole_year_is_never_closed_and_ends_on_its_last_day() -> None:
    hours = [at("01-01 00:00") + timedelta(hours=hour) for hour in range(24 * 365)]
    assert all(WHOLE.contains(hour) for hour in hours)
    ends = [day for day in map(datetime.date, hours[::24]) if WHOLE.ends_on(day)]
    assert ends == [date(2026, 12, 31)]


def test_the_next_opening_is_the_first_minute_that_is_open() -> None:
    """Held against looking at every half hour of a year."""
    instants = [at("01-01 00:00") + timedelta(minutes=30 * place) for place in range(48 * 365)]
    is_open = [any(window.contains(instant) for window in WINDOWS) for instant in instants]
    for (before, was_open), (instant, opens) in pairwise(zip(instants, is_open, strict=True)):
        if opens and not was_open:
            assert next_opening(WINDOWS, before) == instant


def test_a_window_that_never_comes_opens_never() -> None:
    assert next_opening((Window((2, 29), (2, 29), time(0), None),), at("03-01 00:00")) is None
