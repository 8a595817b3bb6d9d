"""The sign-off of a year: in order, by two persons, about what the receiver has; and forged rows."""

import io
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from rich.console import Console

from connectors.registry import registry_session
from connectors.settings import Settings
from etl.submission.approve import approve_batches
from etl.submission.build import build_batches
from etl.submission.filing import SignOff, sign_off, take_filing_step
from etl.submission.filing_page import show_sign_offs
from schemas.padis_profile_file import profile_on
from schemas.refusal import Refusal
from schemas.registry import BATCH, RECORD
from tests.support.released import forget_batches, release_batch
from tests.support.submission import TODAY, People, publish_people

NOW = datetime(2026, 6, 2, 1, tzinfo=UTC)
TOMORROW = date(2026, 6, 2)


@pytest.fixture(autouse=True)
def anew(settings: Settings) -> None:
    """Begin with an open filing and nothing that waits."""
    with registry_session(settings) as connection:
        connection.execute(sa.text("ALTER TABLE exchange.filing_step DISABLE TRIGGER keep"))
        connection.execute(sa.text("DELETE FROM exchange.filing_step"))
        connection.execute(sa.text("ALTER TABLE exchange.filing_step ENABLE TRIGGER keep"))
    forget_batches(settings)


def step(settings: Settings, step_code: str, user: str, **how: bool) -> dict[str, object]:
    return take_filing_step(settings, "J", "2026", step_code, user, "the year is over", NOW, **how)


def refused(code: str, attempt: Callable[[], object]) -> None:
    with pytest.raises(Refusal) as caught:
        attempt()
    assert caught.value.code == code
    assert all("·" in text for text in (caught.value.found, caught.value.expected, caught.value.to_do))


def now_of(settings: Settings) -> SignOff:
    with registry_session(settings) as connection:
        return sign_off(connection, "J", "2026")


def answered(settings: Settings, records: int = 3) -> str:
    """Send a batch of which the first record is refused and the others are accepted."""
    batch_id = release_batch(settings, records)
    with registry_session(settings) as connection:
        connection.execute(sa.update(BATCH).where(BATCH.c.batch_id == batch_id).values(state="sent"))
        of_it = RECORD.c.batch_id == batch_id
        connection.execute(sa.update(RECORD).where(of_it).values(receiver_state_code="30"))
        first = sa.select(sa.func.min(RECORD.c.record_id)).where(of_it).scalar_subquery()
        refusal = {"receiver_state_code": "31", "rejection_code": "E305"}
        connection.execute(sa.update(RECORD).where(RECORD.c.record_id == first).values(refusal))
    return batch_id


def test_a_year_is_frozen_by_one_and_signed_by_another_and_amended_with_a_reason(settings: Settings) -> None:
    before = now_of(settings).accepted_count
    answered(settings)
    assert step(settings, "freeze", "li") == {"state": "frozen", "withheld": 0, "accepted": before + 2}
    refused("filing_same_person", lambda: step(settings, "sign", " LI"))
    assert step(settings, "sign", "wang")["state"] == "signed"
    signed = now_of(settings)
    assert (signed.signed_count, signed.is_as_signed) == (before + 2, True)
    refused("filing_out_of_order", lambda: step(settings, "revert", "li"))
    assert step(settings, "amend", "zhao")["state"] == "open"
    # Who froze it before it was amended may sign this time.
    step(settings, "freeze", "wang")
    assert step(settings, "sign", "li")["state"] == "signed"


def test_what_the_receiver_has_otherwise_by_now_is_shown(settings: Settings) -> None:
    batch_id = answered(settings)
    step(settings, "freeze", "li")
    step(settings, "sign", "wang")
    with registry_session(settings) as connection:
        is_refused = sa.and_(RECORD.c.batch_id == batch_id, RECORD.c.receiver_state_code == "31")
        late = {"receiver_state_code": "30", "rejection_code": None}
        connection.execute(sa.update(RECORD).where(is_refused).values(late))
    signed = now_of(settings)
    assert (signed.accepted_count - (signed.signed_count or 0), signed.is_as_signed) == (1, False)
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(show_sign_offs([signed]))
    assert "differs by now" in console.export_text()


@pytest.mark.parametrize("first", ["sign", "amend"])
def test_steps_come_in_order(settings: Settings, first: str) -> None:
    refused("filing_out_of_order", lambda: step(settings, first, "li"))
    step(settings, "freeze", "li")
    refused("filing_out_of_order", lambda: step(settings, "freeze", "wang"))


def test_nothing_is_signed_while_something_waits(settings: Settings) -> None:
    batch_id = release_batch(settings)
    step(settings, "freeze", "li")
    refused("filing_unsettled", lambda: step(settings, "sign", "wang"))
    with registry_session(settings) as connection:
        connection.execute(sa.update(BATCH).where(BATCH.c.batch_id == batch_id).values(state="sent"))
    refused("filing_unanswered", lambda: step(settings, "sign", "wang"))
    # A batch that the receiver refused as a whole has got its answer; the guard knows the profile's codes.
    for state in profile_on("national", TODAY).receipts.batch_states.values():
        with registry_session(settings) as connection:
            says = {"receiver_state_code": state.code}
            connection.execute(sa.update(BATCH).where(BATCH.c.batch_id == batch_id).values(says))
        if state.outcome == "failed":
            assert step(settings, "sign", "wang", is_trial=True)["state"] == "signed"
        else:
            refused("filing_unanswered", lambda: step(settings, "sign", "wang"))
    assert now_of(settings).state == "frozen"
    assert step(settings, "sign", "wang")["state"] == "signed"


def test_reverting_withholds_what_was_never_tried_and_nothing_else(settings: Settings) -> None:
    answered(settings)
    released, built = release_batch(settings), release_batch(settings, state="built")
    before = now_of(settings).accepted_count
    assert step(settings, "revert", "li") == {"state": "frozen", "withheld": 2, "accepted": before}
    assert states(settings, released, built) == {"withheld"}
    assert step(settings, "sign", "wang")["accepted"] == before


def test_what_may_have_left_cannot_be_reverted(settings: Settings) -> None:
    doubtful, waiting = release_batch(settings), release_batch(settings)
    with registry_session(settings) as connection:
        connection.execute(sa.update(BATCH).where(BATCH.c.batch_id == doubtful).values(state="uncertain"))
    refused("filing_on_the_way", lambda: step(settings, "revert", "li"))
    # Refused as a whole: nothing was withheld either.
    assert states(settings, waiting) == {"approved"}


def test_a_frozen_filing_takes_no_batch_and_a_signed_one_no_release(settings: Settings) -> None:
    people = People()
    people.add_many("J", 2)
    people.add_many("T", 1)
    publish_people(settings, people, TOMORROW)
    held = release_batch(settings, state="built")
    step(settings, "freeze", "li")
    told = build_batches(settings, TOMORROW)
    assert ([batch["subsystem"] for batch in told["batches"]], told["closed"]) == (["T"], ["J"])
    assert approve_batches(settings, TOMORROW, "li", True, [held])["approved"] == 1
    assert approve_batches(settings, TODAY, "li", False, [held])["withheld"] == 1
    step(settings, "sign", "wang")
    said = forged(
        settings, "UPDATE exchange.batch SET state = 'approved' WHERE batch_id = :batch", batch=held
    )
    assert "filing_closed" in said
    step(settings, "amend", "zhao")
    told = build_batches(settings, TOMORROW)
    assert {batch["subsystem"] for batch in told["batches"]} == {"J", "T"}
    assert "closed" not in told


FORGED = """
    INSERT INTO exchange.filing_step
    VALUES ('national', 'J', '2026', :number, :step, 99, 'made up', :reason, :user, now())
"""


@pytest.mark.parametrize(
    ("forgery", "said"),
    [
        ({"user": "LI"}, "filing_same_person"),
        ({"number": 3}, "filing_step_number"),
        ({"step": "freeze"}, "filing_out_of_order"),
        ({"step": "skip"}, "filing_out_of_order"),
        ({"reason": " "}, "ck_filing_step_reason"),
        ({"user": " "}, "ck_filing_step_recorded_by"),
    ],
)
def test_forged_steps_are_refused(settings: Settings, forgery: dict[str, object], said: str) -> None:
    step(settings, "freeze", "li")
    honest = {"number": 2, "step": "sign", "reason": "why", "user": "wang"}
    assert said in forged(settings, FORGED, **honest | forgery)


def test_what_is_signed_is_counted_by_the_database(settings: Settings) -> None:
    step(settings, "freeze", "li")
    with registry_session(settings) as connection:
        values = {"number": 2, "step": "sign", "reason": "why", "user": "wang"}
        connection.execute(sa.text(FORGED), values)
    signed = now_of(settings)
    assert (signed.signed_count, signed.is_as_signed) == (signed.accepted_count, True)


@pytest.mark.parametrize(
    "text", ["UPDATE exchange.filing_step SET recorded_by = 'x'", "DELETE FROM exchange.filing_step",
             "TRUNCATE exchange.filing_step"],
)  # fmt: skip
def test_a_step_is_never_rewritten(settings: Settings, text: str) -> None:
    step(settings, "freeze", "li")
    assert "exchange_record_kept" in forged(settings, text)


def test_a_batch_is_not_put_into_a_closed_filing_by_plain_sql(settings: Settings) -> None:
    batch_id = release_batch(settings)
    step(settings, "freeze", "li")
    other = """
        INSERT INTO exchange.batch
        SELECT (jsonb_populate_record(batch, jsonb_build_object(
            'batch_id', 'X_2', 'file_name', 'X_2.zip', 'sequence', 9998, 'state', 'built'
        ))).* FROM exchange.batch WHERE batch_id = :batch
    """
    assert "filing_closed" in forged(settings, other, batch=batch_id)


def forged(settings: Settings, text: str, **values: object) -> str:
    with pytest.raises(sa.exc.IntegrityError) as caught, registry_session(settings) as connection:
        connection.execute(sa.text(text), values)
    return str(caught.value.orig)


def states(settings: Settings, *batch_ids: str) -> set[str]:
    with registry_session(settings) as connection:
        return set(connection.scalars(sa.select(BATCH.c.state).where(BATCH.c.batch_id.in_(batch_ids))))
