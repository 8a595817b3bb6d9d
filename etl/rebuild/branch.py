"""A branch of the registry: schemas of its own that begin with what was known before a business date."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.registry import registry_engine, schema_in_shadow
from connectors.settings import Settings
from etl.rebuild.before import Rows, rows_before
from schemas.registry import METADATA, ZONES

# Statements that name their schema themselves, on a connection whose other statements mean the branch.
AS_NAMED = {"schema_translate_map": None}


@contextmanager
def open_branch(settings: Settings, shadow: str, business_date: date, *, is_kept: bool) -> Iterator[Settings]:
    """Branch the registry as known before a business date; give the settings under which it is worked on.

    The trunk is only read. The branch ends with the body, unless it is to be kept and the body ended well.
    """
    branch = replace(settings, shadow=shadow)
    make_branch(branch, business_date)
    try:
        yield branch
    except BaseException:
        drop_branch(settings, shadow)
        raise
    if not is_kept:
        drop_branch(settings, shadow)


def make_branch(branch: Settings, business_date: date) -> None:
    """Make the schemas and tables of a branch and fill them, in one snapshot of the trunk."""
    with registry_engine(branch).connect() as connection:
        connection = connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            for zone in ZONES:
                connection.execute(sa.schema.CreateSchema(_schema(branch, zone)))
            METADATA.create_all(connection, checkfirst=False)
            for table in METADATA.sorted_tables:
                _fill(connection, branch, table, business_date)


def _fill(connection: Connection, branch: Settings, table: sa.Table, business_date: date) -> None:
    rows = rows_before(table, business_date)
    if rows is not None:
        copy_rows(connection, branch, table, rows)


def copy_rows(connection: Connection, branch: Settings, table: sa.Table, rows: Rows) -> None:
    """Copy rows of the trunk, which `rows` selects, into a table of the branch."""
    names = [column.name for column in table.columns]
    own = sa.table(table.name, *map(sa.column, names), schema=_schema(branch, str(table.schema)))
    connection.execute(sa.insert(own).from_select(names, rows), execution_options=AS_NAMED)


def drop_branch(settings: Settings, shadow: str) -> None:
    """Drop the schemas of a branch and what it wrote outside the registry; twice is once."""
    branch = replace(settings, shadow=shadow)
    with registry_engine(settings).begin() as connection:
        for zone in ZONES:
            connection.execute(sa.schema.DropSchema(_schema(branch, zone), cascade=True, if_exists=True))
    shutil.rmtree(branch.outside, ignore_errors=True)


def branches(connection: Connection) -> set[str]:
    """List the branches whose schemas are there."""
    names = connection.scalars(sa.text("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'shadow\\_%'"))
    return {name.removeprefix("shadow_").rpartition("_")[0] for name in names}


def _schema(branch: Settings, zone: str) -> str:
    return schema_in_shadow(str(branch.shadow), zone)
