"""Tasks about cases: the village looks at a case that does not simply continue."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from etl.subsidy.tasks import subject_of
from schemas.division import level_of
from schemas.policy import load_parameter
from schemas.registry import TASK

PROCESS = "cases"
KIND = "case_questioned"
CAUSES = {"continue": "case_confirmed", "closed": "case_closed"}
GONE = "case_gone"


def find_case_tasks(
    connection: Connection, exceptions: Iterable[Mapping[str, Any]], business_date: date
) -> list[dict[str, Any]]:
    """Make one task per case in question; a task already open keeps its due date."""
    days = load_parameter(f"worklist/{KIND}_days").on(business_date)
    due_dates = _due_dates_before(connection, business_date)
    first_due = business_date + timedelta(days=days)
    return [_task(case, due_dates, first_due) for case in exceptions]


def causes_of(reviews: Iterable[Mapping[str, Any]], ended: Sequence[sa.RowMapping]) -> Mapping[str, str]:
    """Tell per ended task why: `case_confirmed`, `case_closed`, or `case_gone` from the baseline."""
    found = {task_id_of(review["case_number"]): review["finding_code"] for review in reviews}
    return {task["task_id"]: CAUSES.get(found.get(task["task_id"], ""), GONE) for task in ended}


def task_id_of(case_number: str) -> str:
    """Name the task about a case without showing its number."""
    return hashlib.sha256(f"{KIND}\x1f{case_number}".encode()).hexdigest()[:16]


def _task(case: Mapping[str, Any], due_dates: Mapping[str, date], first_due: date) -> dict[str, Any]:
    task_id = task_id_of(case["case_number"])
    return {
        "task_id": task_id,
        "process_name": PROCESS,
        "kind_code": KIND,
        "subject_id": subject_of(case["programme_code"], case["person_id"]),
        "division_code": case["division_code"],
        "level_code": level_of(case["division_code"]),
        "due_date": due_dates.get(task_id, first_due),
        "detail_codes": case["reason_codes"],
    }


def _due_dates_before(connection: Connection, business_date: date) -> dict[str, date]:
    was_open = sa.and_(
        TASK.c.recorded_from < business_date,
        sa.or_(TASK.c.recorded_to.is_(None), TASK.c.recorded_to >= business_date),
        TASK.c.process_name == PROCESS,
    )
    rows = connection.execute(sa.select(TASK.c.task_id, TASK.c.due_date).where(was_open))
    return {row.task_id: row.due_date for row in rows}
