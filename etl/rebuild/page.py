"""Show blast radii and past rebuilds to a person at a terminal, 中文 and English."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from sqlalchemy import RowMapping

from etl.rebuild.radius import is_empty
from schemas.business_date import BEIJING
from schemas.refusal import Refusal

Row = Mapping[str, Any]
PROGRAMMES = ("T", "J")
UNITS = {"month": "月 month", "year": "年 year"}
PURPOSES = {"preview": "预览 preview", "rebuild": "重算 rebuild", "drill": "演练 drill"}
STATES = {"running": "进行中 running", "done": "完成 done", "failed": "失败 failed"}
VERDICTS = {
    "as_previewed": ("与预览一致 as previewed", "green"),
    "differs": ("不一致 differs", "bold red"),
    "empty": ("无影响 empty", "green"),
}
LEGEND = "＋ 增加 added or gained  － 减少 removed or lost  ～ 变化 changed  ？ 待定变化 undecided otherwise"


def radius_row(business_date: object, radius: Row | None, **further: object) -> dict[str, Any]:
    """Gather what is shown of one date."""
    return {"business_date": str(business_date), "radius": radius, **further}


def refused_row(business_date: object, refusal: Refusal) -> dict[str, Any]:
    """Gather what is shown of a date that could not be rebuilt."""
    return radius_row(business_date, None, refused=refusal.code, message=str(refusal))


def render_radii(rows: Sequence[Row], title: str) -> RenderableType:
    """Lay out the blast radius of each date, then what each consists of."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left", title_style="bold")
    table.add_column("业务日\nDate", no_wrap=True)
    for heading in ("行\nRows", "人\nPersons", "T 特扶\nSpecial", "J 奖扶\nReward", "金额(元)\nYuan"):
        table.add_column(heading, justify="right", no_wrap=heading.startswith("业务"))
    for heading in ("待办\nTasks", "上报\nRecords"):
        table.add_column(heading, justify="right")
    table.add_column("结论\nVerdict")
    for row in rows:
        table.add_row(*_cells(row))
    return Group(table, Text(LEGEND, style="dim"), *_details(rows))


def _cells(row: Row) -> list[str | Text]:
    radius = row["radius"]
    if radius is None:
        refused = Text(f"拒绝 refused: {row['refused']}", style="bold red")
        return [row["business_date"], *[""] * 7, refused]
    decisions = radius["decisions"]
    return [
        row["business_date"],
        _signed(_sum(radius["datasets"].values())),
        _number(radius["persons"]),
        *(_signed(decisions.get(code, {}), "gained", "lost", "changed", "undecided") for code in PROGRAMMES),
        "\n".join(_money(decisions)) or "·",
        _signed(_sum(radius["tasks"].values())),
        _signed(_sum(radius["records"].values())),
        _verdict(row),
    ]


def _verdict(row: Row) -> Text:
    verdict = row.get("verdict")
    if verdict is None:
        return Text("无影响 no effect", style="dim") if is_empty(row["radius"]) else Text("有影响 has effect")
    words, style = VERDICTS[verdict]
    differences = ", ".join(row.get("differences") or ())
    return Text(f"{words} in {differences}" if differences else words, style=style)


def _sum(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total = {"added": 0, "removed": 0, "changed": 0}
    for count in counts:
        total = {name: total[name] + count[name] for name in total}
    return total


def _signed(counts: Row, *names: str) -> str:
    signs = zip(names or ("added", "removed", "changed"), "＋－～？", strict=False)
    return " ".join(f"{sign}{counts[name]:,}" for name, sign in signs if counts.get(name)) or "·"


def _number(count: int) -> str:
    return f"{count:,}" if count else "·"


def _money(decisions: Mapping[str, Row]) -> list[str]:
    return [
        f"{code} {sign}{_yuan(found[name])}/{UNITS.get(found['unit'], '')}"
        for code, found in decisions.items()
        for name, sign in (("gained_fen", "＋"), ("lost_fen", "－"))
        if found[name]
    ]


def _yuan(fen: int) -> str:
    return f"{fen // 100:,}.{fen % 100:02d}"


def _details(rows: Sequence[Row]) -> list[Text]:
    """Tell of each date by dataset, process and step what differs; dates without a difference are silent."""
    lines = []
    for row in rows:
        radius = row["radius"]
        if radius is None:
            lines.append(Text(f"{row['business_date']}  {row['message']}", style="red"))
            continue
        parts = [f"{name} {_signed(counts)}" for name, counts in radius["datasets"].items()]
        parts += [f"待办 tasks of {name} {_signed(counts)}" for name, counts in radius["tasks"].items()]
        parts += [f"个案 cases {_signed(radius['cases'])}"] if any(radius["cases"].values()) else []
        parts += [
            f"统计 statistics {name} {_signed(counts)}"
            for name, counts in radius["statistics"].items()
            if any(counts.values())
        ]
        parts += [f"步骤 step {name}: {end}" for name, end in radius["steps"].items()]
        if "basis" in (row.get("differences") or ()):
            parts.append("预览之后依据已变 policy, code or bytes changed since the preview: preview again")
        parts += [f"迟到投递 landed since {radius['late']}"] if radius["late"] else []
        if parts:
            lines.append(Text(f"{row['business_date']}  {'; '.join(parts)}"))
    return lines


def render_rebuilds(rows: Sequence[RowMapping]) -> RenderableType:
    """Lay out past rebuilds, newest first."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, title="影子重算 · rebuilds in shadow")
    for heading in ("编号 Id", "业务日 Date", "目的 Purpose", "结果 Result", "开始 Started"):
        table.add_column(heading.replace(" ", "\n", 1), no_wrap=heading != "结果 Result")
    for row in rows:
        table.add_row(
            row["rebuild_id"],
            str(row["business_date"]),
            PURPOSES[row["purpose"]],
            _result(row),
            f"{row['started_at'].astimezone(BEIJING):%m-%d %H:%M}",
        )
    return table


def _result(row: RowMapping) -> Text:
    words, style = VERDICTS.get(row["verdict"]) or (STATES[row["state"]], "")
    return Text(f"{words} 保留 kept" if row["is_kept"] else words, style=style)
