"""What is awaited, overdue and told, night after night, by a clock that the test holds."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from connectors.deadline import Awaited, deadlines_where, record_deadlines
from connectors.notice import notices_where
from connectors.notice_channel import LogChannel
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.deadlines.check import STEPS, awaited_drops, check_deadlines
from etl.deadlines.give_up import give_up_drop
from etl.pull.drop_state import forget_drop
from schemas.business_date import BEIJING
from schemas.refusal import Refusal
from schemas.registry import ATTEMPT, BATCH, DEADLINE, DROP, NOTICE, STEP_RUN

DAY = date(2026, 12, 31)


def beijing(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


@pytest.fixture(autouse=True)
def nothing_known(settings: Settings) -> None:
    with registry_session(settings) as connection:
        for table in (NOTICE, DEADLINE, STEP_RUN, DROP, ATTEMPT, BATCH):
            connection.execute(sa.delete(table))


def check(settings: Settings, text: str, business_date: date | None = None) -> dict[str, Any]:
    channels = [LogChannel(settings.logs / "notices.jsonl")]
    return check_deadlines(settings, channels, beijing(text), business_date)


def drop(
    settings: Settings,
    state: str,
    day: date = DAY,
    due: str = "2027-01-01 06:00",
    refused_for: str = "file_differs",
) -> None:
    with registry_session(settings) as connection:
        connection.execute(sa.delete(DROP).where(DROP.c.business_date == day))
        refusal = refused_for if state == "refused" else None
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
        rows = notices_where(connection)
    return sorted(f"{row['kind_code']}:{row['subject_id']}:{row['business_date']}" for row in rows)


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


def test_a_corrected_drop_that_is_refused_for_another_reason_is_told_again(settings: Settings) -> None:
    for refused_for in ("file_differs", "columns_differ", "columns_differ"):
        drop(settings, "refused", refused_for=refused_for)
        check(settings, "2027-01-01 01:00")
    assert told(settings) == ["drop_refused:mch:2026-12-31"] * 2


def attempt(settings: Settings, number: int) -> None:
    """Let an attempt to send a batch end without an answer."""
    batch = {
        "batch_id": "J_110000_2026_A_0001",
        "receiver": "national",
        "subsystem_code": "J",
        "period": "2026",
        "operation_code": "A",
        "sequence": 1,
        "business_date": DAY,
        "file_name": "J_110000_2026_A_0001.csv",
        "record_count": 1,
        "byte_count": 1,
        "sha256": "0" * 64,
        "content": b"",
        "inputs": [],
        "policy_version": "1",
        "state": "uncertain",
    }
    tried = {"lease_epoch": 1, "started_at": beijing("2027-01-01 05:00"), "outcome": "uncertain"}
    with registry_session(settings) as connection:
        connection.execute(postgresql.insert(BATCH).values(batch).on_conflict_do_nothing())
        connection.execute(sa.insert(ATTEMPT).values(batch_id=batch["batch_id"], attempt=number, **tried))


def test_a_batch_that_is_uncertain_again_after_it_was_resent_is_told_again(settings: Settings) -> None:
    for number in (1, 2):
        attempt(settings, number)
        check(settings, "2027-01-01 01:00")
        check(settings, "2027-01-01 01:15")
    assert told(settings) == ["batch_uncertain:J_110000_2026_A_0001:2026-12-31"] * 2


def test_a_receipt_that_is_overdue_again_after_the_batch_was_resent_is_told_again(settings: Settings) -> None:
    for hour, state in ((1, "waiting"), (2, "void"), (3, "waiting")):
        receipt = Awaited("receipt", "J_1:file", DAY, state, patience=timedelta(minutes=30))
        with registry_session(settings) as connection:
            record_deadlines(connection, [receipt], beijing(f"2027-01-01 0{hour}:00"))
        check(settings, f"2027-01-01 0{hour}:45")
        check(settings, f"2027-01-01 0{hour}:50")
    assert told(settings) == ["receipt_overdue:J_1:file:2026-12-31"] * 2


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


def test_a_check_that_saw_a_drop_before_it_was_found_not_to_exist_awaits_it_once_at_most(
    settings: Settings,
) -> None:
    drop(settings, "waiting")
    with registry_session(settings) as connection:
        seen_before = awaited_drops(connection)
        forget_drop(connection, "mch", DAY)
        record_deadlines(connection, seen_before, beijing("2027-01-01 01:00"))
    assert states(settings, "drop") == {("mch", "2026-12-31"): "waiting"}

    check(settings, "2027-01-01 06:00", DAY)
    assert states(settings, "drop") == {("mch", "2026-12-31"): "void"}
    assert not [event for event in told(settings) if event.startswith("drop")]


def test_a_shadow_tells_nobody(settings: Settings) -> None:
    with pytest.raises(Refusal, match="shadow_never_sends"):
        check(replace(settings, shadow="s1"), "2027-01-01 06:00")
