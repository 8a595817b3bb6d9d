"""Why tasks about births end: what became of the finding that each was about."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from schemas.registry import BIRTH_MATCH

CAUSE_OF_CLASS = {"linked": "birth_linked", "conflict": "birth_conflict_found"}
CHANGED = "finding_changed"
GONE = "no_longer_found"


def causes_of(
    connection: Connection, matches: pa.Table, business_date: date, ended: Sequence[sa.RowMapping]
) -> Mapping[str, str]:
    """Tell per ended task why it ended, from the findings of the date.

    `birth_linked`: both sides are one now; `birth_conflict_found`: they are one but differ;
    `finding_changed`: the birth is still a finding, of another kind or under another head record;
    `no_longer_found`: neither side shows it any more (withdrawn, not living, or out of the year).
    """
    now = {side: row["class_code"] for row in matches.to_pylist() for side in _sides(row)}
    held = _findings_before(connection, business_date)
    return {
        task["task_id"]: _cause([now[side] for side in held.get(task["subject_id"], ()) if side in now])
        for task in ended
    }


def _cause(classes: Sequence[str]) -> str:
    for class_code, cause in CAUSE_OF_CLASS.items():
        if class_code in classes:
            return cause
    return CHANGED if classes else GONE


def _findings_before(connection: Connection, business_date: date) -> dict[str, list[tuple[str, object]]]:
    """Read which records and child row each finding of the day before was about."""
    before = sa.and_(
        BIRTH_MATCH.c.recorded_from < business_date,
        sa.or_(BIRTH_MATCH.c.recorded_to.is_(None), BIRTH_MATCH.c.recorded_to >= business_date),
    )
    rows = connection.execute(sa.select(BIRTH_MATCH).where(before)).mappings()
    return {row["match_id"]: list(_sides(row)) for row in rows}


def _sides(match: Mapping[str, Any] | sa.RowMapping) -> Iterator[tuple[str, object]]:
    if match["mch_record_id"] is not None:
        yield "record", match["mch_record_id"]
    for record_id in match["folded_record_ids"]:
        yield "record", record_id
    if match["relation_id"] is not None:
        yield "child", match["relation_id"]
