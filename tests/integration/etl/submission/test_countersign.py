"""The second person: backfills, what goes outside the receiver's hours, and the rows that a forger writes."""

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time

import pytest
import sqlalchemy as sa
from rich.console import Console

from connectors.registry import registry_session
from connectors.settings import Settings
from connectors.sftp import SftpPartner
from etl.submission import send
from etl.submission.approve import approve_batches
from etl.submission.countersign import BACKFILL, OUTSIDE_WINDOW, countersign
from etl.submission.levels_page import show_levels
from etl.submission.preview import preview_batches
from etl.submission.receipts import update_levels
from schemas.business_date import BEIJING
from schemas.padis_profile_file import profile_on
from schemas.padis_window import Window
from schemas.refusal import Refusal
from schemas.registry import ATTEMPT, BATCH, DECISION_RUN, RECORD, RESUBMISSION, TASK, TASK_CLOSING
from tests.support.partners import running_partners
from tests.support.released import forget_batches, release_batch
from tests.support.submission import TODAY

NEXT_DAY = date(2026, 6, 2)
BEGUN = "INSERT INTO exchange.attempt VALUES (:batch, 1, 1, now(), 'started', NULL, FALSE)"
NOW = datetime(2026, 6, 2, 1, tzinfo=UTC)
OFFICE_HOURS = (Window((1, 1), (12, 31), time(8), time(18)),)
AT_NIGHT = datetime(2026, 6, 2, 3, tzinfo=BEIJING)
LATER_RUN = {
    "programme_code": "J",
    "business_date": NEXT_DAY,
    "inputs": [],
    "decisions": "decision.reward_assistance@1",
    "policy_version": "0" * 16,
    "eligible": 0,
    "ineligible": 0,
    "unknown": 0,
}


@pytest.fixture(scope="module")
def padis(settings: Settings) -> Iterator[SftpPartner]:
    with running_partners(settings) as partners:
        yield partners["padis"]


@pytest.fixture(autouse=True)
def overtaken(settings: Settings) -> None:
    """Let a later date have been decided, and nothing else wait."""
    forget_batches(settings)
    with registry_session(settings) as connection:
        connection.execute(sa.delete(DECISION_RUN))
        connection.execute(sa.insert(DECISION_RUN).values(LATER_RUN))


def released(settings: Settings, user: str = "li") -> str:
    """Release a batch of a date that was overtaken."""
    batch_id = release_batch(settings, state="built")
    told = approve_batches(settings, TODAY, user, True, [batch_id])
    assert told["to_countersign"] == 1
    return batch_id


def let_pass(settings: Settings, batch_id: str, user: str, ground: str = BACKFILL, **how: bool) -> None:
    countersign(settings, batch_id, ground, user, "the receiver asked for it", NOW, **how)


def refused(code: str, attempt: Callable[[], object]) -> None:
    with pytest.raises(Refusal) as caught:
        attempt()
    assert caught.value.code == code
    assert all("·" in text for text in (caught.value.found, caught.value.expected, caught.value.to_do))


def forged(settings: Settings, text: str, **values: object) -> str:
    """Write something by plain SQL; tell what the database says."""
    with pytest.raises(sa.exc.IntegrityError) as caught, registry_session(settings) as connection:
        connection.execute(sa.text(text), values)
    return str(caught.value.orig)


def state_of(settings: Settings, batch_id: str) -> tuple[str, bool]:
    with registry_session(settings) as connection:
        chosen = sa.select(BATCH.c.state, BATCH.c.is_backfill).where(BATCH.c.batch_id == batch_id)
        row = connection.execute(chosen).one()
    return row.state, row.is_backfill


def test_a_backfill_waits_for_a_second_person_and_is_sent_after_the_word(
    settings: Settings, padis: SftpPartner
) -> None:
    batch_id = released(settings)
    told = send.send_batches(settings, NEXT_DAY, padis)
    assert (told["sent"], told["state"], told["to_countersign"]) == (0, "waiting", 1)
    refused("ck_countersign_two_persons", lambda: let_pass(settings, batch_id, " LI "))
    let_pass(settings, batch_id, "wang")
    told = send.send_batches(settings, NEXT_DAY, padis)
    assert (told["sent"], "state" in told) == (1, False)
    assert state_of(settings, batch_id) == ("sent", True)


def test_a_batch_of_the_newest_date_goes_by_one_person(settings: Settings, padis: SftpPartner) -> None:
    with registry_session(settings) as connection:
        connection.execute(sa.update(DECISION_RUN).values(business_date=TODAY))
    batch_id = release_batch(settings, state="built")
    assert approve_batches(settings, TODAY, "li", True, [batch_id])["to_countersign"] == 0
    refused("countersign_needless", lambda: let_pass(settings, batch_id, "wang"))
    # Released in time, it stays so, however long the receiver cannot be reached.
    with registry_session(settings) as connection:
        connection.execute(sa.update(DECISION_RUN).values(business_date=NEXT_DAY))
    assert send.send_batches(settings, NEXT_DAY, padis)["sent"] == 1


def test_what_is_only_tried_is_refused_as_it_would_be_and_not_kept(settings: Settings) -> None:
    batch_id = released(settings)
    refused("ck_countersign_two_persons", lambda: let_pass(settings, batch_id, "li", is_trial=True))
    for _ in range(2):
        let_pass(settings, batch_id, "wang", is_trial=True)
    let_pass(settings, batch_id, "wang")
    refused("countersign_given", lambda: let_pass(settings, batch_id, "zhao"))


def test_the_word_is_about_one_release(settings: Settings, padis: SftpPartner) -> None:
    batch_id = released(settings)
    let_pass(settings, batch_id, "wang")
    approve_batches(settings, TODAY, "chen", False, [batch_id])
    refused("countersign_unreleased", lambda: let_pass(settings, batch_id, "zhao"))
    approve_batches(settings, TODAY, "wang", True, [batch_id])
    assert send.send_batches(settings, NEXT_DAY, padis)["to_countersign"] == 1
    refused("ck_countersign_two_persons", lambda: let_pass(settings, batch_id, "wang"))
    let_pass(settings, batch_id, "li")
    assert send.send_batches(settings, NEXT_DAY, padis)["sent"] == 1


def test_the_same_person_who_releases_again_asks_again(settings: Settings) -> None:
    batch_id = released(settings)
    let_pass(settings, batch_id, "wang")
    approve_batches(settings, TODAY, "chen", False, [batch_id])
    approve_batches(settings, TODAY, "li", True, [batch_id])
    assert "countersign_missing" in forged(settings, BEGUN, batch=batch_id)
    let_pass(settings, batch_id, "wang")
    with registry_session(settings) as connection:
        connection.execute(sa.text(BEGUN), {"batch": batch_id})


def test_who_asked_for_a_report_does_not_let_it_pass(settings: Settings) -> None:
    first, again = release_batch(settings, records=1), released(settings)
    with registry_session(settings) as connection:
        asked = connection.execute(sa.select(RECORD).where(RECORD.c.batch_id == first)).mappings().one()
        tried = {
            "person_id": asked["person_id"],
            "first_record_id": asked["record_id"],
            "ordinal": 2,
            "sequence": 2,
        }
        newest = sa.select(sa.func.min(RECORD.c.record_id)).where(RECORD.c.batch_id == again)
        of_it = RECORD.c.record_id == newest.scalar_subquery()
        connection.execute(sa.update(RECORD).where(of_it).values(tried))
        word = {"business_date": TODAY, "asked_by": "Wang", "asked_at": NOW}
        connection.execute(sa.insert(RESUBMISSION).values(record_id=asked["record_id"], **word))
    refused("countersign_by_asker", lambda: let_pass(settings, again, "wang"))
    let_pass(settings, again, "zhao")


def test_outside_its_hours_a_second_person_lets_a_batch_pass(
    settings: Settings, padis: SftpPartner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        send, "profile_on", lambda receiver, day: replace(profile_on(receiver, day), windows=OFFICE_HOURS)
    )
    batch_id = released(settings)
    let_pass(settings, batch_id, "wang")
    told = send.send_batches(settings, NEXT_DAY, padis, now=lambda: AT_NIGHT)
    # The word about a backfill is none about the hour.
    assert (told["sent"], told["opens_at"], "to_countersign" in told) == (
        0,
        "2026-06-02T08:00:00+08:00",
        False,
    )
    refused("ck_countersign_two_persons", lambda: let_pass(settings, batch_id, "li", OUTSIDE_WINDOW))
    let_pass(settings, batch_id, "zhao", OUTSIDE_WINDOW)
    assert send.send_batches(settings, NEXT_DAY, padis, now=lambda: AT_NIGHT)["sent"] == 1
    with registry_session(settings) as connection:
        outside = connection.scalars(sa.select(ATTEMPT.c.is_outside_window)).all()
    assert outside == [True]


def test_preview_receipts_and_a_task_say_that_it_waits(settings: Settings) -> None:
    batch_id = release_batch(settings, state="built")
    heading = f"## {batch_id}"
    assert "backfill: after approval a second person" in preview_of(settings, heading)
    approve_batches(settings, TODAY, "li", True, [batch_id])
    assert "backfill that waits for a second person" in preview_of(settings, heading)
    assert batch_id in receipts_page(settings)
    update_levels(settings, NEXT_DAY, NOW)
    assert tasks_about(settings, batch_id) == [("countersign_awaited", ["backfill"], None)]
    let_pass(settings, batch_id, "wang")
    assert "backfill that a second person has let pass" in preview_of(settings, heading)
    assert batch_id not in receipts_page(settings)
    update_levels(settings, date(2026, 6, 3), NOW)
    assert tasks_about(settings, batch_id) == [("countersign_awaited", ["backfill"], "countersigned")]


def preview_of(settings: Settings, heading: str) -> str:
    return preview_batches(settings, TODAY).split(heading)[1].split("\n## ")[0]


def receipts_page(settings: Settings) -> str:
    console = Console(width=200, record=True, file=io.StringIO())
    with registry_session(settings) as connection:
        console.print(show_levels(connection))
    return console.export_text()


def tasks_about(settings: Settings, batch_id: str) -> list[tuple[str, list[str], str | None]]:
    chosen = (
        sa.select(TASK.c.kind_code, TASK.c.detail_codes, TASK_CLOSING.c.cause_code)
        .outerjoin_from(TASK, TASK_CLOSING, TASK.c.task_id == TASK_CLOSING.c.task_id)
        .where(TASK.c.subject_id == batch_id)
    )
    with registry_session(settings) as connection:
        return [(row[0], row[1], row[2]) for row in connection.execute(chosen)]


FORGED = """
    INSERT INTO exchange.countersign
    SELECT batch_id, :number, :ground, :approver, approved_at, :reason, :signer, now()
    FROM exchange.batch WHERE batch_id = :batch
"""
HONEST = {"number": 1, "ground": "backfill", "approver": "li", "reason": "why", "signer": "wang"}


@pytest.mark.parametrize(
    ("forgery", "said"),
    [
        ({"signer": "LI "}, "ck_countersign_two_persons"),
        ({"approver": "ghost", "signer": "li"}, "countersign_unreleased"),
        ({"signer": " "}, "ck_countersign_recorded_by"),
        ({"reason": " "}, "ck_countersign_reason"),
        ({"ground": "haste"}, "ck_countersign_ground_code"),
        ({"number": 2}, "countersign_number"),
    ],
)
def test_forged_words_are_refused(settings: Settings, forgery: dict[str, object], said: str) -> None:
    batch_id = released(settings)
    assert said in forged(settings, FORGED, batch=batch_id, **HONEST | forgery)
    with registry_session(settings) as connection:
        connection.execute(sa.text(FORGED), {"batch": batch_id} | HONEST)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("UPDATE exchange.batch SET state = 'sending' WHERE batch_id = :batch", "countersign_missing"),
        ("UPDATE exchange.batch SET state = 'sent' WHERE batch_id = :batch", "countersign_missing"),
        ("UPDATE exchange.batch SET business_date = '2027-01-01' WHERE batch_id = :batch", "batch_redated"),
        (BEGUN, "countersign_missing"),
    ],
)
def test_nothing_goes_by_plain_sql_without_the_word(settings: Settings, text: str, said: str) -> None:
    batch_id = released(settings)
    assert said in forged(settings, text, batch=batch_id)
    with registry_session(settings) as connection:
        connection.execute(
            sa.text("UPDATE exchange.batch SET is_backfill = FALSE WHERE batch_id = :batch"),
            {"batch": batch_id},
        )
    assert state_of(settings, batch_id) == ("approved", True)


def test_outside_its_hours_nothing_begins_by_plain_sql(settings: Settings) -> None:
    batch_id = released(settings)
    let_pass(settings, batch_id, "wang")
    outside = "INSERT INTO exchange.attempt VALUES (:batch, 1, 1, now(), 'started', NULL, TRUE)"
    assert "countersign_missing" in forged(settings, outside, batch=batch_id)


@pytest.mark.parametrize(
    "text",
    [
        "UPDATE exchange.countersign SET recorded_by = 'zhao' WHERE batch_id = :batch",
        "DELETE FROM exchange.countersign WHERE batch_id = :batch",
        "TRUNCATE exchange.countersign",
    ],
)
def test_a_word_is_never_rewritten(settings: Settings, text: str) -> None:
    batch_id = released(settings)
    let_pass(settings, batch_id, "wang")
    values = {"batch": batch_id} if ":batch" in text else {}
    assert "exchange_record_kept" in forged(settings, text, **values)


def test_a_batch_that_is_inserted_as_released_is_judged_too(settings: Settings) -> None:
    """Letters below the limit are released by policy as they are written."""
    batch_id = release_batch(settings, state="built")
    other = """
        INSERT INTO exchange.batch
        SELECT (jsonb_populate_record(batch, jsonb_build_object(
            'batch_id', 'X_1', 'file_name', 'X_1.csv', 'sequence', 9999, 'state', 'approved',
            'approved_by', 'policy'
        ))).* FROM exchange.batch WHERE batch_id = :batch
    """
    with registry_session(settings) as connection:
        connection.execute(sa.text(other), {"batch": batch_id})
    assert state_of(settings, "X_1") == ("approved", True)
