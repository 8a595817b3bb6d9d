"""The yearly calendar of cases: each level has a last day, and the day itself is not late."""

from datetime import date

import pytest

from schemas.case_calendar import CALENDAR, due_on, is_late


def test_each_level_follows_the_one_below() -> None:
    assert [str(due_on(step, 2027)) for step in CALENDAR] == [
        "2027-01-31", "2027-02-15", "2027-03-15", "2027-03-31", "2027-04-30", "2027-05-10",
    ]  # fmt: skip


@pytest.mark.parametrize(("day", "late"), [(date(2027, 3, 31), False), (date(2027, 4, 1), True)])
def test_a_step_is_late_after_its_day(day: date, late: bool) -> None:
    assert is_late("approve", day, 2027) is late


def test_what_the_calendar_does_not_know_is_never_late() -> None:
    assert not is_late("suspend", date(2027, 12, 31), 2027)
