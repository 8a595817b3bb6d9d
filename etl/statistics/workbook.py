"""The workbook that a commission prints: one sheet a topic, districts first, then towns."""

import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import pyarrow as pa
from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from etl.statistics.archive import fix_times
from etl.statistics.case_labels import CASE_AGES, CASE_STATES, CASES, EXITS, YEAR
from etl.statistics.corrections import Change
from etl.statistics.corrections_sheet import write_corrections
from etl.statistics.count import Counted
from etl.statistics.labels import (
    BIRTHS,
    OVERDUE,
    PERSONS,
    SUBSIDIES,
    SUMMARY,
    WORKLIST,
    Band,
    Column,
    Topic,
)
from etl.statistics.month_labels import by_month, month_topics
from etl.statistics.notes import write_notes
from etl.statistics.quality_labels import QUALITY
from etl.statistics.sheet import (
    BAND_ROW,
    FIRST_COLUMN,
    FIRST_ROW,
    HEADING_ROW,
    Caption,
    day_caption,
    fill_page,
    line_width,
    set_paper,
    shown_width,
    write_division,
    write_heading,
    write_remark,
    write_title,
)
from schemas.division import CITY, DISTRICT, TOWN

# (level, division) -> measure -> category -> count
Counts = Mapping[tuple[str, str], Mapping[str, Mapping[str, int]]]
SIGNATURES = ("制表 Prepared by", "审核 Reviewed by", "批准 Approved by")


# Tables by district; those with towns have an annex.
TOPICS = (
    PERSONS, BIRTHS, SUBSIDIES, CASES, CASE_STATES, CASE_AGES, YEAR, *EXITS, WORKLIST, OVERDUE, QUALITY,
)  # fmt: skip
STYLES = {CITY: "total", DISTRICT: "district", TOWN: "town"}


class Division(NamedTuple):
    """One row of a table."""

    level: str
    code: str
    name: str
    is_listed: bool


class Book(NamedTuple):
    """What every sheet is written from."""

    caption: Caption
    counts: Counts
    rows: Sequence[Division]
    inputs: Sequence[str]


def workbook_bytes(counted: Counted, caption: Caption | None = None, changes: Sequence[Change] = ()) -> bytes:
    """Lay out the cubes as an Excel workbook; equal input gives equal bytes.

    Each table of districts fills one page; tables of towns follow as annexes. Villages are left out: their
    counts are small. Division codes and names stay text. Divisions without any count are printed too.
    `caption` is that of a release; `changes` tell what a correction changed.
    """
    caption = caption or day_caption(counted.business_date)
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    workbook.properties.title = f"全员人口业务统计 {caption.business_date}"
    workbook.properties.creator = "padis-pipeline"
    book = Book(caption, _counts(counted), _divisions(counted.cube, counted.divisions), counted.inputs)
    _write_districts(workbook, SUMMARY, book)
    if changes:
        write_corrections(workbook.create_sheet("更正 Corrections"), caption, changes)
    for topic in (*TOPICS, *month_topics(counted.month_names, counted.first_night)):
        _write_districts(workbook, topic, book)
    versions = (*counted.inputs, *(f"policy {version}" for version in counted.policy_versions))
    write_notes(workbook.create_sheet("说明 Notes"), caption, versions)
    for topic in TOPICS:
        if topic.has_towns:
            _write_towns(workbook, topic, book)
    content = io.BytesIO()
    workbook.save(content)
    return fix_times(content.getvalue(), caption.business_date)


def _write_districts(workbook: Workbook, topic: Topic, book: Book) -> None:
    """Write city and districts on one page, with the lines to sign on."""
    sheet = workbook.create_sheet(topic.sheet)
    styled = [(row, "total" if row.level == CITY else "plain") for row in book.rows if row.level != TOWN]
    last_row = _write_table(sheet, topic, book, styled)
    last_row = _write_remarks(sheet, last_row, book.inputs)
    fill_page(sheet, FIRST_ROW, last_row - 2)
    _set_page(sheet, last_row, book.caption, pages_high=1)


def _write_towns(workbook: Workbook, topic: Topic, book: Book) -> None:
    """Write the annex: the towns of each district under it, as many pages as they need."""
    sheet = workbook.create_sheet(topic.sheet_of_towns)
    annex = replace(topic, title=f"附表：{topic.title}（街道、乡镇）", subtitle=f"{topic.subtitle}; towns")
    styled = [(row, STYLES[row.level]) for row in sorted(book.rows, key=_place)]
    last_row = _write_table(sheet, annex, book, styled)
    _set_page(sheet, last_row, book.caption)


def _counts(counted: Counted) -> Counts:
    counts: dict[tuple[str, str], dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for row in counted.cube.to_pylist():
        if row["level_code"] <= TOWN:
            counts[row["level_code"], row["division_code"]][row["measure"]][row["category"]] = row["value"]
    for row in counted.months.to_pylist():
        if row["level_code"] <= DISTRICT:
            months = counts[row["level_code"], row["division_code"]][by_month(row["measure"])]
            months[f"{row['month']}/{row['category']}"] = row["value"]
    return counts


def _divisions(cube: pa.Table, divisions: pa.Table) -> list[Division]:
    """List all divisions above villages, and what stands at a level for want of a lower one."""
    listed, counted = (_named(table) for table in (divisions, cube))
    return [Division(*row, is_listed=row in listed) for row in sorted(listed | counted) if row[0] <= TOWN]


def _named(table: pa.Table) -> set[tuple[str, str, str]]:
    columns = (table[name].to_pylist() for name in ("level_code", "division_code", "division_name"))
    return set(zip(*columns, strict=True))


def _sums(counts: Counts, division: Division, columns: Iterable[Column]) -> list[int | float | None]:
    cells = counts.get((division.level, division.code), {})
    return [_count(cells, column) for column in columns]


def _count(cells: Mapping[str, Mapping[str, int]], column: Column) -> int | float | None:
    """Count what a column holds; nothing where nothing is known."""
    if column.is_unknown:
        return None
    return _sum(cells, column) if column.share_of is None else _share(cells, column, column.share_of)


def _sum(cells: Mapping[str, Mapping[str, int]], column: Column) -> int:
    return sum(value for category, value in cells.get(column.measure, {}).items() if column.holds(category))


def _share(cells: Mapping[str, Mapping[str, int]], column: Column, whole: Column) -> float | None:
    """Tell which share of the rows has no fault; nothing where there are no rows."""
    rows = _sum(cells, whole)
    return 1 - _sum(cells, column) / rows if rows else None


def _write_table(sheet: Worksheet, topic: Topic, book: Book, styled: Sequence[tuple[Division, str]]) -> int:
    """Write the table of a topic and tell its last row."""
    (city,) = (row for row, style in styled if style == "total")
    bands = _printed_bands(topic, book.counts, city)
    columns = [column for band in bands for column in band.columns]
    sums = {row: _sums(book.counts, row, columns) for row, _ in styled}
    # A row for want of a lower level is printed where it counts something.
    styled = [(row, style) for row, style in styled if row.is_listed or any(sums[row])]
    room = line_width(book.caption, topic.unit)
    _set_widths(sheet, columns, sums[city], room)
    width = FIRST_COLUMN - 1 + len(columns)
    write_title(sheet, topic.title, topic.subtitle, topic.unit, book.caption, width)
    _write_headings(sheet, bands)
    for at, (row, style) in enumerate(styled, start=FIRST_ROW):
        name = f"{row.name}（合计 Total）" if style == "total" else row.name
        write_division(sheet, at, row.code, name, sums[row], style)
    return FIRST_ROW + len(styled) - 1


def _write_remarks(sheet: Worksheet, last_row: int, versions: Sequence[str]) -> int:
    remarks = (
        f"数据来源 Made from: {', '.join(versions)}. 口径见“说明” Definitions: see Notes.",
        "        ".join(f"{role}: {'_' * 20}" for role in SIGNATURES),
    )
    for row, text in enumerate(remarks, start=last_row + 1):
        write_remark(sheet, row, sheet.max_column, text)
    return last_row + len(remarks)


def _set_page(sheet: Worksheet, last_row: int, caption: Caption, pages_high: int = 0) -> None:
    sheet.freeze_panes = sheet.cell(FIRST_ROW, FIRST_COLUMN).coordinate
    sheet.print_title_rows = f"1:{HEADING_ROW}"
    sheet.print_area = f"A1:{get_column_letter(sheet.max_column)}{last_row}"
    set_paper(sheet, caption, pages_high)


def _printed_bands(topic: Topic, counts: Counts, city: Division) -> list[Band]:
    return [
        Band(
            band.heading,
            tuple(c for c in band.columns if not c.is_optional or _sums(counts, city, [c]) != [0]),
        )
        for band in topic.bands
    ]


def _place(row: Division) -> tuple[bool, str, str, str]:
    """Order the city first, then each district with its towns; what no town knows after the district."""
    return row.level != CITY, row.code[:6], row.level, row.code


def _write_headings(sheet: Worksheet, bands: Sequence[Band]) -> None:
    for column, text in ((1, "区划代码\nCode"), (2, "区划\nDivision")):
        for row in (BAND_ROW, HEADING_ROW):
            write_heading(sheet, row, column, text if row == BAND_ROW else "")
        sheet.merge_cells(start_row=BAND_ROW, start_column=column, end_row=HEADING_ROW, end_column=column)
    first = FIRST_COLUMN
    for band in bands:
        for at, shown in enumerate(band.columns, start=first):
            write_heading(sheet, BAND_ROW, at, band.heading if at == first else "")
            write_heading(sheet, HEADING_ROW, at, f"{shown.chinese}\n{shown.english}")
        last = first + len(band.columns) - 1
        sheet.merge_cells(start_row=BAND_ROW, start_column=first, end_row=BAND_ROW, end_column=last)
        first = last + 1
    sheet.row_dimensions[BAND_ROW].height, sheet.row_dimensions[HEADING_ROW].height = 32, 42


def _set_widths(
    sheet: Worksheet, columns: Sequence[Column], largest: Sequence[int | float | None], room: float
) -> None:
    """Make columns as wide as their headings and the city's counts, the table as wide as the line above."""
    widths = [16.0, 25.0]
    for shown, count in zip(columns, largest, strict=True):
        # English may break between words.
        printed = f"{count:,}" if isinstance(count, int) else "100.00%"
        words = (shown.chinese, *shown.english.split(), printed)
        widths.append(max(9.0, *(1.15 * shown_width(word) + 2.5 for word in words)))
    stretch = max(1.0, room / sum(widths))
    for at, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(at)].width = round(width * stretch, 1)
