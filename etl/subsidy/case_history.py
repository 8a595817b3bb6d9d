"""Lives for a person to read: a list by state, one case with who did what, when and why; masked."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from sqlalchemy.engine import Connection

from etl.subsidy.case_life import state_of
from schemas.case_calendar import is_late
from schemas.case_life import load_case_life
from schemas.code_sets import load_code_set
from schemas.masking import mask_value
from schemas.registry import (
    ANNUAL_CASE,
    ANNUAL_VISIT,
    CASE_FILING_CHECK,
    CASE_LIFE,
    CASE_MEETING,
    CASE_OBJECTION,
    CASE_OBJECTION_ANSWER,
    CASE_STEP,
)

Row = Mapping[str, Any]
LEVELS = {"1": "市 city", "2": "区 district", "3": "街乡 town", "4": "村居 village"}
# What is told of a case beside its steps: title, table, the columns that say it.
BESIDE = (
    ("评议 Meetings", CASE_MEETING, ("held_on", "outcome_code", "members", "investigators")),
    ("异议 Objections", CASE_OBJECTION, ("objection_number", "raised_on", "kind_code")),
    ("答复 Answers", CASE_OBJECTION_ANSWER, ("objection_number", "answered_on", "outcome_code")),
    ("抽查 Checks", CASE_FILING_CHECK, ("filing_id", "is_procedure_complete", "is_logic_correct")),
    ("年审核实 Visits", ANNUAL_VISIT, ("cycle_year", "visited_on", "investigators", "reason_codes")),
    ("年审名单 Annual lists", ANNUAL_CASE, ("cycle_year", "result_code", "state_code", "exit_reason_code")),
)
WHO = ("recorded_by", "reason")


def list_lives(
    connection: Connection,
    *,
    state: str | None = None,
    division: str | None = None,
    programme: str | None = None,
    at_most: int = 50,
) -> tuple[int, Sequence[Row]]:
    """Find cases by the state they are in now; tell how many fit and give the first of them.

    Args:
        connection: to the registry.
        state: of schemas/case_life.yaml.
        division: the beginning of a division code, such as 110105.
        programme: J, T or T3.
        at_most: rows given.
    """
    later = CASE_STEP.alias("later")
    is_newest = ~sa.exists().where(
        later.c.case_number == CASE_STEP.c.case_number, later.c.step_number > CASE_STEP.c.step_number
    )
    chosen = sa.select(CASE_STEP, CASE_LIFE.c.person_id).join_from(
        CASE_STEP, CASE_LIFE, CASE_LIFE.c.case_number == CASE_STEP.c.case_number
    )
    chosen = chosen.where(is_newest)
    if state:
        chosen = chosen.where(CASE_STEP.c.to_state_code == state)
    if division:
        chosen = chosen.where(CASE_STEP.c.division_code.startswith(division, autoescape=True))
    if programme:
        chosen = chosen.where(CASE_STEP.c.programme_code == programme)
    found = connection.scalar(sa.select(sa.func.count()).select_from(chosen.subquery())) or 0
    rows = connection.execute(chosen.order_by(CASE_STEP.c.case_number).limit(at_most)).mappings()
    return found, [dict(row) for row in rows]


def render_lives(found: int, rows: Iterable[Row]) -> RenderableType:
    """Lay cases out as a table; file numbers are masked."""
    life = load_case_life()
    headings = (
        "个案 Case",
        "类别 Category",
        "对象 Person",
        "村居 Village",
        "状态 State",
        "自 Since",
        "经办 By",
    )
    table, shown = _table(headings), 0
    for row in rows:
        shown += 1
        table.add_row(
            row["case_number"],
            f"{row['programme_code']}/{row['category_code']}",
            mask_value("number", row["person_id"]),
            row["division_code"],
            life.states[row["to_state_code"]],
            str(row["happened_on"]),
            row["recorded_by"],
        )
    return Group(table, Text(f"共 {found} 件，列出 {shown} 件 · {found} found, {shown} shown"))


def render_life(connection: Connection, case_number: str) -> RenderableType:
    """Show a case: what was done, by whom, when and why, and what may be done next.

    Raises:
        Refusal: no case of that number was applied for or taken over.
    """
    now = state_of(connection, case_number)
    life = load_case_life()
    person = connection.scalar(sa.select(CASE_LIFE.c.person_id).where(CASE_LIFE.c.case_number == case_number))
    head = (
        f"{case_number} · {now['programme_code']}/{now['category_code']} · "
        f"{mask_value('number', str(person))} · {now['division_code']}"
    )
    parts: list[RenderableType] = [
        Text(head, style="bold"),
        Text(f"状态 State: {life.states[now['to_state_code']]}"),
        _steps(connection, case_number),
    ]
    for title, table, columns in BESIDE:
        rows = _of_case(connection, table, case_number)
        if rows:
            parts += [Text(title, style="bold"), _rows(rows, columns)]
    following = [
        f"{move.step_code.replace('_', '-')}（{life.steps[move.step_code]}，{LEVELS[move.level_code]}）"
        for move in life.moves_from(now["to_state_code"])
    ]
    parts.append(Text("可办 Next: " + ("; ".join(following) or "无，已结 · nothing: it has ended")))
    return Group(*parts)


def _steps(connection: Connection, case_number: str) -> Table:
    life, reasons = load_case_life(), load_code_set("exit_reason").labels
    table = _table(("#", "步骤 Step", "级别 Level", "日期 Day", "经办 By", "登记 Recorded", "说明 Why"))
    for row in _of_case(connection, CASE_STEP, case_number):
        late = (
            "（逾期 · late）"
            if is_late(row["step_code"], row["happened_on"], row["happened_on"].year)
            else ""
        )
        said = (
            reasons.get(row["exit_reason_code"]),
            f"→ {row['division_code']}" if row["step_code"] == "move" else None,
            row["filing_id"],
            row["reason"],
        )
        table.add_row(
            str(row["step_number"]),
            life.steps[row["step_code"]],
            LEVELS[row["level_code"]],
            f"{row['happened_on']}{late}",
            row["recorded_by"],
            f"{row['recorded_at']:%Y-%m-%d %H:%M}",
            "; ".join(filter(None, said)),
        )
    return table


def _of_case(connection: Connection, table: sa.Table, case_number: str) -> Sequence[Row]:
    of_case = sa.select(table).where(table.c.case_number == case_number)
    rows = connection.execute(of_case.order_by(*table.primary_key.columns)).mappings()
    return [dict(row) for row in rows]


def _rows(rows: Sequence[Row], columns: Sequence[str]) -> Table:
    names = [name for name in (*columns, *WHO) if name in rows[0]]
    table = _table(names)
    for row in rows:
        table.add_row(*(_shown(row[name]) for name in names))
    return table


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "—"
    if isinstance(value, bool):
        return "是 yes" if value else "否 no"
    return "—" if value is None else str(value)


def _table(headings: Iterable[str]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading.replace(" ", "\n", 1), overflow="fold")
    return table
