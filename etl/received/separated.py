"""Rows of comma-separated text (RFC 4180): a malformed row is told as such, the rest goes on."""

import csv
import io
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice

from etl.received.file import MOST_ROW_CHARACTERS, ReceivedFile
from etl.received.row import Row, has_control

# A quoted field may hold line breaks; an open quote that runs longer than this is a stray one and spoils
# its own row only.
LONGEST_ROW = 20


def separated_rows(file: ReceivedFile, text: Iterable[str]) -> Iterator[Row]:
    """Give the rows below a header that must be exactly the contract's columns.

    A row with another number of fields, a stray quote or a control character is malformed. Empty fields
    stay empty text.

    Raises:
        Refusal: `header_differs` or `line_too_long`; nothing of the content is told.
    """
    lines = _lines(file, text)
    header = _fields(next(lines, ""))
    if header != list(file.columns):
        raise file.refusal(
            "header_differs",
            f"a first line of {len(header or [])} fields that is not the contract's header",
            f"the {len(file.columns)} column names of the contract, in its order",
        )
    window = deque(islice(lines, LONGEST_ROW))
    while window:
        row, taken = _first_row(window, len(file.columns))
        for _ in range(taken):
            window.popleft()
        window.extend(islice(lines, taken))
        yield row


def _lines(file: ReceivedFile, text: Iterable[str]) -> Iterator[str]:
    """Cut text at line feeds; a carriage return before one belongs to it."""
    number, rest = 0, ""
    for chunk in text:
        *whole, rest = (rest + chunk).split("\n")
        for line in whole:
            number += 1
            yield _checked(file, line, number)
        _checked(file, rest, number + 1)
    if rest:
        yield _checked(file, rest, number + 1)


def _checked(file: ReceivedFile, line: str, number: int) -> str:
    if len(line) > MOST_ROW_CHARACTERS:
        found = f"line {number} has more than {MOST_ROW_CHARACTERS} characters"
        raise file.refusal("line_too_long", found, "rows of the contract, each on its line")
    return line.removesuffix("\r")


def _first_row(window: deque[str], width: int) -> tuple[Row, int]:
    """Find the row that begins on the first line, None if malformed, and how many lines it takes."""
    line = window[0]
    if '"' not in line:
        fields = tuple(line.split(","))
        return (fields if len(fields) == width and not has_control(line) else None), 1
    # The reader asks for as many lines as the row has: each is looked at once, however long a quote stays
    # open.
    rows = csv.reader((f"{further}\n" for further in window), strict=True)
    try:
        found = next(rows)
    except csv.Error:
        return None, 1
    is_row = len(found) == width and not any(map(has_control, found))
    return (tuple(found) if is_row else None), rows.line_num


def _fields(text: str) -> list[str] | None:
    """Split one row, or None where its quotes are open or stray."""
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None
