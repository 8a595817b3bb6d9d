"""Show the timetable of reporting to a person at a terminal."""

from collections.abc import Sequence
from datetime import date

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from etl.submission.filing_page import FILING_STATES
from etl.submission.timetable import Filing, Occasion, within_days
from etl.submission.two_line_table import two_line_table

KINDS = {
    "opens": "窗口开启 · window opens",
    "closes": "窗口最后一日 · last day of the window",
    "apply": "申报截止 · applications due",
    "assess": "村居评议截止 · villages due",
    "pass": "街道乡镇审核截止 · towns due",
    "approve": "区审批截止 · districts due",
    "file": "市备案截止 · city due",
    "report": "上报国家截止 · national report due",
    "receipts": "回执时限 · receipts due",
}


def show_timetable(
    filings: Sequence[Filing], occasions: Sequence[Occasion], as_of: date, within: int
) -> RenderableType:
    """Lay out receivers with what waits, persons and who is at risk, then the days within so many."""
    return Group(
        _filings(filings, as_of),
        _persons([each for each in filings if each.due is not None], as_of, within),
        _occasions(occasions, as_of, within),
    )


def _filings(filings: Sequence[Filing], as_of: date) -> Table:
    table = two_line_table(
        f"报送时间表 · timetable {as_of}",
        ("接收方 · receiver", "窗口 · window", "上报截止 · due", "剩余天数 · days left", "签批 · sign-off"),
        ("待批 · to approve", "待放行 · to pass", "待发 · to send"),
    )
    for each in filings:
        table.add_row(
            f"{each.receiver} {each.subsystem_code}",
            _window(each, as_of),
            str(each.due or "—"),
            _days(each.days_left(as_of)),
            FILING_STATES[each.state] if each.due else "—",
            *(f"{count:,}" for count in (each.to_approve, each.to_countersign, each.to_send)),
        )
    return table


def _persons(filings: Sequence[Filing], as_of: date, within: int) -> Table:
    table = two_line_table(
        "对象 · persons by their newest report of the year",
        ("接收方 · receiver",),
        (
            "已接收 · accepted",
            "未发 · unsent",
            "未答复 · unanswered",
            "退回 · refused",
            "未列入 · held back",
            f"{within}日内风险 · at risk",
        ),
    )
    for each in filings:
        at_risk = each.at_risk(as_of, within)
        counts = (each.accepted, each.unsent, each.unanswered, each.refused, each.held_back)
        table.add_row(
            f"{each.receiver} {each.subsystem_code}",
            *(f"{count:,}" for count in counts),
            Text(f"{at_risk:,}", "bold red" if at_risk else ""),
        )
    return table


def _window(filing: Filing, as_of: date) -> str:
    if filing.is_always_open:
        return "随时 always"
    if filing.window is None:
        return "— 一年内无 none"
    first, last = filing.window
    return f"→ {last}" if first <= as_of else f"{first} → {last}"


def _days(days: int | None) -> Text:
    if days is None:
        return Text("—")
    return Text(f"逾期 {-days} · over", "bold red") if days < 0 else Text(f"{days}")


def _occasions(occasions: Sequence[Occasion], as_of: date, within: int) -> Table:
    table = two_line_table(
        f"{within}日内 · within {within} days",
        ("日期 · day", "剩余 · left", "事项 · what", "对象 · of"),
        ("件数 · count",),
    )
    near = [each for each in occasions if within_days(each, as_of, within)]
    for each in near:
        count = "" if each.count is None else f"{each.count:,}"
        days = _days((each.day - as_of).days)
        table.add_row(str(each.day), days, KINDS[each.kind_code], each.subject, count)
    if not near:
        table.add_row("—", "", "无 · nothing", "", "")
    return table
