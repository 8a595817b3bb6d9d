"""The sheet of a corrected release: every cell that changed, the upper levels first."""

from collections.abc import Sequence

from openpyxl.worksheet.worksheet import Worksheet

from etl.statistics.cell_names import category_name, measure_name
from etl.statistics.corrections import NAMES, Change
from etl.statistics.sheet import BAND_ROW, RIGHT, Caption, set_paper, write_heading, write_note, write_title

HEADINGS = (
    "指标 Measure", "月 Month", "级别 Level", "区划 Division", "名称 Name", "类别 Category",
    "原值 Before", "现值 After", "原因 Why",
)  # fmt: skip
WIDTHS = (34, 10, 8, 16, 24, 30, 11, 11, 46)
# The rest is in changes.csv of the release.
MOST_PRINTED = 500


def write_corrections(sheet: Worksheet, caption: Caption, changes: Sequence[Change]) -> None:
    """Print what changed; values are texts here, nobody adds them up."""
    subtitle = f"更正单元格 Cells that differ from the release before: {len(changes):,}"
    if len(changes) > MOST_PRINTED:
        subtitle += f"; the first {MOST_PRINTED} are printed, all are in the CSV file"
    if caption.reason:
        subtitle += f"    更正原因 Reason: {caption.reason}"
    for letter, width in zip("ABCDEFGHI", WIDTHS, strict=True):
        sheet.column_dimensions[letter].width = width
    write_title(sheet, "更正内容", subtitle, "", caption, len(HEADINGS))
    for at, heading in enumerate(HEADINGS, start=1):
        write_heading(sheet, BAND_ROW, at, heading.replace(" ", "\n", 1))
    sheet.row_dimensions[BAND_ROW].height = 32
    level = NAMES.index("level_code")
    printed = sorted(changes, key=lambda change: (change.cell[level], change))[:MOST_PRINTED]
    for row, change in enumerate(printed, start=BAND_ROW + 1):
        measure, month, *place, category = change.cell
        names = (measure_name(measure), month, *place, category_name(measure, category))
        texts = (*names, f"{change.before:,}", f"{change.after:,}", change.why)
        for at, text in enumerate(texts, start=1):
            write_note(sheet, row, at, text)
        for at in (7, 8):
            sheet.cell(row, at).alignment = RIGHT
        sheet.row_dimensions[row].height = 17 * (1 + len(change.why) // 48)
    sheet.freeze_panes = sheet.cell(BAND_ROW + 1, 1).coordinate
    sheet.print_title_rows = f"1:{BAND_ROW}"
    set_paper(sheet, caption)
