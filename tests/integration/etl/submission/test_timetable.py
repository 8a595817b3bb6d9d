"""The timetable counts what waits and who is not accepted, as a reader of the rows would."""

import io
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa
from rich.console import Console

from connectors.registry import registry_session
from connectors.settings import Settings
from etl.submission.approve import approve_batches
from etl.submission.build import build_batches
from etl.submission.receipts import update_levels
from etl.submission.timetable import Filing, filings, occasions
from etl.submission.timetable_page import show_timetable
from schemas.registry import BATCH, RECORD
from tests.support.submission import TODAY, People, living_child, publish_people

LATER = TODAY + timedelta(days=1)


def filing_of(settings: Settings, code: str, as_of: date) -> Filing:
    with registry_session(settings) as connection:
        return next(each for each in filings(settings, connection, as_of) if each.subsystem_code == code)


def counted_by_hand(settings: Settings, as_of: date) -> Counter[str]:
    """Look at every report of J, keep the newest of each person, and say what became of it."""
    with registry_session(settings) as connection:
        rows = connection.execute(
            sa.select(RECORD.c.person_id, RECORD.c.ordinal, RECORD.c.receiver_state_code, BATCH.c.state)
            .join_from(RECORD, BATCH)
            .where(RECORD.c.subsystem_code == "J", BATCH.c.business_date <= as_of)
        ).all()
    newest: dict[str, tuple[int, str]] = {}
    for person, ordinal, answer, state in rows:
        became = {"30": "accepted", "31": "refused"}.get(
            answer, "unanswered" if state == "sent" else "unsent"
        )
        newest[person] = max(newest.get(person, (0, "")), (ordinal, became))
    return Counter(became for _, became in newest.values())


def set_rows(settings: Settings, table: sa.Table, is_it: sa.ColumnElement[bool], **values: object) -> None:
    with registry_session(settings) as connection:
        connection.execute(sa.update(table).where(is_it).values(values))


def test_every_person_is_counted_once_and_each_batch_waits_for_somebody(settings: Settings) -> None:
    people = People()
    people.add_many("J", 6)
    people.add("J", "one_child", name="某" * 61, children=[living_child()], fen=96_000)
    publish_people(settings, people, TODAY)
    build_batches(settings, TODAY)
    before = filing_of(settings, "J", TODAY)
    assert (before.to_approve, before.unsent, before.held_back, before.not_accepted) == (1, 6, 1, 7)
    # 10 May is over: who is eligible only now is late, and said to be so.
    assert (before.due, before.days_left(TODAY), before.at_risk(TODAY, 14)) == (date(2026, 5, 10), -22, 7)
    assert filing_of(settings, "J", TODAY - timedelta(days=1)).not_accepted == 0

    approve_batches(settings, TODAY, "li", True)
    assert filing_of(settings, "J", TODAY).to_send == 1
    (first,) = batches_of(settings, TODAY)
    set_rows(settings, BATCH, BATCH.c.batch_id == first, state="sent")
    numbers = records_of(settings, first)
    set_rows(settings, RECORD, RECORD.c.record_id.in_(numbers[:3]), receiver_state_code="30")
    refused = {"receiver_state_code": "31", "rejection_code": "E305"}
    set_rows(settings, RECORD, RECORD.c.record_id.in_(numbers[3:5]), **refused)

    more = People(list(people.persons), list(people.children), [], list(people.decisions))
    more.add_many("J", 2)
    publish_people(settings, more, LATER)
    build_batches(settings, LATER)
    publish_people(settings, more, LATER + timedelta(days=1))
    approve_batches(settings, LATER, "li", True)
    # One of the new reports is the second one about somebody who was refused.
    (second,) = batches_of(settings, LATER)
    with registry_session(settings) as connection:
        chosen = sa.select(RECORD.c.person_id).where(RECORD.c.record_id == numbers[3])
        again = {"person_id": connection.scalar(chosen), "ordinal": 2, "sequence": 2}
    set_rows(settings, RECORD, RECORD.c.record_id == records_of(settings, second)[0], **again)
    now = filing_of(settings, "J", LATER)
    assert (now.to_approve, now.to_countersign, now.to_send) == (0, 1, 0)
    by_hand = counted_by_hand(settings, LATER)
    assert by_hand == Counter(accepted=3, refused=1, unanswered=1, unsent=2)
    assert {name: getattr(now, name) for name in by_hand} == by_hand


def test_the_page_tells_the_days_to_come(settings: Settings) -> None:
    update_levels(settings, LATER, datetime(2026, 6, 2, 1, tzinfo=UTC))
    with registry_session(settings) as connection:
        days = occasions(connection, date(2026, 4, 28))
        page = show_timetable(filings(settings, connection, LATER), occasions(connection, LATER), LATER, 14)
    near = {(each.kind_code, each.day) for each in days}
    assert {
        ("file", date(2026, 4, 30)),
        ("report", date(2026, 5, 10)),
        ("closes", date(2026, 12, 31)),
    } <= near
    assert ("apply", date(2026, 12, 31)) not in near
    assert days == sorted(days, key=lambda each: each.day)
    console = Console(width=260, record=True, file=io.StringIO())
    console.print(page)
    text = console.export_text()
    assert "national J" in text
    assert "逾期 23 · over" in text
    assert "回执时限 · receipts due" in text


def batches_of(settings: Settings, day: date) -> list[str]:
    with registry_session(settings) as connection:
        return list(connection.scalars(sa.select(BATCH.c.batch_id).where(BATCH.c.business_date == day)))


def records_of(settings: Settings, batch_id: str) -> list[str]:
    chosen = sa.select(RECORD.c.record_id).where(RECORD.c.batch_id == batch_id).order_by(RECORD.c.record_id)
    with registry_session(settings) as connection:
        return list(connection.scalars(chosen))
