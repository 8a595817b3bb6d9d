"""The workbook that a commission prints: one sheet a topic, districts first, then towns."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from etl.statistics.case_labels import CASE_AGES, CASE_STATES, CASES, EXITS, YEAR
from etl.statistics.corrections import Change
from etl.statistics.corrections_sheet import write_corrections
from etl.statistics.count import Counted
from etl.statistics.labels import (
    BIRTH_QUALITY,
    BIRTHS,
    OVERDUE,
    PERSONS,
    SITUATIONS,
    SUBSIDIES,
    SUMMARY,
    WORKLIST,
    Topic,
)
from etl.statistics.life_labels import LIVES, PENDING, PENDING_AGES
from etl.statistics.month_labels import by_month, month_topics
from etl.statistics.notes import write_notes
from etl.statistics.printed import PrintedBook, Sheet
from etl.statistics.quality_labels import QUALITY
from etl.statistics.sheet import (
    FIRST_COLUMN,
    FIRST_ROW,
    HEADING_ROW,
    Caption,
    day_caption,
    write_remark,
)
from etl.statistics.table import Book, Counts, Division, is_printed, write_table
from schemas.division import CITY, DISTRICT, TOWN

SIGNATURES = ("制表 Prepared by", "审核 Reviewed by", "批准 Approved by")
# Tables by district; those with towns have an annex.
TOPICS = (
    PERSONS, BIRTHS, BIRTH_QUALITY, SITUATIONS, SUBSIDIES, CASES, CASE_STATES, CASE_AGES, *LIVES, PENDING,
    PENDING_AGES, YEAR, *EXITS, WORKLIST, OVERDUE, QUALITY,
)  # fmt: skip
# Rows that one page holds, besides those of districts.
MOST_ON_A_PAGE = 25
STYLES = {CITY: "total", DISTRICT: "district", TOWN: "town"}


def workbook_bytes(counted: Counted, caption: Caption | None = None, changes: Sequence[Change] = ()) -> bytes:
    """Lay out the cubes as an Excel workbook; equal input gives equal bytes.

    Each table of districts fills one page; tables of towns follow as annexes. Villages are left out: their
    counts are small. Division codes and names stay text. Divisions without any count are printed too.
    `caption` is that of a release; `changes` tell what a correction changed.
    """
    caption = caption or day_caption(counted.business_date)
    workbook = PrintedBook(f"全员人口业务统计 {caption.business_date}")
    book = Book(caption, _counts(counted), _divisions(counted), counted.inputs)
    _write_districts(workbook, SUMMARY, book)
    if changes:
        write_corrections(workbook.sheet("更正 Corrections"), caption, changes)
    (city,) = (row for row in book.rows if row.level == CITY)
    topics = [topic for topic in TOPICS if is_printed(topic, book.counts, city)]
    for topic in (*topics, *month_topics(counted.month_names, counted.first_night)):
        _write_districts(workbook, topic, book)
    versions = (*counted.inputs, *(f"policy {version}" for version in counted.policy_versions))
    write_notes(workbook.sheet("说明 Notes"), caption, versions)
    for topic in topics:
        if topic.has_towns:
            _write_towns(workbook, topic, book)
    return workbook.content(caption.business_date)


def _write_districts(workbook: PrintedBook, topic: Topic, book: Book) -> None:
    """Write city and districts on one page."""
    styled = [(row, "total" if row.level == CITY else "plain") for row in book.rows if row.level != TOWN]
    write_page(workbook, topic, book, styled, is_one_page=True)


def write_page(
    workbook: PrintedBook,
    topic: Topic,
    book: Book,
    styled: Sequence[tuple[Division, str]],
    *,
    is_one_page: bool = False,
) -> None:
    """Write a sheet with a table and the lines to sign on; on one page, or on as many as it needs."""
    sheet = workbook.sheet(topic.sheet)
    last_row = write_table(sheet, topic, book, styled)
    last_row = _write_remarks(sheet, last_row, book.inputs)
    is_one_page = is_one_page or len(styled) <= MOST_ON_A_PAGE
    if is_one_page:
        sheet.fill_page(FIRST_ROW, last_row - 2)
    _set_page(sheet, book.caption, pages_high=int(is_one_page))


def _write_towns(workbook: PrintedBook, topic: Topic, book: Book) -> None:
    """Write the annex: the towns of each district under it, as many pages as they need."""
    sheet = workbook.sheet(topic.sheet_of_towns)
    annex = replace(topic, title=f"附表：{topic.title}（街道、乡镇）", subtitle=f"{topic.subtitle}; towns")
    styled = [(row, STYLES[row.level]) for row in sorted(book.rows, key=_place)]
    write_table(sheet, annex, book, styled)
    _set_page(sheet, book.caption)


def _counts(counted: Counted) -> Counts:
    counts: dict[tuple[str, str], dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for row in _down_to(counted.cube, TOWN).to_pylist():
        counts[row["level_code"], row["division_code"]][row["measure"]][row["category"]] = row["value"]
    for row in _down_to(counted.months, DISTRICT).to_pylist():
        months = counts[row["level_code"], row["division_code"]][by_month(row["measure"])]
        months[f"{row['month']}/{row['category']}"] = row["value"]
    return counts


def _divisions(counted: Counted) -> list[Division]:
    """List all divisions above villages, and what stands at a level for want of a lower one."""
    listed, *others = (_named(table) for table in (counted.divisions, counted.cube, counted.months))
    return [Division(*row, is_listed=row in listed) for row in sorted(listed.union(*others))]


def _named(table: pa.Table) -> set[tuple[str, str, str]]:
    named = _down_to(table, TOWN).group_by(["level_code", "division_code", "division_name"]).aggregate([])
    return set(zip(*(column.to_pylist() for column in named.columns), strict=True))


def _down_to(table: pa.Table, level: str) -> pa.Table:
    return table.filter(pc.field("level_code") <= level)


def _write_remarks(sheet: Sheet, last_row: int, versions: Sequence[str]) -> int:
    remarks = (
        f"数据来源 Made from: {', '.join(versions)}. 口径见“说明” Definitions: see Notes.",
        "        ".join(f"{role}: {'_' * 20}" for role in SIGNATURES),
    )
    for row, text in enumerate(remarks, start=last_row + 1):
        write_remark(sheet, row, sheet.last_column, text)
    return last_row + len(remarks)


def _set_page(sheet: Sheet, caption: Caption, pages_high: int = 0) -> None:
    sheet.keep_in_sight(HEADING_ROW, FIRST_COLUMN - 1)
    sheet.print_all()
    sheet.set_paper(caption.footer, pages_high)


def _place(row: Division) -> tuple[bool, str, str, str]:
    """Order the city first, then each district with its towns; what no town knows after the district."""
    return row.level != CITY, row.code[:6], row.level, row.code
