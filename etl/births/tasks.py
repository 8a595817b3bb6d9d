"""The to-do list that follows from the findings: who acts until when."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.registry import state_on
from schemas.policy import load_parameter
from schemas.registry import TASK

PROCESS = "births"


def days_to_act(kind_code: str, business_date: date) -> int:
    """Tell how many calendar days a task of a kind leaves when it is found on a date."""
    return int(load_parameter(f"worklist/{kind_code}_days").on(business_date))


def due_dates_before(connection: Connection, business_date: date) -> dict[str, date]:
    """Read the due dates of tasks that were open the day before; a task keeps the date it was given."""
    day_before = business_date - timedelta(days=1)
    rows = connection.execute(
        sa.select(TASK.c.task_id, TASK.c.due_date).where(
            TASK.c.process_name == PROCESS, state_on(TASK, day_before)
        )
    )
    return {row.task_id: row.due_date for row in rows}


def date_tasks(tasks: pa.Table, held: Mapping[str, date], business_date: date) -> list[dict[str, Any]]:
    """Give every task its due date: the one it was given when first found, else days from today."""
    rows = tasks.to_pylist()
    given = {
        kind: business_date + timedelta(days=days_to_act(kind, business_date))
        for kind in {row["kind_code"] for row in rows}
    }
    return [
        {**row, "process_name": PROCESS, "due_date": held.get(row["task_id"], given[row["kind_code"]])}
        for row in rows
    ]
