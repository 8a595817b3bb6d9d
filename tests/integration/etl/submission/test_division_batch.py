"""The division upload from the outbox to the receiver's last word, over the wire."""

import hashlib
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from connectors.registry import registry_session
from connectors.settings import Settings
from connectors.sftp import SftpPartner
from etl.submission.approve import approve_batches
from etl.submission.division_batch import put_division_batch
from etl.submission.division_upload import build_division_upload
from etl.submission.levels import awaited_levels
from etl.submission.preview import preview_batches
from etl.submission.receipts import awaiting_batches, collect_receipts
from etl.submission.send import send_batches
from sandbox.partners.gateway import Gateway
from schemas.division import load_tree
from schemas.registry import BATCH, RECORD
from tests.support.division_upload import CHANGES, DIVISIONS, texts_of, zipped
from tests.support.partners import running_partners

DAY, SINCE = date(2026, 6, 1), date(2010, 1, 1)
BATCH_ID = "Q_110000_2026_A_0001"


@pytest.fixture(scope="module")
def padis(settings: Settings) -> Iterator[SftpPartner]:
    with running_partners(settings) as partners:
        yield partners["padis"]


def held(settings: Settings) -> sa.RowMapping:
    with registry_session(settings) as connection:
        return connection.execute(sa.select(BATCH).where(BATCH.c.batch_id == BATCH_ID)).mappings().one()


def test_divisions_are_put_once_shown_approved_sent_and_answered_as_a_whole(
    settings: Settings, padis: SftpPartner
) -> None:
    put = put_division_batch(settings, DAY, SINCE)
    assert (put["batch_id"], put["records"], put["state"]) == (BATCH_ID, 7901 + 4, "built")
    assert put_division_batch(settings, DAY, SINCE) == put
    preview = preview_batches(settings, DAY)
    assert f"{BATCH_ID} — 区划代码" in preview
    assert "| QHDM_110000_20260601.txt | 7,901 |" in preview
    assert "密云县 · 110228000000000 · 21 · 密云区 · 110118000000000" in preview

    approve_batches(settings, DAY, "li", True)
    assert send_batches(settings, DAY, padis)["sent"] == 1
    deadline = time.monotonic() + 30
    while awaiting_batches(settings, DAY):
        assert time.monotonic() < deadline, "no last word of the receiver"
        counts = collect_receipts(settings, DAY, padis)
        time.sleep(0.1)

    batch = held(settings)
    assert (batch["state"], batch["receiver_state_code"], counts["parked"]) == ("sent", "40", 0)
    with registry_session(settings) as connection:
        levels = {row["subject_id"]: row["state"] for row in awaited_levels(connection, only_open=False)}
        assert connection.scalar(sa.select(sa.func.count()).select_from(RECORD)) == 0
    assert levels == {
        **{f"{BATCH_ID}:{level}": "met" for level in ("transfer", "file", "batch")},
        f"{BATCH_ID}:record": "void",
    }
    # Nothing is put twice, and a change since then makes the next batch.
    assert put_division_batch(settings, DAY, SINCE)["batch_id"] == BATCH_ID
    assert put_division_batch(settings, DAY)["batch_id"] == "Q_110000_2026_A_0002"


@pytest.mark.parametrize(
    ("member", "before", "after", "said"),
    [
        (
            DIVISIONS,
            "110101000000000",
            "130101000000000",
            f"{DIVISIONS}第4行出错：区划代码和ZIP文件",
        ),
        (CHANGES, ",31,", ",99,", f"{CHANGES}第3行出错：调整类型不符合规范"),
        (DIVISIONS, "区划名称,", "名称,", f"{DIVISIONS}第2行出错：文件标题错误"),
    ],
)
def test_the_receiver_refuses_a_faulty_upload_by_its_own_reading(
    tmp_path: Path, member: str, before: str, after: str, said: str
) -> None:
    texts = texts_of(build_division_upload(load_tree(), DAY, SINCE).content)
    content = zipped({**texts, member: texts[member].replace(before, after, 1)})
    gateway = Gateway(tmp_path)
    name = f"{BATCH_ID}.zip"
    (tmp_path / "inbox" / f"{name}.sha256").write_text(f"{hashlib.sha256(content).hexdigest()}  {name}\n")
    (tmp_path / "inbox" / name).write_bytes(content)
    while gateway.step():
        pass
    answer = (tmp_path / "receipts" / f"{BATCH_ID}.S21.csv").read_text(encoding="utf-8-sig")
    assert said in answer
