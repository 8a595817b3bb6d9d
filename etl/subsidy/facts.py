"""Gather what clauses may ask about every person, in one pass over the accepted rows."""

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from duckdb import ColumnExpression, ConstantExpression

from connectors.duck import open_duckdb
from connectors.engine import Relation, name_relations, sql_text
from connectors.lake_room import HeldRows, hold_rows
from connectors.read_ahead import read_ahead
from connectors.row_file import ROWS_PER_GROUP
from connectors.settings import Settings
from schemas.programme import Facts

SOURCES = ("population_person", "family_child", "marriage")
EVERYONE = ConstantExpression(value=True)
# So many persons are done at once; where to cut is asked of one row in so many.
PERSONS_PER_RANGE, ONE_IN = 3_000_000, 997
# No source delivers these yet (docs/decisions/0033): until one does, nobody has any.
COMPLICATIONS = "surgical_complication"
NO_COMPLICATIONS = pa.schema(
    {
        "person_id": pa.string(),
        "level_code": pa.string(),
        "certified_date": pa.date32(),
        "certifier_name": pa.string(),
    }
).empty_table()


def gather_facts(settings: Settings, sources: Mapping[str, Relation], facts: Facts, day: date) -> pa.Table:
    """Compute all facts that sources tell: one row per person of `population_person`, in no promised order.

    `sources` maps each of SOURCES to its accepted rows; ages and marriages are those of `day`.
    """
    asked = [fact.name for fact in facts.facts.values() if fact.source is None]
    with _facts(settings, sources, facts, day, asked) as (_, rows):
        return rows.to_arrow_table()


def hold_facts(
    settings: Settings,
    room: Path,
    sources: Mapping[str, Relation],
    facts: Facts,
    day: date,
    asked: Collection[str],
) -> HeldRows:
    """Compute the facts that are asked for of a whole city, as `put_down` does; others cost nothing."""
    with _facts(settings, sources, facts, day, asked) as (duck, rows):
        return put_down(room, rows, _ranges(duck))


def put_down(
    room: Path, facts: duckdb.DuckDBPyRelation, ranges: Sequence[duckdb.Expression] = (EVERYONE,)
) -> HeldRows:
    """Write facts into a file of a room in the order of persons, in which all programmes then decide.

    The engine does one range of persons after the other: what it joins and sorts then fits into its memory.
    """

    def batches() -> Iterator[pa.RecordBatch]:
        for persons in ranges:
            yield from facts.filter(persons).order("person_id").to_arrow_reader(ROWS_PER_GROUP)

    schema = facts.limit(0).to_arrow_table().schema
    return hold_rows(room, "facts", read_ahead(batches()), schema)


def _ranges(duck: duckdb.DuckDBPyConnection) -> list[duckdb.Expression]:
    """Cut all persons into ranges of about as many, by the file numbers of some of them."""
    persons = duck.view("population_person")
    ((count,),) = persons.count("*").fetchall()
    ranges = round(count / PERSONS_PER_RANGE)
    if ranges < 2:
        return [EVERYONE]
    is_asked = ColumnExpression("landing_row") % ConstantExpression(ONE_IN) == ConstantExpression(0)
    asked = [
        number for (number,) in persons.filter(is_asked).select("person_id").order("person_id").fetchall()
    ]
    if not asked:
        return [EVERYONE]
    edges = [ConstantExpression(asked[len(asked) * n // ranges]) for n in range(1, ranges)]
    number = ColumnExpression("person_id")
    return [
        number <= edges[0],
        *((number > above) & (number <= until) for above, until in itertools.pairwise(edges)),
        number > edges[-1],
    ]


@contextmanager
def _facts(
    settings: Settings, sources: Mapping[str, Relation], facts: Facts, day: date, asked: Collection[str]
) -> Iterator[tuple[duckdb.DuckDBPyConnection, duckdb.DuckDBPyRelation]]:
    with open_duckdb(settings) as duck:
        name_relations(duck, settings, sources)
        yield duck, facts_in(duck, fact_parameters(facts, day, asked), asked)


def facts_in(
    duck: duckdb.DuckDBPyConnection, parameters: Mapping[str, Any], asked: Collection[str]
) -> duckdb.DuckDBPyRelation:
    """Compute facts over the rows that a connection names as SOURCES."""
    if COMPLICATIONS not in {name for (name,) in duck.sql("SELECT view_name FROM duckdb_views()").fetchall()}:
        duck.register(COMPLICATIONS, NO_COMPLICATIONS)
    return duck.sql(sql_text("subsidy/facts"), params=dict(parameters)).select("person_id", *asked)


def fact_parameters(facts: Facts, day: date, asked: Collection[str]) -> dict[str, Any]:
    """Give the values that the asked facts rest on as of a day, and the day; what nobody asks may have none.

    Raises:
        Refusal: a value that an asked fact rests on has none on the day.
    """
    needed = {name for fact in asked for name in facts.facts[fact].parameters}
    values = {
        name: parameter.on(day) if name in needed or parameter.has_value_on(day) else None
        for name, parameter in facts.parameters.items()
    }
    return {**values, "business_date": day}
