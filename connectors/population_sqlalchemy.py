"""The way to a population database of any other kind: SQLAlchemy, rows streamed and typed strictly.

Slower than ADBC, since each value becomes a Python object; memory stays that of a few thousand rows.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection

from connectors.source_dialect import begin_snapshot, dialect_of, reading_engine
from connectors.source_table import key_of, refuse_source, stamp_of
from schemas.contract import Contract
from schemas.property import Property
from schemas.refusal import Refusal

LOG = logging.getLogger(__name__)

ROWS_OF_BATCH = 5_000
CONNECT_SECONDS = 10
# As which type a column may be declared, and as which it is asked for; databases without a type of their
# own for truth keep 0 and 1, Oracle has no date without a time.
DECLARED: dict[str, tuple[type[Any], ...]] = {
    "string": (sa.String,),
    "integer": (sa.Integer, sa.Numeric),
    "date": (sa.Date, sa.DateTime),
    "timestamp": (sa.DateTime,),
    "boolean": (sa.Boolean, sa.Integer, sa.Numeric),
    "number": (sa.Numeric,),
}


class SqlAlchemySnapshot:
    """One transaction for reading, as the role that the address names."""

    # Databases take a limited number of values in one statement: Oracle a thousand.
    most_keys = 500

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._types: dict[str, dict[str, Any]] = {}

    def check_table(self, contract: Contract) -> None:
        """Hold a table's columns and types against its contract."""
        with reading(contract.name):
            inspector = sa.inspect(self._connection)
            is_there = inspector.has_table(contract.name)
            columns = inspector.get_columns(contract.name) if is_there else []
        if not is_there:
            raise refuse_source(contract.name, "no such table or view in the population database")
        types = {column["name"].lower(): column["type"] for column in columns}
        faults = [fault for entry in contract.received for fault in _faults_of(entry, types)]
        if faults:
            raise refuse_source(contract.name, "; ".join(faults))
        self._types[contract.name] = types

    def rows(self, contract: Contract) -> Iterator[pa.RecordBatch]:
        """Stream all rows of a table."""
        return self._read(contract, contract.received)

    def stamps(self, contract: Contract) -> Iterator[pa.RecordBatch]:
        """Stream key and time of last change of every row."""
        for batch in self._read(contract, (key_of(contract), stamp_of(contract))):
            yield batch.rename_columns(["row_key", "stamp"])

    def versions(self, contract: Contract) -> None:
        """Give none: how rows tell of their versions, if they do, each dialect has by itself."""

    def rows_of(self, contract: Contract, keys: Sequence[Any]) -> Iterator[pa.RecordBatch]:
        """Stream the rows with these keys."""
        key = self._column(contract, key_of(contract))
        told = [value for value in keys if value is not None]
        if told:
            yield from self._read(contract, contract.received, key.in_(self._bound(key, told)))
        if len(told) < len(keys):
            yield from self._read(contract, contract.received, key.is_(None))

    def _bound(self, key: sa.ColumnClause[Any], keys: Sequence[Any]) -> Sequence[Any]:
        """Bind keys; PostgreSQL would compare `char` as `text`, without its blanks and its index."""
        if self._connection.dialect.name != "postgresql":
            return keys
        return [sa.cast(value, key.type) for value in keys]

    def _column(self, contract: Contract, entry: Property) -> sa.ColumnClause[Any]:
        """Name a column with the type that the database has for it."""
        name = str(entry.physical_name)
        kind = self._types[contract.name][name.lower()]
        if isinstance(kind, sa.Boolean) and not self._connection.dialect.supports_native_boolean:
            # As it is stored, or 2 would be taken for true.
            kind = sa.Integer()
        return sa.column(name, kind)

    def _read(
        self, contract: Contract, entries: Sequence[Property], *where: sa.ColumnElement[bool]
    ) -> Iterator[pa.RecordBatch]:
        columns = [self._column(contract, entry) for entry in entries]
        statement = sa.select(*columns).select_from(sa.table(contract.name)).where(*where)
        with reading(contract.name):
            options = {"stream_results": True, "yield_per": ROWS_OF_BATCH}
            with self._connection.execute(statement, execution_options=options) as result:
                for rows in result.partitions():
                    values = zip(*rows, strict=True)
                    arrays = [
                        _array(each, entry, contract) for each, entry in zip(values, entries, strict=True)
                    ]
                    names = [str(entry.physical_name) for entry in entries]
                    yield pa.RecordBatch.from_arrays(arrays, names=names)


@contextmanager
def open_sqlalchemy(url: URL) -> Iterator[SqlAlchemySnapshot]:
    """Open one read-only snapshot of the database of an address.

    Raises:
        Refusal: no driver for it is installed, or no connection.
    """
    dialect = dialect_of(url)
    if not dialect.holds:
        LOG.warning("%s: %s", url.get_backend_name(), dialect.snapshot)
    try:
        engine = reading_engine(url, CONNECT_SECONDS)
    except (sa.exc.NoSuchModuleError, ImportError):
        raise _without_driver(url) from None
    with reading("the population database"):
        connection = engine.connect()
    try:
        with reading("the population database"):
            connection = begin_snapshot(connection, dialect)
        yield SqlAlchemySnapshot(connection)
    finally:
        connection.close()


def _without_driver(url: URL) -> Refusal:
    return Refusal(
        "population_driver_missing",
        found=f"no driver installed for {url.drivername}",
        expected="a dialect of SQLAlchemy and its driver",
        to_do="install the package of the driver, see docs/operating.md; or correct POPULATION_URL",
    )


def _faults_of(entry: Property, types: dict[str, Any]) -> Sequence[str]:
    name = str(entry.physical_name)
    kind = types.get(name.lower())
    if kind is None:
        return [f"column {name} is missing"]
    is_zoned = bool(getattr(kind, "timezone", False))
    if not isinstance(kind, DECLARED[entry.logical_type]) or is_zoned:
        return [f"column {name} is {type(kind).__name__}, promised {entry.physical_type}"]
    return []


def _batch(rows: Sequence[sa.Row[Any]], entries: Sequence[Property], contract: Contract) -> pa.RecordBatch:
    columns = zip(entries, zip(*rows, strict=True), strict=True)
    arrays = [_array(values, entry, contract) for entry, values in columns]
    return pa.RecordBatch.from_arrays(arrays, names=[str(entry.physical_name) for entry in entries])


def _array(values: Sequence[Any], entry: Property, contract: Contract) -> pa.Array:
    """Take values over as the contract's type and no other: nothing is rounded, cut or guessed.

    Raises:
        Refusal: a value has no place in the type; it names the column, not the value.
    """
    as_promised = PROMISED[entry.logical_type]
    try:
        return pa.array([None if value is None else as_promised(value) for value in values], entry.arrow_type)
    except (pa.ArrowException, ValueError, TypeError, OverflowError, ArithmeticError):
        raise refuse_source(
            contract.name, f"a value of column {entry.physical_name} is no {entry.logical_type}"
        ) from None


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _integer(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or value != int(value):
        raise TypeError
    return int(value)


def _date(value: object) -> date:
    if isinstance(value, datetime):
        if value.timetz() != time():
            raise ValueError
        return value.date()
    if not isinstance(value, date):
        raise TypeError
    return value


def _timestamp(value: object) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is not None:
        raise TypeError
    return value


def _boolean(value: object) -> bool:
    if value not in (0, 1):
        raise ValueError
    return bool(value)


def _number(value: object) -> Decimal:
    if not isinstance(value, int | Decimal):
        raise TypeError
    return Decimal(value)


PROMISED: dict[str, Callable[[object], object]] = {
    "string": _string,
    "integer": _integer,
    "date": _date,
    "timestamp": _timestamp,
    "boolean": _boolean,
    "number": _number,
}


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turn every error into a refusal: the words of a driver may repeat a value, or the address."""
    try:
        yield
    except Refusal:
        raise
    except Exception as error:
        cause = getattr(error, "orig", None) or error
        state = getattr(cause, "sqlstate", None)
        raise Refusal(
            "population_unreadable",
            found=f"{what}: {type(cause).__name__}{f', SQLSTATE {state}' if state else ''}",
            expected="a database that the user of POPULATION_URL can read",
            to_do="check that the population database runs and lets us in, then run again",
        ) from None
