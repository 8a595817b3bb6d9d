"""Cases for a person to read: a list, one case with its history; masked."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from sqlalchemy.engine import Connection

from connectors.registry import state_on
from schemas.code_sets import load_code_set
from schemas.masking import mask_value
from schemas.refusal import Refusal
from schemas.registry import ACCEPTED, CASE, CASE_REVIEW

FINDINGS = {
    "continue": "继续 continue",
    "exception": "例外 exception",
    "closed": "已结 closed",
    None: "未核定 not reviewed",
}
Row = Mapping[str, Any]


def list_cases(
    connection: Connection,
    business_date: date,
    *,
    division: str | None = None,
    finding: str | None = None,
    state: str | None = None,
    at_most: int = 50,
) -> tuple[int, Sequence[Row]]:
    """Find cases as known on a date, with their review; tell how many fit and give the first of them.

    Args:
        connection: to the registry.
        business_date: what was known at its end.
        division: the beginning of a division code, such as 110105.
        finding: continue, exception or closed.
        state: 1 in payment, 2 suspended, 3 exited.
        at_most: rows given.
    """
    chosen = _reviewed(business_date)
    if division:
        chosen = chosen.where(CASE.c.division_code.startswith(division, autoescape=True))
    if finding:
        chosen = chosen.where(CASE_REVIEW.c.finding_code == finding)
    if state:
        chosen = chosen.where(CASE.c.state_code == state)
    found = connection.scalar(sa.select(sa.func.count()).select_from(chosen.subquery())) or 0
    rows = connection.execute(chosen.order_by(CASE.c.case_number).limit(at_most)).mappings()
    return found, [dict(row) for row in rows]


def _reviewed(business_date: date) -> sa.Select[Any]:
    is_reviewed = sa.and_(
        CASE_REVIEW.c.case_number == CASE.c.case_number, state_on(CASE_REVIEW, business_date)
    )
    return (
        sa.select(CASE, CASE_REVIEW.c.finding_code, CASE_REVIEW.c.reason_codes.label("review_codes"))
        .select_from(CASE.outerjoin(CASE_REVIEW, is_reviewed))
        .where(state_on(CASE, business_date))
    )


def render_cases(found: int, rows: Sequence[Row]) -> RenderableType:
    """Lay cases out as a table; file numbers are masked."""
    states = load_code_set("case_state").labels
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in (
        "个案 Case",
        "类别 Category",
        "对象 Person",
        "区划 Division",
        "状态 State",
        "核定 Review",
    ):
        table.add_column(heading.replace(" ", "\n", 1), overflow="fold")
    for row in rows:
        reasons = ", ".join(row["review_codes"] or ())
        table.add_row(
            row["case_number"],
            f"{row['programme_code']}/{row['category_code']}",
            mask_value("number", row["person_id"]),
            row["division_code"],
            states[row["state_code"]],
            " ".join(filter(None, (FINDINGS[row["finding_code"]], reasons))),
        )
    return Group(table, Text(f"共 {found} 件，列出 {len(rows)} 件 · {found} found, {len(rows)} shown"))


def render_case(connection: Connection, case_number: str) -> RenderableType:
    """Show a case with everything that was known of it and when.

    Raises:
        Refusal: no case of that number.
    """
    parts: list[RenderableType] = []
    for title, table in (
        ("个案 Case", CASE),
        ("接收方已有 Accepted", ACCEPTED),
        ("核定 Review", CASE_REVIEW),
    ):
        chosen = (
            sa.select(table).where(table.c.case_number == case_number).order_by(table.c.recorded_from.desc())
        )
        rows = [dict(row) for row in connection.execute(chosen).mappings()]
        parts += [Text(title, style="bold"), *(_history(row) for row in rows)] if rows else []
    if not parts:
        raise Refusal(
            "case_unknown",
            found=f"no case of that number ({len(case_number)} characters)",
            expected="a case number of the baseline",
            to_do="list the cases with `padis cases list`",
        )
    return Group(*parts)


def _history(row: Row) -> RenderableType:
    table = Table(box=None, show_header=False, pad_edge=False)
    until = row["recorded_to"] or ""
    table.add_row("知悉 known", f"{row['recorded_from']} – {until}")
    for name, value in row.items():
        if name in ("recorded_from", "recorded_to") or value in (None, []):
            continue
        shown = ", ".join(value) if isinstance(value, list) else str(value)
        table.add_row(name, mask_value("number", shown) if name == "person_id" else shown)
    return table
