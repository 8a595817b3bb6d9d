"""What other systems answered about births: accepted corrections and finished to-dos end tasks.

An answer holds while what it was about is as it was; after that the task opens again under its own id, and
the correction is proposed again under its own number, so that their history stays with them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from schemas.policy import load_parameter
from schemas.registry import SHARED_ANSWER, SHARED_ITEM
from schemas.sharing import CORRECTION_ACCEPTED, DONE, DONE_ELSEWHERE, OPEN, REFUSED

CONFLICT = "birth_conflict"
REFUSED_CORRECTION, HANDED_BACK = "correction_refused", "handed_back"
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Feedback:
    """Answers that still hold: corrections by birth and field, to-dos by task."""

    corrections: Mapping[tuple[str, str], str]
    todos: Mapping[str, str]

    def cause(self, task: Row, prevailing_fields: Sequence[str]) -> str | None:
        """Tell why a task ends by what was answered; None if it does not.

        A conflict ends when each field that one side prevails about has been taken over.
        """
        if self.todos.get(task["task_id"]) == DONE:
            return DONE_ELSEWHERE
        said = [self.corrections.get((task["subject_id"], name)) for name in prevailing_fields]
        is_settled = task["kind_code"] == CONFLICT and bool(said) and set(said) == {DONE}
        return CORRECTION_ACCEPTED if is_settled else None

    def details(self, task: Row, prevailing_fields: Sequence[str]) -> list[str]:
        """Give the details of a task, and whether somebody has refused what was asked of him."""
        told = list(task["detail_codes"])
        if self.todos.get(task["task_id"]) == REFUSED:
            told.append(HANDED_BACK)
        if task["kind_code"] == CONFLICT and any(
            self.corrections.get((task["subject_id"], name)) == REFUSED for name in prevailing_fields
        ):
            told.append(REFUSED_CORRECTION)
        return told


def answers_elsewhere(connection: Connection, business_date: date) -> Sequence[Row]:
    """Read what addressees said for good, before a business date, of what was asked of them."""
    chosen = (
        sa.select(SHARED_ITEM, SHARED_ANSWER.c.state_code, SHARED_ANSWER.c.business_date.label("answered_on"))
        .join(SHARED_ANSWER, SHARED_ANSWER.c.item_id == SHARED_ITEM.c.item_id)
        .where(
            SHARED_ITEM.c.operation_code == OPEN,
            SHARED_ANSWER.c.state_code.in_((DONE, REFUSED)),
            SHARED_ANSWER.c.business_date < business_date,
        )
    )
    in_order = chosen.order_by(SHARED_ITEM.c.subject_id, SHARED_ITEM.c.round)
    return [dict(row) for row in connection.execute(in_order).mappings()]


def feedback_on(answers: Iterable[Row], matches: pa.Table, fields: pa.Table, business_date: date) -> Feedback:
    """Keep the answers that hold on a date; of several rounds the last one answered.

    An accepted correction that the data do not show after `policy/sharing/correction_applied_days` holds no
    longer.
    """
    proposed = {
        (row["match_id"], row["field_name"], row["proposed_to"]): row["proposal_sha256"]
        for row in fields.to_pylist()
        if row["proposed_to"] is not None
    }
    of_birth = dict(
        zip(*(matches[name].to_pylist() for name in ("match_id", "evidence_sha256")), strict=True)
    )
    applied_days = load_parameter("sharing/correction_applied_days").on(business_date)
    corrections: dict[tuple[str, str], str] = {}
    todos: dict[str, str] = {}
    for row in answers:
        if row["kind_code"] == "task":
            if of_birth.get(row["match_id"]) == row["evidence_sha256"]:
                todos[row["subject_id"]] = row["state_code"]
            continue
        key = row["match_id"], row["field_name"]
        is_held = proposed.get((*key, row["addressee_code"])) == row["evidence_sha256"]
        is_late = row["answered_on"] + timedelta(days=applied_days) < business_date
        if is_held and not (row["state_code"] == DONE and is_late):
            corrections[key] = row["state_code"]
    return Feedback(corrections, todos)
