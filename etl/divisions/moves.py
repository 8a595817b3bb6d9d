"""Which rows of the registry a business date moves from retired divisions to those in their place.

Told once for those who look before and for those who move: a preview shows what will be done.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.registry import Row, newest_on_record, state_name
from schemas.division_tree import Carried, DivisionTree
from schemas.registry import METADATA, STATE_DATE

# How the columns are found.
DIVISION = "division_code"
LENGTH = 12


@dataclass(frozen=True)
class ToCome:
    """A step of the night before that has not ended; see `etl.night_before`."""

    step: str
    business_date: date


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


@dataclass(frozen=True)
class Moves:
    """The open rows of a place that name a retired division, and why they stay, if they do.

    `overtaken_by`: up to which later date the state is on record; the past is not rewritten in place, the
    night of that date moves them. `awaits`: the step of the night before that is still to write the state;
    who took it over now would shut that step out.
    """

    place: Place
    rows: tuple[Row, ...]
    heirs: Mapping[str, Carried]
    overtaken_by: date | None = None
    awaits: ToCome | None = None

    @property
    def are_made(self) -> bool:
        """Tell whether the rows move on the date."""
        return bool(self.rows) and self.overtaken_by is None and self.awaits is None

    def heir_of(self, row: Row) -> Carried:
        """Tell where a row moves."""
        return self.heirs[row[self.place.column]]

    def counted(self) -> Counter[tuple[str, str, str]]:
        """Count the rows by old code, new code and adjustments, in this order."""
        codes = sorted(row[self.place.column] for row in self.rows)
        heirs = ((code, self.heirs[code]) for code in codes)
        return Counter((code, heir.division_code, adjustments_of(heir)) for code, heir in heirs)


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


def find_moves(
    connection: Connection,
    tree: DivisionTree,
    place: Place,
    business_date: date,
    to_come: Mapping[str, ToCome],
    *,
    is_held: bool = False,
) -> Moves:
    """Find what of a place moves on a business date, and what stays.

    `to_come`: the states that a step of the night before is still to write. Held, nobody else writes the
    state while this transaction lasts.
    """
    newest = newest_on_record(connection, place.table, place.where, is_held=is_held)
    column = place.table.c[place.column]
    heirs = _heirs(connection, tree, place, business_date)
    chosen = sa.select(place.table).where(place.is_open, column.in_(heirs))
    rows = tuple(connection.execute(chosen).mappings()) if heirs else ()
    awaits = to_come.get(place.state)
    if awaits and newest is not None and newest >= awaits.business_date:
        # It has been written since, or another night has taken it over.
        awaits = None
    overtaken_by = newest if newest is not None and newest > business_date else None
    return Moves(place, rows, heirs, overtaken_by, awaits)


def _heirs(
    connection: Connection, tree: DivisionTree, place: Place, business_date: date
) -> dict[str, Carried]:
    held = connection.scalars(sa.select(place.table.c[place.column]).distinct().where(place.is_open))
    heirs = {code: tree.succession(code, business_date) for code in held if code and len(code) == LENGTH}
    return {code: heir for code, heir in heirs.items() if heir is not None}


def adjustments_of(heir: Carried) -> str:
    """Name the adjustments that led to a division, by +."""
    return "+".join(dict.fromkeys(change.adjustment_number for change in heir.changes))
