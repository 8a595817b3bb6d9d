"""Days left and records at risk, by window and due day."""

from datetime import date, time

import pytest

from etl.submission.timetable import Filing
from schemas.padis_window import Window, window_from

YEAR = (Window((1, 1), (12, 31), time(0), None),)
QUARTERS = (Window((1, 1), (3, 31), time(8), time(18)), Window((4, 1), (6, 30), time(8), time(18)))
LEAP = (Window((2, 1), (2, 29), time(8), time(18)),)
MAY_10 = date(2026, 5, 10)


@pytest.mark.parametrize(
    ("windows", "day", "expected"),
    [
        (YEAR, date(2026, 6, 1), (date(2026, 6, 1), date(2026, 12, 31))),
        (YEAR, date(2026, 12, 31), (date(2026, 12, 31), date(2026, 12, 31))),
        (QUARTERS, date(2026, 3, 31), (date(2026, 3, 31), date(2026, 3, 31))),
        (QUARTERS, date(2026, 4, 1), (date(2026, 4, 1), date(2026, 6, 30))),
        (QUARTERS, date(2026, 7, 1), (date(2027, 1, 1), date(2027, 3, 31))),
        (LEAP, date(2026, 2, 10), (date(2026, 2, 10), date(2026, 2, 28))),
        (LEAP, date(2028, 1, 1), (date(2028, 2, 1), date(2028, 2, 29))),
        ((Window((2, 29), (2, 29), time(8), time(18)),), date(2026, 3, 1), None),
    ],
)
def test_a_window_from_a_day_on(
    windows: tuple[Window, ...], day: date, expected: tuple[date, date] | None
) -> None:
    assert window_from(windows, day) == expected


@pytest.mark.parametrize(
    ("as_of", "window", "due", "days_left", "at_risk"),
    [
        # The due day comes before the window ends.
        (date(2026, 5, 1), (date(2026, 5, 1), date(2026, 12, 31)), MAY_10, 9, 10),
        (date(2026, 4, 20), (date(2026, 4, 20), date(2026, 12, 31)), MAY_10, 20, 0),
        # The window ends before the due day.
        (date(2026, 3, 30), (date(2026, 3, 30), date(2026, 3, 31)), MAY_10, 1, 10),
        # A window that is to come limits nothing.
        (date(2026, 4, 1), (date(2026, 5, 1), date(2026, 5, 5)), MAY_10, 39, 0),
        # Over is over, however long the window stays open.
        (date(2026, 5, 11), (date(2026, 5, 11), date(2026, 5, 20)), MAY_10, -1, 10),
        (date(2026, 5, 10), (date(2026, 5, 10), date(2026, 12, 31)), MAY_10, 0, 10),
        (date(2026, 5, 10), None, None, None, 0),
    ],
)
def test_who_is_not_accepted_is_at_risk_when_the_limit_is_near(
    as_of: date, window: tuple[date, date] | None, due: date | None, days_left: int | None, at_risk: int
) -> None:
    filing = Filing(
        "national", "J", False, window, due, accepted=5, unsent=1, unanswered=2, refused=3, held_back=4
    )
    assert (filing.days_left(as_of), filing.at_risk(as_of, 14)) == (days_left, at_risk)
