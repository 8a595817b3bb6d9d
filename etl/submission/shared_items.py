"""Corrections and to-dos of a date: which are due, and how each is written as a line of a letter."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from connectors.engine import Relation, run_sql
from connectors.registry import state_on
from connectors.settings import Settings
from etl.submission.shared_answers import BIRTHS
from schemas.policy import load_parameter
from schemas.registry import SHARED_ANSWER, SHARED_ITEM, TASK
from schemas.sharing import ADDRESSEES, COLUMNS, FINAL

# What items are made from, beside tasks and the newest items.
INPUTS = ("core.birth_field", "core.birth_match", "staging.mch_birth")
TASKS = pa.schema(
    [
        ("task_id", pa.string()),
        ("kind_code", pa.string()),
        ("subject_id", pa.string()),
        ("division_code", pa.string()),
        ("due_date", pa.date32()),
        ("detail_codes", pa.string()),
    ]
)
LAST_ITEMS = pa.schema(
    [
        ("subject_id", pa.string()),
        ("item_id", pa.string()),
        ("round", pa.int64()),
        ("operation_code", pa.string()),
        ("kind_code", pa.string()),
        ("addressee_code", pa.string()),
        ("match_id", pa.string()),
        ("field_name", pa.string()),
        ("evidence_sha256", pa.string()),
        ("state_code", pa.string()),
        ("answered_on", pa.date32()),
    ]
)
Row = Mapping[str, Any]


def items_due(
    settings: Settings,
    births: Mapping[str, Relation],
    tasks: pa.Table,
    last: pa.Table,
    business_date: date,
) -> Sequence[Row]:
    """Tell what is to be written on a date: by addressee and item id.

    `births` are the relations of `INPUTS` by their names without the zone, `tasks` those of
    `handed_tasks`, `last` the newest item of each subject (LAST_ITEMS).
    """
    handed = _handed_kinds()
    relations = {
        **births,
        "task": tasks,
        "addressee": pa.table(
            {"task_kind_code": list(handed), "addressee_code": list(handed.values())},
        ),
        "last_item": last,
    }
    applied_days = load_parameter("sharing/correction_applied_days").on(business_date)
    bound = {"business_date": business_date, "applied_days": applied_days}
    due: list[Row] = run_sql(settings, "submission/shared_item", relations, bound).to_pylist()
    return due


def handed_tasks(
    connection: Connection, business_date: date, *conditions: sa.ColumnElement[bool]
) -> pa.Table:
    """Read the tasks of a date on which other systems work: TASKS, by task."""
    chosen = sa.select(TASK).where(
        TASK.c.process_name == BIRTHS,
        TASK.c.kind_code.in_(_handed_kinds()),
        state_on(TASK, business_date),
        *conditions,
    )
    tasks = [
        {name: row[name] for name in TASKS.names} | {"detail_codes": " ".join(row["detail_codes"])}
        for row in connection.execute(chosen.order_by(TASK.c.task_id)).mappings()
    ]
    return pa.Table.from_pylist(tasks, TASKS)


def last_items(connection: Connection) -> pa.Table:
    """Read of every subject the newest item and the last word about it: LAST_ITEMS."""
    answer = (
        sa.select(SHARED_ANSWER)
        .ext(postgresql.distinct_on(SHARED_ANSWER.c.item_id))
        # 20 being looked into comes before what ends it.
        .order_by(SHARED_ANSWER.c.item_id, SHARED_ANSWER.c.state_code.in_(FINAL).desc())
        .subquery()
    )
    chosen = (
        sa.select(SHARED_ITEM, answer.c.state_code, answer.c.business_date.label("answered_on"))
        .ext(postgresql.distinct_on(SHARED_ITEM.c.subject_id))
        .join(answer, answer.c.item_id == SHARED_ITEM.c.item_id, isouter=True)
        .order_by(SHARED_ITEM.c.subject_id, SHARED_ITEM.c.round.desc())
    )
    rows = [dict(row) for row in connection.execute(chosen).mappings()]
    return pa.Table.from_pylist([{name: row[name] for name in LAST_ITEMS.names} for row in rows], LAST_ITEMS)


def header_of(kind_code: str) -> str:
    """Write the first line of a letter, which names its columns."""
    return _line(COLUMNS[kind_code])


def line_of(item: Row) -> str:
    """Write an item as its line, without the line's end."""
    return _line(["" if item[name] is None else item[name] for name in COLUMNS[item["kind_code"]]])


def _line(values: Sequence[str]) -> str:
    """Write one line of CSV; a line break in a value would end it, so that it becomes a space."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow([" ".join(value.split("\n")) for value in values])
    return text.getvalue()


def _handed_kinds() -> dict[str, str]:
    return {kind: each.code for each in ADDRESSEES for kind in each.task_kinds}
