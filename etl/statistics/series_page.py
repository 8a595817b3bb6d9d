"""A series for people at a terminal: one line a division, one column a month."""

from collections import defaultdict

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from etl.statistics.series import Series, measures_of
from schemas.refusal import Refusal

DIVIDED = "*"


def render_series(series: Series, measure: str, level: str, below: str = "") -> RenderableType:
    """Show a measure, summed over its categories, on one level; divided figures carry a star.

    Raises:
        Refusal: nothing of the measure was published.
    """
    if measure not in measures_of(series.figures):
        raise Refusal(
            "measure_unknown",
            found="a measure that was not published in the period",
            expected=", ".join(measures_of(series.figures)),
            to_do="choose one of these with --measure",
        )
    sums: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    marks: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in series.figures.to_pylist():
        is_total = row["level_code"] == "1"
        is_shown = row["level_code"] == level and row["division_code"].startswith(below)
        if row["measure"] == measure and (is_total or is_shown):
            line = ("", "全市 city") if is_total else (row["division_code"], row["division_name"])
            sums[line][row["month"]] += row["value"]
            marks[line] |= {row["month"]} if row["is_divided"] else set()
    on = "按发布时区划 as published" if series.on is None else f"按 {series.on} 区划 on its divisions"
    months = [month for month, _ in series.sources]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("区划代码\ncode", no_wrap=True)
    table.add_column("区划\ndivision")
    for month in months:
        table.add_column(month.replace("-", "\n"), justify="right", no_wrap=True)
    for (code, name), of_line in sorted(sums.items()):
        stars = dict.fromkeys(marks[code, name], DIVIDED)
        table.add_row(code, name, *(f"{of_line.get(month, 0):,}{stars.get(month, '')}" for month in months))
    title = Text(f"{measure} · {on}", style="bold")
    return Group(title, table, *_remarks(series, any(marks.values())))


def _remarks(series: Series, has_divided: bool) -> list[Text]:
    remarks = [f"来源 Sources: {', '.join(f'{month} ← {source}' for month, source in series.sources)}"]
    if has_divided:
        remarks.append(
            f"{DIVIDED} 此后有部分析出，无法拆分，列在上级区划下。"
            " A part became another division later; it cannot be told apart below the division above."
        )
    if series.missing:
        remarks.append(f"未发布 Not published: {', '.join(series.missing)}")
    return [Text(remark, style="dim") for remark in remarks]
