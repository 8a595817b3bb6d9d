"""The population database of the city: three tables that the pipeline may read and nothing else."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.csv
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.schema import CreateTable, SetColumnComment, SetTableComment

from connectors.postgres import POPULATION_READER
from connectors.settings import Settings
from sandbox.city.statistics import REFERENCE
from schemas.refusal import Refusal

TABLES = ("population_person", "family_child", "marriage")
ROWS_OF_CHUNK = 50_000
KINDS: dict[str, Any] = {
    "char": sa.CHAR,
    "varchar": sa.VARCHAR,
    "date": sa.Date,
    "time": sa.Time,
    "timestamp": sa.TIMESTAMP,
    "int": sa.Integer,
    "bigint": sa.BigInteger,
    "bool": sa.Boolean,
}


@lru_cache(maxsize=1)
def tables() -> sa.MetaData:
    """Declare the tables as the field lists say, comments in Chinese."""
    lists = json.loads((REFERENCE / "field_lists.json").read_text(encoding="utf-8"))
    metadata = sa.MetaData()
    for name in TABLES:
        columns = [_column(field) for field in lists[name]["fields"]]
        sa.Table(name, metadata, *columns, comment=lists[name]["zh"], info={"key": lists[name]["key"]})
    return metadata


def _column(field: dict[str, str]) -> "sa.Column[Any]":
    name, _, length = field["type"].rstrip(")").partition("(")
    kind = KINDS[name](int(length)) if length else KINDS[name]()
    return sa.Column(field["name"], kind, comment=field["zh"])


@contextmanager
def population_connection(settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    """Open one transaction as the owner of the population database; no value reaches an error."""
    url = settings.database_url("population").set(drivername="postgresql")
    try:
        with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
            yield connection
    except psycopg.Error as error:
        raise Refusal(
            "population_not_filled",
            found=f"PostgreSQL refused with {error.sqlstate or 'no connection'}",
            expected="a population database that takes the rows of the city",
            to_do="see that PostgreSQL runs (`padis up`), then create the city again",
        ) from None


def create_tables(connection: psycopg.Connection[Any]) -> None:
    """Drop the tables of an earlier city and create empty ones, readable for the pipeline."""
    dialect = sa.create_engine("postgresql+psycopg://").dialect
    for table in tables().sorted_tables:
        name = sql.Identifier(table.name)
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(name))
        statements: list[Any] = [CreateTable(table), SetTableComment(table)]
        statements += [SetColumnComment(column) for column in table.columns]
        for statement in statements:
            connection.execute(str(statement.compile(dialect=dialect)).encode("utf-8"))
        reader = sql.Identifier(POPULATION_READER)
        connection.execute(sql.SQL("REVOKE ALL ON {} FROM PUBLIC").format(name))
        connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(name, reader))


def copy_rows(connection: psycopg.Connection[Any], table: str, rows: pa.Table) -> None:
    """Append rows by COPY."""
    names = [column.name for column in tables().tables[table].columns]
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    options = pyarrow.csv.WriteOptions(include_header=False)
    with connection.cursor().copy(statement) as copy:
        for chunk in rows.select(names).to_batches(max_chunksize=ROWS_OF_CHUNK):
            written = io.BytesIO()
            pyarrow.csv.write_csv(chunk, written, write_options=options)
            copy.write(written.getvalue())


def add_keys(connection: psycopg.Connection[Any]) -> None:
    """Declare the primary keys, once the rows are there: that is much faster than before."""
    for table in tables().sorted_tables:
        connection.execute(
            sql.SQL("ALTER TABLE {} ADD PRIMARY KEY ({})").format(
                sql.Identifier(table.name), sql.Identifier(table.info["key"])
            )
        )


def replace_rows(connection: psycopg.Connection[Any], table: str, rows: pa.Table) -> None:
    """Insert rows, or replace those with the same key."""
    key = tables().tables[table].info["key"]
    connection.execute(
        sql.SQL("DELETE FROM {} WHERE {} = ANY(%s)").format(sql.Identifier(table), sql.Identifier(key)),
        [rows[key].to_pylist()],
    )
    copy_rows(connection, table, rows)
