"""The to-do list: tasks come and stay by history; one that ends says why."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.registry import Among, record_state
from schemas.refusal import Refusal
from schemas.registry import TASK, TASK_CLOSING

# From the tasks that ended on a date to why each did.
Causes = Callable[[Sequence[sa.RowMapping]], Mapping[str, str]]


def record_tasks(
    connection: Connection,
    process_name: str,
    tasks: Sequence[Mapping[str, Any]],
    business_date: date,
    causes: Causes,
    among: Sequence[str] | None = None,
) -> int:
    """Make `tasks` the open tasks of a process from a business date on; tell how many rows changed.

    `tasks` are all that are open, of these subjects where some are told (`among`); those that are no longer
    among them end, and `causes` tells why (a word of docs/glossary.md per task id). A rerun of the date
    replaces what it wrote.

    Raises:
        Refusal: a task would end without a cause, or a later date is already on record.
    """
    subjects = None if among is None else Among("subject_id", among)
    of_process = {"process_name": process_name}
    changed = record_state(connection, TASK, tasks, business_date, where=of_process, among=subjects)
    ended = _ended_on(connection, process_name, business_date)
    cause_of = causes(ended) if ended else {}
    unexplained = sum(task["task_id"] not in cause_of for task in ended)
    if unexplained:
        raise Refusal(
            "task_closed_without_cause",
            found=f"{unexplained} of {len(ended)} ending tasks of {process_name} without a cause",
            expected="a cause for every task that ends",
            to_do="report a defect of the process",
        )
    _replace_closings(
        connection,
        process_name,
        business_date,
        [{"task_id": task["task_id"], "cause_code": cause_of[task["task_id"]]} for task in ended],
    )
    return changed


def _ended_on(connection: Connection, process_name: str, business_date: date) -> Sequence[sa.RowMapping]:
    """List the tasks that ended on a date, by id; one that goes on with other content did not end."""
    later = TASK.alias()
    goes_on = (
        sa.select(later.c.task_id)
        .where(later.c.task_id == TASK.c.task_id, later.c.recorded_from == business_date)
        .exists()
    )
    chosen = sa.select(TASK).where(
        TASK.c.process_name == process_name, TASK.c.recorded_to == business_date, ~goes_on
    )
    return connection.execute(chosen.order_by(TASK.c.task_id)).mappings().all()


def _replace_closings(
    connection: Connection, process_name: str, business_date: date, closings: Sequence[Mapping[str, str]]
) -> None:
    of_date = sa.and_(
        TASK_CLOSING.c.process_name == process_name, TASK_CLOSING.c.business_date == business_date
    )
    connection.execute(sa.delete(TASK_CLOSING).where(of_date))
    if closings:
        shared = {"process_name": process_name, "business_date": business_date}
        connection.execute(sa.insert(TASK_CLOSING), [{**shared, **closing} for closing in closings])
