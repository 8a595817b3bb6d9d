"""The decisions expected of the pipeline: the plain rules over the rows that it may not reject."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sandbox.city.planting import REJECT
from sandbox.truth.subsidy import Child, Marriage, Person, decide_everyone

DECISIONS = pa.schema(
    [
        ("programme_code", pa.string()),
        ("person_id", pa.string()),
        ("decision_code", pa.string()),
        ("category_code", pa.string()),
    ]
)


def expected_decisions(
    persons: pa.Table, children: pa.Table, marriages: pa.Table, defects: pa.Table, on: date
) -> pa.Table:
    """Decide T and J for everybody whose row is accepted; ineligible persons are not listed."""
    decisions = decide_everyone(
        (Person(*row) for row in _rows(accepted(persons, "population_person", defects), Person)),
        (Child(*row) for row in _rows(accepted(children, "family_child", defects), Child)),
        (Marriage(*row) for row in _rows(marriages, Marriage)),
        on,
    )
    columns: list[list[Any]] = [list(column) for column in zip(*decisions, strict=True)] or [[], [], [], []]
    return pa.table(dict(zip(DECISIONS.names, columns, strict=True)), schema=DECISIONS)


def rejected_keys(dataset: str, defects: pa.Table) -> pa.Array:
    """List the keys of a dataset whose rows carry a defect that must be rejected."""
    chosen = pc.and_(pc.equal(defects["dataset"], dataset), pc.equal(defects["severity"], REJECT))
    return defects.filter(chosen)["key"].combine_chunks()


def accepted(rows: pa.Table, dataset: str, defects: pa.Table) -> pa.Table:
    """Leave out the rows that must be rejected; the key is the first column."""
    keys = rows.column(0).cast(pa.string())
    return rows.filter(pc.invert(pc.is_in(keys, rejected_keys(dataset, defects))))


def _rows(table: pa.Table, kind: Any) -> Iterator[tuple[Any, ...]]:
    return zip(*(table[name].to_pylist() for name in kind._fields), strict=True)
