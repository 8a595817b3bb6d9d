"""How a printed sheet looks: title, headings, cells, paper."""

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from openpyxl import Workbook
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.styles import Alignment, Border, Font, NamedStyle, PatternFill, Side
from openpyxl.styles.cell_style import StyleArray
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.header_footer import HeaderFooterItem
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from connectors.spreadsheet import is_dangerous, plain_text

BAND_ROW, HEADING_ROW, FIRST_ROW, FIRST_COLUMN = 4, 5, 6, 3
# `_0` leaves the room of a digit on the right; LibreOffice forgets the indent of some cells.
COUNT = '#,##0_0;-#,##0_0;"–"_0'
SHARE = "0.00%_0"
SONG, HEI = "宋体", "黑体"
# Width in characters of a table that fills the page.
PAGE_WIDTH = 118.0
# Height by width of the part of an A4 page that is printed on, in landscape.
PAGE_SHAPE = 0.63
# Characters beyond are as wide as two: Chinese ones, full-width punctuation.
LAST_NARROW = 0x2E7F
LEAST_ROW, MOST_ROW = 17.0, 34.0
DARK, MIDDLE, LIGHT, LINE, GREY = "1F3864", "D9E2F3", "F3F6FB", "A6A6A6", "595959"
THIN = Side(style="thin", color=LINE)
GRID = Border(left=THIN, right=THIN, top=THIN, bottom=THIN)
CENTRE = Alignment(horizontal="center", vertical="center", wrap_text=True)
LEFT = Alignment(horizontal="left", vertical="center")
NAMED = Alignment(horizontal="left", vertical="center", indent=1)
INDENTED = Alignment(horizontal="left", vertical="center", indent=3)
RIGHT = Alignment(horizontal="right", vertical="center")
PARAGRAPH = Alignment(horizontal="left", vertical="center", wrap_text=True, indent=1)
REMARK = Alignment(horizontal="left", vertical="center", wrap_text=True)


def _font(name: str, size: int, *, is_bold: bool = False, color: str | None = None) -> Font:
    """Make a font; a machine that lacks it takes another one for simplified Chinese (charset 134)."""
    return Font(name=name, charset=134, family=3, size=size, bold=is_bold, color=color)


ROW_FONTS = {
    "total": _font(HEI, 11, is_bold=True, color=DARK),
    "district": _font(HEI, 10, is_bold=True),
    "plain": _font(SONG, 10),
    "town": _font(SONG, 10),
}
ROW_FILLS = {
    "total": PatternFill("solid", start_color=MIDDLE),
    "district": PatternFill("solid", start_color=LIGHT),
}
# Districts fill one page; towns take as few pages as can be read.
ROW_HEIGHTS = {"total": 26, "plain": 24, "district": 17, "town": 16}
HEADING_FILL = PatternFill("solid", start_color=DARK)
HEADING_FONT = _font(HEI, 10, is_bold=True, color="FFFFFF")


class DivisionRow(NamedTuple):
    """One row of a table: a division and its counts, shares in percent.

    `style` is total, district, plain or town.
    """

    code: str
    name: str
    counts: Sequence[int | float | None]
    style: str


@dataclass(frozen=True)
class Caption:
    """What a workbook is about: its last day, the period it covers, and which release it is."""

    business_date: date
    period: str
    known_on: date | None = None
    edition: str = ""
    reason: str = ""

    @property
    def line(self) -> str:
        """Say it in the line above a table."""
        known = f"数据截至 Known on: {written_day(self.known_on)}" if self.known_on else ""
        return "    ".join(filter(None, (self.period, known, self.edition)))

    @property
    def footer(self) -> str:
        """Say it at the foot of a page."""
        return " ".join(filter(None, (f"截至 As of {self.business_date}", self.edition)))


def day_caption(business_date: date) -> Caption:
    """Caption the statistics of a business date."""
    return Caption(business_date, f"业务日 Business date: {written_day(business_date)} ({business_date})")


def written_day(day: date) -> str:
    """Write a day as people print it."""
    return f"{day.year}年{day.month}月{day.day}日"


def write_text(cell: Cell | MergedCell, text: str) -> None:
    """Write a text that stays text, whatever it begins with: no cell of ours is a formula."""
    if isinstance(cell, MergedCell):
        return
    cell.value = plain_text(text)
    cell.data_type = "s"
    if cell.number_format != "@":
        cell.number_format = "@"
    if is_dangerous(text):
        cell.quotePrefix = True


def write_title(sheet: Worksheet, title: str, subtitle: str, unit: str, caption: Caption, width: int) -> None:
    """Write the three lines above a table: title, subtitle, period with the day of making, and unit."""
    unit = _written_unit(unit)
    middle = _middle(sheet, width, unit) if unit else width
    title_font = _font(HEI, 18, is_bold=True, color=DARK)
    subtitle_font, small = (_font(SONG, 10, color=color) for color in (GREY, None))
    _write_line(sheet, 1, (1, width), title, title_font, CENTRE)
    _write_line(sheet, 2, (1, width), subtitle, subtitle_font, CENTRE)
    _write_line(sheet, 3, (1, middle), caption.line, small, LEFT)
    if unit:
        _write_line(sheet, 3, (middle + 1, width), unit, small, RIGHT)
    for row, height in ((1, 32), (2, 18), (3, 20)):
        sheet.row_dimensions[row].height = height


def line_width(caption: Caption, unit: str) -> float:
    """Tell how wide a table must be so that the line above it is not cut."""
    return max(PAGE_WIDTH, 1.1 * (shown_width(caption.line) + shown_width(_written_unit(unit))) + 12)


def _written_unit(unit: str) -> str:
    return f"单位 Unit: {unit}" if unit else ""


def _middle(sheet: Worksheet, width: int, unit: str) -> int:
    """Tell the column up to which the left line goes: the unit has as many as it needs on the right."""
    middle, room = width - 1, _column_width(sheet, width)
    while room < 1.1 * shown_width(unit) and middle > 2:
        room += _column_width(sheet, middle)
        middle -= 1
    return middle


def _column_width(sheet: Worksheet, column: int) -> float:
    return float(sheet.column_dimensions[get_column_letter(column)].width)


def shown_width(text: str) -> int:
    """Tell how many Latin characters a text is as wide as; a Chinese one is as wide as two."""
    return sum(2 if ord(character) > LAST_NARROW else 1 for character in text)


def fill_page(sheet: Worksheet, first_row: int, last_row: int) -> None:
    """Make rows as high as the page has room for: a wide table is printed smaller, half the page empty."""
    points = sum(0.75 * (7 * _column_width(sheet, at) + 5) for at in range(1, sheet.max_column + 1))
    others = [row for row in range(1, sheet.max_row + 1) if not first_row <= row <= last_row]
    taken = sum(sheet.row_dimensions[row].height or 15 for row in others)
    height = (PAGE_SHAPE * points - taken) / (last_row - first_row + 1)
    for row in range(first_row, last_row + 1):
        sheet.row_dimensions[row].height = round(min(MOST_ROW, max(LEAST_ROW, height)), 1)


def _write_line(
    sheet: Worksheet, row: int, columns: tuple[int, int], text: str, font: Font, alignment: Alignment
) -> None:
    first, last = columns
    sheet.merge_cells(start_row=row, start_column=first, end_row=row, end_column=last)
    cell = sheet.cell(row, first)
    write_text(cell, text)
    cell.font, cell.alignment = font, alignment


def write_heading(sheet: Worksheet, row: int, column: int, text: str) -> None:
    """Write one cell of the heading."""
    cell = sheet.cell(row, column)
    write_text(cell, text)
    cell.font, cell.fill, cell.alignment, cell.border = HEADING_FONT, HEADING_FILL, CENTRE, GRID


def write_note(sheet: Worksheet, row: int, column: int, text: str) -> None:
    """Write one paragraph of the notes; the first column names what it is about."""
    cell = sheet.cell(row, column)
    write_text(cell, text)
    cell.font = ROW_FONTS["district" if column == 1 else "plain"]
    cell.alignment, cell.border = PARAGRAPH, GRID


def add_row_styles(workbook: Workbook) -> None:
    """Name the styles of rows; one by one, styling the cells took most of the time."""
    for row, font in ROW_FONTS.items():
        name = INDENTED if row == "town" else NAMED
        kinds = {"code": (CENTRE, "@"), "name": (name, "@"), "count": (RIGHT, COUNT), "share": (RIGHT, SHARE)}
        for kind, (alignment, number_format) in kinds.items():
            style = NamedStyle(f"{row} {kind}", font, border=GRID, alignment=alignment)
            style.number_format = number_format
            if row in ROW_FILLS:
                style.fill = ROW_FILLS[row]
            workbook.add_named_style(style)


def write_divisions(sheet: Worksheet, rows: Iterable[DivisionRow]) -> int:
    """Write the rows of a table one beneath the other and tell the last one's number."""
    # Looking a style up by its name goes through all of them: once a sheet, not once a cell.
    styles = {style.name: style.as_tuple() for style in sheet.parent._named_styles}  # type: ignore[union-attr]
    at = FIRST_ROW - 1
    for at, row in enumerate(rows, start=FIRST_ROW):
        for column, (kind, text) in enumerate((("code", row.code), ("name", row.name)), start=1):
            cell = sheet.cell(at, column)
            _take_style(cell, styles[f"{row.style} {kind}"])
            write_text(cell, text)
        for column, count in enumerate(row.counts, start=FIRST_COLUMN):
            cell = sheet.cell(at, column, count)
            kind = "count" if isinstance(count, int) else "share"
            _take_style(cell, styles[f"{row.style} {kind}"])
        sheet.row_dimensions[at].height = ROW_HEIGHTS[row.style]
    return at


def _take_style(cell: Cell | MergedCell, style: StyleArray) -> None:
    """Give a cell a style of its own, as `cell.style` does."""
    cell._style = copy(style)  # type: ignore[union-attr]


def write_remark(sheet: Worksheet, row: int, width: int, text: str) -> None:
    """Write one line under a table, over its whole width."""
    _write_line(sheet, row, (1, width), text, ROW_FONTS["plain"], REMARK)
    room = sum(_column_width(sheet, at) for at in range(1, width + 1))
    sheet.row_dimensions[row].height = 14 * (1 + int(shown_width(text) / room)) + 12


def set_paper(sheet: Worksheet, caption: Caption, pages_high: int = 0) -> None:
    """Set A4 landscape, one page wide, with page numbers; as many pages high as needed, or so many."""
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", 9
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, pages_high
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_options.horizontalCentered = True
    margins = sheet.page_margins
    margins.left = margins.right = 0.5
    margins.top, margins.bottom, margins.header, margins.footer = 0.6, 0.7, 0.3, 0.35
    footer = HeaderFooterItem()
    footer.left.text = caption.footer
    footer.center.text = "第 &P 页，共 &N 页"
    footer.right.text = "内部资料 Internal"
    sheet.HeaderFooter.oddFooter = footer
    sheet.sheet_view.showGridLines = False
