"""Read one receipt file strictly: which level it answers, what it says, or why it cannot be used."""

import re
from dataclasses import dataclass, field
from datetime import datetime

from schemas.padis_profile import ReceiptLayout
from schemas.refusal import Refusal

NAME = re.compile(r"(?P<batch_id>[A-Za-z0-9_]{1,60})\.(?P<part>[TF][0-9]{2}|S[0-9]{2}|R[0-9]{2,4})\.csv")
COUNT = re.compile(r"[0-9]{1,9}")
SIZE = re.compile(r"[0-9]{1,15}")
DIGEST = re.compile(r"[0-9a-f]{64}")
CODE = re.compile(r"[A-Z0-9]{1,16}")
ACCEPTED, REJECTED = "30", "31"
FILE_ACCEPTED, FILE_REFUSED = "A", "R"
LEVEL_OF = {"T": "transfer", "F": "file", "S": "batch", "R": "record"}
TO_DO = "nothing was applied; ask the receiver to issue the receipt again"


@dataclass(frozen=True)
class TransferAnswer:
    """What the receiver took: name, bytes and digest as it saw them."""

    file_name: str
    byte_count: int
    sha256: str


@dataclass(frozen=True)
class FileAnswer:
    """Whether the receiver can read the file: `A` with its count of records, or `R` with a code."""

    state: str
    record_count: int
    code: str | None
    explanation: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True)
class RecordAnswer:
    """The receiver's word about one record; its explanation is free text and stays in the landing zone."""

    member_name: str
    line_number: int
    record_id: str
    state: str
    rejection_code: str | None
    explanation: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True)
class Receipt:
    """One receipt; of `transfer`, `file`, `batch_state` and `answers` that of its level is filled."""

    batch_id: str
    level: str
    transfer: TransferAnswer | None = None
    file: FileAnswer | None = None
    batch_state: str | None = None
    answers: tuple[RecordAnswer, ...] = ()
    explanation: str = field(default="", repr=False, compare=False)


def read_receipt(layout: ReceiptLayout, file_name: str, content: bytes) -> Receipt:
    """Read a receipt as the profile describes it.

    Raises:
        Refusal: name, encoding, count, header, columns, codes or times are not as agreed; the message
            names the line, never what stands in it.
    """
    named = NAME.fullmatch(file_name)
    if named is None:
        raise _unreadable("a file name that is no receipt's", "<batch>.<T, F, S or R><number>.csv")
    batch_id, part = named["batch_id"], named["part"]
    level = LEVEL_OF[part[0]]
    rows = _rows(content, getattr(layout, f"{level}_header"))
    for number, row in enumerate(rows, start=3):
        if row[0] != batch_id:
            raise _unreadable(f"another batch on line {number} than in the name", "one batch per receipt")
    if level == "record":
        return Receipt(batch_id, level, answers=tuple(_answers(layout, rows)))
    if len(rows) != 1:
        raise _unreadable(f"{len(rows)} lines about a batch", "one line")
    if level == "transfer":
        return Receipt(batch_id, level, transfer=_transfer(rows[0]))
    if level == "file":
        return Receipt(batch_id, level, file=_file(rows[0]), explanation=rows[0][5])
    return Receipt(
        batch_id, level, batch_state=_batch_state(layout, part[1:], rows[0]), explanation=rows[0][3]
    )


def level_named(file_name: str) -> str:
    """Tell from a name which level a file answers; what is no receipt's name is about a batch at most."""
    named = NAME.fullmatch(file_name)
    return LEVEL_OF[named["part"][0]] if named is not None else "batch"


def batch_of(file_name: str) -> str | None:
    """Tell from a name which batch a file is about; None if it is no receipt's name."""
    named = NAME.fullmatch(file_name)
    return None if named is None else named["batch_id"]


def _rows(content: bytes, header: str) -> list[list[str]]:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise _unreadable("bytes that are no UTF-8", "UTF-8") from None
    if not text.endswith("\n") or "\r" in text:
        raise _unreadable("a last line without its end, or foreign line ends", "lines that end in LF")
    lines = text.split("\n")[:-1]
    if len(lines) < 2 or lines[1] != header:
        raise _unreadable("another header on line 2", f"the header {header}")
    rows = [line.split(",") for line in lines[2:]]
    if not _is(COUNT, lines[0]) or int(lines[0]) != len(rows):
        raise _unreadable(f"a count on line 1 that is not {len(rows)}", "the number of lines from line 3 on")
    places = header.count(",") + 1
    for number, row in enumerate(rows, start=3):
        if len(row) != places:
            raise _unreadable(f"{len(row)} columns on line {number}", f"{places} columns")
    return rows


def _transfer(row: list[str]) -> TransferAnswer:
    _, file_name, byte_count, sha256, at = row
    _check_time(at)
    if not _is(SIZE, byte_count) or not _is(DIGEST, sha256):
        raise _unreadable("a size or a digest on line 3 that is none", "bytes and a SHA-256 in hexadecimal")
    return TransferAnswer(file_name, int(byte_count), sha256)


def _file(row: list[str]) -> FileAnswer:
    _, state, count, code, at, explanation = row
    _check_time(at)
    if state not in (FILE_ACCEPTED, FILE_REFUSED) or not _is(COUNT, count):
        raise _unreadable("a verdict or a count on line 3 that is none", "A or R, and a number")
    _check_code(state == FILE_REFUSED, code, 3)
    return FileAnswer(state, int(count), code or None, explanation)


def _batch_state(layout: ReceiptLayout, named: str, row: list[str]) -> str:
    _, state, at, _ = row
    if state != named or state not in layout.batch_states:
        raise _unreadable(
            "a state that is unknown or not the name's", f"one of {sorted(layout.batch_states)}"
        )
    _check_time(at)
    return state


def _answers(layout: ReceiptLayout, rows: list[list[str]]) -> list[RecordAnswer]:
    answers, seen = [], set()
    for number, (_, member_name, line, record_id, state, code, explanation) in enumerate(rows, start=3):
        if not _is(COUNT, line) or state not in layout.record_states:
            raise _unreadable(f"a line number or state on line {number} that is unknown", "as agreed")
        _check_code(state == REJECTED, code, number)
        if record_id in seen:
            raise _unreadable(f"a record on line {number} for the second time", "each record once")
        seen.add(record_id)
        answers.append(RecordAnswer(member_name, int(line), record_id, state, code or None, explanation))
    return answers


def _is(pattern: re.Pattern[str], text: str) -> bool:
    return pattern.fullmatch(text) is not None


def _check_code(is_refused: bool, code: str, number: int) -> None:
    if is_refused != bool(code) or (code and not _is(CODE, code)):
        raise _unreadable(f"state and code on line {number} that do not fit", "a code for a rejection only")


def _check_time(at: str) -> None:
    try:
        datetime.strptime(at, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - only whether it can be read
    except ValueError:
        raise _unreadable("a time on line 3 that cannot be read", "YYYY-MM-DD HH:MM:SS") from None


def _unreadable(found: str, expected: str) -> Refusal:
    return Refusal("receipt_unreadable", found=found, expected=expected, to_do=TO_DO)
