"""Show where the sign-off of filings is."""

from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from etl.submission.filing import SignOff
from etl.submission.levels_page import told_time
from etl.submission.two_line_table import two_line_table

FILING_STATES = {"open": "开放 · open", "frozen": "已冻结 · frozen", "signed": "已签批 · signed"}
STEP_NAMES = {
    "freeze": "冻结 · freeze",
    "sign": "签批 · sign",
    "amend": "重新开放 · amend",
    "revert": "恢复到已接收 · revert",
}


def show_sign_offs(filings: Iterable[SignOff]) -> Table:
    """Lay out filings: state, newest step, what the receiver has, and whether that is what was signed."""
    table = two_line_table(
        "报送签批 · sign-off",
        ("子系统 · subsystem", "年度 · year", "状态 · state", "步骤 · step", "经办人 · by", "时间 · at"),
        ("已接收 · accepted", "签批数 · signed"),
        ("理由 · reason",),
    )
    for each in filings:
        step = each.step
        done = (
            ("", "", "", "")
            if step is None
            else (
                STEP_NAMES[step["step_code"]],
                step["recorded_by"],
                told_time(step["recorded_at"]),
                step["reason"],
            )
        )
        table.add_row(
            each.subsystem_code,
            each.period,
            FILING_STATES[each.state],
            *map(Text, done[:3]),
            f"{each.accepted_count:,}",
            _signed(each),
            Text(done[3]),
        )
    return table


def _signed(filing: SignOff) -> Text:
    if filing.signed_count is None:
        return Text("—")
    if filing.is_as_signed:
        return Text(f"{filing.signed_count:,} ✓", "green")
    return Text(f"{filing.signed_count:,} ✗ 与现状不同 · differs by now", "bold red")
