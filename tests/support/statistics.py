"""Small relations to count, drawn in a test."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa

from connectors.engine import Relation

Rows = Sequence[Mapping[str, Any]]

PERSON = {"residence_division_code": None, "sex_code": "2", "hukou_division_code": None,
          "birth_date": date(1990, 1, 1), "life_status_code": "1"}  # fmt: skip
BIRTH = {"division_code": None, "class_code": "linked", "sex_code": "2", "mch_record_id": "m",
         "report_delay_code": "on_time"}  # fmt: skip
DECISION = {
    "programme_code": "T",
    "decision_code": "eligible",
    "category_code": "death",
    "division_code": None,
}
TASK = {"kind_code": "birth_conflict", "division_code": None, "due_date": date(2026, 7, 1)}


def counted(
    persons: Rows = (), births: Rows = (), decisions: Rows = (), tasks: Rows = ()
) -> dict[str, Relation]:
    """Put drawn rows into the relations that the cube counts; what is not said is ordinary."""
    return {
        "population_person": _table(PERSON, persons),
        "birth_match": _table(BIRTH, births),
        "decision": _table(DECISION, decisions),
        "task": _table(TASK, tasks),
    }


def _table(ordinary: Mapping[str, Any], rows: Rows) -> pa.Table:
    fields = [
        (name, pa.date32() if isinstance(value, date) else pa.string()) for name, value in ordinary.items()
    ]
    return pa.Table.from_pylist([{**ordinary, **row} for row in rows], schema=pa.schema(fields))
