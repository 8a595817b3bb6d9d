"""The rows of some keys in a chain of extracts: read once, given as they were known at any of these."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from duckdb import (
    CoalesceOperator,
    ColumnExpression,
    ConstantExpression,
    FunctionExpression,
    StarExpression,
)

from connectors.duck import open_duckdb
from connectors.engine import sql_text
from connectors.extract import (
    IS_DELETED,
    ROWS_PER_PART,
    Chain,
    Extract,
    among,
    base_places,
    extract_rows,
)
from connectors.read_ahead import AT_ONCE
from connectors.row_file import ROWS_PER_GROUP
from connectors.settings import Settings
from connectors.source_table import key_of, source_schema
from schemas.contract import LINEAGE, Contract

DELETED = IS_DELETED[0]


@dataclass(frozen=True)
class Excerpt:
    """What the extracts of a chain have of some keys, and of rows without any: `rows`, with `position`.

    `keys` are those asked for, as `row_key`; `touched_by` is a row's key as conforming writes it, without
    white space around it: NULL or empty where it is missing.
    """

    settings: Settings
    contract: Contract
    keys: pa.Table
    rows: pa.Table

    def known(self, extracts: int) -> Iterator[pa.Table]:
        """Give the rows as known with the first so many extracts, by key; at least one part.

        Columns are those of `connectors.extract.known_parts`. No two parts have rows of one key.
        """
        by_key = [(name, "ascending") for name in ("touched_by", "position", "landing_row")]
        known = self._folded(self.rows, extracts).sort_by(by_key)
        columns = [*source_schema(self.contract).names, *(name for name, _ in LINEAGE)]
        for part in _between_keys(known):
            yield part.select(columns).combine_chunks()

    def known_keys(self, extracts: int) -> pa.Table:
        """Give the keys that had rows with the first so many extracts, as received, each at least once."""
        return self._folded(self.rows.select(["row_key", "position", DELETED]), extracts).select(["row_key"])

    def _folded(self, rows: pa.Table, extracts: int) -> pa.Table:
        position = rows.column("position")
        base = rows.filter(pc.equal(position, 0)).drop_columns([DELETED])
        is_increment = pc.and_(pc.greater(position, 0), pc.less(position, extracts))
        return _fold(self.settings, base, rows.filter(is_increment))


def read_excerpt(settings: Settings, contract: Contract, chain: Chain, keys: pa.Table) -> Excerpt:
    """Read all rows of some keys (`row_key`, as conforming writes them) in one pass over each extract."""
    base, *increments = chain.extracts
    asked = _asked(contract, keys)
    touching = asked.column("touched_by").combine_chunks()
    places = base_places(contract, base, lambda keys: _is_asked(contract, keys, touching))
    with open_duckdb(settings) as duck:
        touched = duck.from_arrow(asked)
        tables = [
            _of_keys(contract, _all_rows(duck, contract, extract, position), touched).to_arrow_table()
            for position, extract in enumerate(increments, start=1)
        ]
        found = _all_rows(duck, contract, base, 0, places).to_arrow_table()
    rows = pa.concat_tables([_nothing(contract), _told(contract, found), *tables])
    return Excerpt(settings, contract, keys, rows.combine_chunks())


def newest_rows(settings: Settings, contract: Contract, increments: Sequence[Extract]) -> pa.Table:
    """Read the rows of increments, of each key those of the newest; keys that it deletes have none."""
    with open_duckdb(settings) as duck:
        tables = [
            _all_rows(duck, contract, extract, position).to_arrow_table()
            for position, extract in enumerate(increments, start=1)
        ]
    columns = [*source_schema(contract).names, *(name for name, _ in LINEAGE)]
    if not tables:
        return pa.schema([*source_schema(contract), *(pa.field(*column) for column in LINEAGE)]).empty_table()
    rows = pa.concat_tables(tables)
    return _fold(settings, rows.slice(0, 0).drop_columns([DELETED]), rows).select(columns)


@lru_cache(maxsize=1)
def white_space() -> str:
    """List the characters that conforming takes off the ends of text; engines know fewer by themselves."""
    letters = pa.array([chr(code) for code in range(0x10000) if not 0xD800 <= code < 0xE000])
    return "".join(letters.filter(pc.equal(pc.utf8_trim_whitespace(letters), "")).to_pylist())


def _all_rows(
    duck: duckdb.DuckDBPyConnection,
    contract: Contract,
    extract: Extract,
    position: int,
    places: pa.Table | None = None,
) -> duckdb.DuckDBPyRelation:
    """Read an extract with all columns, or its rows at some places; rows of a base are never deleted."""
    is_deleted = ColumnExpression(DELETED) if position else ConstantExpression(value=False).alias(DELETED)
    columns = [*(ColumnExpression(name) for name in contract.received_columns), is_deleted]
    return extract_rows(duck, contract, extract, position, columns, places)


def _asked(contract: Contract, keys: pa.Table) -> pa.Table:
    """Give keys as they are looked for: what text has no key is the empty text."""
    column = keys.column("row_key")
    if _is_text(contract):
        column = pa.concat_tables([keys, pa.table({"row_key": [""]})]).column("row_key")
    return pa.table({"touched_by": column})


def _is_asked(contract: Contract, keys: Any, asked: pa.Array) -> Any:  # noqa: ANN401 - columns of pyarrow
    """Tell which keys of a base are asked for, and which are missing."""
    touched_by = _touched_by(contract, keys)
    return pc.or_(among(touched_by, asked), pc.is_null(touched_by))


def _touched_by(contract: Contract, keys: Any) -> Any:  # noqa: ANN401 - columns of pyarrow
    return pc.fill_null(pc.utf8_trim_whitespace(keys), "") if _is_text(contract) else keys


def _told(contract: Contract, rows: pa.Table) -> pa.Table:
    """Complete rows of a base by what touches them."""
    told = rows.append_column("touched_by", _touched_by(contract, rows.column("row_key")))
    return told.cast(_nothing(contract).schema)


def _nothing(contract: Contract) -> pa.Table:
    key = key_of(contract).arrow_type
    lineage = [("row_key", key), *LINEAGE, ("position", pa.int32())]
    columns = [*lineage, *source_schema(contract), IS_DELETED, ("touched_by", key)]
    return pa.schema(
        [pa.field(*entry) if isinstance(entry, tuple) else entry for entry in columns]
    ).empty_table()


def _of_keys(
    contract: Contract, rows: duckdb.DuckDBPyRelation, touched: duckdb.DuckDBPyRelation
) -> duckdb.DuckDBPyRelation:
    key = ColumnExpression("row_key")
    if not _is_text(contract):
        told = rows.select(StarExpression(), key.alias("touched_by"))
        return told.join(touched, "touched_by", how="semi").union(told.filter(key.isnull()))
    bare = FunctionExpression("trim", key, ConstantExpression(white_space()))
    told = rows.select(StarExpression(), CoalesceOperator(bare, ConstantExpression("")).alias("touched_by"))
    return told.join(touched, "touched_by", how="semi")


def _is_text(contract: Contract) -> bool:
    return key_of(contract).logical_type == "string"


def _fold(settings: Settings, base: pa.Table, increments: pa.Table) -> pa.Table:
    with open_duckdb(settings) as duck:
        duck.register("base_row", base)
        duck.register("increment_row", increments)
        return duck.sql(sql_text("population/known_row")).to_arrow_table()


def _between_keys(rows: pa.Table) -> Iterator[pa.Table]:
    """Cut rows by key into parts of about as many rows each, which two can work on."""
    parts = 1 if rows.num_rows < ROWS_PER_GROUP else AT_ONCE * -(-rows.num_rows // (AT_ONCE * ROWS_PER_PART))
    keys, start, size = rows.column("touched_by"), 0, -(-rows.num_rows // parts)
    while rows.num_rows - start > size:
        until = start + size
        while until < rows.num_rows and keys[until].as_py() == keys[until - 1].as_py():
            until += 1
        yield rows.slice(start, until - start)
        start = until
    yield rows.slice(start)
