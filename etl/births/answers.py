"""What people answer to tasks about births; it holds while what they looked at is as it was (核实记忆).

Whether a birth and a child are one is a word of its own kind, which stands until a person changes it
(deciding.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from connectors.deadline import require_aware
from connectors.registry import newest_on_record, registry_session, state_on
from connectors.settings import Settings
from etl.births.classify import RULINGS
from etl.births.deciding import DIFFERENT, SAME, decide_pair
from etl.births.tasks import PROCESS
from etl.births.verdicts import REVIEW_KIND
from schemas.refusal import Refusal
from schemas.registry import BIRTH_ANSWER, BIRTH_MATCH, TASK
from schemas.word import word_of

ANSWERS = {
    "looked_into": "查实无误 · looked into: nothing to change",
    "mch": "以妇幼为准 · MCH is right about the fields in question",
    "population": "以人口库为准 · the population database is right about them",
    SAME: "同一儿童 · the birth and the child are one",
    DIFFERENT: "非同一儿童 · they are two children",
}
# The kinds of tasks about fields, of which one side may be right.
ABOUT_FIELDS = frozenset({"birth_conflict", "birth_review"})
ABOUT_A_PAIR = frozenset({SAME, DIFFERENT})
Row = Mapping[str, Any]


def answer_task(
    settings: Settings, task_id: str, answer_code: str, user: str, reason: str, now: datetime
) -> dict[str, Any]:
    """Put on record what a person says of an open task; it ends with the next night.

    The answer holds for what both sides say now: when that changes, the task opens again under its own id,
    so that its history stays with it. Who answers again before the next night replaces the word.

    Raises:
        Refusal: no such task is open, the answer does not fit it, or there is no user or no fit reason.
    """
    settings.refuse_in_shadow("answering a task")
    word = word_of(user, reason)
    with registry_session(settings) as connection:
        business_date = newest_on_record(connection, TASK, {"process_name": PROCESS})
        task = _open_task(connection, task_id, business_date)
        _check_fits(answer_code, task["kind_code"])
    if task["kind_code"] == REVIEW_KIND:
        decided = decide_pair(settings, task["subject_id"], answer_code, user, reason, now)
        return {"task": task_id, "answer": answer_code, "ends_after": decided["counts_after"]}
    with registry_session(settings) as connection:
        row = {
            "task_id": task_id,
            "business_date": business_date,
            "match_id": task["subject_id"],
            "evidence_sha256": task["evidence_sha256"],
            "detail_codes": task["detail_codes"],
            "answer_code": answer_code,
            "answered_by": word.user,
            "reason": word.reason,
            "answered_at": require_aware(now),
        }
        statement = postgresql.insert(BIRTH_ANSWER).values(row)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["task_id", "business_date"],
                set_={name: statement.excluded[name] for name in row},
            )
        )
    return {"task": task_id, "answer": answer_code, "ends_after": str(business_date)}


def answers_before(connection: Connection, business_date: date) -> Sequence[Row]:
    """Read the newest answer to each task that was given before a business date."""
    chosen = (
        sa.select(BIRTH_ANSWER)
        .ext(postgresql.distinct_on(BIRTH_ANSWER.c.task_id))
        .where(BIRTH_ANSWER.c.business_date < business_date)
        .order_by(BIRTH_ANSWER.c.task_id, BIRTH_ANSWER.c.business_date.desc())
    )
    return [dict(row) for row in connection.execute(chosen).mappings()]


def rulings_of(answers: Iterable[Row]) -> pa.Table:
    """Give, per field, the side that people have ruled for, as a relation for sql/births/birth_field.sql."""
    rows = [
        {
            "match_id": answer["match_id"],
            "evidence_sha256": answer["evidence_sha256"],
            "field_name": field_name,
            "winner_code": answer["answer_code"],
        }
        for answer in answers
        if answer["answer_code"] != "looked_into"
        for field_name in answer["detail_codes"]
    ]
    return pa.Table.from_pylist(rows, schema=RULINGS)


def answered_among(matches: pa.Table, answers: Iterable[Row]) -> set[str]:
    """Tell which tasks have an answer that holds: their births are as they were when it was given."""
    now = set(zip(*(matches[name].to_pylist() for name in ("match_id", "evidence_sha256")), strict=True))
    return {answer["task_id"] for answer in answers if (answer["match_id"], answer["evidence_sha256"]) in now}


def _open_task(connection: Connection, task_id: str, business_date: date | None) -> sa.RowMapping:
    found = None
    if business_date is not None:
        chosen = (
            sa.select(TASK, BIRTH_MATCH.c.evidence_sha256)
            .outerjoin(
                BIRTH_MATCH,
                sa.and_(BIRTH_MATCH.c.match_id == TASK.c.subject_id, state_on(BIRTH_MATCH, business_date)),
            )
            .where(
                TASK.c.task_id == task_id,
                TASK.c.process_name == PROCESS,
                state_on(TASK, business_date),
            )
        )
        found = connection.execute(chosen).mappings().first()
    if found is None:
        raise Refusal(
            "task_not_open",
            found=f"no open task about a birth of that number ({len(task_id)} characters)",
            expected="the number of a task that is open",
            to_do="find it with `padis births show`",
        )
    return found


def _check_fits(answer_code: str, kind_code: str) -> None:
    fitting = [code for code in ANSWERS if _fits(code, kind_code)]
    if answer_code not in fitting:
        raise Refusal(
            "answer_unfit",
            found=f"an answer that a task of kind {kind_code} does not take",
            expected=", ".join(fitting),
            to_do="say one of these",
        )


def _fits(answer_code: str, kind_code: str) -> bool:
    if kind_code == REVIEW_KIND or answer_code in ABOUT_A_PAIR:
        return kind_code == REVIEW_KIND and answer_code in ABOUT_A_PAIR
    return answer_code == "looked_into" or kind_code in ABOUT_FIELDS
