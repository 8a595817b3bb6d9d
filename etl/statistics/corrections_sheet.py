"""The sheet of a corrected release: every cell that changed, the upper levels first."""

from collections.abc import Sequence

from etl.statistics.cell_names import category_name, measure_name
from etl.statistics.corrections import NAMES, Change
from etl.statistics.printed import Sheet
from etl.statistics.sheet import BAND_ROW, Caption, write_title

HEADINGS = (
    "指标 Measure", "月 Month", "级别 Level", "区划 Division", "名称 Name", "类别 Category",
    "原值 Before", "现值 After", "原因 Why",
)  # fmt: skip
WIDTHS = (34, 10, 8, 16, 24, 30, 11, 11, 46)
LOOKS = ("item", *["note"] * 5, "number as text", "number as text", "note")
# The rest is in changes.csv of the release.
MOST_PRINTED = 500


def write_corrections(sheet: Sheet, caption: Caption, changes: Sequence[Change]) -> None:
    """Print what changed; values are texts here, nobody adds them up."""
    subtitle = f"更正单元格 Cells that differ from the release before: {len(changes):,}"
    if len(changes) > MOST_PRINTED:
        subtitle += f"; the first {MOST_PRINTED} are printed, all are in the CSV file"
    if caption.reason:
        subtitle += f"    更正原因 Reason: {caption.reason}"
    for at, width in enumerate(WIDTHS, start=1):
        sheet.set_width(at, width)
    write_title(sheet, "更正内容", subtitle, "", caption, len(HEADINGS))
    for at, heading in enumerate(HEADINGS, start=1):
        sheet.write_text(BAND_ROW, at, heading.replace(" ", "\n", 1), "heading")
    sheet.set_height(BAND_ROW, 32)
    level = NAMES.index("level_code")
    printed = sorted(changes, key=lambda change: (change.cell[level], change))[:MOST_PRINTED]
    for row, change in enumerate(printed, start=BAND_ROW + 1):
        measure, month, *place, category = change.cell
        names = (measure_name(measure), month, *place, category_name(measure, category))
        texts = (*names, f"{change.before:,}", f"{change.after:,}", change.why)
        for at, (text, look) in enumerate(zip(texts, LOOKS, strict=True), start=1):
            sheet.write_text(row, at, text, look)
        sheet.set_height(row, 17 * (1 + len(change.why) // 48))
    sheet.keep_in_sight(BAND_ROW)
    sheet.set_paper(caption.footer)
