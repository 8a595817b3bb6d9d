"""The far end of an item in a thread: the receipts about its letter, and the words of its addressee."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from connectors.landing import find_landing, landed_file
from etl.submission.intake import dataset_of
from etl.submission.receipt_file import Receipt, read_receipt
from etl.submission.thread import Fact, Link
from etl.submission.thread_source import Row, Trail
from schemas.refusal import Refusal
from schemas.registry import RECEIPT, SHARED_ANSWER
from schemas.sharing import FINAL, PLATFORM, PROFILE


def answer_links(trail: Trail, item: Row, letter: sa.RowMapping) -> Link:
    """Show what was answered about the letter and the item: each word on record was said by a receipt."""
    held = _words(trail, item["item_id"])
    chosen = sa.select(RECEIPT).where(RECEIPT.c.batch_id == item["batch_id"])
    receipts = trail.connection.execute(chosen.order_by(RECEIPT.c.file_name)).mappings().all()
    read = [_read_receipt(trail, receipt) for receipt in receipts]
    links = [
        link
        for receipt, said in zip(receipts, read, strict=True)
        if (link := _receipt_link(item, letter, receipt, said, held)) is not None
    ]
    told = {
        answer.state
        for receipt in read
        if isinstance(receipt, Receipt)
        for answer in receipt.answers
        if answer.record_id == item["item_id"]
    }
    meaning = PROFILE.receipts.record_states
    facts = tuple(
        Fact("答复 · answer", f"{row['business_date']} {meaning[code]} {row['cause_code'] or ''}".rstrip())
        for code, row in sorted(held.items())
    )
    return Link("回执 · receipts", held.keys() <= told if held else None, facts, tuple(links))


def _words(trail: Trail, item_id: str) -> Mapping[str, Row]:
    chosen = sa.select(SHARED_ANSWER).where(SHARED_ANSWER.c.item_id == item_id)
    return {row["state_code"]: dict(row) for row in trail.connection.execute(chosen).mappings()}


def _read_receipt(trail: Trail, receipt: sa.RowMapping) -> Receipt | Refusal:
    """Read the landed bytes of a receipt again; the refusal if they are gone, changed or unreadable."""
    try:
        landing = find_landing(trail.connection, dataset_of(PLATFORM), receipt["landing_id"])
        content = landed_file(trail.settings, landing).read_bytes()
        return read_receipt(PROFILE.receipts, receipt["file_name"], content)
    except Refusal as refusal:
        return refusal


def _receipt_link(
    item: Row,
    letter: sa.RowMapping,
    receipt: sa.RowMapping,
    read: Receipt | Refusal,
    held: Mapping[str, Row],
) -> Link | None:
    """Show a receipt; None if it is about other items only."""
    title = f"{receipt['file_name']} · landing {receipt['landing_id']}"
    is_parked = receipt["state"] == "parked"
    if isinstance(read, Refusal):
        return Link(title, None if is_parked else False, (Fact("✗", read.code),))
    aside = (Fact("搁置 · parked", receipt["message"] or ""),) if is_parked else ()
    if read.transfer is not None:
        is_same = (read.transfer.byte_count, read.transfer.sha256) == (letter["byte_count"], letter["sha256"])
        size = Fact("字节 · bytes", str(read.transfer.byte_count))
        return Link(f"T {title}", None if is_parked else is_same, (size, *aside))
    if read.file is not None:
        verdict = " ".join(filter(None, (PROFILE.receipts.file_states[read.file.state], read.file.code)))
        return Link(f"F {title}", None if is_parked else True, (Fact("文件 · file", verdict), *aside))
    answers = [answer for answer in read.answers if answer.record_id == item["item_id"]]
    if not answers:
        return None
    meaning = PROFILE.receipts.record_states
    facts = [
        Fact("答复 · answer", " ".join(filter(None, (meaning[answer.state], answer.rejection_code))))
        for answer in answers
    ]
    said = [(answer.state, answer.rejection_code) for answer in answers]
    holds = None if is_parked else _is_on_record(said, held)
    return Link(f"R {title}", holds, (*facts, *aside))


def _is_on_record(said: Sequence[tuple[str, str | None]], held: Mapping[str, Row]) -> bool:
    """Tell whether the words of a receipt are on record; one that comes after the last word is not kept."""
    has_ended = any(state in held for state in FINAL)
    return all(
        held[state]["cause_code"] == code if state in held else has_ended and state not in FINAL
        for state, code in said
    )
