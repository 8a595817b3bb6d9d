"""A receiver that wants XML, encrypted and signed, is another file among the profiles, and no other code.

One city reports additions, changes and withdrawals to it over the wire; the sandbox's gateway opens them with
the keys that were agreed, and answers.
"""

import base64
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from connectors.exchange_crypto import is_signed_by, sm3_digest
from connectors.registry import registry_session
from connectors.settings import Settings
from connectors.sftp import SftpPartner
from etl.submission.approve import approve_batches
from etl.submission.build import build_batches, preview_batches
from etl.submission.countersign import BACKFILL, countersign
from etl.submission.division_batch import put_division_batch
from etl.submission.receipts import collect_receipts
from etl.submission.send import send_batches
from etl.submission.trace import trace_record
from sandbox.partners.agreement import SIGNER
from sandbox.partners.behaviour import Behaviour, set_behaviour
from sandbox.partners.keys import partner_root
from sandbox.partners.layout import FINAL_STATES
from sandbox.partners.ledger import read_ledger
from schemas.refusal import Refusal
from schemas.registry import BATCH, RECORD
from tests.support.agreed import agree, make_sm2_pair, take_profile
from tests.support.partners import running_partners
from tests.support.submission import TODAY, People, bytes_of, living_child, publish_people

FIRST = "J_110000_2026_A_0001"


@pytest.fixture(scope="module", autouse=True)
def _other_profile() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        take_profile(patch)
        yield


@pytest.fixture(scope="module")
def people() -> People:
    people = People()
    for name in ("王桂兰", "䶮㛃", "李 & <秀英>"):
        people.add("J", "one_child", children=[living_child()], fen=96_000, name=name)
    people.add_many("T", 3)
    return people


@pytest.fixture(scope="module")
def padis(settings: Settings, people: People) -> Iterator[SftpPartner]:
    set_behaviour(settings, Behaviour(reject_rate=0, silent_rate=0))
    publish_people(settings, people)
    with pytest.raises(Refusal, match="exchange_key_unusable"):
        build_batches(settings, TODAY)
    with registry_session(settings) as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(BATCH)) == 0
    agree(settings)
    with running_partners(settings) as partners:
        yield partners["padis"]


def root(settings: Settings) -> Path:
    return partner_root(settings, "padis")


def report(settings: Settings, padis: SftpPartner, day: date) -> dict[str, str]:
    """Build, release, send and collect; give the receiver's state of each batch of the day."""
    batches = [batch["batch_id"] for batch in build_batches(settings, day)["batches"]]
    approve_batches(settings, day, "li", True)
    send_batches(settings, day, padis)
    deadline = time.monotonic() + 120
    while not ended(settings) >= set(batches):
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)
    collect_receipts(settings, day, padis)
    with registry_session(settings) as connection:
        chosen = sa.select(BATCH.c.batch_id, BATCH.c.receiver_state_code).where(BATCH.c.business_date == day)
        return {row.batch_id: row.receiver_state_code for row in connection.execute(chosen)}


def ended(settings: Settings) -> set[str]:
    ledger = read_ledger(root(settings) / "ledger.jsonl")
    return {
        line["take_id"].partition(".")[0]
        for line in ledger
        if line["event"] == "state" and line["state"] in FINAL_STATES
    }


def records(settings: Settings) -> list[sa.RowMapping]:
    with registry_session(settings) as connection:
        return list(connection.execute(sa.select(RECORD).order_by(RECORD.c.record_id)).mappings())


def test_additions_are_opened_and_accepted(settings: Settings, padis: SftpPartner) -> None:
    assert report(settings, padis, TODAY) == {FIRST: "40", "T_110000_2026_A_0001": "40"}
    assert [row["receiver_state_code"] for row in records(settings)] == ["30"] * 6
    assert "奖励扶助" in preview_batches(settings, TODAY)


def test_the_file_lies_there_with_both_digests_and_a_signature_that_is_made_once(
    settings: Settings, padis: SftpPartner
) -> None:
    taken = root(settings) / "taken"
    content = (taken / f"{FIRST}.1.xml").read_bytes()
    assert content == bytes_of(settings, FIRST)
    assert b"11010119550305" not in content
    beside = {kind: (taken / f"{FIRST}.1.xml.{kind}").read_bytes() for kind in ("sha256", "sm3", "sig")}
    assert beside["sm3"] == f"{sm3_digest(content)}  {FIRST}.xml\n".encode()
    signature = base64.b64decode(beside["sig"])
    assert is_signed_by(root(settings) / "agreement" / SIGNER, content, signature)
    build_batches(settings, TODAY)
    with registry_session(settings) as connection:
        kept = connection.execute(sa.select(BATCH).where(BATCH.c.batch_id == FIRST)).mappings().one()
    assert kept["signature"] == signature
    assert bytes_of(settings, FIRST) == content


def test_changes_and_withdrawals_follow_from_what_was_accepted(
    settings: Settings, padis: SftpPartner, people: People
) -> None:
    changed, withdrawn, _ = (row["person_id"] for row in people.decisions if row["programme_code"] == "J")
    persons = [row | ({"name": "王桂芳"} if row["person_id"] == changed else {}) for row in people.persons]
    decisions = [row for row in people.decisions if row["person_id"] != withdrawn]
    tomorrow = TODAY + timedelta(days=1)
    publish_people(settings, replace(people, persons=persons, decisions=decisions), tomorrow)
    assert report(settings, padis, tomorrow) == {"J_110000_2026_B_0001": "40", "J_110000_2026_C_0001": "40"}
    assert {row["receiver_state_code"] for row in records(settings)} == {"30"}
    operations = [(row["operation_code"], row["line_number"]) for row in records(settings)]
    assert sorted(operations)[-2:] == [("B", 1), ("C", 1)]


def test_every_record_is_followed_both_ways(settings: Settings, padis: SftpPartner) -> None:
    for record in records(settings):
        thread = trace_record(settings, record["record_id"])
        assert [link.title for link in thread.walk() if link.holds is False] == []
        assert [link.holds for link in thread.walk() if "written again" in link.title] == [True]


def test_divisions_go_there_signed_as_well(settings: Settings, padis: SftpPartner) -> None:
    batch_id = put_division_batch(settings, TODAY)["batch_id"]
    approve_batches(settings, TODAY, "li", True)
    # Later dates have been decided.
    countersign(settings, batch_id, BACKFILL, "wang", "divisions of that day", datetime.now(UTC))
    send_batches(settings, TODAY, padis)
    deadline = time.monotonic() + 120
    while batch_id not in ended(settings):
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)
    collect_receipts(settings, TODAY, padis)
    with registry_session(settings) as connection:
        state = sa.select(BATCH.c.receiver_state_code).where(BATCH.c.batch_id == batch_id)
        assert connection.scalar(state) == "40"


def test_a_file_that_another_signed_is_refused_as_a_whole(
    settings: Settings, padis: SftpPartner, people: People, tmp_path: Path
) -> None:
    people.add("J", "one_child", children=[living_child()], fen=96_000)
    other = make_sm2_pair(tmp_path / "other.pem")
    (root(settings) / "agreement" / SIGNER).write_bytes(other)
    third = TODAY + timedelta(days=2)
    publish_people(settings, people, third)
    states = report(settings, padis, third)
    assert set(states.values()) == {"21"}
    answer = (root(settings) / "receipts" / f"{max(states)}.F01.csv").read_text(encoding="utf-8")
    assert ",F109," in answer
