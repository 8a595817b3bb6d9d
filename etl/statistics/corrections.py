"""What a corrected release changed: cells of the cubes that differ from the release before."""

from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa
from openpyxl.worksheet.worksheet import Worksheet

from etl.statistics.sheet import BAND_ROW, Caption, set_paper, write_heading, write_note, write_title

NAMES = ("measure", "month", "level_code", "division_code", "division_name", "category")
HEADINGS = (
    "指标 Measure", "月 Month", "级别 Level", "区划 Division", "名称 Name", "类别 Category",
    "原值 Before", "现值 After",
)  # fmt: skip
WIDTHS = (26, 10, 8, 16, 24, 26, 12, 12)
# The rest is in changes.csv of the release.
MOST_PRINTED = 500


class Change(NamedTuple):
    """One cell that differs, by NAMES; 0 where there is none."""

    cell: tuple[str, ...]
    before: int
    after: int


def find_changes(before: pa.Table, after: pa.Table) -> list[Change]:
    """Compare two cubes, cell by cell, by measure, month, level, division and category."""
    then, now = _cells(before), _cells(after)
    keys = sorted(key for key in then.keys() | now.keys() if then.get(key) != now.get(key))
    return [Change(key, then.get(key, 0), now.get(key, 0)) for key in keys]


def _cells(cube: pa.Table) -> dict[tuple[str, ...], int]:
    return {tuple(row.get(name) or "" for name in NAMES): row["value"] for row in cube.to_pylist()}


def changes_table(changes: Sequence[Change]) -> pa.Table:
    """Give all changes as a table, to be kept with a release."""
    columns = [[change.cell[at] for change in changes] for at in range(len(NAMES))]
    counts = [[change.before for change in changes], [change.after for change in changes]]
    types = [pa.string()] * len(NAMES) + [pa.int64()] * 2
    names = (*NAMES, "before", "after")
    arrays = [pa.array(values, kind) for values, kind in zip((*columns, *counts), types, strict=True)]
    return pa.table(dict(zip(names, arrays, strict=True)))


def write_corrections(sheet: Worksheet, caption: Caption, changes: Sequence[Change]) -> None:
    """Print what changed, the upper levels first; values are texts here, nobody adds them up."""
    title = "更正内容"
    subtitle = f"Cells that differ from the release before: {len(changes)}, at most {MOST_PRINTED} printed"
    write_title(sheet, title, subtitle, "", caption, len(HEADINGS))
    for at, heading in enumerate(HEADINGS, start=1):
        write_heading(sheet, BAND_ROW, at, heading)
        sheet.column_dimensions[chr(64 + at)].width = WIDTHS[at - 1]
    level = NAMES.index("level_code")
    printed = sorted(changes, key=lambda change: (change.cell[level], change))[:MOST_PRINTED]
    for row, change in enumerate(printed, start=BAND_ROW + 1):
        for at, text in enumerate((*change.cell, f"{change.before:,}", f"{change.after:,}"), start=1):
            write_note(sheet, row, at, text)
    sheet.freeze_panes = sheet.cell(BAND_ROW + 1, 1).coordinate
    sheet.print_title_rows = f"{BAND_ROW}:{BAND_ROW}"
    set_paper(sheet, caption)
