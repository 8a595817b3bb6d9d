"""What leaves us as a spreadsheet: no cell from data is ever a formula, and numbers that are names stay text.

Every export goes through here: `plain_text` for cells of workbooks, `csv_bytes` for separated values.
"""

import csv
import io
import re

import pyarrow as pa

# Excel, LibreOffice and WPS read these as the beginning of a formula or a command, also after blanks and in
# full width.
DANGEROUS = re.compile(r"[\s\x00\u200b\ufeff]*[=+\-@＝＋－＠]|[\t\r\n]")
# Characters that XML 1.0 cannot hold.
ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def is_dangerous(text: str) -> bool:
    """Tell whether a spreadsheet may take a text for a formula."""
    return DANGEROUS.match(text) is not None


def plain_text(text: str) -> str:
    """Take out what no workbook can hold; everything else stays as it is, as text."""
    return ILLEGAL.sub("", text)


def csv_bytes(table: pa.Table) -> bytes:
    r"""Write a table as CSV (RFC 4180, UTF-8 with BOM, `\r\n`); equal rows give equal bytes.

    A text that a spreadsheet may take for a formula gets an apostrophe in front, the only mark that all
    of them respect. Text is quoted, numbers are not: codes and document numbers keep their zeros and
    digits, where the reader is told that the column is text. For people there is the workbook.
    """
    columns = [_written(table.column(name)) for name in table.column_names]
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerow(table.column_names)
    writer.writerows(zip(*columns, strict=True))
    return text.getvalue().encode("utf-8-sig")


def _written(column: pa.ChunkedArray) -> list[object]:
    return [_guarded(value) for value in column.to_pylist()]


def _guarded(value: object) -> object:
    if value is None or isinstance(value, int | float):
        return value
    text = plain_text(str(value))
    return f"'{text}" if is_dangerous(text) else text
