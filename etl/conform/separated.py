"""Read files of separated values row by row: a malformed row is set aside, the rest goes on."""

import csv
import io
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from schemas.refusal import Refusal

# A quoted field may hold line breaks; an open quote that runs longer than this is a stray one.
LONGEST_ROW = 20


@dataclass(frozen=True)
class SeparatedRows:
    """Rows of a file: `rows` as text with `landing_row`, and the numbers of the rows that are malformed.

    Rows are counted from 1 below the header, malformed ones included.
    """

    rows: pa.Table
    malformed: tuple[int, ...]


def read_separated(content: bytes, columns: tuple[str, ...], *, file_name: str) -> SeparatedRows:
    """Read a comma-separated file (RFC 4180, UTF-8) whose header must be exactly `columns`.

    A row with another number of fields, a stray quote or a control character is malformed. Empty
    fields stay empty text.

    Raises:
        Refusal: the bytes are not UTF-8, or the header is another one. Nothing of the content is told.
    """
    lines = _lines(content, file_name)
    if not lines or _fields(lines[0]) != list(columns):
        found = len(_fields(lines[0]) or []) if lines else 0
        raise Refusal(
            "header_differs",
            found=f"{file_name}: a first line of {found} fields that is not the contract's header",
            expected=f"the {len(columns)} column names of the contract, in its order",
            to_do="ask the partner for a file by the contract; do not edit the file",
        )
    good: list[str] = []
    numbers: list[int] = []
    malformed: list[int] = []
    place, number = 1, 0
    while place < len(lines):
        number += 1
        row, used = _row_at(lines, place, len(columns))
        if row is None:
            malformed.append(number)
        else:
            good.append(row)
            numbers.append(number)
        place += used
    return SeparatedRows(_table(good, numbers, columns), tuple(malformed))


def _lines(content: bytes, file_name: str) -> list[str]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Refusal(
            "file_undecodable",
            found=f"{file_name}: line {line} is not UTF-8",
            expected="UTF-8, as the manifest declares",
            to_do="ask the partner to send the file again in UTF-8; other encodings are not guessed",
        ) from None
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def _row_at(lines: list[str], place: int, width: int) -> tuple[str | None, int]:
    """Find the row that begins on a line: its text for pandas and how many lines it takes."""
    line = lines[place]
    if '"' not in line:
        is_plain = line.count(",") == width - 1 and not _has_control(line)
        return (line if is_plain else None), 1
    for used in range(1, min(LONGEST_ROW, len(lines) - place) + 1):
        fields = _fields("\n".join(lines[place : place + used]))
        if fields is not None:
            is_row = len(fields) == width and not any(map(_has_control, fields))
            return (_quoted(fields) if is_row else None), used
    return None, 1


def _fields(text: str) -> list[str] | None:
    """Split one row, or None where its quotes are open or stray."""
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None


def _quoted(fields: list[str]) -> str:
    return ",".join('"' + field.replace('"', '""') + '"' for field in fields)


def _has_control(text: str) -> bool:
    return not text.isprintable() and any(ord(sign) < 32 and sign not in "\t\n" for sign in text)


def _table(good: list[str], numbers: list[int], columns: tuple[str, ...]) -> pa.Table:
    frame = pd.read_csv(
        io.StringIO("\n".join([",".join(columns), *good]) + "\n"),
        dtype=str,
        keep_default_na=False,
        skip_blank_lines=False,
        lineterminator="\n",
        encoding="utf-8",
    )
    if len(frame) != len(good):
        raise Refusal(
            "rows_vanished",
            found=f"{len(frame)} rows parsed of {len(good)} well-formed ones",
            expected="every row once",
            to_do="report a defect of the reader",
        )
    schema = pa.schema([(name, pa.string()) for name in columns])
    rows = pa.Table.from_pandas(frame, schema=schema, preserve_index=False).replace_schema_metadata(None)
    return rows.append_column("landing_row", pa.array(numbers, pa.int64()))
