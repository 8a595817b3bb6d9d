"""Rows that followed a change of divisions which is declared no more: where they belong instead.

Which row came from where is only in the log (`core.succession`): in a division that took others over, the
rows that were always its own look the same.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.registry import Row
from etl.divisions.place import Heir, Place, heir_by
from schemas.division_tree import DivisionTree
from schemas.registry import SUCCESSION


def led_back(
    connection: Connection, tree: DivisionTree, place: Place, business_date: date
) -> list[tuple[Row, Heir]]:
    """List the open rows of a place that belong elsewhere, since a change that moved them was withdrawn.

    A row that got its division otherwise since then is not among them.
    """
    log = _log_of(connection, place)
    if all(_holds(tree, entry) for entries in log.values() for entry in entries):
        return []
    codes = {entry["new_code"] for entries in log.values() for entry in entries}
    chosen = sa.select(place.table).where(place.is_open, place.table.c[place.column].in_(codes))
    found = list[tuple[Row, Heir]]()
    for row in connection.execute(chosen).mappings():
        heir = _belongs(tree, log.get(place.key_of(row), ()), row[place.column], business_date)
        if heir is not None and heir.division_code != row[place.column]:
            found.append((row, heir))
    return found


def _log_of(connection: Connection, place: Place) -> Mapping[str, Sequence[Row]]:
    """Read what moved in a column, by key, the newest first."""
    entries = connection.execute(
        sa.select(SUCCESSION)
        .where(SUCCESSION.c.table_name == place.table.fullname, SUCCESSION.c.column_name == place.column)
        .order_by(SUCCESSION.c.business_date.desc())
    )
    log: dict[str, list[Row]] = defaultdict(list)
    for entry in entries.mappings():
        log[entry["row_key"]].append(entry)
    return log


def _belongs(tree: DivisionTree, log: Iterable[Row], code: str, business_date: date) -> Heir | None:
    """Tell where a row belongs that came to a code by the moves of its log; None if these hold."""
    origin, withdrawn = None, list[str]()
    for entry in log:
        if entry["new_code"] != code:
            break
        code = entry["origin_code"] or entry["old_code"]
        if not _holds(tree, entry):
            origin = code
            withdrawn.append(entry["adjustment_number"])
        if entry["origin_code"]:
            break
    if origin is None:
        return None
    if tree.division_on(origin, business_date) is not None:
        return Heir(origin, "+".join(withdrawn), origin)
    onward = tree.succession(origin, business_date)
    if onward is None:
        return None
    heir = heir_by(onward)
    return Heir(heir.division_code, "+".join([*withdrawn, heir.adjustment_number]), origin)


def _holds(tree: DivisionTree, entry: Row) -> bool:
    """Tell whether the changes that are declared now lead where the log says that a row was moved."""
    origin, day = entry["origin_code"] or entry["old_code"], entry["business_date"]
    heir = tree.succession(origin, day)
    return bool(entry["new_code"] == (origin if heir is None else heir.division_code))
