"""An annual review for a person to read: how far each level is, what is in question, what the city checks."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from etl.subsidy.annual_status import LevelStatus
from etl.subsidy.case_history import LEVELS
from schemas.case_life import load_case_life

NAMED = 5
RESULTS = {"continued": "自动继续 continued", "visited": "核实后继续 visited", "exit": "退出 exit"}
IN_ORDER = {None: "未抽查 not checked", True: "无误 in order", False: "有误 amiss"}
Row = Mapping[str, Any]


def render_status(levels: Iterable[LevelStatus]) -> RenderableType:
    """Lay out per programme and level how many have signed, how many wait, and who they are."""
    table = _table(
        "项目 Programme", "级别 Level", "截止 Due", "已签 Signed", "逾期 Late", "未签 Waiting", "单位 Who"
    )
    for status in levels:
        more = len(status.waiting) - NAMED
        named = ", ".join(status.waiting[:NAMED]) + (f" … +{more}" if more > 0 else "")
        counts = (len(status.signed), len(status.late), len(status.waiting))
        level = LEVELS[status.level_code]
        table.add_row(status.programme_code, level, str(status.due), *(f"{each:,}" for each in counts), named)
    return table


def render_exceptions(rows: Sequence[Row], at_most: int) -> RenderableType:
    """Lay out the cases that wait for a visit or an exit, with the reasons."""
    states = load_case_life().states
    waiting = [row for row in rows if row["result_code"] is None]
    table = _table("个案 Case", "村居 Village", "状态 State", "例外 Exceptions")
    for row in waiting[:at_most]:
        reasons = ", ".join(row["reason_codes"]) or "尚无核定 · no review"
        table.add_row(row["case_number"], row["division_code"], states[row["state_code"]], reasons)
    quiet = {name: sum(row["result_code"] == code for row in rows) for code, name in RESULTS.items()}
    told = "，".join(f"{name} {count}" for name, count in quiet.items())
    return Group(table, Text(f"共 {len(rows)} 件 cases：{told}，待处理 to do {len(waiting)}"))


def render_sample(rows: Iterable[Row]) -> RenderableType:
    """Lay out the sample of the city, and how the newest check of each case came out."""
    table = _table("个案 Case", "村居 Village", "年审结果 Result", "抽查 Check")
    for row in rows:
        result, check = RESULTS[row["result_code"]], IN_ORDER[row["is_in_order"]]
        table.add_row(row["case_number"], row["division_code"], result, check)
    return table


def _table(*headings: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading.replace(" ", "\n", 1), overflow="fold")
    return table
