"""The roster as a sheet to print: a row per case, names and numbers masked unless they are asked for."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa

from etl.statistics.case_labels import CASE_CATEGORIES, EXIT_REASONS, PROGRAMMES, STATES
from etl.statistics.printed import PrintedBook, Sheet
from etl.statistics.sheet import (
    BAND_ROW,
    Caption,
    line_width,
    shown_width,
    write_remark,
    write_title,
)
from schemas.division_level import DIGITS, LENGTH, TOWN
from schemas.masking import mask_value

# 中文, English, and how its cells stand.
COLUMNS = (
    ("序号", "No.", "code"),
    ("街乡", "Town", "name"),
    ("村居", "Village", "name"),
    ("个案编号", "Case", "code"),
    ("姓名", "Name", "name"),
    ("性别", "Sex", "code"),
    ("出生日期", "Born", "code"),
    ("证件号码", "Document", "code"),
    ("类别", "Category", "name"),
    ("起发月", "From", "code"),
    ("止发月", "Until", "code"),
    ("年末状态", "At its end", "code"),
    ("退出原因", "Why it left", "name"),
    ("本年新增", "Begun", "code"),
)
UNIT = "人 persons"
SEXES = {"1": "男", "2": "女"}
SIGNATURES = ("填报单位 Office", "填报人 Prepared by", "审核 Reviewed by", "日期 Day")
Row = Mapping[str, Any]


def roster_bytes(
    roster: pa.Table,
    names: Mapping[str, str],
    caption: Caption,
    programme_code: str,
    division_code: str,
    *,
    is_full: bool,
) -> bytes:
    """Lay a roster out as a workbook; equal rows give equal bytes.

    `names` are those of divisions by code.
    """
    workbook = PrintedBook(f"花名册 {programme_code} {division_code} {caption.business_date}")
    sheet = workbook.sheet("花名册 Roster")
    rows = roster.to_pylist()
    shown = [
        tuple(_shown(row, number, names, programme_code, is_full=is_full))
        for number, row in enumerate(rows, start=1)
    ]
    _set_widths(sheet, shown, caption)
    programme = PROGRAMMES[programme_code].split()[0]
    masked = "" if is_full else ", masked"
    title = f"{names[division_code]}{programme}对象花名册（草表）"
    subtitle = f"Roster of who was in payment in the year, draft{masked}"
    write_title(sheet, title, subtitle, UNIT, caption, len(COLUMNS))
    for at, (chinese, english, _) in enumerate(COLUMNS, start=1):
        sheet.write_text(BAND_ROW, at, f"{chinese}\n{english}", "heading")
    sheet.set_height(BAND_ROW, 32)
    for number, texts in enumerate(shown, start=1):
        _write_row(sheet, BAND_ROW + number, texts)
    _write_foot(sheet, BAND_ROW + len(rows), rows)
    sheet.keep_in_sight(BAND_ROW)
    sheet.print_all()
    sheet.set_paper(caption.footer)
    return workbook.content(caption.business_date)


def _set_widths(sheet: Sheet, shown: Sequence[Sequence[str]], caption: Caption) -> None:
    """Make each column as wide as the longest of what it holds, and the table as the line above it."""
    widths = []
    for at, (chinese, english, _) in enumerate(COLUMNS):
        texts = (chinese, *english.split(), *(row[at] for row in shown))
        widths.append(1.1 * max(map(shown_width, texts)) + 3)
    stretch = max(1.0, line_width(caption, UNIT) / sum(widths))
    for at, width in enumerate(widths, start=1):
        sheet.set_width(at, round(width * stretch, 1))


def _write_row(sheet: Sheet, at: int, texts: Sequence[str]) -> None:
    for column, (text, (*_, kind)) in enumerate(zip(texts, COLUMNS, strict=True), start=1):
        sheet.write_text(at, column, text, f"town {kind}")


def _shown(
    row: Row, number: int, names: Mapping[str, str], programme_code: str, *, is_full: bool
) -> Iterator[str]:
    """Write the cells of a row; what is not known stays blank."""
    code = row["division_code"]
    town = f"{code[: DIGITS[TOWN]]}".ljust(LENGTH, "0")
    category = f"{programme_code}/{row['category_code']}"
    born = str(row["birth_date"] or "")
    name, document = row["name"] or "", row["id_number"] or ""
    yield str(number)
    yield names.get(town, "") if town != code else names.get(code, "")
    yield names.get(code, "") if town != code else ""
    yield row["case_number"]
    yield name if is_full else mask_value("name", name)
    yield SEXES.get(row["sex_code"], "")
    yield born if is_full else mask_value("date", born)
    yield document if is_full else mask_value("number", document)
    yield CASE_CATEGORIES[programme_code].get(category, (row["category_code"], ""))[0]
    yield _month(row["start_month"])
    yield _month(row["end_month"])
    yield "年内退出" if row["is_left"] else STATES[row["state_code"]][0]
    yield EXIT_REASONS.get(row["exit_reason_code"], ("", ""))[0]
    yield "是" if row["is_begun"] else ""


def _month(day: date | None) -> str:
    return f"{day:%Y-%m}" if day else ""


def _write_foot(sheet: Sheet, last_row: int, rows: list[Row]) -> None:
    """Write what the roster adds up to, and the lines to sign on."""
    begun, left = (sum(row[name] for row in rows) for name in ("is_begun", "is_left"))
    closing = (
        f"合计 {len(rows)} 人：上年末在享 {len(rows) - begun}，本年新增 {begun}；本年退出 {left}，"
        f"年末在享 {len(rows) - left}。 Last year {len(rows) - begun} + begun {begun} - left {left} = "
        f"in payment {len(rows) - left}."
    )
    for row, text in enumerate(
        (closing, "        ".join(f"{role}: {'_' * 16}" for role in SIGNATURES)), start=last_row + 1
    ):
        write_remark(sheet, row, len(COLUMNS), text)
