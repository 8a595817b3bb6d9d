"""From an approved batch to its receipts, over the wire, with the sandbox's gateway at the far side."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from connectors.registry import registry_session
from connectors.settings import Settings
from connectors.sftp import SftpPartner
from etl.submission.approve import approve_batches
from etl.submission.build import build_batches
from etl.submission.receipts import awaiting_batches, collect_receipts
from etl.submission.send import send_batches
from sandbox.partners.behaviour import Behaviour, set_behaviour
from sandbox.partners.keys import partner_root
from sandbox.partners.ledger import read_ledger
from schemas.registry import BATCH, RECEIPT, RECORD
from tests.support.partners import running_partners
from tests.support.submission import TODAY, People, publish_people


@pytest.fixture(scope="module")
def padis(settings: Settings) -> Iterator[SftpPartner]:
    set_behaviour(settings, Behaviour(seed=7, reject_rate=0.2, silent_rate=0.1))
    with running_partners(settings) as partners:
        yield partners["padis"]


@pytest.fixture(scope="module")
def sent(settings: Settings, padis: SftpPartner) -> dict:
    people = People()
    people.add_many("J", 60)
    people.add_many("T", 40)
    publish_people(settings, people)
    build_batches(settings, TODAY)
    approve_batches(settings, TODAY, "li", True, batch_ids=["J_110000_2026_A_0001"])
    return send_batches(settings, TODAY, padis)


def taken(settings: Settings) -> list[str]:
    ledger = read_ledger(partner_root(settings, "padis") / "ledger.jsonl")
    return [line["batch_id"] for line in ledger if line["event"] == "taken"]


def wait_until(is_so: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def receipts_folder(settings: Settings) -> Path:
    return partner_root(settings, "padis") / "receipts"


def row_of(settings: Settings, batch_id: str) -> sa.RowMapping:
    with registry_session(settings) as connection:
        return connection.execute(sa.select(BATCH).where(BATCH.c.batch_id == batch_id)).mappings().one()


def test_only_what_was_approved_is_sent(settings: Settings, sent: dict) -> None:
    assert (sent["sent"], sent["uncertain"]) == (1, 0)
    wait_until(lambda: bool(taken(settings)))
    assert taken(settings) == ["J_110000_2026_A_0001"]
    assert row_of(settings, "T_110000_2026_A_0001")["state"] == "built"
    assert row_of(settings, "J_110000_2026_A_0001")["sent_at"] is not None


def test_sending_again_sends_nothing(settings: Settings, sent: dict, padis: SftpPartner) -> None:
    again = send_batches(settings, TODAY, padis)
    assert again["batches"] == []
    wait_until(lambda: bool(taken(settings)))
    assert taken(settings) == ["J_110000_2026_A_0001"]


def test_receipts_move_batch_and_records_on(settings: Settings, sent: dict, padis: SftpPartner) -> None:
    wait_until(lambda: (receipts_folder(settings) / "J_110000_2026_A_0001.S40.csv").exists())
    collected = collect_receipts(settings, TODAY, padis)
    assert awaiting_batches(settings, TODAY) == 0
    assert collected["parked"] == 0
    assert collected["batches"][0]["receiver_state"] == "40"
    with registry_session(settings) as connection:
        records = connection.execute(
            sa.select(RECORD).where(RECORD.c.subsystem_code == "J").order_by(RECORD.c.record_id)
        ).mappings()
        states = {row["record_id"]: (row["receiver_state_code"], row["rejection_code"]) for row in records}
    behaviour = Behaviour(seed=7, reject_rate=0.2, silent_rate=0.1)
    truth = {
        record: {"accepted": ("30", None), "silent": ("10", None)}.get(verdict, ("31", code))
        for record, (verdict, code) in ((r, behaviour.verdict_on(r)) for r in states)
    }
    assert states == truth
    answers = [state for state, _ in states.values()]
    assert (collected["accepted"], collected["rejected"], collected["waiting"]) == tuple(
        answers.count(code) for code in ("30", "31", "10")
    )
    assert min(answers.count(code) for code in ("30", "31", "10")) > 0


def test_collecting_again_changes_nothing(settings: Settings, sent: dict, padis: SftpPartner) -> None:
    before = everything(settings)
    again = collect_receipts(settings, TODAY, padis)
    assert again["new"] == 0
    assert everything(settings) == before


def everything(settings: Settings) -> list[list[tuple]]:
    with registry_session(settings) as connection:
        return [
            [tuple(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key))]
            for table in (BATCH, RECORD, RECEIPT)
        ]


def batch_receipt(batch_id: str, state: str, said: str = "") -> str:
    return f"1\n批次号,状态,时间,说明\n{batch_id},{state},2026-06-01 10:00:00,{said}\n"


J, T, NOBODY = "J_110000_2026_A_0001", "T_110000_2026_A_0001", "J_110000_2026_A_0777"
COUNTS_TWO_HOLDS_NONE = "2\n批次号,成员文件,行号,个案编号,状态,代码,说明\n"


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("notes.txt", "hello", "receipt_unreadable"),
        (f"{J}.S99.csv", batch_receipt(J, "99"), "receipt_unreadable"),
        (f"{J}.S40.csv.csv", batch_receipt(J, "40"), "receipt_unreadable"),
        (f"{NOBODY}.S10.csv", batch_receipt(NOBODY, "10"), "receipt_of_unknown_batch"),
        (f"{T}.S10.csv", batch_receipt(T, "10"), "receipt_of_unsent_batch"),
        (f"{J}.S31.csv", batch_receipt(J, "31"), "receipt_contradicts"),
        (f"{J}.R09.csv", COUNTS_TWO_HOLDS_NONE, "receipt_unreadable"),
    ],
)
def test_a_receipt_that_cannot_be_used_is_parked_once_and_the_others_go_on(
    settings: Settings, sent: dict, padis: SftpPartner, name: str, content: str, code: str
) -> None:
    before = everything(settings)
    late = receipts_folder(settings) / f"{J}.S22.csv"
    late.write_text(batch_receipt(J, "22", "x" * len(before[2])))
    (receipts_folder(settings) / name).write_text(content)
    first, second = (collect_receipts(settings, TODAY, padis) for _ in range(2))
    after = everything(settings)
    assert after[:2] == before[:2]
    assert (first["new"], second["new"]) == (2, 0)
    (parked,) = [row for row in after[2] if row[1] == name]
    assert parked[4] == "parked"
    assert parked[7].startswith(f"[{code}]")
    (receipts_folder(settings) / name).unlink()
    late.unlink()
