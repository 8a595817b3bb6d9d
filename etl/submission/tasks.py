"""What people have to do about submissions: let backfills pass, chase receipts, settle refusals."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from connectors.divisions import division_tree
from connectors.settings import Settings
from connectors.worklist import record_tasks
from etl.submission.countersign import BACKFILL, backfills_waiting, words_about
from etl.submission.level import KIND
from etl.submission.levels import awaited_levels, levels_on_record, split_subject
from etl.submission.receipt_file import REJECTED
from schemas.division import CITY_CODE, level_of
from schemas.division_tree import DivisionTree
from schemas.policy import load_parameter
from schemas.refusal import Refusal
from schemas.registry import DEADLINE, DECISION, RECEIPT, RECORD, SHARED_ITEM, TASK

PROCESS = "submission"
CODE_IN_MESSAGE = re.compile(r"\[([a-z_]+)\]")

Found = tuple[str, str, str, list[str]]


def update_tasks(settings: Settings, connection: Connection, business_date: date) -> int | None:
    """Open and close the tasks about submissions as of a business date; tell how many are open.

    Tasks of a later date on record stand: then nothing changes, and None is told.
    """
    tasks = find_tasks(connection, business_date, division_tree(settings, business_date))
    try:
        with connection.begin_nested():
            record_tasks(connection, PROCESS, tasks, business_date, lambda ended: _causes(connection, ended))
    except Refusal as refusal:
        if refusal.code != "later_state_on_record":
            raise
        return None
    return len(tasks)


def find_tasks(connection: Connection, business_date: date, tree: DivisionTree) -> list[dict[str, Any]]:
    """Find what is open now; a task that was open the day before keeps its due date."""
    due_dates = _due_dates_before(connection, business_date)
    found = [
        *_overdue(connection),
        *_rejected_batches(connection),
        *_parked(connection),
        *_uncountersigned(connection),
        *_rejected_records(connection, business_date, tree),
    ]
    return [_task(each, due_dates, business_date) for each in found]


def _overdue(connection: Connection) -> Iterator[Found]:
    for row in awaited_levels(connection):
        if row["state"] == "overdue":
            yield "receipt_overdue", row["subject_id"], CITY_CODE, [split_subject(row["subject_id"])[1]]


def _rejected_batches(connection: Connection) -> Iterator[Found]:
    """Find refused batches and letters of which something was not sent again, with states and causes."""
    details: dict[str, list[str]] = {}
    for level in levels_on_record(connection):
        if level.has_failed:
            details.setdefault(level.batch_id, []).append(str(level.cause_code or level.said))
    items = _newest_items()
    records_left = sa.select(RECORD.c.batch_id).where(RECORD.c.batch_id.in_(details), _is_newest())
    items_left = sa.select(items.c.batch_id).where(items.c.batch_id.in_(details))
    not_again = set(connection.scalars(sa.union(records_left, items_left)))
    for batch_id, codes in details.items():
        if batch_id in not_again:
            yield "batch_rejected", batch_id, CITY_CODE, codes


def _parked(connection: Connection) -> Iterator[Found]:
    parked = sa.select(RECEIPT).where(RECEIPT.c.state == "parked").order_by(RECEIPT.c.landing_id)
    for row in connection.execute(parked):
        code = CODE_IN_MESSAGE.match(row.message or "")
        yield "receipt_parked", row.landing_id, CITY_CODE, [code[1] if code else "parked"]


def _uncountersigned(connection: Connection) -> Iterator[Found]:
    for batch in backfills_waiting(connection):
        yield "countersign_awaited", batch["batch_id"], CITY_CODE, [BACKFILL]


def _rejected_records(connection: Connection, business_date: date, tree: DivisionTree) -> Iterator[Found]:
    """Find persons whose newest report was refused, at the division that decided about them.

    A decision that has ended keeps its division; where that was retired since, its successor has the task.
    """
    is_refused = sa.and_(RECORD.c.receiver_state_code == REJECTED, _is_newest())
    rejected = sa.select(RECORD).where(is_refused).order_by(RECORD.c.record_id)
    rows = connection.execute(rejected).mappings().all()
    divisions = _divisions(connection, [row["person_id"] for row in rows], business_date)
    for row in rows:
        division = divisions.get((row["subsystem_code"], row["person_id"]), CITY_CODE)
        division = tree.successor(division, business_date) or division
        yield "record_rejected", row["record_id"], division, [row["rejection_code"]]


def _is_newest() -> sa.ColumnElement[bool]:
    """Tell whether a record is the newest report of its person, programme and period to its receiver."""
    later = RECORD.alias("later")
    same_case = [
        later.c[name] == RECORD.c[name] for name in ("person_id", "receiver", "subsystem_code", "period")
    ]
    return ~sa.exists().where(*same_case, later.c.ordinal > RECORD.c.ordinal)


def _newest_items() -> sa.Subquery:
    """Select the newest round of each subject of letters."""
    in_order = (SHARED_ITEM.c.subject_id, SHARED_ITEM.c.round.desc())
    newest = sa.select(SHARED_ITEM).ext(postgresql.distinct_on(SHARED_ITEM.c.subject_id))
    return newest.order_by(*in_order).subquery()


def _divisions(
    connection: Connection, person_ids: Sequence[str], business_date: date
) -> dict[tuple[str, str], str]:
    """Tell where a person's case was decided last, by programme and person."""
    known = sa.select(DECISION.c.programme_code, DECISION.c.person_id, DECISION.c.division_code).where(
        DECISION.c.person_id == sa.any_(sa.literal(person_ids, sa.ARRAY(sa.Text))),
        DECISION.c.recorded_from <= business_date,
    )
    rows = connection.execute(known.order_by(DECISION.c.recorded_from))
    return {(row.programme_code, row.person_id): row.division_code for row in rows}


def _task(found: Found, due_dates: Mapping[str, date], business_date: date) -> dict[str, Any]:
    kind, subject, division, details = found
    task_id = hashlib.sha256(f"{kind}\x1f{subject}".encode()).hexdigest()[:16]
    days = int(load_parameter(f"worklist/{kind}_days").on(business_date))
    return {
        "task_id": task_id,
        "process_name": PROCESS,
        "kind_code": kind,
        "subject_id": subject,
        "division_code": division,
        "level_code": level_of(division),
        "due_date": due_dates.get(task_id, business_date + timedelta(days=days)),
        "detail_codes": details,
    }


def _due_dates_before(connection: Connection, business_date: date) -> dict[str, date]:
    was_open = sa.and_(
        TASK.c.process_name == PROCESS,
        TASK.c.recorded_from < business_date,
        sa.or_(TASK.c.recorded_to.is_(None), TASK.c.recorded_to >= business_date),
    )
    rows = connection.execute(sa.select(TASK.c.task_id, TASK.c.due_date).where(was_open))
    return {row.task_id: row.due_date for row in rows}


def _causes(connection: Connection, ended: Sequence[sa.RowMapping]) -> Mapping[str, str]:
    """Tell why tasks ended: what they waited for came, or it is not waited for any more."""
    is_met = sa.and_(DEADLINE.c.kind_code == KIND, DEADLINE.c.state == "met")
    answered = set(connection.scalars(sa.select(DEADLINE.c.subject_id).where(is_met)))
    applied = set(connection.scalars(sa.select(RECEIPT.c.landing_id).where(RECEIPT.c.state == "applied")))
    subjects_ended = [task["subject_id"] for task in ended]
    signed = {batch_id for batch_id, ground in words_about(connection, subjects_ended) if ground == BACKFILL}
    came = {
        "receipt_overdue": (answered, "receiver_answered", "no_longer_awaited"),
        "receipt_parked": (applied, "receipt_applied", "receipt_dismissed"),
        "countersign_awaited": (signed, "countersigned", "no_longer_awaited"),
    }
    causes = {}
    for task in ended:
        subjects, cause, otherwise = came.get(task["kind_code"], (set(), "", "reported_again"))
        causes[task["task_id"]] = cause if task["subject_id"] in subjects else otherwise
    return causes
