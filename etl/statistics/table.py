"""The table of one topic: its headings, its widths, a row for each division."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import pyarrow as pa

from etl.statistics.labels import Band, Column, Topic
from etl.statistics.printed import Sheet
from etl.statistics.sheet import (
    BAND_ROW,
    FIRST_COLUMN,
    HEADING_ROW,
    Caption,
    DivisionRow,
    line_width,
    shown_width,
    write_divisions,
    write_title,
)

# (level, division) -> measure -> category -> count
Counts = Mapping[tuple[str, str], Mapping[str, Mapping[str, int]]]


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


def write_table(sheet: Sheet, topic: Topic, book: Book, styled: Sequence[tuple[Division, str]]) -> int:
    """Write the table of a topic and tell its last row."""
    (city,) = (row for row, style in styled if style == "total")
    bands = printed_bands(topic, book.counts, city)
    columns = [column for band in bands for column in band.columns]
    counted = {row: sums(book.counts, row, columns) for row, _ in styled}
    # A row for want of a lower level is printed where it counts something.
    styled = [(row, style) for row, style in styled if row.is_listed or any(counted[row])]
    room = line_width(book.caption, topic.unit)
    _set_widths(sheet, columns, counted[city], room)
    width = FIRST_COLUMN - 1 + len(columns)
    write_title(sheet, topic.title, topic.subtitle, topic.unit, book.caption, width)
    _write_headings(sheet, bands)
    rows = (_row(row, counted[row], style) for row, style in styled)
    return write_divisions(sheet, rows)


def _row(division: Division, counts: Sequence[int | float | None], style: str) -> DivisionRow:
    name = f"{division.name}（合计 Total）" if style == "total" else division.name
    return DivisionRow(division.code, name, counts, style)


def counts_of(cube: pa.Table) -> Counts:
    """Give the counts of a cube by level and division."""
    counts: dict[tuple[str, str], dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for row in cube.to_pylist():
        counts[row["level_code"], row["division_code"]][row["measure"]][row["category"]] = row["value"]
    return counts


def is_printed(topic: Topic, counts: Counts, whole: Division) -> bool:
    """Tell whether a topic has a sheet."""
    return not topic.is_optional or any(any(sums(counts, whole, band.columns)) for band in topic.bands)


def printed_bands(topic: Topic, counts: Counts, whole: Division) -> list[Band]:
    """Give the bands of a topic with the columns that are printed."""
    return [
        replace(
            band,
            columns=tuple(c for c in band.columns if not c.is_optional or sums(counts, whole, [c]) != [0]),
        )
        for band in topic.bands
        if not band.is_optional or any(sums(counts, whole, band.columns))
    ]


def _write_headings(sheet: Sheet, bands: Sequence[Band]) -> None:
    for column, text in ((1, "区划代码\nCode"), (2, "区划\nDivision")):
        sheet.write_across((BAND_ROW, HEADING_ROW), (column, column), text, "heading")
    first = FIRST_COLUMN
    for band in bands:
        last = first + len(band.columns) - 1
        sheet.write_across((BAND_ROW, BAND_ROW), (first, last), band.heading, "heading")
        for at, shown in enumerate(band.columns, start=first):
            sheet.write_text(HEADING_ROW, at, f"{shown.chinese}\n{shown.english}", "heading")
        first = last + 1
    sheet.set_height(BAND_ROW, 32)
    sheet.set_height(HEADING_ROW, 42)


def _set_widths(
    sheet: Sheet, columns: Sequence[Column], largest: Sequence[int | float | None], room: float
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
        sheet.set_width(at, round(width * stretch, 1))


def sums(counts: Counts, division: Division, columns: Iterable[Column]) -> list[int | float | None]:
    """Count what each column holds of a division."""
    cells = counts.get((division.level, division.code), {})
    return [_count(cells, column) for column in columns]


def _count(cells: Mapping[str, Mapping[str, int]], column: Column) -> int | float | None:
    """Count what a column holds; nothing where nothing is known."""
    if column.is_unknown:
        return None
    if column.rate_of is not None:
        whole = _sum(cells, column.rate_of)
        return _sum(cells, column) / whole if whole else None
    return _sum(cells, column) if column.share_of is None else _share(cells, column, column.share_of)


def _sum(cells: Mapping[str, Mapping[str, int]], column: Column) -> int:
    return sum(value for category, value in cells.get(column.measure, {}).items() if column.holds(category))


def _share(cells: Mapping[str, Mapping[str, int]], column: Column, whole: Column) -> float | None:
    """Tell which share of the rows has no fault; nothing where there are no rows."""
    rows = _sum(cells, whole)
    return 1 - _sum(cells, column) / rows if rows else None
