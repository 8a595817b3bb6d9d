"""What a receipt changes: states only advance, and what contradicts is set aside and explained."""

from collections import Counter
from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from etl.submission.receipt_file import (
    ACCEPTED,
    FILE_REFUSED,
    REJECTED,
    FileAnswer,
    Receipt,
    RecordAnswer,
    TransferAnswer,
)
from etl.submission.shared_answers import Applied, apply_item_answers
from schemas.padis_profile import ReceiptLayout
from schemas.refusal import Refusal
from schemas.registry import ANSWER, ATTEMPT, BATCH, RECORD
from schemas.sharing import PLATFORM

POSSIBLY_SENT = ("sending", "uncertain", "sent")
# What an answer is held against.
HELD = (
    "batch_id",
    "receiver",
    "state",
    "receiver_state_code",
    "file_name",
    "byte_count",
    "sha256",
    "record_count",
)
RANK = {"10": 0, "20": 1, ACCEPTED: 2, REJECTED: 2}


def next_batch_state(layout: ReceiptLayout, held: str | None, received: str) -> str:
    """Tell the state of a batch after a receipt; a late one, overtaken by others, changes nothing.

    Raises:
        Refusal: the receipt contradicts what the receiver said before.
    """
    if held is None or held == received:
        return received
    before, after = layout.batch_states[held], layout.batch_states[received]
    has_ended = held in layout.final_states
    is_later = after.stage > before.stage
    fails_what_passed = after.outcome == "failed" and not is_later
    goes_on_after_end = has_ended and (is_later or after.stage == before.stage)
    if fails_what_passed or goes_on_after_end:
        raise _contradiction(
            f"state {received} after state {held}", "no other outcome of a stage that is over"
        )
    return received if is_later else held


def _contradiction(found: str, expected: str) -> Refusal:
    return Refusal(
        "receipt_contradicts",
        found=found,
        expected=expected,
        to_do="ask the receiver which of the two holds; the earlier answer stands until then",
    )


def lock_batch(connection: Connection, batch_id: str) -> sa.RowMapping:
    """Read the state of the batch that a receipt is about, and hold its row.

    Raises:
        Refusal: there is no such batch.
    """
    batch = (
        connection.execute(
            sa.select(*(BATCH.c[name] for name in HELD)).where(BATCH.c.batch_id == batch_id).with_for_update()
        )
        .mappings()
        .first()
    )
    if batch is not None:
        return batch
    raise Refusal(
        "receipt_of_unknown_batch",
        found="a receipt for a batch that is not in the outbox",
        expected="a batch of ours",
        to_do="ask the receiver whose receipt this is; it stays parked",
    )


def apply_receipt(
    connection: Connection, layout: ReceiptLayout, receipt: Receipt, batch: sa.RowMapping
) -> Applied:
    """Apply a receipt to its batch and records.

    A receipt about a batch that was possibly sent, or tried and given back, proves that it arrived.
    Lines about records that are unknown, stand elsewhere or contradict an earlier answer are set aside;
    the others count.

    Raises:
        Refusal: the batch was never sent, or the receipt contradicts; nothing was changed.
    """
    if not _may_have_arrived(connection, receipt.batch_id, batch["state"]):
        raise Refusal(
            "receipt_of_unsent_batch",
            found=f"a receipt for a batch that is {batch['state']}",
            expected="a batch that was sent",
            to_do="find out who sent it: nothing of ours did",
        )
    change: dict[str, object] = {"state": "sent", "sent_at": sa.func.coalesce(BATCH.c.sent_at, sa.func.now())}
    applied = Applied(0, 0, {})
    if receipt.transfer is not None:
        _check_taken(receipt.transfer, batch)
        _note_answer(connection, receipt, "passed", None)
    elif receipt.file is not None:
        is_refused = receipt.file.state == FILE_REFUSED
        _check_counted(receipt.file, batch)
        _note_answer(connection, receipt, "failed" if is_refused else "passed", receipt.file.code)
    elif receipt.batch_state is not None:
        held = batch["receiver_state_code"]
        change["receiver_state_code"] = next_batch_state(layout, held, receipt.batch_state)
    elif batch["receiver"] == PLATFORM:
        applied = apply_item_answers(connection, receipt)
    else:
        applied = _apply_answers(connection, receipt)
    connection.execute(sa.update(BATCH).where(BATCH.c.batch_id == receipt.batch_id).values(change))
    return applied


def _check_taken(taken: TransferAnswer, batch: sa.RowMapping) -> None:
    """Hold what the receiver took against what was sent."""
    differs = [
        what
        for what, is_other in (
            ("name", taken.file_name != batch["file_name"]),
            ("size", taken.byte_count != batch["byte_count"]),
            ("digest", taken.sha256 != batch["sha256"]),
        )
        if is_other
    ]
    if differs:
        raise _contradiction(f"another {' and '.join(differs)} than was sent", "the file as it was sent")


def _check_counted(read: FileAnswer, batch: sa.RowMapping) -> None:
    if read.state != FILE_REFUSED and read.record_count != batch["record_count"]:
        raise _contradiction(
            f"{read.record_count} records read of {batch['record_count']} sent", "every record to be read"
        )


def _note_answer(connection: Connection, receipt: Receipt, outcome: str, cause: str | None) -> None:
    """Note an answer about transfer or file, once; another one contradicts."""
    said = {"outcome_code": outcome, "cause_code": cause}
    is_it = sa.and_(ANSWER.c.batch_id == receipt.batch_id, ANSWER.c.level_code == receipt.level)
    held = (
        connection.execute(sa.select(ANSWER.c.outcome_code, ANSWER.c.cause_code).where(is_it))
        .mappings()
        .first()
    )
    if held is None:
        key = {"batch_id": receipt.batch_id, "level_code": receipt.level}
        connection.execute(sa.insert(ANSWER), {**key, **said})
    elif dict(held) != said:
        raise _contradiction(
            f"the {receipt.level} {outcome} after it {held['outcome_code']}", "one verdict on a file"
        )


def _may_have_arrived(connection: Connection, batch_id: str, state: str) -> bool:
    if state != "approved":
        return state in POSSIBLY_SENT
    tried = sa.select(ATTEMPT).where(ATTEMPT.c.batch_id == batch_id)
    return connection.scalar(sa.select(sa.exists(tried))) or False


def _apply_answers(connection: Connection, receipt: Receipt) -> Applied:
    columns = (
        RECORD.c.record_id,
        RECORD.c.member_name,
        RECORD.c.line_number,
        RECORD.c.receiver_state_code,
        RECORD.c.rejection_code,
    )
    rows = connection.execute(sa.select(*columns).where(RECORD.c.batch_id == receipt.batch_id)).mappings()
    held = {row["record_id"]: dict(row) for row in rows}
    verdicts = [(answer, judge_answer(held.get(answer.record_id), answer)) for answer in receipt.answers]
    _write(connection, [answer for answer, verdict in verdicts if verdict == "new"])
    good = [answer for answer, verdict in verdicts if verdict in ("new", "same")]
    states = Counter(answer.state for answer in good)
    aside = Counter(verdict for _, verdict in verdicts if verdict not in ("new", "same", "late"))
    return Applied(states[ACCEPTED], states[REJECTED], dict(sorted(aside.items())))


def judge_answer(held: Mapping[str, object] | None, answer: RecordAnswer) -> str:
    """Hold an answer against the record: new, same, late, unknown, misplaced or contradictory."""
    if held is None:
        return "unknown"
    if (held["member_name"], held["line_number"]) != (answer.member_name, answer.line_number):
        return "misplaced"
    if (held["receiver_state_code"], held["rejection_code"]) == (answer.state, answer.rejection_code):
        return "same"
    before, after = RANK[str(held["receiver_state_code"])], RANK[answer.state]
    if after > before:
        return "new"
    return "late" if after < before else "contradictory"


def _write(connection: Connection, answers: Sequence[RecordAnswer]) -> None:
    if not answers:
        return
    texts = sa.ARRAY(sa.Text)
    answered = sa.func.unnest(
        sa.literal([answer.record_id for answer in answers], texts),
        sa.literal([answer.state for answer in answers], texts),
        sa.literal([answer.rejection_code for answer in answers], texts),
    ).table_valued("record_id", "state", "code")
    said = answered.render_derived(name="said")
    connection.execute(
        sa.update(RECORD)
        .where(RECORD.c.record_id == said.c.record_id)
        .values(receiver_state_code=said.c.state, rejection_code=said.c.code)
    )
