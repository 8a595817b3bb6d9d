"""A population database for tests: the contracts' tables, and rows that a test draws."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from connectors.postgres import POPULATION_READER
from connectors.settings import Settings
from schemas.contract import load_contract

TABLES = ("population_person", "family_child", "marriage")


def run_in_population(settings: Settings, *statements: str | sa.Executable) -> None:
    """Run statements as the owner of the population database, in one transaction."""
    engine = sa.create_engine(settings.database_url("population"), poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement) if isinstance(statement, str) else statement)


def create_source(settings: Settings, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Create the three tables anew, readable by the pipeline, with these rows by table."""
    engine = sa.create_engine(settings.database_url("population"), poolclass=sa.NullPool)
    with engine.begin() as connection:
        for name in TABLES:
            columns = ", ".join(
                f'"{entry.physical_name}" {entry.physical_type}' for entry in load_contract(name).received
            )
            connection.execute(sa.text(f"DROP TABLE IF EXISTS {name} CASCADE"))
            connection.execute(sa.text(f"CREATE TABLE {name} ({columns})"))
            connection.execute(sa.text(f"GRANT SELECT ON {name} TO {POPULATION_READER}"))
            for names, alike in groupby(rows.get(name, []), key=tuple):
                connection.execute(sa.insert(sa.table(name, *map(sa.column, names))), list(alike))


def row_of(table: str, row: Mapping[str, Any]) -> sa.Executable:
    """Insert one row; columns that are not named stay NULL."""
    return sa.insert(sa.table(table, *(sa.column(name) for name in row))).values(**row)
