"""Small relations to count, drawn in a test."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
from openpyxl.utils import get_column_letter

from connectors.engine import Relation
from connectors.settings import Settings
from etl.statistics.count import Counted, Places
from etl.statistics.cube import count_cube, count_months
from etl.statistics.relations import (
    CASES,
    DECISION_HISTORY,
    LIVES,
    MONTHS,
    QUALITY,
    TASK_HISTORY,
    months_until,
)

NO_RETIRED = pa.schema([(name, pa.string()) for name in ("retired_code", "successor_code")]).empty_table()
Rows = Sequence[Mapping[str, Any]]

PERSON = {"person_id": None, "residence_division_code": None, "sex_code": "2", "hukou_division_code": None,
          "birth_date": date(1990, 1, 1), "life_status_code": "1"}  # fmt: skip
BIRTH = {"division_code": None, "class_code": "linked", "sex_code": "2", "mch_record_id": "m",
         "report_delay_code": "on_time", "birth_date": date(2026, 5, 20), "parity": "1",
         "conflict_fields": [], "missing_fields": [], "situation_codes": []}  # fmt: skip
DECISION = {
    "programme_code": "T",
    "decision_code": "eligible",
    "category_code": "death",
    "division_code": None,
    "has_case": True,
}
CASE = {
    "division_code": None, "programme_code": "T", "category_code": "death", "state_code": "1",
    "start_month": date(2020, 1, 1), "end_month": None, "exit_reason_code": None, "finding_code": "continue",
}  # fmt: skip
LIFE = {"division_code": None, "programme_code": "T", "category_code": "death", "state_code": "applied",
        "exit_reason_code": None}  # fmt: skip
TASK = {"kind_code": "birth_conflict", "division_code": None, "due_date": date(2026, 7, 1)}


def counted(
    persons: Rows = (),
    births: Rows = (),
    decisions: Rows = (),
    tasks: Rows = (),
    cases: Rows = (),
    quality: Rows = (),
    lives: Rows = (),
) -> dict[str, Relation]:
    """Put drawn rows into the relations that the cube counts; what is not said is ordinary."""
    return {
        "population_person": _table(PERSON, persons),
        "birth_match": _table(BIRTH, births),
        "decision": _table(DECISION, decisions),
        "task": _table(TASK, tasks),
        "case_known": pa.Table.from_pylist([{**CASE, **row} for row in cases], schema=CASES),
        "case_dated": pa.Table.from_pylist([{**CASE, **row} for row in cases], schema=CASES),
        "quality": pa.Table.from_pylist(list(quality), schema=QUALITY),
        "life_known": pa.Table.from_pylist([{**LIFE, **row} for row in lives], schema=LIVES),
    }


def counted_by_month(
    births: Rows = (),
    decisions: Rows = (),
    tasks: Rows = (),
    cases: Rows = (),
    quality: Rows = (),
    *,
    until: date,
) -> dict[str, Relation]:
    """Put drawn rows into the relations that are counted by month."""
    history = {"recorded_from": until, "recorded_to": None}
    return {
        **counted(births=births, cases=cases, quality=quality),
        "decision": pa.Table.from_pylist(
            [{**DECISION, **history, **row} for row in decisions], DECISION_HISTORY
        ),
        "task": pa.Table.from_pylist(
            [{"task_id": str(at), **TASK, **history, **row} for at, row in enumerate(tasks)], TASK_HISTORY
        ),
        "month": pa.Table.from_pylist(months_until(until), MONTHS),
    }


def _table(ordinary: Mapping[str, Any], rows: Rows) -> pa.Table:
    kinds = {date: pa.date32(), bool: pa.bool_(), list: pa.list_(pa.string())}
    fields = [(name, kinds.get(type(value), pa.string())) for name, value in ordinary.items()]
    return pa.Table.from_pylist([{**ordinary, **row} for row in rows], schema=pa.schema(fields))


def counted_up(
    relations: Mapping[str, Relation],
    divisions: pa.Table,
    day: date,
    inputs: Sequence[str] = (),
    by_month: Mapping[str, Relation] | None = None,
) -> Counted:
    """Count drawn relations as the publishing does; months of nothing unless drawn."""
    by_month = by_month or counted_by_month(until=day)
    nowhere = Settings(var=Path("nowhere"))
    return Counted(
        day,
        count_cube(nowhere, relations, divisions, day),
        count_months(nowhere, by_month, divisions, day),
        tuple(month["month"] for month in months_until(day)),
        Places(divisions, NO_RETIRED),
        tuple(inputs),
        (),
    )


def column_widths(sheet: Any) -> dict[str, float]:
    """Tell how wide each column is; neighbours of one width stand together in the file."""
    return {
        get_column_letter(at): group.width
        for group in sheet.column_dimensions.values()
        for at in range(group.min, group.max + 1)
    }
