"""Turn decisive unknowns into tasks: which village asks for which document until when."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.registry import state_on
from schemas.division import level_of
from schemas.policy import load_parameter
from schemas.registry import TASK

PROCESS = "subsidy"
KIND = "subsidy_document_missing"


def find_tasks(
    connection: Connection, decisions: Iterable[Mapping[str, Any]], business_date: date
) -> list[dict[str, Any]]:
    """Make one task per undecided person and programme; a task already open keeps its due date."""
    days = load_parameter(f"worklist/{KIND}_days").on(business_date)
    due_dates = _due_dates_before(connection, business_date)
    first_due = business_date + timedelta(days=days)
    undecided = [decision for decision in decisions if decision["decision_code"] == "unknown"]
    return [_task(decision, due_dates, first_due) for decision in undecided]


def _task(decision: Mapping[str, Any], due_dates: Mapping[str, date], first_due: date) -> dict[str, Any]:
    subject = subject_of(decision["programme_code"], decision["person_id"])
    task_id = hashlib.sha256(f"{KIND}\x1f{subject}".encode()).hexdigest()[:16]
    return {
        "task_id": task_id,
        "process_name": PROCESS,
        "kind_code": KIND,
        "subject_id": subject,
        "division_code": decision["division_code"],
        "level_code": level_of(decision["division_code"]),
        "due_date": due_dates.get(task_id, first_due),
        "detail_codes": decision["missing_document_codes"],
    }


def subject_of(programme_code: str, person_id: str) -> str:
    """Name the case of a person under a programme without showing the person's file number."""
    return f"{programme_code}:{hashlib.sha256(person_id.encode()).hexdigest()[:16]}"


def open_tasks(connection: Connection, business_date: date) -> int:
    """Count the tasks of this process that are open on a date."""
    is_open = sa.and_(TASK.c.process_name == PROCESS, state_on(TASK, business_date))
    return int(connection.scalar(sa.select(sa.func.count()).select_from(TASK).where(is_open)) or 0)


def _due_dates_before(connection: Connection, business_date: date) -> dict[str, date]:
    """Read the due dates of tasks that were open on the day before, whatever this date wrote already."""
    was_open = sa.and_(
        TASK.c.recorded_from < business_date,
        sa.or_(TASK.c.recorded_to.is_(None), TASK.c.recorded_to >= business_date),
        TASK.c.process_name == PROCESS,
    )
    rows = connection.execute(sa.select(TASK.c.task_id, TASK.c.due_date).where(was_open))
    return {row.task_id: row.due_date for row in rows}
