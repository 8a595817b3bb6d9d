"""The queries that conform received rows: first the contract's types, then the dataset's own SQL."""

from functools import lru_cache

import pyarrow as pa
from sqlglot import exp

from connectors.engine import sql_text
from connectors.few_values import has_few
from etl.conform.text import received_name
from quality.domain_functions import parse_sql
from schemas.contract import LINEAGE, Contract
from schemas.property import Property

SQL_TYPES = {
    "string": "VARCHAR",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "integer": "BIGINT",
    "boolean": "BOOLEAN",
    "number": "DECIMAL(4, 1)",
}
# How text must be written to be read as a type; engines would also take "infinity" or round 2.7 to 3.
WRITTEN_AS = {
    "date": r"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}$",
    "timestamp": r"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?$",
    "integer": r"^[+-]?[0-9]+$",
    "number": r"^[+-]?[0-9]+([.][0-9]+)?$",
    "boolean": r"^(true|false|TRUE|FALSE|True|False|t|f|1|0)$",
}


@lru_cache(maxsize=32)
def conforming_queries(contract: Contract, received: pa.Schema) -> dict[str, str]:
    """Write the queries `typed` (from the relation `received`) and `conformed` (from `typed`)."""
    return {
        "typed": _typed(contract, received).sql("duckdb"),
        "conformed": _conformed(contract).sql("duckdb"),
    }


@lru_cache(maxsize=32)
def narrowed_query(contract: Contract, received: pa.Schema, columns: tuple[str, ...]) -> tuple[str, bool]:
    """Write one query that makes some conformed columns, and tell whether it looks at `retired_division`.

    What none of these columns speaks of is not joined: every row has one partner there at most.
    """
    conformed = _conformed(contract)
    made = {entry.alias_or_name: entry for entry in conformed.expressions}
    asked = [made[name] for name in columns]
    named = {column.table for entry in asked for column in entry.find_all(exp.Column)}
    joins = [join for join in conformed.args.get("joins") or [] if join.this.alias_or_name in named]
    narrow = conformed.copy()
    narrow.set("expressions", [entry.copy() for entry in asked])
    narrow.set("joins", [join.copy() for join in joins])
    narrow = narrow.with_("typed", as_=_typed(contract, received), copy=False)
    return narrow.sql("duckdb"), bool(joins)


def flags_of(contract: Contract) -> tuple[str, ...]:
    """Name the columns that tell which received values could not be read."""
    return tuple(
        f"is_unreadable_{entry.name}" for entry in contract.received if entry.logical_type != "string"
    )


@lru_cache(maxsize=32)
def unchanged_columns(contract: Contract, received: pa.Schema) -> dict[str, str]:
    """Name the columns that staging has as they are once text is normalised, with their received names.

    The key is not among them: rows are found and put in order by it.
    """
    made = set(_own_select(contract).named_selects)
    return {
        entry.name: str(entry.physical_name)
        for entry in contract.received
        if entry.name not in made
        and not entry.is_key
        and _plain(received.field(str(entry.physical_name)).type) == entry.arrow_type
    }


def _own_select(contract: Contract) -> exp.Select:
    select = parse_sql(sql_text(f"staging/{contract.name}"))
    assert isinstance(select, exp.Select)  # noqa: S101 - a file of ours
    return select


def _typed(contract: Contract, received: pa.Schema) -> exp.Select:
    columns: list[exp.Expr] = []
    for entry in contract.received:
        column = exp.column(str(entry.physical_name), table="received")
        value = _read_as(entry, column, received.field(str(entry.physical_name)).type)
        columns.append(value.as_(entry.name))
        if entry.logical_type != "string":
            was_sent = exp.not_(exp.Is(this=column.copy(), expression=exp.null()))
            unread = exp.Is(this=exp.paren(value.copy()), expression=exp.null())
            columns.append(exp.and_(was_sent, unread).as_(f"is_unreadable_{entry.name}"))
        if entry.form == "person_name" and received_name(entry) in received.names:
            columns.append(exp.column(received_name(entry), table="received"))
    lineage = [exp.column(name, table="received") for name, _ in LINEAGE]
    extra = [exp.column(name, table="received") for name in ("received_row", "has_odd_characters")]
    return exp.select(*columns, *lineage, *extra, copy=False).from_("received", copy=False)


def _read_as(entry: Property, column: exp.Column, kind: pa.DataType) -> exp.Expr:
    value = exp.TryCast(this=column.copy(), to=exp.DataType.build(SQL_TYPES[entry.logical_type]))
    pattern = WRITTEN_AS.get(entry.logical_type)
    if pattern is None or not pa.types.is_string(_plain(kind)):
        return value
    is_written = exp.RegexpLike(this=column.copy(), expression=exp.Literal.string(pattern))
    return exp.Case().when(is_written, value)


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if has_few(kind) else kind


def _conformed(contract: Contract) -> exp.Select:
    """Complete the dataset's own SELECT by the columns that it passes on unchanged."""
    select = _own_select(contract).copy()
    made = set(select.named_selects)
    passed = [entry.name for entry in contract.properties if entry.name not in made]
    passed += [*flags_of(contract), *(name for name, _ in LINEAGE), "received_row", "has_odd_characters"]
    return select.select(*(exp.column(name, table="typed") for name in passed))
