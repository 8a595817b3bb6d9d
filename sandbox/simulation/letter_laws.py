"""Laws of letters, judged by the platform's own ledger: each arrives once, each answer is read once."""

from collections import Counter
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from sandbox.partners.keys import partner_root
from sandbox.partners.ledger import read_ledger
from sandbox.simulation.evidence import Evidence, Finding
from schemas.registry import BATCH, LANDING, RECEIPT, SHARED_ANSWER, SHARED_ITEM, STEP_RUN
from schemas.sharing import FINAL, PLATFORM

# An item, what was said of it, and why where it was not done.
Word = tuple[str, str, str | None]


def letters_arrive_once(evidence: Evidence) -> Finding:
    """Compare letters and items that were sent with those that the platform took and read."""
    lines = _ledger(evidence)
    taken = Counter((line["letter"], line["sha256"]) for line in lines if line["event"] == "taken")
    read = Counter(item for line in lines if line["event"] == "read" for item in line["item_ids"])
    is_sent = sa.and_(BATCH.c.receiver == PLATFORM, BATCH.c.state == "sent")
    letters = sa.select(BATCH.c.batch_id, BATCH.c.sha256).where(is_sent)
    sent = {tuple(row) for row in evidence.connection.execute(letters)}
    of_sent = sa.select(SHARED_ITEM.c.item_id).join(BATCH, BATCH.c.batch_id == SHARED_ITEM.c.batch_id)
    written = set(evidence.connection.scalars(of_sent.where(is_sent)))
    again = _repeated(taken) + _repeated(read)
    return Finding(
        "letters_once",
        "共享文件各到一次 · every letter and item arrived once, as it was sent",
        len(taken) + len(read),
        again + len(sent ^ taken.keys()) + len(written ^ read.keys()),
    )


def answers_are_read_once(evidence: Evidence) -> Finding:
    """Compare the answers on record with those that the platform gave, and look for receipts read twice.

    What it gave after answers were last collected need not be on record yet, unless its receipt was read.
    That an item is being looked into is not kept once the last word about it is there.
    """
    given = [line for line in _ledger(evidence) if line["event"] == "answered"]
    words = Counter(word for line in given for word in _words(line))
    collected = evidence.connection.scalar(
        sa.select(sa.func.max(STEP_RUN.c.started_at)).where(
            STEP_RUN.c.step == "collect_answers", STEP_RUN.c.state == "done"
        )
    )
    theirs = sa.select(LANDING.c.landing_id).where(LANDING.c.source_name == PLATFORM)
    is_read = sa.and_(RECEIPT.c.landing_id.in_(theirs), RECEIPT.c.state == "applied")
    read = Counter(evidence.connection.scalars(sa.select(RECEIPT.c.file_name).where(is_read)))
    chosen = sa.select(SHARED_ANSWER.c.item_id, SHARED_ANSWER.c.state_code, SHARED_ANSWER.c.cause_code)
    held = {(row.item_id, row.state_code, row.cause_code) for row in evidence.connection.execute(chosen)}
    ended = {item for item, state, _ in held if state in FINAL}
    due = {
        word
        for line in given
        if line["receipt"] in read
        or (collected is not None and datetime.fromisoformat(line["at"]) <= collected)
        for word in _words(line)
    }
    unread = {(item, state) for item, state, _ in due - held if state in FINAL or item not in ended}
    return Finding(
        "answers_once",
        "共享答复各读一次 · every answer about letters was read once, none that was not given",
        len(due | held),
        _repeated(words) + len(unread) + len(held - words.keys()) + _repeated(read),
    )


def _words(line: dict[str, Any]) -> list[Word]:
    return [(said["item_id"], said["state"], said["code"]) for said in line["answers"]]


def _ledger(evidence: Evidence) -> list[dict[str, Any]]:
    return read_ledger(partner_root(evidence.settings, PLATFORM) / "ledger.jsonl")


def _repeated(counted: Counter[Any]) -> int:
    return sum(count - 1 for count in counted.values())
