"""Run a SQL file over relations in DuckDB: the one place where bulk SQL is executed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import pyarrow as pa

from connectors.duck import open_duckdb
from connectors.lake import DatasetVersion, read_dataset, table_path
from connectors.lake_layer import held_by
from connectors.lake_room import HeldRows, StagedRows, stage_rows
from connectors.read_ahead import read_ahead
from connectors.row_file import ROWS_PER_GROUP
from connectors.settings import PROJECT, Settings

# What is known by what it holds, and what a step reads beside it: rows that it put down for itself.
Relation: TypeAlias = pa.Table | DatasetVersion | StagedRows
Readable: TypeAlias = Relation | HeldRows


@lru_cache(maxsize=128)
def sql_text(relation: str) -> str:
    """Read the SQL of a relation named by zone and file, such as `births/match`."""
    return (PROJECT / "sql" / f"{relation}.sql").read_text(encoding="utf-8")


def run_sql(
    settings: Settings,
    sql: str,
    relations: Mapping[str, Readable],
    parameters: Mapping[str, Any] | None = None,
) -> pa.Table:
    """Run one SELECT over named relations and return its rows as Arrow.

    `sql` is the name of a file under `sql/` without its ending, or a statement that begins with
    SELECT or WITH or a comment (as compiled from contracts and policy). Relations are Arrow tables,
    staged rows or dataset versions; parameters are bound as `$name`, and only those the statement uses
    may be given.
    """
    with answer_of(settings, sql, relations, parameters) as rows:
        table: pa.Table = rows.to_arrow_table()
        return table


def stage_sql(
    settings: Settings,
    room: Path,
    name: str,
    sql: str,
    relations: Mapping[str, Readable],
    parameters: Mapping[str, Any] | None = None,
) -> StagedRows:
    """Run one SELECT as `run_sql` does, but into a file of a room: memory never holds all rows."""
    with answer_of(settings, sql, relations, parameters) as rows:
        batches = rows.to_arrow_reader(ROWS_PER_GROUP)
        return stage_rows(room, name, read_ahead(batches), batches.schema)


@contextmanager
def answer_of(
    settings: Settings,
    sql: str,
    relations: Mapping[str, Readable],
    parameters: Mapping[str, Any] | None = None,
) -> Iterator[duckdb.DuckDBPyRelation]:
    """Ask one SELECT as `run_sql` does, for who reads its rows as they come."""
    text = sql_text(sql) if "\n" not in sql and " " not in sql else sql
    with open_duckdb(settings) as connection:
        name_relations(connection, settings, relations)
        yield connection.sql(text, params=dict(parameters or {}))


def name_relations(
    connection: duckdb.DuckDBPyConnection, settings: Settings, relations: Mapping[str, Readable]
) -> None:
    """Give relations their names in a connection: Arrow tables, or the files of staged rows and versions."""
    for name, relation in relations.items():
        rows = relation if isinstance(relation, pa.Table) else _rows_of(settings, relation)
        if isinstance(rows, pa.Table):
            connection.register(name, rows)
        else:
            # As a statement it is looked at once, as relations laid upon another once for each of them.
            connection.execute(f'CREATE OR REPLACE VIEW "{name}" AS {rows}')


def _rows_of(settings: Settings, relation: DatasetVersion | HeldRows) -> pa.Table | str:
    """Write the statement that reads rows out of their files; give rows that no file holds."""
    if isinstance(relation, HeldRows):
        return f"FROM {_read(relation.path)}"
    held = held_by(table_path(settings, relation.name), relation.version)
    if not held.files:
        return read_dataset(settings, relation)
    whole = f"FROM {_read(*held.files)} AS whole"
    if held.layer is None:
        return whole
    replaced, laid = _read(held.layer.replaced), _read(held.layer.rows)
    return f'{whole} ANTI JOIN {replaced} AS replaced USING ("{held.layer.key}") UNION ALL FROM {laid}'


def _read(*files: Path) -> str:
    quoted = ", ".join("'" + str(file).replace("'", "''") + "'" for file in files)
    return f"read_parquet([{quoted}])"
