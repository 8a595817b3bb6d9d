"""Show what each level of each batch awaits, for a person at a terminal."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from sqlalchemy.engine import Connection

from etl.submission.countersign import backfills_waiting
from etl.submission.level import Level
from etl.submission.levels import awaited_levels, levels_on_record, split_subject
from schemas.business_date import BEIJING
from schemas.registry import RECEIPT

LEVEL_NAMES = {
    "transfer": "传输 · transfer",
    "file": "文件 · file",
    "batch": "批次 · batch",
    "record": "记录 · record",
}
STATE_NAMES = {
    "waiting": "待答复 · waiting",
    "overdue": "逾期 · overdue",
    "met": "已答复 · answered",
    "void": "无需答复 · void",
    "given_up": "已放弃 · given up",
}
STYLES = {"overdue": "bold red", "waiting": "yellow", "met": "green"}
OWNER_NAMES = {
    "village": "村居 · village",
    "town": "街道乡镇 · town",
    "district": "区 · district",
    "city": "市 · city",
    "centre": "信息中心 · information centre",
}


def told_time(at: datetime) -> str:
    """Write an instant as people in Beijing read it."""
    return f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M}"


def show_levels(connection: Connection, *, only_open: bool = True) -> RenderableType:
    """Lay out what waits: batch, level, state, what was said, since when, until when; then what is parked.

    At the end backfills that a second person has not let pass, so that nobody waits for their receipts.
    """
    said = {level.subject_id: level for level in levels_on_record(connection)}
    table = Table(title="回执 · receipts by level", title_justify="left")
    for heading in (
        "批次 · batch",
        "层级 · level",
        "状态 · state",
        "答复 · said",
        "起 · since",
        "止 · until",
    ):
        table.add_column(heading)
    rows = awaited_levels(connection, only_open=only_open)
    for row in rows:
        batch_id, level = split_subject(row["subject_id"])
        state = Text(STATE_NAMES[row["state"]], style=STYLES.get(row["state"], "dim"))
        answer = _said(said.get(row["subject_id"]))
        table.add_row(
            batch_id, LEVEL_NAMES[level], state, answer, told_time(row["since_at"]), told_time(row["due_at"])
        )
    if not rows:
        table.add_row("—", "", Text("无 · nothing waits", style="green"))
    parked, unsigned = _parked(connection), backfills_waiting(connection)
    return Group(
        table,
        *([_parked_table(parked)] if parked else []),
        *([_second_person_table(unsigned)] if unsigned else []),
    )


def _said(level: Level | None) -> str:
    if level is None:
        return ""
    if level.expected is not None:
        return f"{level.answered:,}/{level.expected:,}"
    return " ".join(filter(None, (level.said, level.cause_code)))


def _parked(connection: Connection) -> Sequence[sa.RowMapping]:
    parked = sa.select(RECEIPT).where(RECEIPT.c.state == "parked").order_by(RECEIPT.c.landing_id)
    return connection.execute(parked).mappings().all()


def _parked_table(parked: Sequence[sa.RowMapping]) -> Table:
    table = Table(title="搁置 · parked receipts", title_justify="left")
    for heading in ("回执 · receipt", "层级 · level", "批次 · batch", "说明 · message"):
        table.add_column(heading, overflow="fold")
    for row in parked:
        # The receiver chooses the name, so only the landing id is shown; the message holds no value.
        table.add_row(
            row["landing_id"], LEVEL_NAMES[row["stage"]], row["batch_id"] or "—", Text(row["message"])
        )
    return table


def _second_person_table(batches: Sequence[sa.RowMapping]) -> Table:
    table = Table(title="待第二人放行 · backfills that wait for a second person", title_justify="left")
    for heading in ("批次 · batch", "业务日 · date", "记录 · records", "批准人 · approved by", "批准 · at"):
        table.add_column(heading)
    for batch in batches:
        at = told_time(batch["approved_at"]) if batch["approved_at"] else "—"
        date_text = batch["business_date"].isoformat()
        table.add_row(
            batch["batch_id"], date_text, f"{batch['record_count']:,}", Text(batch["approved_by"]), at
        )
    return table
