"""Let the rows of the registry follow the divisions: from retired ones to what is in their place.

Only tables with history are rewritten, from a business date on: what was known before stays. Tables without
history tell what happened (published figures, sent records, scores of a night), and keep the codes of then.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from connectors.divisions import division_tree
from connectors.registry import Row, record_state, registry_session
from connectors.settings import Settings
from schemas.division import level_of
from schemas.division_tree import Carried, DivisionTree
from schemas.registry import METADATA, STATE_DATE, SUCCESSION

# How the columns are found, and the level that goes with a division.
DIVISION, LEVEL = "division_code", "level_code"
LENGTH = 12


@dataclass(frozen=True)
class Moving:
    """How many open rows of a table move from a retired division to its successor."""

    table_name: str
    column_name: str
    old_code: str
    new_code: str
    adjustment_number: str
    rows: int


def rewritten_columns() -> list[tuple[sa.Table, str]]:
    """List the columns of tables with history that name a division and are not part of the key."""
    return [
        (table, column.name)
        for table in METADATA.sorted_tables
        if "recorded_to" in table.columns
        for column in table.columns
        if column.name.endswith(DIVISION) and not column.primary_key
    ]


def preview_succession(settings: Settings, business_date: date) -> list[Moving]:
    """Count the open rows that a business date would move, by table, column and division."""
    tree = division_tree(settings, business_date)
    with registry_session(settings) as connection:
        return [
            moving
            for table, column in rewritten_columns()
            for moving in _moving(connection, tree, table, column, business_date)
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


def follow_divisions(settings: Settings, business_date: date) -> dict[str, Any]:
    """Move open rows from divisions that are retired on a business date to their successors, on record.

    A rerun finds nothing left to move. What a process finds of the same date afterwards replaces the rows as
    always; it reads conformed rows, and so comes to the same divisions.

    Returns:
        `moved` rows, by table in `tables`; `left` rows of processes that are on record up to a later date
        already: the past is not rewritten in place, the night of that date moves them.
    """
    tree = division_tree(settings, business_date)
    moved: Counter[str] = Counter()
    left = 0
    with registry_session(settings) as connection:
        for table, column in rewritten_columns():
            codes = _retired_codes(connection, tree, table, column, business_date)
            for part, newest in _parts(connection, table) if codes else ():
                held, moving = _open_rows(connection, table, column, part, codes)
                if moving and newest > business_date:
                    left += len(moving)
                elif moving:
                    followed = [_followed(row, column, codes) for row in held]
                    record_state(connection, table, followed, business_date, where=part)
                    _log(connection, table, column, moving, codes, business_date)
                    moved[table.fullname] += len(moving)
    return {"moved": moved.total(), "tables": dict(moved), "left": left}


def _moving(
    connection: Connection, tree: DivisionTree, table: sa.Table, column: str, business_date: date
) -> Iterator[Moving]:
    codes = _retired_codes(connection, tree, table, column, business_date)
    counted = (
        sa.select(table.c[column], sa.func.count())
        .where(table.c.recorded_to.is_(None), table.c[column].in_(codes))
        .group_by(table.c[column])
        .order_by(table.c[column])
    )
    for code, rows in connection.execute(counted) if codes else ():
        heir = codes[code]
        yield Moving(table.fullname, column, code, heir.division_code, _adjustments(heir), rows)


def _retired_codes(
    connection: Connection, tree: DivisionTree, table: sa.Table, column: str, business_date: date
) -> dict[str, Carried]:
    held = connection.scalars(sa.select(table.c[column]).distinct().where(table.c.recorded_to.is_(None)))
    heirs = {code: tree.succession(code, business_date) for code in held if code and len(code) == LENGTH}
    return {code: heir for code, heir in heirs.items() if heir is not None}


def _parts(connection: Connection, table: sa.Table) -> list[tuple[dict[str, Any], date]]:
    """List the parts of a table that processes write as a whole, and up to when each is on record."""
    of_table = sa.select(STATE_DATE.c.part, STATE_DATE.c.business_date).where(
        STATE_DATE.c.table_name == table.fullname
    )
    return [
        (json.loads(row.part), row.business_date) for row in connection.execute(of_table.order_by("part"))
    ]


def _open_rows(
    connection: Connection,
    table: sa.Table,
    column: str,
    part: Mapping[str, Any],
    codes: Mapping[str, Carried],
) -> tuple[Sequence[Row], list[Row]]:
    """Read the open rows of a part, and those among them that name a retired division."""
    of_part = sa.and_(
        table.c.recorded_to.is_(None), *(table.c[name] == value for name, value in part.items())
    )
    held = connection.execute(sa.select(table).where(of_part)).mappings().all()
    return held, [row for row in held if row[column] in codes]


def _followed(row: Row, column: str, codes: Mapping[str, Carried]) -> Row:
    heir = codes.get(row[column])
    if heir is None:
        return row
    level = {LEVEL: level_of(heir.division_code)} if LEVEL in row and column == DIVISION else {}
    return {**row, column: heir.division_code, **level}


def _log(
    connection: Connection,
    table: sa.Table,
    column: str,
    moving: Sequence[Row],
    codes: Mapping[str, Carried],
    business_date: date,
) -> None:
    keys = [key.name for key in table.primary_key if key.name != "recorded_from"]
    rows = [
        {
            "table_name": table.fullname,
            "row_key": json.dumps([row[key] for key in keys], ensure_ascii=False, default=str),
            "column_name": column,
            "business_date": business_date,
            "old_code": row[column],
            "new_code": codes[row[column]].division_code,
            "adjustment_number": _adjustments(codes[row[column]]),
        }
        for row in moving
    ]
    # A process that ran again on the date may have brought a row back: it was logged then.
    connection.execute(postgresql.insert(SUCCESSION).on_conflict_do_nothing(), rows)


def _adjustments(heir: Carried) -> str:
    return "+".join(dict.fromkeys(change.adjustment_number for change in heir.changes))
