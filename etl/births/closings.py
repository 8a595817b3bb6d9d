"""Why tasks about births end: what became of the finding that each was about."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.registry import state_on
from schemas.registry import BIRTH_MATCH, LINK_REVIEW

CAUSE_OF_CLASS = {"linked": "birth_linked", "conflict": "birth_conflict_found"}
# What a situation gives way to while the birth is still found.
CAUSE_OF_KIND = {
    "birth_unnamed": "birth_named",
    "birth_reported_twice": "report_withdrawn",
    "birth_to_beneficiary": "clauses_speak",
    "birth_not_living": "outcome_settled",
}
CHANGED = "finding_changed"
ANSWERED = "answered"
GONE = "no_longer_found"
Side = tuple[str, object]


def causes_of(
    connection: Connection,
    matches: pa.Table,
    business_date: date,
    ended: Sequence[sa.RowMapping],
    settled: Mapping[str, str] = {},
) -> Mapping[str, str]:
    """Tell per ended task why it ended, from the findings of the date.

    `birth_linked`: both sides are one now and agree; `birth_conflict_found`: they are one but differ;
    `finding_changed`: the birth is still a finding, of another kind or under another head record;
    `no_longer_found`: neither side shows it any more (withdrawn, not living, or out of the year).
    A task that a person or another system has settled ends as `settled` says; one about one situation alone
    as `CAUSE_OF_KIND` says while its birth is found.
    """
    now = {side: row["class_code"] for row in matches.to_pylist() for side in _sides(row)}
    held = _findings_before(connection, business_date)
    return {
        task["task_id"]: settled.get(task["task_id"])
        or _cause(task["kind_code"], [now[side] for side in held.get(task["subject_id"], ()) if side in now])
        for task in ended
    }


def _cause(kind_code: str, classes: Sequence[str]) -> str:
    if classes and kind_code in CAUSE_OF_KIND:
        return CAUSE_OF_KIND[kind_code]
    for class_code, cause in CAUSE_OF_CLASS.items():
        if class_code in classes:
            return cause
    return CHANGED if classes else GONE


def _findings_before(connection: Connection, business_date: date) -> dict[str, list[Side]]:
    """Read which records and child row each pair in question and each finding of the day before was about."""
    day_before = business_date - timedelta(days=1)
    return {
        row["match_id"]: list(_sides(row))
        for table in (LINK_REVIEW, BIRTH_MATCH)
        for row in connection.execute(sa.select(table).where(state_on(table, day_before))).mappings()
    }


def _sides(match: Mapping[str, Any] | sa.RowMapping) -> Iterator[Side]:
    if match["mch_record_id"] is not None:
        yield "record", match["mch_record_id"]
    for record_id in match.get("folded_record_ids", ()):
        yield "record", record_id
    if match["relation_id"] is not None:
        yield "child", match["relation_id"]
