"""The population database: read by a role that can only read, all tables in one snapshot.

Rows stream through ADBC (PostgreSQL's binary COPY straight into Arrow) on a connection of ours, so
that every table is read in the same REPEATABLE READ transaction. Reading 200,000 persons took 1.6 s
and 90 MB more than an idle process; psycopg's binary COPY took 5.0 s and 225 MB, since each value
becomes a Python object.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa
import sqlalchemy as sa
from adbc_driver_postgresql import dbapi
from sqlalchemy.dialects import postgresql

from connectors.engine import sql_text
from connectors.postgres import POPULATION_READER
from connectors.settings import Settings
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
BATCH_BYTES = 8 * 1024 * 1024
CONNECT_SECONDS = 10


class PopulationSnapshot:
    """The population database as it was at one instant; nothing committed later is seen."""

    def __init__(self, cursor: dbapi.Cursor) -> None:
        self._cursor = cursor

    def check_table(self, contract: Contract) -> None:
        """Hold a table's columns and types against its contract; further columns are left alone.

        Raises:
            Refusal: the table is missing, or columns are missing, closed to us or of another type.
        """
        with _reading(contract.name):
            self._cursor.execute(sql_text("population/source_column"), (contract.name,))
            found = {name: (kind, open_) for name, kind, open_ in self._cursor.fetchall()}
        if not found:
            raise _refuse_source(contract.name, "no such table or view in the population database")
        faults = [fault for entry in contract.received for fault in _faults_of(entry, found)]
        if faults:
            raise _refuse_source(contract.name, "; ".join(faults))

    def rows(self, contract: Contract) -> Iterator[pa.RecordBatch]:
        """Stream the rows of a table by key, under the source's column names.

        Rows that share a key come in the order of their other columns, so that the order is a
        function of the rows alone.

        Raises:
            Refusal: the database stopped answering, or a value has no place in its column's type.
        """
        schema = source_schema(contract)
        with _reading(contract.name):
            self._cursor.adbc_statement.set_options(
                **{"adbc.postgresql.batch_size_hint_bytes": str(BATCH_BYTES)}
            )
            self._cursor.execute(_select_by_key(contract))
            for batch in self._cursor.fetch_record_batch():
                yield batch.cast(schema)


@contextmanager
def open_population(settings: Settings) -> Iterator[PopulationSnapshot]:
    """Open one read-only snapshot of the population database.

    Raises:
        Refusal: no connection as the reading role, or these are settings of a shadow.
    """
    settings.refuse_in_shadow("a connection to the population database")
    url = settings.database_url("population", user=POPULATION_READER).set(drivername="postgresql")
    url = url.update_query_dict({"connect_timeout": str(CONNECT_SECONDS)})
    with _reading("the population database"):
        connection = dbapi.connect(url.render_as_string(hide_password=False), autocommit=True)
    with connection, connection.cursor() as cursor:
        with _reading("the population database"):
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield PopulationSnapshot(cursor)


def source_schema(contract: Contract) -> pa.Schema:
    """Tell the columns of a contract as the source names them."""
    return pa.schema([(str(entry.physical_name), entry.arrow_type) for entry in contract.received])


def _select_by_key(contract: Contract) -> str:
    key = next(str(entry.physical_name) for entry in contract.received if entry.is_key)
    columns: list[sa.ColumnClause[object]] = [sa.column(name) for name in contract.received_columns]
    order = sorted(columns, key=lambda column: column.name != key)
    statement = sa.select(*columns).select_from(sa.table(contract.name)).order_by(*order)
    return str(statement.compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]


def _faults_of(entry: Property, found: dict[str, tuple[str, bool]]) -> Sequence[str]:
    kind, is_open = found.get(str(entry.physical_name), (None, False))
    if kind is None:
        return [f"column {entry.physical_name} is missing"]
    if not is_open:
        return [f"column {entry.physical_name} is closed to {POPULATION_READER}"]
    if kind not in POSTGRESQL_TYPES.get(entry.logical_type, ()):
        return [f"column {entry.physical_name} is {kind}, promised {entry.physical_type}"]
    return []


def _refuse_source(table: str, found: str) -> Refusal:
    return Refusal(
        "source_differs_from_contract",
        found=f"{table}: {found}",
        expected=f"the columns and types of schemas/contracts/{table}.odcs.yaml",
        to_do="ask the owner of the population database what changed; then change the contract",
    )


@contextmanager
def _reading(what: str) -> Iterator[None]:
    try:
        yield
    except (dbapi.Error, pa.ArrowException, OSError) as error:
        # The driver's own words may repeat a value, or the address.
        state = getattr(error, "sqlstate", None)
        raise Refusal(
            "population_unreadable",
            found=f"{what}: {type(error).__name__}, SQLSTATE {state or 'unknown'}",
            expected=f"a database that {POPULATION_READER} can read",
            to_do="check that the population database runs and lets the reader in, then run again",
        ) from None
