"""What addressees of the sharing platform say about items: a word once given only goes forward."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.registry import newest_on_record
from etl.submission.receipt_file import Receipt, RecordAnswer
from schemas.registry import BATCH, SHARED_ANSWER, SHARED_ITEM, TASK
from schemas.sharing import DONE, FINAL, REFUSED

# Their findings are what the answers change.
BIRTHS = "births"


@dataclass(frozen=True)
class Applied:
    """What a receipt did: records it decided, and why some of its lines were set aside."""

    accepted: int
    rejected: int
    set_aside: Mapping[str, int]


def apply_item_answers(connection: Connection, receipt: Receipt) -> Applied:
    """Apply what a receipt says of the items of its letter.

    An answer counts from the business date after the newest one on record, so that no night that is on
    record changes. Lines about items that are unknown, stand elsewhere or contradict an earlier answer are
    set aside; the others count.
    """
    of_letter = sa.select(SHARED_ITEM.c.item_id, SHARED_ITEM.c.line_number, BATCH.c.file_name)
    of_letter = of_letter.join_from(SHARED_ITEM, BATCH).where(SHARED_ITEM.c.batch_id == receipt.batch_id)
    places = {row.item_id: (row.file_name, row.line_number) for row in connection.execute(of_letter)}
    said = _said_before(connection, receipt.batch_id)
    verdicts = [
        (answer, judge_item_answer(places.get(answer.record_id), said.get(answer.record_id, {}), answer))
        for answer in receipt.answers
    ]
    taken = [answer for answer, verdict in verdicts if verdict == "new"]
    if taken:
        known_on = _newest_night(connection, receipt.batch_id)
        rows = [
            {
                "item_id": answer.record_id,
                "state_code": answer.state,
                "business_date": known_on,
                "cause_code": answer.rejection_code,
            }
            for answer in taken
        ]
        connection.execute(sa.insert(SHARED_ANSWER), rows)
    states = Counter(answer.state for answer, verdict in verdicts if verdict in ("new", "same"))
    aside = Counter(verdict for _, verdict in verdicts if verdict not in ("new", "same", "late"))
    return Applied(states[DONE], states[REFUSED], dict(sorted(aside.items())))


def judge_item_answer(
    place: tuple[str, int] | None, said: Mapping[str, str | None], answer: RecordAnswer
) -> str:
    """Hold an answer against the item: new, same, late, unknown, misplaced or contradictory."""
    if place is None:
        return "unknown"
    if place != (answer.member_name, answer.line_number):
        return "misplaced"
    if answer.state in said:
        return "same" if said[answer.state] == answer.rejection_code else "contradictory"
    if any(state in said for state in FINAL):
        return "contradictory" if answer.state in FINAL else "late"
    return "new"


def _said_before(connection: Connection, batch_id: str) -> dict[str, dict[str, str | None]]:
    chosen = (
        sa.select(SHARED_ANSWER)
        .join(SHARED_ITEM, SHARED_ITEM.c.item_id == SHARED_ANSWER.c.item_id)
        .where(SHARED_ITEM.c.batch_id == batch_id)
    )
    said: dict[str, dict[str, str | None]] = {}
    for row in connection.execute(chosen):
        said.setdefault(row.item_id, {})[row.state_code] = row.cause_code
    return said


def _newest_night(connection: Connection, batch_id: str) -> object:
    newest = newest_on_record(connection, TASK, {"process_name": BIRTHS})
    return newest or connection.scalar(sa.select(BATCH.c.business_date).where(BATCH.c.batch_id == batch_id))
