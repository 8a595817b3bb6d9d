"""By when a step is done: minutes after its business date has ended in Beijing, on any calendar."""

from datetime import UTC, date, datetime

import pytest

from connectors.settings import PROJECT
from etl.deadlines.check import STEPS, last_ended, step_due
from schemas.business_date import BEIJING

# step, business date, done by (Beijing), the same instant in UTC
DUE = [
    # an ordinary night
    ("pull_population", "2026-06-01", "2026-06-02 04:00", "2026-06-01 20:00"),
    ("gate_population", "2026-06-01", "2026-06-02 05:00", "2026-06-01 21:00"),
    ("decide_subsidies", "2026-06-01", "2026-06-02 07:00", "2026-06-01 23:00"),
    # the end of a month
    ("pull_population", "2026-04-30", "2026-05-01 04:00", "2026-04-30 20:00"),
    # the end of a year: the deadline lies in the new year in Beijing, in the old one in UTC
    ("pull_population", "2026-12-31", "2027-01-01 04:00", "2026-12-31 20:00"),
    # the day before a leap day, the leap day, and the end of February in other years
    ("pull_population", "2028-02-28", "2028-02-29 04:00", "2028-02-28 20:00"),
    ("pull_population", "2028-02-29", "2028-03-01 04:00", "2028-02-29 20:00"),
    ("pull_population", "2027-02-28", "2027-03-01 04:00", "2027-02-28 20:00"),
]

# instant in UTC, the last business date that has ended in Beijing
ENDED = [
    ("2026-06-01 15:59:59", "2026-05-31"),
    ("2026-06-01 16:00:00", "2026-06-01"),
    ("2026-12-31 15:59:59", "2026-12-30"),
    ("2026-12-31 16:00:00", "2026-12-31"),
    ("2028-02-28 16:00:00", "2028-02-28"),
    ("2028-02-29 15:59:59", "2028-02-28"),
    ("2028-02-29 16:00:00", "2028-02-29"),
    ("2028-03-01 16:00:00", "2028-03-01"),
]


def at(text: str, zone) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(("step", "day", "in_beijing", "in_utc"), DUE)
def test_a_step_is_due_so_long_after_its_date_has_ended_in_beijing(step, day, in_beijing, in_utc):
    due = step_due(step, date.fromisoformat(day))
    assert due == at(in_beijing, BEIJING) == at(in_utc, UTC)


@pytest.mark.parametrize(("instant", "day"), ENDED)
def test_a_date_has_ended_when_it_has_ended_in_beijing(instant, day):
    assert last_ended(at(instant, UTC)) == date.fromisoformat(day)


def test_every_step_with_a_deadline_has_its_policy_and_no_policy_is_without_a_step():
    files = {path.stem for path in (PROJECT / "policy" / "deadlines").glob("step_*_minutes.yaml")}
    assert files == {f"step_{name}_minutes" for name in (*STEPS, "patience")}
