"""The decisions expected of the pipeline: the plain rules over the rows that it may not reject."""

from collections.abc import Iterator
from datetime import date
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from sandbox.city.planting import REJECT
from sandbox.truth.subsidy import Child, Marriage, Person, decide_everyone

Row = TypeVar("Row", Person, Child, Marriage)
PARENTS = ("mother_person_id", "father_person_id")
PARTIES = ("husband_person_id", "wife_person_id")
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
    accepted_children = accepted(children, "family_child", defects)
    everybody = accepted(persons, "population_person", defects)
    concerned = _concerned(everybody, accepted_children)
    parties = pc.or_(*(pc.is_in(marriages[party], concerned) for party in PARTIES))
    marriages = marriages.filter(parties)
    needed = pa.chunked_array(
        [concerned, *marriages["husband_person_id"].chunks, *marriages["wife_person_id"].chunks]
    )
    needed_persons = everybody.filter(pc.is_in(everybody["person_id"], needed))
    children_in_question = pc.or_(*(pc.is_in(accepted_children[parent], concerned) for parent in PARENTS))
    decisions = decide_everyone(
        rows_as(Person, needed_persons),
        rows_as(Child, accepted_children.filter(children_in_question)),
        rows_as(Marriage, marriages),
        on,
    )
    asked = set(concerned.to_pylist())
    decisions = [decision for decision in decisions if decision.person_id in asked]
    columns: list[list[Any]] = [list(column) for column in zip(*decisions, strict=True)] or [[], [], [], []]
    return pa.table(dict(zip(DECISIONS.names, columns, strict=True)), schema=DECISIONS)


def _concerned(persons: pa.Table, children: pa.Table) -> pa.Array:
    """List the living parents with Beijing hukou: nobody else can be entitled, so nobody else is asked."""
    parents = pa.chunked_array([chunk for parent in PARENTS for chunk in children[parent].chunks])
    lives = pc.equal(persons["life_status"], "1")
    here = pc.starts_with(persons["hukou_division"], "11")
    chosen = pc.and_(pc.and_(lives, here), pc.is_in(persons["person_id"], parents))
    return persons.filter(chosen)["person_id"].combine_chunks()


def rejected_keys(dataset: str, defects: pa.Table) -> pa.Array:
    """List the keys of a dataset whose rows carry a defect that must be rejected."""
    chosen = pc.and_(pc.equal(defects["dataset"], dataset), pc.equal(defects["severity"], REJECT))
    return defects.filter(chosen)["key"].combine_chunks()


def accepted(rows: pa.Table, dataset: str, defects: pa.Table) -> pa.Table:
    """Leave out the rows that must be rejected; the key is the first column."""
    keys = rows.column(0).cast(pa.string())
    return rows.filter(pc.invert(pc.is_in(keys, rejected_keys(dataset, defects))))


def rows_as(kind: type[Row], table: pa.Table) -> Iterator[Row]:
    """Give the rows of a table as what the plain rules speak of."""
    columns = (_values(table[name]) for name in kind._fields)
    return (kind(*row) for row in zip(*columns, strict=True))


def _values(column: pa.ChunkedArray) -> list[object]:
    # By way of NumPy this is ten times faster than to_pylist, and days become dates all the same.
    values = column.to_numpy()
    if pa.types.is_date(column.type):
        values = values.astype("datetime64[D]").astype(object)
    return list(values.tolist())
