"""What differs from one database to the next when all tables are to be read in one snapshot."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection


@dataclass(frozen=True)
class SourceDialect:
    """How a database is made to hold one snapshot and to refuse writing; `snapshot` tells it to people."""

    snapshot: str
    isolation_level: str | None = None
    # Sent first of all in the transaction.
    begin: str | None = None
    # Before the transaction.
    prepare: str | None = None

    @property
    def holds(self) -> bool:
        """Tell whether rows of two queries are of one instant while others write."""
        return self is not UNKNOWN


UNKNOWN = SourceDialect("no snapshot known for this database: pull when nobody writes")
ORACLE = SourceDialect("SET TRANSACTION READ ONLY", begin="SET TRANSACTION READ ONLY")
MYSQL = SourceDialect(
    "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY (InnoDB)",
    isolation_level="REPEATABLE READ",
    begin="START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
)
DIALECTS = {
    "postgresql": SourceDialect("REPEATABLE READ, READ ONLY", isolation_level="REPEATABLE READ"),
    "mysql": MYSQL,
    "mariadb": MYSQL,
    "oracle": ORACLE,
    # 达梦 reads as Oracle does.
    "dm": ORACLE,
    "mssql": SourceDialect("SNAPSHOT (ALLOW_SNAPSHOT_ISOLATION ON)", isolation_level="SNAPSHOT"),
    "sqlite": SourceDialect(
        "one read transaction of a file opened read-only", begin="BEGIN", prepare="PRAGMA query_only = ON"
    ),
}


def dialect_of(url: URL) -> SourceDialect:
    """Tell what is known of the database of an address."""
    return DIALECTS.get(url.get_backend_name(), UNKNOWN)


def reading_engine(url: URL, connect_seconds: int) -> sa.Engine:
    """Make an engine that opens one connection for reading; it logs no value and makes no file."""
    arguments: dict[str, int] = {}
    if url.get_backend_name() == "postgresql":
        url = url.update_query_dict({"client_encoding": "utf8"})
        arguments["connect_timeout"] = connect_seconds
    if url.get_backend_name() == "sqlite" and url.database and not url.database.startswith("file:"):
        # Opened plainly, a file that is not there would be made.
        path = quote(str(Path(url.database).resolve()))
        url = url.set(database=f"file:{path}").update_query_dict({"mode": "ro", "uri": "true"})
    return sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True, connect_args=arguments)


def begin_snapshot(connection: Connection, dialect: SourceDialect) -> Connection:
    """Begin the transaction in which everything is read."""
    if dialect.isolation_level is not None:
        connection = connection.execution_options(isolation_level=dialect.isolation_level)
    if connection.dialect.name == "postgresql":
        connection = connection.execution_options(postgresql_readonly=True)
    for statement in (dialect.prepare, dialect.begin):
        if statement is not None:
            connection.exec_driver_sql(statement)
    return connection
