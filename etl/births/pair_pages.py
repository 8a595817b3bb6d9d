"""Pairs for a person to read: what is asked about a birth or child, and what people have said; no values."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text
from sqlalchemy.engine import Connection

from connectors.registry import state_on
from etl.births.verdicts import pair_id
from schemas.registry import BIRTH_MATCH, LINK_REVIEW, PAIR_VERDICT

VERDICTS = {"same": "同一儿童 one child", "different": "非同一儿童 two children", None: "—"}
REASONS = {
    "evidence_changed": "依据已变 what both sides say has changed",
    "rules_changed": "规则已变 other rules are in force",
    "contradicted": "裁定冲突 a newer word contradicts it",
}
Row = Mapping[str, Any] | sa.RowMapping


def render_pairs(
    connection: Connection, business_date: date, match_id: str, findings: Sequence[Row]
) -> list[RenderableType]:
    """Lay out which pairs people are asked about and what they have said, as known on a date.

    Args:
        connection: to the registry.
        business_date: what was known at its end; words of the date itself count from the next one on.
        match_id: of a birth, or of a pair that is none.
        findings: the birth as it was found until then, none for a pair that never was one.
    """
    words = [
        row
        for row in connection.execute(
            sa.select(PAIR_VERDICT)
            .where(PAIR_VERDICT.c.business_date <= business_date)
            .order_by(PAIR_VERDICT.c.decided_at)
        ).mappings()
        if _is_about(row, row["record_ids"], match_id, findings)
    ]
    reviews = [
        row
        for row in connection.execute(
            sa.select(LINK_REVIEW)
            .where(LINK_REVIEW.c.recorded_from <= business_date)
            .order_by(LINK_REVIEW.c.recorded_from, LINK_REVIEW.c.match_id)
        ).mappings()
        if row["match_id"] == match_id or _is_about(row, [row["mch_record_id"]], match_id, findings)
    ]
    shown: list[RenderableType] = []
    if reviews:
        shown += [
            Text("关联复核 Pairs in question", style="bold"),
            _reviews(connection, business_date, reviews),
        ]
    if words:
        shown += [Text("裁定 Words", style="bold"), _words(words)]
    return shown


def _is_about(row: Row, records: Collection[str], match_id: str, findings: Sequence[Row]) -> bool:
    if "first_record_id" in row and pair_id(row["first_record_id"], row["relation_id"]) == match_id:
        return True
    known = {record for found in findings for record in _records_of(found)}
    children = {found["relation_id"] for found in findings} - {None}
    return row["relation_id"] in children or not known.isdisjoint(records)


def _records_of(found: Row) -> list[str]:
    head = [] if found["mch_record_id"] is None else [found["mch_record_id"]]
    return [*head, *found["folded_record_ids"]]


def _reviews(connection: Connection, business_date: date, reviews: Sequence[Row]) -> Table:
    table = _table(
        "配对 Pair", "知悉 Known", "妇幼核对 Birth", "人口库核对 Child", "匹配权重 Weight", "现有裁定 Word",
        "再问原因 Asked again",
    )  # fmt: skip
    for row in reviews:
        sides = {
            name: connection.scalar(
                sa.select(BIRTH_MATCH.c.match_id).where(
                    BIRTH_MATCH.c[name] == row[name], state_on(BIRTH_MATCH, business_date)
                )
            )
            for name in ("mch_record_id", "relation_id")
        }
        table.add_row(
            row["match_id"],
            f"{row['recorded_from']} – {row['recorded_to'] or ''}",
            sides["mch_record_id"] or "—",
            sides["relation_id"] or "—",
            "—" if row["match_weight"] is None else f"{row['match_weight']:.1f}",
            VERDICTS[row["verdict_code"]],
            "、".join(REASONS[code] for code in row["reason_codes"]) or "—",
        )
    return table


def _words(words: Sequence[Row]) -> Table:
    table = _table("配对 Pair", "裁定 Word", "业务日 Date", "裁定人 By", "依据 Why", "时间 At")
    for row in words:
        table.add_row(
            pair_id(row["first_record_id"], row["relation_id"]),
            VERDICTS[row["verdict_code"]],
            str(row["business_date"]),
            row["decided_by"],
            row["reason"],
            f"{row['decided_at']:%Y-%m-%d %H:%M %Z}",
        )
    return table


def _table(*headings: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading.replace(" ", "\n", 1))
    return table
