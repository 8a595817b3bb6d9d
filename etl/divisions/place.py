"""Where the registry names divisions: in which states, by which rows, and where a row belongs."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.registry import Row, state_name
from schemas.division_tree import Carried
from schemas.registry import METADATA, STATE_DATE

# How the columns are found.
DIVISION = "division_code"


@dataclass(frozen=True)
class Heir:
    """The division where a row belongs, and by which adjustments.

    `origin_code`: the division it is led back to, where a change that moved it was withdrawn.
    """

    division_code: str
    adjustment_number: str
    origin_code: str | None = None


@dataclass(frozen=True)
class Place:
    """A state that a process writes as a whole, and a column of it that names a division."""

    table: sa.Table
    where: Mapping[str, Any]
    column: str

    @property
    def state(self) -> str:
        """Name the state."""
        return state_name(self.table, self.where)

    @property
    def is_open(self) -> sa.ColumnElement[bool]:
        """Select the open rows of the state."""
        of_part = (self.table.c[name] == value for name, value in self.where.items())
        return sa.and_(self.table.c.recorded_to.is_(None), *of_part)

    def key_of(self, row: Row) -> str:
        """Write the key of a row as `core.succession` does."""
        keys = [key.name for key in self.table.primary_key if key.name != "recorded_from"]
        return json.dumps([row[key] for key in keys], ensure_ascii=False, default=str)


def rewritten_columns() -> list[tuple[sa.Table, str]]:
    """List the columns of tables with history that name a division and are not part of the key."""
    return [
        (table, column.name)
        for table in METADATA.sorted_tables
        if "recorded_to" in table.columns
        for column in table.columns
        if column.name.endswith(DIVISION) and not column.primary_key
    ]


def kept_columns() -> list[tuple[sa.Table, str]]:
    """List the columns of other tables that name a division: what they tell is left as it was."""
    rewritten = {table for table, _ in rewritten_columns()}
    return [
        (table, column.name)
        for table in METADATA.sorted_tables
        if table not in rewritten
        for column in table.columns
        if column.name.endswith(DIVISION)
    ]


def places_on_record(connection: Connection) -> Iterator[Place]:
    """List the states on record that name divisions."""
    parts = sa.select(STATE_DATE.c.table_name, STATE_DATE.c.part).order_by(STATE_DATE.c.part)
    on_record = connection.execute(parts).all()
    for table, column in rewritten_columns():
        for row in on_record:
            if row.table_name == table.fullname:
                yield Place(table, json.loads(row.part), column)


def heir_by(carried: Carried) -> Heir:
    """Tell the heir to which changes lead."""
    numbers = dict.fromkeys(change.adjustment_number for change in carried.changes)
    return Heir(carried.division_code, "+".join(numbers))
