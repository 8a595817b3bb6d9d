"""Return tickets on a screen: counts by rule, the oldest ones, one with its past. No value of a row."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from quality.ticket_list import told_rule
from schemas.contract import load_contract

Row = Mapping[str, Any]
CAUSES = {
    "corrected": "来源已更正 corrected at the source",
    "rule_changed": "规则变更后接收 accepted after a change of rules",
    "context_changed": "条件变化后接收 accepted: what stood in its way has changed",
    "withdrawn": "来源已撤 withdrawn by the source",
    "given_up": "已放弃 given up",
}
SEVERITIES = {"reject": "拒收 reject", "warn": "提示 warn", "halt": "停发 halt"}
LEVELS = {"1": "市 city", "2": "区 district", "3": "镇街 town", "4": "村居 village"}


def render_counts(counts: Sequence[Row]) -> RenderableType:
    """Lay out how many tickets wait, by dataset and rule."""
    table = _table("退回单(按规则) · open tickets by rule")
    _columns(table, "来源 source", "数据集 dataset", "规则 rule", "维度 dimension", "级别 severity")
    _columns(table, "件数 tickets", "逾期 overdue", "最长(天) oldest, days", justify="right")
    for row in counts:
        rule = Text(f"{_halves(row['message'])}\n{row['rule_id']}")
        severity = SEVERITIES.get(row["severity"], "")
        overdue = Text(f"{row['overdue']:,}", style="red" if row["overdue"] else "")
        goal = _two_lines(row["dimension"])
        names = (row["source_name"], row["dataset_name"], rule, goal, _two_lines(severity))
        table.add_row(*names, f"{row['tickets']:,}", overdue, str(row["days"]))
    return table if counts else Text("无待更正的退回单 · no ticket is open")


def render_tickets(found: int, tickets: Sequence[Row], places: Mapping[str, str]) -> RenderableType:
    """Lay tickets out, the oldest first: whose, since when, until when, which rules, which row."""
    table = _table("退回单 · open tickets, the oldest first")
    _columns(table, "单号 ticket", "责任区划 division", "规则 rules", "文件与行 file and row")
    _columns(table, "开单 opened", "截止 due", "天数 days", justify="right")
    for row in tickets:
        rules = Text("\n".join(_short(row)))
        due = Text(str(row["due_date"]), style="red" if row["is_overdue"] else "")
        place = Text(f"{row['file_name']}\n#{row['landing_row']}")
        owner = Text(f"{places.get(row['division_code'], '')}\n{row['division_code']}")
        table.add_row(row["ticket_id"], owner, rules, place, str(row["opened_date"]), due, str(row["days"]))
    note = Text(f"共 {found:,} 件，列出 {len(tickets):,} 件 · {found:,} open, {len(tickets):,} shown")
    return Group(table, note) if tickets else note


def render_ticket(
    periods: Sequence[Row], ends: Sequence[Row], words: Sequence[Row], places: Mapping[str, str]
) -> RenderableType:
    """Lay one ticket out: who corrects it, what is wrong, all that was known of it, and who gave it up."""
    last = periods[-1]
    contract = load_contract(last["dataset_name"])
    is_open = last["recorded_to"] is None
    head = Table(box=None, show_header=False, pad_edge=False, title_justify="left")
    head.add_column(style="bold")
    division = " ".join(filter(None, (places.get(last["division_code"]), last["division_code"])))
    state = "待更正 open" if is_open else "已关闭 closed"
    head.add_row("退回单 ticket", f"{last['ticket_id']}  {state}")
    head.add_row("数据集 dataset", f"{contract.name} · {contract.title}")
    head.add_row("责任方 owner", f"{contract.source} · {contract.steward}")
    head.add_row("责任区划 division", f"{division} ({LEVELS.get(last['level_code'], '')})")
    head.add_row("截止 due", str(last["due_date"]))
    for message in _messages(last):
        head.add_row("问题 what is wrong", message)
    head.add_row("来源行 source row", f"{last['file_name']} #{last['landing_row']}")
    trace = f"padis trace {last['dataset_name']}:{last['landing_id']}#{last['landing_row']}"
    head.add_row("线索 thread", trace)
    for word in words:
        # As text: brackets are no markup.
        told = f"{word['business_date']} {word['given_up_by']}: {word['given_up_reason']}"
        head.add_row("放弃 given up", Text(told))
    past = _table("经过 · what was known, and when")
    _columns(
        past, "起 from", "止 to", "开单 opened", "规则 rules", "行数 rows", "来源行 source row", "结果 end"
    )
    causes = {end["business_date"]: CAUSES[end["cause_code"]] for end in ends}
    for row in periods:
        place = Text(f"{row['file_name']} #{row['landing_row']}")
        until = row["recorded_to"]
        dates = (str(row["recorded_from"]), str(until or "—"), str(row["opened_date"]))
        end = causes.get(until, "" if until is None else "内容变化 changed")
        past.add_row(*dates, Text(", ".join(row["rule_ids"])), str(row["row_count"]), place, end)
    return Group(head, Text(), past)


def _messages(row: Row) -> list[str]:
    told = [told_rule({**row, "rule_id": rule_id}) for rule_id in row["rule_ids"]]
    return [rule["message"] for rule in told]


def _short(row: Row) -> list[str]:
    """Name each rule by the Chinese half of its message and its id: the list has to stay narrow."""
    messages = (message.partition(" · ")[0] for message in _messages(row))
    return [line for pair in zip(messages, row["rule_ids"], strict=True) for line in pair]


def _halves(text: str) -> str:
    """Give a bilingual text on two lines."""
    return text.replace(" · ", "\n", 1)


def _two_lines(text: str) -> str:
    return text.replace(" · ", "\n", 1) if " · " in text else text.replace(" ", "\n", 1)


def _table(title: str) -> Table:
    return Table(box=SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left")


def _columns(table: Table, *headings: str, justify: str = "left") -> None:
    for heading in headings:
        side: JustifyMethod = "right" if justify == "right" else "left"
        table.add_column(heading.replace(" ", "\n", 1), justify=side, overflow="fold")
