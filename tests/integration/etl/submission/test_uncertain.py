"""Batches that may have arrived, and receipts in any order, over the real registry."""

import logging
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta
from itertools import pairwise
from typing import cast

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from connectors.registry import registry_session
from connectors.settings import Settings
from connectors.sftp import SftpPartner, SftpSession
from etl.submission.approve import approve_batches
from etl.submission.attempt import begin_attempt, finish_attempt, mark_sending
from etl.submission.build import build_batches
from etl.submission.receipts import take_in_receipts
from etl.submission.send import send_batches
from etl.submission.uncertain import decide_uncertain, resolve_batch
from schemas.padis_profile_file import profile_on
from schemas.refusal import Refusal
from schemas.registry import ATTEMPT, BATCH, LANDING, RECEIPT, RECORD
from tests.support.far_side import FarSide
from tests.support.submission import TODAY, People, bytes_of, publish_people

PROFILE = profile_on("national", TODAY)
BATCH_ID = "J_110000_2026_A_0001"
FILE = f"/inbox/{BATCH_ID}.zip"


@pytest.fixture(scope="module")
def city(settings: Settings) -> Settings:
    people = People()
    people.add_many("J", 6)
    publish_people(settings, people)
    build_batches(settings, TODAY)
    approve_batches(settings, TODAY, "li", True)
    return settings


@pytest.fixture
def sending(city: Settings) -> Iterator[Settings]:
    """The batch as a sender leaves it that was killed around its rename."""
    attempt = begin_attempt(city, BATCH_ID, 77)
    mark_sending(city, attempt)
    yield city
    start_anew(city)


def start_anew(settings: Settings) -> None:
    with registry_session(settings) as connection:
        for table in (ATTEMPT, RECEIPT, LANDING):
            connection.execute(sa.delete(table).where(*_receipts_only(table)))
        fresh = {"state": "approved", "receiver_state_code": None, "sent_at": None, "approved_by": "li"}
        connection.execute(sa.update(BATCH).values(fresh))
        connection.execute(sa.update(RECORD).values(receiver_state_code="10", rejection_code=None))


def _receipts_only(table: sa.Table) -> list[sa.ColumnElement[bool]]:
    return [LANDING.c.dataset_name == "padis_receipt"] if table is LANDING else []


def resolve(settings: Settings, far_side: FarSide) -> str:
    return resolve_batch(settings, PROFILE, cast(SftpSession, far_side), BATCH_ID)


def test_the_same_file_in_the_inbox_means_sent(sending: Settings) -> None:
    assert resolve(sending, FarSide(files={FILE: bytes_of(sending, BATCH_ID)})) == "sent"


def test_a_receipt_of_the_batch_means_sent(sending: Settings) -> None:
    assert resolve(sending, FarSide(files={f"/receipts/{BATCH_ID}.S10.csv": b""})) == "sent"


def test_a_receipt_of_another_batch_means_nothing(sending: Settings) -> None:
    other = FarSide(files={"/receipts/J_110000_2026_A_0011.S10.csv": b"", "/receipts/notes.txt": b""})
    assert resolve(sending, other) == "uncertain"


@pytest.mark.parametrize("content", [b"short", bytes(10_000_000)])
def test_another_file_under_our_name_stays_uncertain(sending: Settings, content: bytes) -> None:
    part = f"{FILE}.part-77-1"
    assert resolve(sending, FarSide(files={FILE: content, part: b""})) == "uncertain"


def test_an_upload_that_was_never_named_is_taken_back_and_may_be_sent_again(sending: Settings) -> None:
    far_side = FarSide(files={f"{FILE}.part-77-1": b"whole"})
    assert resolve(sending, far_side) == "approved"
    assert f"{FILE}.part-77-1" not in far_side.files


def test_who_finds_out_after_one_whose_verdict_was_lost_comes_to_the_same(sending: Settings) -> None:
    far_side = FarSide(files={f"{FILE}.part-77-1": b"whole"})
    assert far_side.withdraw_part("/inbox", FILE.removeprefix("/inbox/"), "77-1")
    assert resolve(sending, far_side) == "approved"


def test_a_name_that_shows_while_the_upload_is_taken_back_proves_nothing_yet(sending: Settings) -> None:
    class BetweenLinkAndUnlink(FarSide):
        def withdraw_part(self, folder: str, name: str, attempt: str) -> bool:
            self.files[f"{folder}/{name}"] = bytes_of(sending, BATCH_ID)
            return super().withdraw_part(folder, name, attempt)

    far_side = BetweenLinkAndUnlink(files={f"{FILE}.part-77-1": b"whole"})
    assert resolve(sending, far_side) == "uncertain"
    # Its server has found nothing to unlink and has taken the name away; or the receiver has taken the file.
    del far_side.files[FILE]
    assert resolve(sending, FarSide(files=far_side.files)) == "uncertain"
    assert resolve(sending, FarSide(files={f"/receipts/{BATCH_ID}.T01.csv": b""})) == "sent"


def test_without_any_evidence_it_stays_uncertain_until_a_person_decides(sending: Settings) -> None:
    assert resolve(sending, FarSide()) == "uncertain"
    with pytest.raises(Refusal, match="batch_not_released"):
        begin_attempt(sending, BATCH_ID, 78)
    assert decide_uncertain(sending, BATCH_ID, "zhao", False)["state"] == "approved"
    with registry_session(sending) as connection:
        row = connection.execute(sa.select(BATCH).where(BATCH.c.batch_id == BATCH_ID)).mappings().one()
        said = connection.scalar(sa.select(ATTEMPT.c.message).where(ATTEMPT.c.batch_id == BATCH_ID))
    assert (row["approved_by"], said) == ("zhao", "decided by zhao")
    with pytest.raises(Refusal, match="batch_not_uncertain"):
        decide_uncertain(sending, BATCH_ID, "zhao", True)


def test_a_person_may_say_that_it_arrived(sending: Settings) -> None:
    assert resolve(sending, FarSide()) == "uncertain"
    assert decide_uncertain(sending, BATCH_ID, "zhao", True)["state"] == "sent"


def test_what_an_overtaken_attempt_finds_out_changes_nothing(city: Settings) -> None:
    first = begin_attempt(city, BATCH_ID, 1)
    second = begin_attempt(city, BATCH_ID, 2)
    with pytest.raises(Refusal, match="attempt_superseded"):
        mark_sending(city, first)
    mark_sending(city, second)
    finish_attempt(city, first, "failed", "late")
    with registry_session(city) as connection:
        state = connection.scalar(sa.select(BATCH.c.state).where(BATCH.c.batch_id == BATCH_ID))
    assert state == "sending"
    start_anew(city)


@pytest.mark.parametrize("state", ["applied", "parked"])
def test_a_batch_with_a_receipt_on_record_is_not_released_anew(sending: Settings, state: str) -> None:
    row = {"landing_id": "a" * 16, "file_name": f"{BATCH_ID}.S10.csv", "batch_id": BATCH_ID, "stage": "batch"}
    with registry_session(sending) as connection:
        connection.execute(sa.insert(RECEIPT), {**row, "state": state, "accepted": 0, "rejected": 0})
    with pytest.raises(Refusal, match="batch_has_receipt"):
        decide_uncertain(sending, BATCH_ID, "zhao", False)
    assert state_of(sending) == "sending"
    assert decide_uncertain(sending, BATCH_ID, "zhao", True)["state"] == "sent"


@pytest.fixture
def given_back(city: Settings) -> Iterator[Settings]:
    """The batch after an attempt that is believed not to have arrived."""
    attempt = begin_attempt(city, BATCH_ID, 79)
    mark_sending(city, attempt)
    finish_attempt(city, attempt, "failed", "believed not to have arrived")
    yield city
    start_anew(city)


def state_of(settings: Settings) -> str | None:
    with registry_session(settings) as connection:
        return connection.scalar(sa.select(BATCH.c.state).where(BATCH.c.batch_id == BATCH_ID))


def test_a_batch_tried_before_is_not_sent_again_if_the_receiver_has_answered_it(
    given_back: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    far_side = FarSide(files={f"/receipts/{BATCH_ID}.S10.csv": b""})
    monkeypatch.setattr("etl.submission.send.open_sftp", lambda _: nullcontext(far_side))
    assert send_batches(given_back, TODAY, cast(SftpPartner, None))["sent"] == 1
    with registry_session(given_back) as connection:
        attempts = connection.execute(sa.select(ATTEMPT.c.outcome)).all()
    assert (state_of(given_back), attempts) == ("sent", [("sent",)])


# Receipts that could not be used at first.


def receipt_of(state: str) -> bytes:
    return f"1\n批次号,状态,时间,说明\n{BATCH_ID},{state},2026-06-01 10:00:00,\n".encode()


def take_in(settings: Settings, far_side: FarSide, days_later: int = 0) -> dict[str, int]:
    day = TODAY + timedelta(days=days_later)
    return dict(take_in_receipts(settings, PROFILE, cast(SftpSession, far_side), day))


def receipts_on_record(settings: Settings) -> list[tuple[str, str]]:
    with registry_session(settings) as connection:
        rows = connection.execute(
            sa.select(RECEIPT.c.file_name, RECEIPT.c.state).order_by(RECEIPT.c.file_name)
        )
        return [(row.file_name, row.state) for row in rows]


def test_a_receipt_of_a_released_batch_that_was_tried_means_sent(given_back: Settings) -> None:
    assert take_in(given_back, FarSide(files={f"/receipts/{BATCH_ID}.S10.csv": receipt_of("10")})) == {
        "new": 1
    }
    assert state_of(given_back) == "sent"
    assert receipts_on_record(given_back) == [(f"{BATCH_ID}.S10.csv", "applied")]


def test_a_parked_receipt_is_applied_on_a_later_day_when_its_reason_has_gone(city: Settings) -> None:
    name = f"{BATCH_ID}.S10.csv"
    far_side = FarSide(files={f"/receipts/{name}": receipt_of("10")})
    assert take_in(city, far_side) == {"new": 1}
    assert (state_of(city), receipts_on_record(city)) == ("approved", [(name, "parked")])
    finish_attempt(city, begin_attempt(city, BATCH_ID, 80), "failed", "cut off")
    assert take_in(city, far_side, days_later=1) == {"new": 1}
    assert (state_of(city), receipts_on_record(city)) == ("sent", [(name, "applied")])
    assert take_in(city, far_side, days_later=1) == {"known": 1}
    start_anew(city)


def test_a_receipt_parked_for_its_name_is_applied_under_its_right_name(sending: Settings) -> None:
    wrong, right = f"{BATCH_ID}.S10.csv.csv", f"{BATCH_ID}.S10.csv"
    assert take_in(sending, FarSide(files={f"/receipts/{wrong}": receipt_of("10")})) == {"new": 1}
    assert receipts_on_record(sending) == [(wrong, "parked")]
    both = FarSide(files={f"/receipts/{name}": receipt_of("10") for name in (wrong, right)})
    assert take_in(sending, both) == {"known": 1, "new": 1}
    assert receipts_on_record(sending) == [(right, "applied")]


def test_copies_of_a_parked_receipt_do_not_take_turns_on_record(sending: Settings) -> None:
    names = (f"{BATCH_ID}.S11.csv", f"{BATCH_ID}.S12.csv", "copy.txt")
    far_side = FarSide(files={f"/receipts/{name}": receipt_of("10") for name in names})
    take_in(sending, far_side)
    before = everything(sending)
    assert take_in(sending, far_side) == {"known": 3}
    assert everything(sending) == before


@pytest.mark.parametrize("ending", [".part", ".part-3", ".tmp"])
def test_an_upload_that_is_not_finished_is_left_alone_until_it_has_its_name(
    sending: Settings, ending: str
) -> None:
    name = f"{BATCH_ID}.S10.csv"
    assert take_in(sending, FarSide(files={f"/receipts/{name}{ending}": receipt_of("10")})) == {}
    assert receipts_on_record(sending) == []
    assert take_in(sending, FarSide(files={f"/receipts/{name}": receipt_of("10")})) == {"new": 1}
    assert receipts_on_record(sending) == [(name, "applied")]


@pytest.mark.parametrize("code", ["remote_permission_denied", "remote_failed"])
def test_receipts_that_cannot_be_read_do_not_stop_the_others(
    sending: Settings, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    denied, foreign, good = f"{BATCH_ID}.R01.csv", "anybody.csv", f"{BATCH_ID}.S10.csv"
    far_side = FarSide(
        files={f"/receipts/{name}": receipt_of("10") for name in (denied, foreign, good)},
        unreadable={f"/receipts/{name}": code for name in (denied, foreign)},
    )
    with caplog.at_level(logging.WARNING):
        assert take_in(sending, far_side) == {"unreadable": 2, "new": 1}
    assert receipts_on_record(sending) == [(good, "applied")]
    assert (denied in caplog.text, code in caplog.text, foreign in caplog.text) == (True, True, False)


def test_a_lost_connection_ends_the_look_at_receipts(sending: Settings) -> None:
    path = f"/receipts/{BATCH_ID}.S10.csv"
    with pytest.raises(Refusal, match="connection_lost"):
        take_in(sending, FarSide(files={path: b""}, unreadable={path: "connection_lost"}))


# Receipts in any order, repeated, forged, contradictory.

HEADERS = {"S": "批次号,状态,时间,说明", "R": "批次号,成员文件,行号,个案编号,状态,代码,说明"}
STATE_CODES = st.sampled_from(["10", "20", "21", "22", "30", "31", "40"])
BATCH_IDS = st.sampled_from([BATCH_ID, BATCH_ID, BATCH_ID, "J_110000_2026_A_0099"])
ANSWERS = st.lists(
    st.tuples(st.integers(0, 6), st.sampled_from(["30", "31"]), st.booleans()),
    min_size=1,
    max_size=4,
    unique_by=lambda answer: answer[0],
)
BATCH_RECEIPTS = st.tuples(st.just("S"), BATCH_IDS, STATE_CODES)
RECORD_RECEIPTS = st.tuples(st.just("R"), BATCH_IDS, ANSWERS)


def write_receipt(kind: str, batch_id: str, said: object, records: list[sa.RowMapping]) -> tuple[str, bytes]:
    if kind == "S":
        rows = [f"{batch_id},{said},2026-06-01 10:00:00,"]
        name = f"{batch_id}.S{said}.csv"
    else:
        rows = [_answer_row(batch_id, *answer, records) for answer in cast("list", said)]
        name = f"{batch_id}.R01.csv"
    text = "".join(f"{line}\n" for line in (str(len(rows)), HEADERS[kind], *rows))
    return name, text.encode()


def _answer_row(batch_id: str, place: int, state: str, is_misplaced: bool, records: list) -> str:
    """Answer a record of ours, at its line or the next; place 6 is a record that we never sent."""
    code = "E201,第N行出错：重复申报" if state == "31" else ","
    if place >= len(records):
        return f"{batch_id},LNJF_JFDX_110000_110101.txt,3,J112026FFFFFFFFFF,{state},{code}"
    record = records[place]
    line = record["line_number"] + is_misplaced
    return f"{batch_id},{record['member_name']},{line},{record['record_id']},{state},{code}"


@examples(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(BATCH_RECEIPTS, RECORD_RECEIPTS), min_size=1, max_size=8))
def test_receipts_in_any_order_only_advance_and_replay_changes_nothing(
    city: Settings, said: list[tuple[str, str, object]]
) -> None:
    start_anew(city)
    with registry_session(city) as connection:
        connection.execute(sa.update(BATCH).values(state="sent"))
        records = list(connection.execute(sa.select(RECORD).order_by(RECORD.c.record_id)).mappings())
    receipts = [write_receipt(*receipt, records) for receipt in said]
    reached = [states(city)]
    for name, content in receipts:
        far_side = FarSide(files={f"/receipts/{name}": content})
        take_in_receipts(city, PROFILE, cast(SftpSession, far_side), TODAY)
        reached.append(states(city))
    check_only_advance(reached)
    before = everything(city)
    for name, content in receipts:
        far_side = FarSide(files={f"/receipts/{name}": content})
        assert take_in_receipts(city, PROFILE, cast(SftpSession, far_side), TODAY)["new"] == 0
    assert everything(city) == before
    check_receipts_are_on_record_once(city, receipts)


def states(settings: Settings) -> tuple[str | None, dict[str, str]]:
    with registry_session(settings) as connection:
        batch = connection.scalar(sa.select(BATCH.c.receiver_state_code).where(BATCH.c.batch_id == BATCH_ID))
        records = connection.execute(sa.select(RECORD.c.record_id, RECORD.c.receiver_state_code))
        return batch, {row.record_id: row.receiver_state_code for row in records}


def check_only_advance(reached: list[tuple[str | None, dict[str, str]]]) -> None:
    layout = PROFILE.receipts
    for (batch, records), (later_batch, later_records) in pairwise(reached):
        if batch is not None:
            assert later_batch is not None
            assert layout.batch_states[batch].stage <= layout.batch_states[later_batch].stage
            assert batch not in layout.final_states or later_batch == batch
        for record, state in records.items():
            assert state == "10" or later_records[record] == state


def everything(settings: Settings) -> list[list[tuple]]:
    with registry_session(settings) as connection:
        return [
            [tuple(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key))]
            for table in (BATCH, RECORD, RECEIPT)
        ]


def check_receipts_are_on_record_once(settings: Settings, receipts: list[tuple[str, bytes]]) -> None:
    with registry_session(settings) as connection:
        rows = list(connection.execute(sa.select(RECEIPT)).mappings())
    assert len(rows) == len({content for _, content in receipts})
    for row in rows:
        if row["batch_id"] is None:
            assert row["state"] == "parked"
        if row["state"] == "parked":
            assert row["message"].startswith("[receipt_")
        assert "J112026" not in (row["message"] or "")
