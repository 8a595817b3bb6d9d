"""Count the rows of a received file as the manifest does, before anything is read into columns."""

import csv
import io
from collections import deque
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from schemas.refusal import Refusal

MOST_LINE_BYTES = 1024 * 1024
# As etl/conform/separated.py: a quoted field may hold line breaks; an open quote that runs longer is
# a stray one and spoils its own row only. A test holds both against each other.
LONGEST_ROW = 20


def count_rows(path: Path, columns: tuple[str, ...]) -> int:
    """Count the rows below the header, malformed ones included, in constant memory.

    Raises:
        Refusal: `file_undecodable`, `header_differs` or `line_too_long`; the whole file is refused,
            since its rows cannot be told apart. Nothing of the content is told.
    """
    lines = _lines(path)
    header = _fields(next(lines, "").removeprefix("\ufeff"))
    if header != list(columns):
        raise _unfit(
            "header_differs",
            f"{path.name}: a first line of {len(header or [])} fields that is not the contract's header",
            f"the {len(columns)} column names of the contract, in its order",
        )
    return sum(1 for _ in _rows(lines))


def _lines(path: Path) -> Iterator[str]:
    number = 0
    with path.open("rb") as file:
        while line := file.readline(MOST_LINE_BYTES + 1):
            number += 1
            if len(line) > MOST_LINE_BYTES:
                raise _unfit(
                    "line_too_long",
                    f"{path.name}: line {number} has more than {MOST_LINE_BYTES} bytes",
                    "rows of the contract, each on its line",
                )
            try:
                yield line.decode("utf-8").removesuffix("\n").removesuffix("\r")
            except UnicodeDecodeError:
                raise _unfit(
                    "file_undecodable",
                    f"{path.name}: line {number} is not UTF-8",
                    "UTF-8, as the manifest declares",
                ) from None


def _rows(lines: Iterator[str]) -> Iterator[int]:
    """Give for each row how many lines it takes."""
    window = deque(islice(lines, LONGEST_ROW))
    while window:
        taken = _lines_of_first_row(window)
        for _ in range(taken):
            window.popleft()
        window.extend(islice(lines, taken))
        yield taken


def _lines_of_first_row(window: deque[str]) -> int:
    if '"' not in window[0]:
        return 1
    text = ""
    for taken, line in enumerate(window, start=1):
        text = line if taken == 1 else f"{text}\n{line}"
        if _fields(text) is not None:
            return taken
    return 1


def _fields(text: str) -> list[str] | None:
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None


def _unfit(code: str, found: str, expected: str) -> Refusal:
    return Refusal(
        code,
        found=found,
        expected=expected,
        to_do="ask the partner for a file by the contract; do not edit the file",
    )
