"""Let the rows of the registry follow the divisions: from retired ones to what is in their place, or back.

Only tables with history are rewritten, from a business date on: what was known before stays. Tables without
history tell what happened (published figures, sent records), as scores of a night do, whose key is the
division: they keep the codes of then.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from connectors.divisions import division_tree
from connectors.registry import Row, record_state, registry_session
from connectors.settings import Settings
from etl.divisions.moves import Moves, ToCome, find_moves
from etl.divisions.place import DIVISION, Heir, Place, places_on_record
from schemas.division import level_of
from schemas.refusal import Refusal
from schemas.registry import SUCCESSION

# What goes with a division.
LEVEL = "level_code"
NOBODY: Mapping[str, ToCome] = {}


@dataclass(frozen=True)
class Moving:
    """How many open rows of a state belong to another division by now, or why they stay where they are."""

    state: str
    column_name: str
    old_code: str
    heir: Heir
    rows: int
    overtaken_by: date | None
    awaits: ToCome | None

    @property
    def is_made(self) -> bool:
        """Tell whether they move on the date."""
        return self.overtaken_by is None and self.awaits is None


def preview_succession(
    settings: Settings, business_date: date, to_come: Mapping[str, ToCome] = NOBODY
) -> list[Moving]:
    """Count the open rows that belong to another division, as `follow_divisions` would find them now."""
    tree = division_tree(settings, business_date)
    with registry_session(settings) as connection:
        found = [
            find_moves(connection, tree, place, business_date, to_come)
            for place in places_on_record(connection)
        ]
    return [
        Moving(moves.place.state, moves.place.column, *counted, moves.overtaken_by, moves.awaits)
        for moves in found
        for counted in moves.counted()
    ]


def follow_divisions(
    settings: Settings, business_date: date, to_come: Mapping[str, ToCome] = NOBODY
) -> dict[str, Any]:
    """Move open rows from divisions that are retired on a business date to their successors, on record.

    Rows that followed a change which is declared no more are led back, key by key, as the log tells.
    A rerun finds nothing left to move. What a process finds of the same date afterwards replaces the rows as
    always; it reads conformed rows, and so comes to the same divisions.

    Args:
        settings: of the installation, or of a branch.
        business_date: the date from which on the rows are with the successors.
        to_come: the states that a step of the night before is still to write, with that step.

    Returns:
        `moved` rows, those led back among them, by table in `tables`; `left` rows of processes that are on
        record up to a later date already: the past is not rewritten in place, the night of that date moves
        them.

    Raises:
        Refusal: `night_before_unfinished`, after all other rows have moved.
    """
    tree = division_tree(settings, business_date)
    moved: Counter[str] = Counter()
    left, waiting = 0, list[Moves]()
    with registry_session(settings) as connection:
        places = list(places_on_record(connection))
    for place in places:
        # One state at a time: the step that writes it waits no longer than it must.
        with registry_session(settings) as connection:
            moves = find_moves(connection, tree, place, business_date, to_come, is_held=True)
            if moves.are_made:
                _make(connection, moves, business_date)
                moved[place.table.fullname] += len(moves.rows)
            elif moves.rows and moves.overtaken_by:
                left += len(moves.rows)
            elif moves.rows:
                waiting.append(moves)
    if waiting:
        raise _unfinished(waiting, business_date, moved.total())
    return {"moved": moved.total(), "tables": dict(moved), "left": left}


def _make(connection: Connection, moves: Moves, business_date: date) -> None:
    place = moves.place
    held = connection.execute(sa.select(place.table).where(place.is_open)).mappings().all()
    followed = [_followed(row, moves) for row in held]
    record_state(connection, place.table, followed, business_date, where=place.where)
    _log(connection, moves, business_date)


def _followed(row: Row, moves: Moves) -> Row:
    heir = moves.heir_of(row)
    if heir is None:
        return row
    level = {LEVEL: level_of(heir.division_code)} if LEVEL in row and moves.place.column == DIVISION else {}
    return {**row, moves.place.column: heir.division_code, **level}


def _log(connection: Connection, moves: Moves, business_date: date) -> None:
    """Put on record which keys moved: of a date one move of each key, from what it had before the date."""
    place = moves.place
    before = _logged_on(connection, place, business_date)
    rows, undone = [], []
    for row in moves.rows:
        key, code = place.key_of(row), row[place.column]
        heir, logged = moves.heirs[key], before.get(key)
        # Of a row that moved on this date already, or that a process brought back since.
        old_code = logged["old_code"] if logged and code in (logged["old_code"], logged["new_code"]) else code
        if old_code == heir.division_code:
            undone.append(key)
            continue
        rows.append(
            {
                "table_name": place.table.fullname,
                "row_key": key,
                "column_name": place.column,
                "business_date": business_date,
                "old_code": old_code,
                "new_code": heir.division_code,
                "adjustment_number": heir.adjustment_number,
                "origin_code": heir.origin_code,
            }
        )
    if undone:
        is_undone = sa.and_(_is_logged(place, business_date), SUCCESSION.c.row_key.in_(undone))
        connection.execute(sa.delete(SUCCESSION).where(is_undone))
    if rows:
        statement = postgresql.insert(SUCCESSION)
        told = ("old_code", "new_code", "adjustment_number", "origin_code")
        newer = {name: statement.excluded[name] for name in told}
        keys = [column.name for column in SUCCESSION.primary_key]
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=newer), rows)


def _logged_on(connection: Connection, place: Place, business_date: date) -> Mapping[str, Row]:
    rows = connection.execute(sa.select(SUCCESSION).where(_is_logged(place, business_date))).mappings()
    return {row["row_key"]: row for row in rows}


def _is_logged(place: Place, business_date: date) -> sa.ColumnElement[bool]:
    return sa.and_(
        SUCCESSION.c.table_name == place.table.fullname,
        SUCCESSION.c.column_name == place.column,
        SUCCESSION.c.business_date == business_date,
    )


def _unfinished(waiting: Sequence[Moves], business_date: date, moved: int) -> Refusal:
    rows = sum(len(moves.rows) for moves in waiting)
    states = dict.fromkeys(moves.place.state for moves in waiting)
    steps = dict.fromkeys(
        f"{moves.awaits.step} of {moves.awaits.business_date}" for moves in waiting if moves.awaits
    )
    return Refusal(
        "night_before_unfinished",
        found=f"{rows} rows of {', '.join(states)} that belong to other divisions on {business_date}, and "
        f"{', '.join(steps)} not ended, which would be shut out; {moved} other rows were moved",
        expected="the night before to have written what this date takes over",
        to_do="let these steps end, or run them; then run follow_divisions of this date again",
    )
