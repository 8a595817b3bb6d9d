"""What is awaited, overdue and told, night after night, by a clock that the test holds."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.deadline import deadlines_where, record_deadlines
from connectors.notice import notices_where
from connectors.notice_channel import LogChannel
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.deadlines.check import STEPS, awaited_drops, check_deadlines
from etl.deadlines.give_up import give_up_drop
from etl.pull.drop_state import forget_drop
from schemas.business_date import BEIJING
from schemas.refusal import Refusal
from schemas.registry import BATCH, DEADLINE, DROP, NOTICE, STEP_RUN

DAY = date(2026, 12, 31)


def beijing(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


@pytest.fixture(autouse=True)
def nothing_known(settings: Settings) -> None:
    with registry_session(settings) as connection:
        for table in (NOTICE, DEADLINE, STEP_RUN, DROP, BATCH):
            connection.execute(sa.delete(table))


def check(settings: Settings, text: str, business_date: date | None = None) -> dict[str, Any]:
    channels = [LogChannel(settings.logs / "notices.jsonl")]
    return check_deadlines(settings, channels, beijing(text), business_date)


def drop(settings: Settings, state: str, day: date = DAY, due: str = "2027-01-01 06:00") -> None:
    with registry_session(settings) as connection:
        connection.execute(sa.delete(DROP).where(DROP.c.business_date == day))
        refusal = "file_differs" if state == "refused" else None
        row = {"source_name": "mch", "business_date": day, "state": state, "refusal_code": refusal}
        connection.execute(sa.insert(DROP).values(**row, due_at=beijing(due)))


def ran(settings: Settings, step: str, day: date = DAY, **of: Any) -> None:
    run = {"state": "done", "counts": {}, "started_at": beijing("2027-01-01 01:00")} | of
    with registry_session(settings) as connection:
        connection.execute(sa.insert(STEP_RUN).values(step=step, business_date=day, **run))


def states(settings: Settings, kind: str) -> dict[tuple[str, str], str]:
    with registry_session(settings) as connection:
        rows = deadlines_where(connection, DEADLINE.c.kind_code == kind)
    return {(row["subject_id"], row["business_date"].isoformat()): row["state"] for row in rows}


def told(settings: Settings) -> list[str]:
    with registry_session(settings) as connection:
        return sorted(row["event_id"] for row in notices_where(connection))


def test_a_drop_is_awaited_then_overdue_then_met_and_told_once(settings: Settings) -> None:
    drop(settings, "waiting")
    check(settings, "2027-01-01 01:00")
    assert states(settings, "drop") == {("mch", "2026-12-31"): "waiting"}
    assert told(settings) == []

    check(settings, "2027-01-01 06:00", DAY)
    check(settings, "2027-01-01 06:15", DAY)
    assert states(settings, "drop") == {("mch", "2026-12-31"): "overdue"}
    assert [event for event in told(settings) if event.startswith("drop")] == ["drop_overdue:mch:2026-12-31"]

    drop(settings, "complete")
    check(settings, "2027-01-01 09:00", DAY)
    assert states(settings, "drop") == {("mch", "2026-12-31"): "met"}


def test_a_refused_drop_is_told_and_still_awaited(settings: Settings) -> None:
    drop(settings, "refused")
    check(settings, "2027-01-01 01:00")
    assert told(settings) == ["drop_refused:mch:2026-12-31"]
    assert states(settings, "drop") == {("mch", "2026-12-31"): "waiting"}


def test_steps_of_the_date_that_ended_are_awaited_and_those_not_done_in_time_are_told(
    settings: Settings,
) -> None:
    assert check(settings, "2027-01-01 00:05")["waiting"] == len(STEPS)
    ran(settings, "pull_population")
    ran(settings, "gate_population", state="failed", counts={"refusal": "dataset_halted"})
    check(settings, "2027-01-01 05:00")
    found = states(settings, "step")
    assert found[("pull_population", "2026-12-31")] == "met"
    assert found[("gate_population", "2026-12-31")] == "overdue"
    assert found[("decide_subsidies", "2026-12-31")] == "waiting"
    assert told(settings) == ["step_overdue:gate_population:2026-12-31"]


def test_a_step_first_looked_for_late_is_given_two_hours_more(settings: Settings) -> None:
    check(settings, "2027-01-01 11:00")
    assert set(states(settings, "step").values()) == {"waiting"}
    check(settings, "2027-01-01 12:59")
    assert set(states(settings, "step").values()) == {"waiting"}
    check(settings, "2027-01-01 13:00")
    assert set(states(settings, "step").values()) == {"overdue"}


def test_a_date_that_a_later_one_overtook_is_void_and_told_to_nobody(settings: Settings) -> None:
    for step in STEPS:
        ran(settings, step, state="failed", counts={"refusal": "later_state_on_record"})
    check(settings, "2027-01-01 23:00")
    assert set(states(settings, "step").values()) == {"void"}
    assert told(settings) == []


def test_dates_that_no_check_has_seen_are_looked_for_across_the_end_of_the_year(settings: Settings) -> None:
    check(settings, "2026-12-30 10:00")
    check(settings, "2027-01-03 10:00")
    days = {day for _, day in states(settings, "step")}
    assert days == {"2026-12-29", "2026-12-30", "2026-12-31", "2027-01-01", "2027-01-02"}


def test_checks_all_through_a_week_with_a_leap_day_tell_each_event_once(settings: Settings) -> None:
    begun = beijing("2028-02-27 00:00")
    for hours in range(0, 7 * 24, 3):
        day = (begun + timedelta(hours=hours)).date() - timedelta(days=1)
        check(settings, f"{begun + timedelta(hours=hours):%Y-%m-%d %H:%M}", day)
    events = told(settings)
    assert len(events) == len(set(events))
    leap = [event for event in events if event.endswith("2028-02-29")]
    assert leap == [f"step_overdue:{step}:2028-02-29" for step in sorted(STEPS)]


def test_a_drop_that_a_person_gave_up_is_told_no_more_and_keeps_who_and_why(settings: Settings) -> None:
    drop(settings, "refused")
    give_up_drop(settings, "mch", DAY, "li", "hospital closed that day", beijing("2027-01-01 05:00"))
    check(settings, "2027-01-01 06:00", DAY)
    assert states(settings, "drop") == {("mch", "2026-12-31"): "given_up"}
    assert not [event for event in told(settings) if event.startswith("drop")]
    with registry_session(settings) as connection:
        (row,) = deadlines_where(connection, DEADLINE.c.kind_code == "drop")
    assert (row["given_up_by"], row["given_up_reason"]) == ("li", "hospital closed that day")

    drop(settings, "complete")
    check(settings, "2027-01-02 06:00", DAY)
    assert states(settings, "drop") == {("mch", "2026-12-31"): "met"}


def test_a_check_that_began_before_a_person_gave_a_drop_up_does_not_undo_it(settings: Settings) -> None:
    drop(settings, "waiting")
    check(settings, "2027-01-01 01:00")
    with registry_session(settings) as connection:
        seen_before = awaited_drops(connection)
    give_up_drop(settings, "mch", DAY, "li", "hospital closed that day", beijing("2027-01-01 05:00"))
    with registry_session(settings) as connection:
        record_deadlines(connection, seen_before, beijing("2027-01-01 06:00"))
    assert states(settings, "drop") == {("mch", "2026-12-31"): "given_up"}


@pytest.mark.parametrize(
    ("state", "user", "reason", "code"),
    [
        ("complete", "li", "closed", "drop_not_awaited"),
        ("waiting", " ", "closed", "reason_unusable"),
        ("waiting", "li", "", "reason_unusable"),
        ("waiting", "li", "of 11010519491231002X", "reason_unusable"),
    ],
)
def test_giving_up_needs_a_missing_drop_a_name_and_a_reason(
    settings: Settings, state: str, user: str, reason: str, code: str
) -> None:
    drop(settings, state)
    with pytest.raises(Refusal, match=code):
        give_up_drop(settings, "mch", DAY, user, reason, beijing("2027-01-01 05:00"))


def test_a_drop_that_does_not_exist_after_all_is_awaited_no_more(settings: Settings) -> None:
    drop(settings, "waiting")
    check(settings, "2027-01-01 01:00")
    with registry_session(settings) as connection:
        forget_drop(connection, "mch", DAY)
    check(settings, "2027-01-01 06:00", DAY)
    assert states(settings, "drop") == {("mch", "2026-12-31"): "void"}
    assert not [event for event in told(settings) if event.startswith("drop")]


def test_a_shadow_tells_nobody(settings: Settings) -> None:
    with pytest.raises(Refusal, match="shadow_never_sends"):
        check(replace(settings, shadow="s1"), "2027-01-01 06:00")
