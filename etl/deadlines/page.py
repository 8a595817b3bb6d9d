"""Show deadlines and notices to a person at a terminal."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from rich.table import Table
from rich.text import Text
from sqlalchemy.engine import Connection

from connectors.deadline import OPEN, deadlines_where
from connectors.notice import notices_where
from schemas.business_date import BEIJING
from schemas.registry import DEADLINE

KIND_NAMES = {"drop": "投递 · drop", "receipt": "回执 · receipt", "step": "步骤 · step"}
EVENT_NAMES = {
    "drop_overdue": "投递逾期 · drop overdue",
    "drop_refused": "投递被拒收 · drop refused",
    "receipt_overdue": "回执逾期 · receipt overdue",
    "step_overdue": "步骤逾期 · step overdue",
    "run_overdue": "运行逾期 · run overdue",
    "batch_uncertain": "批次存疑 · batch uncertain",
}
STATE_NAMES = {
    "waiting": "等待 · waiting",
    "overdue": "逾期 · overdue",
    "met": "已到 · met",
    "void": "无需 · void",
    "given_up": "已放弃 · given up",
    "pending": "待通知 · pending",
    "sending": "通知中 · sending",
    "sent": "已通知 · told",
    "uncertain": "存疑 · uncertain",
    "failed": "未成 · failed",
}
CHANNEL_NAMES = {"log": "日志 · log", "mail": "邮件 · mail", "webhook": "钩子 · webhook"}
STYLES = {
    "overdue": "bold red",
    "failed": "bold red",
    "uncertain": "magenta",
    "waiting": "yellow",
    "pending": "yellow",
    "met": "green",
    "sent": "green",
}


def show_deadlines(connection: Connection, *, only_open: bool = True) -> Table:
    """Lay out what is awaited: what, of whom, of which date, since when, until when; earliest due first."""
    table = _table(
        "时限 · deadlines",
        ("种类 · kind", "对象 · subject", "业务日 · date", "状态 · state", "起 · since", "止 · due"),
    )
    conditions = [DEADLINE.c.state.in_(OPEN)] if only_open else []
    rows = deadlines_where(connection, *conditions)
    for row in rows:
        table.add_row(
            KIND_NAMES.get(row["kind_code"], row["kind_code"]),
            row["subject_id"],
            row["business_date"].isoformat(),
            _state(row["state"]),
            _beijing(row["since_at"]),
            _beijing(row["due_at"]),
        )
    return _or_nothing(table, rows)


def show_notices(connection: Connection, *, only_untold: bool = False) -> Table:
    """Lay out each event with what became of it by channel; the newest first."""
    by_event: dict[str, dict[str, sa.RowMapping]] = {}
    for row in notices_where(connection):
        by_event.setdefault(row["event_id"], {})[row["channel_code"]] = row
    shown = [
        channels
        for channels in by_event.values()
        if not only_untold or any(row["state"] != "sent" for row in channels.values())
    ]
    headings = ("事件 · event", "对象 · subject", "业务日 · date", "记录 · noted", *CHANNEL_NAMES.values())
    table = _table("通知 · notices", headings)
    for channels in shown:
        row = next(iter(channels.values()))
        table.add_row(
            EVENT_NAMES[row["kind_code"]],
            row["subject_id"],
            row["business_date"].isoformat(),
            _beijing(row["noted_at"]),
            *(_outcome(channels.get(code)) for code in CHANNEL_NAMES),
        )
    return _or_nothing(table, shown)


def _outcome(row: sa.RowMapping | None) -> Text:
    if row is None:
        return Text("—", style="dim")
    told = _state(row["state"])
    if row["state"] in ("failed", "uncertain"):
        told.append(f"\n×{row['attempts']} {row['message'] or ''}", style="dim")
    return told


def _table(title: str, headings: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading)
    return table


def _or_nothing(table: Table, rows: Sequence[object]) -> Table:
    if not rows:
        table.add_row("—", Text("无 · nothing", style="green"))
    return table


def _state(state: str) -> Text:
    return Text(STATE_NAMES[state], style=STYLES.get(state, "dim"))


def _beijing(at: datetime) -> str:
    return f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M}"
