"""The fast path to a PostgreSQL population database: ADBC, straight into Arrow.

Rows stream on connections of ours that see one snapshot, so that every table is of the same instant.
Reading 200,000 persons on one of them took 1.6 s and 90 MB more than an idle process; psycopg's binary
COPY took 5.0 s and 225 MB, since each value becomes a Python object.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from adbc_driver_postgresql import dbapi
from sqlalchemy.dialects import postgresql

from connectors.engine import sql_text
from connectors.population_lanes import PAGES_PER_QUESTION, in_lanes, open_lanes, page_ranges
from connectors.population_versions import Ask, PostgresVersions, Seen
from connectors.postgres import POPULATION_READER
from connectors.read_ahead import read_ahead
from connectors.settings import Settings
from connectors.source_table import key_of, refuse_source, source_schema, stamp_of, stamp_schema
from schemas.contract import Contract
from schemas.property import Property
from schemas.refusal import Refusal

# What arrives as which logical type. A timestamp with time zone is not a wall-clock time.
POSTGRESQL_TYPES = {
    "string": ("text", "varchar", "bpchar"),
    "integer": ("int2", "int4", "int8"),
    "date": ("date",),
    "timestamp": ("timestamp",),
    "boolean": ("bool",),
}
BATCH_BYTES = 2 * 1024 * 1024
CONNECT_SECONDS = 10
# Fewer keys are not worth another lane.
FEWEST_KEYS = 500
# From so many pages on, 80 MB, a table is asked what was written instead of swept: below, both are quick.
PAGES_TO_ASK = 10_240


class AdbcSnapshot:
    """REPEATABLE READ transactions of one snapshot, as the reading role."""

    most_keys = 10_000

    def __init__(self, lanes: Sequence[dbapi.Cursor]) -> None:
        self._lanes = lanes
        self._cursor, *_ = lanes
        self._key_types: dict[str, str] = {}

    def check_table(self, contract: Contract) -> None:
        """Hold a table's columns and types against its contract."""
        with reading(contract.name):
            self._cursor.execute(sql_text("population/source_column"), (contract.name,))
            found = {name: (kind, open_) for name, kind, open_ in self._cursor.fetchall()}
        if not found:
            raise refuse_source(contract.name, "no such table or view in the population database")
        faults = [fault for entry in contract.received for fault in _faults_of(entry, found)]
        if faults:
            raise refuse_source(contract.name, "; ".join(faults))
        self._key_types[contract.name] = found[str(key_of(contract).physical_name)][0]

    def rows(self, contract: Contract) -> Iterator[pa.RecordBatch]:
        """Stream all rows of a table."""
        return self._read_all(contract, _select(contract).where, source_schema(contract))

    def stamps(self, contract: Contract) -> Iterator[pa.RecordBatch]:
        """Stream key and time of last change of every row."""
        columns: list[sa.ColumnElement[Any]] = [
            sa.column(str(key_of(contract).physical_name)).label("row_key"),
            sa.column(str(stamp_of(contract).physical_name)).label("stamp"),
        ]
        statement = sa.select(*columns).select_from(sa.table(contract.name))
        return self._read_all(contract, statement.where, stamp_schema(contract))

    def versions(self, contract: Contract) -> PostgresVersions | None:
        """Give a large table by its versions; no view, none of a standby, none whose keys may repeat."""
        pages = self._pages(contract)
        if len(self._lanes) == 1 or pages is None or pages < PAGES_TO_ASK:
            return None
        with reading(contract.name):
            told = contract.name, str(key_of(contract).physical_name)
            self._cursor.execute(sql_text("population/source_versions"), told)
            found = self._cursor.fetchone()
        answer = partial(self._answers, contract, page_ranges(pages, PAGES_PER_QUESTION))
        key_type, look_up = self._key_types[contract.name], partial(self._look_up, contract)
        return PostgresVersions(contract, key_type, Seen(*found), answer, look_up) if found else None

    def rows_of(self, contract: Contract, keys: Sequence[Any]) -> Iterator[pa.RecordBatch]:
        """Stream the rows with these keys, each lane those of its share."""
        told = [value for value in keys if value is not None]
        for rows in self._look_up(contract, _select(contract), told, source_schema(contract)):
            yield from rows.to_batches()
        if len(told) < len(keys):
            key: sa.ColumnClause[Any] = sa.column(str(key_of(contract).physical_name))
            statement = _select(contract).where(key.is_(None))
            yield from self._read(contract.name, statement, source_schema(contract))

    def _look_up(
        self, contract: Contract, question: sa.Select[Any], keys: Sequence[Any], schema: pa.Schema
    ) -> Iterator[pa.Table]:
        """Ask a question of the rows with some keys, in all lanes.

        The keys are cast to the type that the column has, or PostgreSQL would compare `char` as
        `text`, without its blanks and without its index.
        """
        key: sa.ColumnClause[Any] = sa.column(str(key_of(contract).physical_name))
        wanted = sa.text(f"CAST(CAST($1 AS text) AS {self._key_types[contract.name]}[])")
        text = _text(question.where(key == sa.func.any(wanted)))
        share = min(self.most_keys, max(FEWEST_KEYS, math.ceil(len(keys) / len(self._lanes))))
        shares = (_array_literal(keys[start : start + share]) for start in range(0, len(keys), share))
        with reading(contract.name):
            for rows in in_lanes(self._lanes, shares, partial(_read_keys, text)):
                yield rows.cast(schema)

    def _read_all(self, contract: Contract, ask: Ask, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Read all rows of a table in all lanes, those of a view or a small one in one."""
        ranges = page_ranges(self._pages(contract) or 0)
        if len(self._lanes) == 1 or len(ranges) == 1:
            yield from self._read(contract.name, ask(), schema)
        else:
            for rows in self._answers(contract, ranges, ask, schema):
                yield from rows.to_batches()

    def _answers(
        self, contract: Contract, ranges: Sequence[str], ask: Ask, schema: pa.Schema
    ) -> Iterator[pa.Table]:
        """Ask a question of each range of a table in turn, in all lanes."""
        texts = [_text(ask(sa.text(condition))) for condition in ranges]
        with reading(contract.name):
            for rows in in_lanes(self._lanes, texts, _read_range):
                yield rows.cast(schema)

    def _pages(self, contract: Contract) -> int | None:
        with reading(contract.name):
            self._cursor.execute(sql_text("population/source_pages"), (contract.name,))
            (pages,) = self._cursor.fetchone() or (None,)
        return int(pages) if pages is not None else None

    def _read(self, what: str, statement: sa.Select[Any], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        with reading(what):
            _small_batches(self._cursor)
            self._cursor.execute(_text(statement))
            for batch in read_ahead(self._cursor.fetch_record_batch()):
                yield batch.cast(schema)


@contextmanager
def open_adbc(settings: Settings) -> Iterator[AdbcSnapshot]:
    """Open one read-only snapshot of the population database.

    Raises:
        Refusal: no connection as the reading role.
    """
    url = settings.database_url("population", user=POPULATION_READER).set(drivername="postgresql")
    url = url.update_query_dict({"connect_timeout": str(CONNECT_SECONDS)})
    with ExitStack() as stack:
        with reading("the population database"):
            lanes = stack.enter_context(open_lanes(url.render_as_string(hide_password=False)))
        yield AdbcSnapshot(lanes)


def _read_range(cursor: dbapi.Cursor, text: str) -> pa.Table:
    _small_batches(cursor)
    cursor.execute(text)
    return cursor.fetch_arrow_table()


def _read_keys(text: str, cursor: dbapi.Cursor, keys: str) -> pa.Table:
    _small_batches(cursor)
    cursor.execute(text, (keys,))
    return cursor.fetch_arrow_table()


def _small_batches(cursor: dbapi.Cursor) -> None:
    cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(BATCH_BYTES)})


def _text(statement: sa.Select[Any]) -> str:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    return str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def _select(contract: Contract) -> sa.Select[Any]:
    columns: list[sa.ColumnClause[Any]] = [sa.column(name) for name in contract.received_columns]
    return sa.select(*columns).select_from(sa.table(contract.name))


def _array_literal(keys: Sequence[Any]) -> str:
    """Write keys as PostgreSQL reads an array; quoted, so that no character means anything."""
    quoted = (str(key).replace("\\", "\\\\").replace('"', '\\"') for key in keys)
    return "{" + ",".join(f'"{key}"' for key in quoted) + "}"


def _faults_of(entry: Property, found: dict[str, tuple[str, bool]]) -> Sequence[str]:
    kind, is_open = found.get(str(entry.physical_name), (None, False))
    if kind is None:
        return [f"column {entry.physical_name} is missing"]
    if not is_open:
        return [f"column {entry.physical_name} is closed to {POPULATION_READER}"]
    if kind not in POSTGRESQL_TYPES.get(entry.logical_type, ()):
        return [f"column {entry.physical_name} is {kind}, promised {entry.physical_type}"]
    return []


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turn every error of the driver into a refusal: its own words may repeat a value, or the address."""
    try:
        yield
    except (dbapi.Error, pa.ArrowException, OSError) as error:
        state = getattr(error, "sqlstate", None)
        raise Refusal(
            "population_unreadable",
            found=f"{what}: {type(error).__name__}, SQLSTATE {state or 'unknown'}",
            expected=f"a database that {POPULATION_READER} can read",
            to_do="check that the population database runs and lets the reader in, then run again",
        ) from None
