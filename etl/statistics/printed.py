"""A workbook to print: how its cells look, and sheets that know how much of the paper they take."""

import io
from collections.abc import Mapping
from datetime import date
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from connectors.spreadsheet import is_dangerous, plain_text
from etl.statistics.archive import fix_times
from schemas.refusal import Refusal

# `_0` leaves the room of a digit on the right; LibreOffice forgets the indent of some cells.
COUNT = '#,##0_0;-#,##0_0;"–"_0'
SHARE = "0.00%_0"
SONG, HEI = "宋体", "黑体"
# Height by width of the part of an A4 page that is printed on, in landscape.
PAGE_SHAPE = 0.63
LEAST_ROW, MOST_ROW, USUAL_ROW = 17.0, 34.0, 15.0
A4 = 9
# Beyond, programs that open sheets see nothing.
MOST_ROWS = 1_048_576
DARK, MIDDLE, LIGHT, LINE, GREY = "#1F3864", "#D9E2F3", "#F3F6FB", "#A6A6A6", "#595959"
Look = Mapping[str, Any]
GRID: Look = {"border": 1, "border_color": LINE}
CENTRE: Look = {"align": "center", "valign": "vcenter", "text_wrap": True}
LEFT: Look = {"align": "left", "valign": "vcenter"}
NAMED: Look = {**LEFT, "indent": 1}
INDENTED: Look = {**LEFT, "indent": 3}
RIGHT: Look = {"align": "right", "valign": "vcenter"}
PARAGRAPH: Look = {**NAMED, "text_wrap": True}
REMARK: Look = {**LEFT, "text_wrap": True}
TEXT: Look = {"num_format": "@"}


def _font(name: str, size: int, *, is_bold: bool = False, color: str | None = None) -> Look:
    """Make a font; a machine that lacks it takes another one for simplified Chinese (charset 134)."""
    font = {"font_name": name, "font_charset": 134, "font_family": 3, "font_size": size, "bold": is_bold}
    return {**font, "font_color": color} if color else font


ROW_LOOKS: Mapping[str, Look] = {
    "total": {**_font(HEI, 11, is_bold=True, color=DARK), "bg_color": MIDDLE},
    "district": {**_font(HEI, 10, is_bold=True), "bg_color": LIGHT},
    "plain": _font(SONG, 10),
    "town": _font(SONG, 10),
}
ITEM, WORDS = _font(HEI, 10, is_bold=True), _font(SONG, 10)
LOOKS: Mapping[str, Look] = {
    "title": {**_font(HEI, 18, is_bold=True, color=DARK), **CENTRE, **TEXT},
    "subtitle": {**_font(SONG, 10, color=GREY), **CENTRE, **TEXT},
    "caption": {**WORDS, **LEFT, **TEXT},
    "unit": {**WORDS, **RIGHT, **TEXT},
    "heading": {**_font(HEI, 10, is_bold=True, color="#FFFFFF"), "bg_color": DARK, **CENTRE, **GRID, **TEXT},
    "item": {**ITEM, **PARAGRAPH, **GRID, **TEXT},
    "note": {**WORDS, **PARAGRAPH, **GRID, **TEXT},
    "number as text": {**WORDS, **RIGHT, **GRID, **TEXT},
    "remark": {**WORDS, **REMARK, **TEXT},
} | {
    f"{row} {kind}": {**look, **stands, **GRID}
    for row, look in ROW_LOOKS.items()
    for kind, stands in {
        "code": {**CENTRE, **TEXT},
        "name": {**(INDENTED if row == "town" else NAMED), **TEXT},
        "count": {**RIGHT, "num_format": COUNT},
        "share": {**RIGHT, "num_format": SHARE},
    }.items()
}


class PrintedBook:
    """A workbook to print, and the looks that its cells share."""

    def __init__(self, title: str) -> None:
        self._content = io.BytesIO()
        self._workbook = Workbook(self._content, {"in_memory": True})
        self._workbook.set_properties({"title": title, "author": "padis-pipeline"})
        self._formats: dict[tuple[str, bool], Format] = {}

    def sheet(self, name: str) -> "Sheet":
        """Add a sheet after the others."""
        return Sheet(self, self._workbook.add_worksheet(name))

    def format_of(self, look: str, *, is_quoted: bool = False) -> Format:
        """Give the format of a look; a quoted cell stays text also where somebody edits it."""
        found = self._formats.get((look, is_quoted))
        if found is None:
            found = self._workbook.add_format({**LOOKS[look], "quote_prefix": is_quoted})
            self._formats[look, is_quoted] = found
        return found

    def content(self, business_date: date) -> bytes:
        """Give the workbook's bytes, with a date as its time; nothing can be written afterwards."""
        self._workbook.close()
        return fix_times(self._content.getvalue(), business_date)


class Sheet:
    """A sheet to print, its rows and columns counted from 1, and how much of it is taken."""

    def __init__(self, book: PrintedBook, sheet: Worksheet) -> None:
        self._book, self._sheet = book, sheet
        self._widths: dict[int, float] = {}
        self._heights: dict[int, float] = {}
        self.last_row = self.last_column = 0

    def write_text(self, row: int, column: int, text: str, look: str) -> None:
        """Write a text that stays text, whatever it begins with: no cell of ours is a formula."""
        shown, plain = self._book.format_of(look, is_quoted=is_dangerous(text)), plain_text(text)
        if plain:
            self._sheet.write_string(row - 1, column - 1, plain, shown)
        else:
            self._sheet.write_blank(row - 1, column - 1, None, shown)
        self._takes(row, column)

    def write_number(self, row: int, column: int, number: float | None, look: str) -> None:
        """Write a number; nothing where none is known."""
        if number is None:
            self._sheet.write_blank(row - 1, column - 1, None, self._book.format_of(look))
        else:
            self._sheet.write_number(row - 1, column - 1, number, self._book.format_of(look))
        self._takes(row, column)

    def write_across(self, rows: tuple[int, int], columns: tuple[int, int], text: str, look: str) -> None:
        """Write a text into one cell made of several."""
        (first_row, last_row), (first, last) = rows, columns
        if (first_row, first) != (last_row, last):
            shown = self._book.format_of(look)
            self._sheet.merge_range(first_row - 1, first - 1, last_row - 1, last - 1, "", shown)
        self.write_text(first_row, first, text, look)
        self._takes(last_row, last)

    def set_width(self, column: int, width: float) -> None:
        """Make a column as wide as so many characters."""
        self._sheet.set_column(column - 1, column - 1, width)
        self._widths[column] = width

    def width(self, first: int, last: int | None = None) -> float:
        """Tell how wide a column is, or columns together."""
        return sum(self._widths[column] for column in range(first, (last or first) + 1))

    def set_height(self, row: int, height: float) -> None:
        """Make a row so many points high."""
        self._sheet.set_row(row - 1, height)
        self._heights[row] = height

    def fill_page(self, first_row: int, last_row: int) -> None:
        """Make rows as high as there is room: a wide table is printed smaller, half the page empty."""
        points = sum(0.75 * (7 * self.width(at) + 5) for at in range(1, self.last_column + 1))
        others = [row for row in range(1, self.last_row + 1) if not first_row <= row <= last_row]
        taken = sum(self._heights.get(row, USUAL_ROW) for row in others)
        height = (PAGE_SHAPE * points - taken) / (last_row - first_row + 1)
        for row in range(first_row, last_row + 1):
            self.set_height(row, round(min(MOST_ROW, max(LEAST_ROW, height)), 1))

    def keep_in_sight(self, heading_row: int, columns: int = 0) -> None:
        """Let the rows down to a heading and some columns stay where one scrolls, and stand on each page."""
        self._sheet.freeze_panes(heading_row, columns)
        self._sheet.repeat_rows(0, heading_row - 1)

    def print_all(self) -> None:
        """Print what has been written, and nothing beside it."""
        self._sheet.print_area(0, 0, self.last_row - 1, self.last_column - 1)

    def set_paper(self, footer: str, pages_high: int = 0) -> None:
        """Set A4 landscape, one page wide, with page numbers; as many pages high as needed, or so many."""
        self._sheet.set_landscape()
        self._sheet.set_paper(A4)
        self._sheet.fit_to_pages(1, pages_high)
        self._sheet.center_horizontally()
        self._sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.7)
        self._sheet.set_header("", {"margin": 0.3})
        told = f"&L{footer.replace('&', '&&')}&C第 &P 页，共 &N 页&R内部资料 Internal"
        self._sheet.set_footer(told, {"margin": 0.35})
        self._sheet.hide_gridlines(2)

    def _takes(self, row: int, column: int) -> None:
        if row > MOST_ROWS:
            raise Refusal(
                "sheet_full",
                found=f"more than {MOST_ROWS:,} rows for {self._sheet.get_name()}",
                expected="as many as a sheet holds",
                to_do="选较小的区划 · print a smaller division",
            )
        self.last_row, self.last_column = max(self.last_row, row), max(self.last_column, column)
