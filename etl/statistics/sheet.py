"""What stands on a printed sheet: title, captions, headings, rows of divisions, remarks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from etl.statistics.printed import Sheet

BAND_ROW, HEADING_ROW, FIRST_ROW, FIRST_COLUMN = 4, 5, 6, 3
# Width in characters of a table that fills the page.
PAGE_WIDTH = 118.0
# Characters beyond are as wide as two: Chinese ones, full-width punctuation.
LAST_NARROW = 0x2E7F
# Districts fill one page; towns take as few pages as can be read.
ROW_HEIGHTS = {"total": 26, "plain": 24, "district": 17, "town": 16}


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


def write_title(sheet: Sheet, title: str, subtitle: str, unit: str, caption: Caption, width: int) -> None:
    """Write the three lines above a table: title, subtitle, period with the day of making, and unit."""
    unit = _written_unit(unit)
    middle = _middle(sheet, width, unit) if unit else width
    sheet.write_across((1, 1), (1, width), title, "title")
    sheet.write_across((2, 2), (1, width), subtitle, "subtitle")
    sheet.write_across((3, 3), (1, middle), caption.line, "caption")
    if unit:
        sheet.write_across((3, 3), (middle + 1, width), unit, "unit")
    for row, height in ((1, 32), (2, 18), (3, 20)):
        sheet.set_height(row, height)


def line_width(caption: Caption, unit: str) -> float:
    """Tell how wide a table must be so that the line above it is not cut."""
    return max(PAGE_WIDTH, 1.1 * (shown_width(caption.line) + shown_width(_written_unit(unit))) + 12)


def _written_unit(unit: str) -> str:
    return f"单位 Unit: {unit}" if unit else ""


def _middle(sheet: Sheet, width: int, unit: str) -> int:
    """Tell the column up to which the left line goes: the unit has as many as it needs on the right."""
    middle = width - 1
    while sheet.width(middle + 1, width) < 1.1 * shown_width(unit) and middle > 2:
        middle -= 1
    return middle


def shown_width(text: str) -> int:
    """Tell how many Latin characters a text is as wide as; a Chinese one is as wide as two."""
    return sum(2 if ord(character) > LAST_NARROW else 1 for character in text)


def write_divisions(sheet: Sheet, rows: Iterable[DivisionRow]) -> int:
    """Write the rows of a table one beneath the other and tell the last one's number."""
    at = FIRST_ROW - 1
    for at, row in enumerate(rows, start=FIRST_ROW):
        sheet.write_text(at, 1, row.code, f"{row.style} code")
        sheet.write_text(at, 2, row.name, f"{row.style} name")
        for column, count in enumerate(row.counts, start=FIRST_COLUMN):
            kind = "count" if isinstance(count, int) else "share"
            sheet.write_number(at, column, count, f"{row.style} {kind}")
        sheet.set_height(at, ROW_HEIGHTS[row.style])
    return at


def write_remark(sheet: Sheet, row: int, width: int, text: str) -> None:
    """Write one line under a table, over its whole width."""
    sheet.write_across((row, row), (1, width), text, "remark")
    sheet.set_height(row, 14 * (1 + int(shown_width(text) / sheet.width(1, width))) + 12)
