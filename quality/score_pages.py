"""The three scores on a screen: how each went over the last nights, before and after the processing."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

Row = Mapping[str, Any]
GOALS = {
    "completeness": "完整性 completeness",
    "correctness": "正确性 correctness",
    "compliance": "合规性 compliance",
}
BARS = "▁▂▃▄▅▆▇█"
# Scores that differ by less are shown as equal.
STEP = 0.005
NOTHING = "·"


def render_trend(scores: Sequence[Row], place: str) -> RenderableType:
    """Lay out one line per dataset and goal: its way over the nights, the newest score, and the change."""
    if not scores:
        return Text("尚无得分 · no score of this division on these nights")
    nights = sorted({row["business_date"] for row in scores})
    table = Table(box=SIMPLE_HEAD, pad_edge=False, title_justify="left")
    table.title = f"质量得分 · quality of {place}, {nights[0]} – {nights[-1]}"
    for heading in ("来源 source", "数据集 dataset", "目标 goal", "处理前 before", "处理后 after"):
        table.add_column(heading.replace(" ", "\n", 1))
    for heading in ("最新(%) newest", "较前夜 change", "收到 received", "接收 accepted"):
        table.add_column(heading.replace(" ", "\n", 1), justify="right")
    lines: dict[tuple[str, str, str], dict[Any, Row]] = {}
    for row in scores:
        lines.setdefault((row["source_name"], row["dataset_name"], row["dimension"]), {})[
            row["business_date"]
        ] = row
    shown: tuple[str, str] | None = None
    for source, dataset, goal in sorted(lines, key=_order):
        line = lines[source, dataset, goal]
        in_order = [line[night] for night in sorted(line)]
        newest = in_order[-1]
        is_first = shown != (source, dataset)
        shown = (source, dataset)
        counts = (f"{newest['checked']:,}", f"{newest['accepted']:,}") if is_first else ("", "")
        table.add_row(
            *(shown if is_first else ("", "")),
            GOALS[goal],
            Text(sparkline([line[night]["score_before"] if night in line else None for night in nights])),
            Text(sparkline([line[night]["score_after"] if night in line else None for night in nights])),
            f"{_percent(newest['score_before'])} → {_percent(newest['score_after'])}",
            _change(in_order),
            *counts,
        )
    note = (
        f"每格一夜，{NOTHING} 无数据；每线自其最低分至 100 · one mark a night, from each line's lowest to 100"
    )
    return Group(table, Text(note, style="dim"))


def sparkline(values: Sequence[float | None]) -> str:
    """Draw percentages as bars between the lowest of them and 100; a night without one is a dot.

    The span is at least one point, so that the last hundredth makes no cliff.
    """
    known = [value for value in values if value is not None]
    if not known:
        return NOTHING * len(values)
    lowest = min(*known, 99.0)
    return "".join(
        NOTHING if value is None else BARS[round((value - lowest) / (100.0 - lowest) * (len(BARS) - 1))]
        for value in values
    )


def _order(line: tuple[str, str, str]) -> tuple[str, str, int]:
    source, dataset, goal = line
    return source, dataset, list(GOALS).index(goal)


def _change(line: Sequence[Row]) -> Text:
    """Tell how the newest score before processing differs from that of the night before it."""
    if len(line) < 2:
        return Text("—")
    difference = line[-1]["score_before"] - line[-2]["score_before"]
    if abs(difference) < STEP:
        return Text("→ 0.00")
    return Text(
        f"{'↑' if difference > 0 else '↓'} {difference:+.2f}", style="green" if difference > 0 else "red"
    )


def _percent(score: float | None) -> str:
    return "—" if score is None else f"{score:.2f}"
