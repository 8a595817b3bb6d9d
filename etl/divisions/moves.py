"""Which rows of the registry a business date moves from retired divisions to those in their place.

Told once for those who look before and for those who move: a preview shows what will be done.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.registry import Row, newest_on_record
from etl.divisions.place import Heir, Place, heir_by
from etl.divisions.withdrawn import led_back
from schemas.division_tree import DivisionTree

LENGTH = 12


@dataclass(frozen=True)
class ToCome:
    """A step of the night before that has not ended; see `etl.night_before`."""

    step: str
    business_date: date


@dataclass(frozen=True)
class Moves:
    """The open rows of a place that belong to another division by now, and why they stay, if they do.

    `heirs`: by the key of a row where it belongs. `overtaken_by`: up to which later date the state is on
    record; the past is not rewritten in place, the night of that date moves them. `awaits`: the step of the
    night before that is still to write the state; who took it over now would shut that step out.
    """

    place: Place
    rows: tuple[Row, ...]
    heirs: Mapping[str, Heir]
    overtaken_by: date | None = None
    awaits: ToCome | None = None

    @property
    def are_made(self) -> bool:
        """Tell whether the rows move on the date."""
        return bool(self.rows) and self.overtaken_by is None and self.awaits is None

    def heir_of(self, row: Row) -> Heir | None:
        """Tell where a row of the place moves; None if it stays where it is."""
        return self.heirs.get(self.place.key_of(row))

    def counted(self) -> list[tuple[str, Heir, int]]:
        """Count the rows by the division that they name, and where they belong."""
        ways = Counter((row[self.place.column], self.heirs[self.place.key_of(row)]) for row in self.rows)
        in_order = sorted(ways.items(), key=lambda way: (way[0][0], way[0][1].division_code))
        return [(code, heir, rows) for (code, heir), rows in in_order]


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
    found = {place.key_of(row): (row, heir) for row, heir in _led_on(connection, tree, place, business_date)}
    for row, heir in led_back(connection, tree, place, business_date):
        _, onward = found.get(place.key_of(row), (row, None))
        # What was withdrawn and is declared again leads on as if it had always been.
        if onward is None or onward.division_code != heir.division_code:
            found[place.key_of(row)] = (row, heir)
    awaits = to_come.get(place.state)
    if awaits and newest is not None and newest >= awaits.business_date:
        # It has been written since, or another night has taken it over.
        awaits = None
    overtaken_by = newest if newest is not None and newest > business_date else None
    rows, heirs = tuple(row for row, _ in found.values()), {key: heir for key, (_, heir) in found.items()}
    return Moves(place, rows, heirs, overtaken_by, awaits)


def _led_on(
    connection: Connection, tree: DivisionTree, place: Place, business_date: date
) -> list[tuple[Row, Heir]]:
    """List the open rows that name a retired division, with what is in its place."""
    column = place.table.c[place.column]
    held = connection.scalars(sa.select(column).distinct().where(place.is_open))
    onward = {code: tree.succession(code, business_date) for code in held if code and len(code) == LENGTH}
    heirs = {code: heir_by(carried) for code, carried in onward.items() if carried is not None}
    if not heirs:
        return []
    chosen = sa.select(place.table).where(place.is_open, column.in_(heirs))
    return [(row, heirs[row[place.column]]) for row in connection.execute(chosen).mappings()]
