"""Read one receipt file strictly: what it says about a batch or its records, or why it cannot be used."""

import re
from dataclasses import dataclass
from datetime import datetime

from schemas.padis_profile import ReceiptLayout
from schemas.refusal import Refusal

NAME = re.compile(r"(?P<batch_id>[A-Za-z0-9_]{1,60})\.(?P<stage>S[0-9]{2}|R[0-9]{2,4})\.csv")
COUNT = re.compile(r"[0-9]{1,9}")
CODE = re.compile(r"[A-Z0-9]{1,16}")
ACCEPTED, REJECTED = "30", "31"
TO_DO = "nothing was applied; ask the receiver to issue the receipt again"


@dataclass(frozen=True)
class RecordAnswer:
    """The receiver's word about one record."""

    member_name: str
    line_number: int
    record_id: str
    state: str
    rejection_code: str | None


@dataclass(frozen=True)
class Receipt:
    """One receipt: `batch_state` of a batch receipt, else `answers` about records."""

    batch_id: str
    batch_state: str | None
    answers: tuple[RecordAnswer, ...]

    @property
    def stage(self) -> str:
        """Level at which the receiver answers: batch or record."""
        return "record" if self.batch_state is None else "batch"


def read_receipt(layout: ReceiptLayout, file_name: str, content: bytes) -> Receipt:
    """Read a receipt as the profile describes it.

    Raises:
        Refusal: name, encoding, count, header, columns, codes or times are not as agreed; the message
            names the line, never what stands in it.
    """
    named = NAME.fullmatch(file_name)
    if named is None:
        raise _unreadable("a file name that is no receipt's", "<batch>.S<state>.csv or <batch>.R<number>.csv")
    batch_id, stage = named["batch_id"], named["stage"]
    if stage.startswith("S"):
        header, places = layout.batch_header, 4
    else:
        header, places = layout.record_header, 7
    rows = _rows(content, header, places)
    for number, row in enumerate(rows, start=3):
        if row[0] != batch_id:
            raise _unreadable(f"another batch on line {number} than in the name", "one batch per receipt")
    if stage.startswith("S"):
        return Receipt(batch_id, _batch_state(layout, stage[1:], rows), ())
    return Receipt(batch_id, None, tuple(_answers(layout, rows)))


def stage_of(file_name: str) -> str:
    """Tell from a name whether a file is about a batch or about records."""
    named = NAME.fullmatch(file_name)
    return "record" if named is not None and named["stage"].startswith("R") else "batch"


def batch_of(file_name: str) -> str | None:
    """Tell from a name which batch a file is about; None if it is no receipt's name."""
    named = NAME.fullmatch(file_name)
    return None if named is None else named["batch_id"]


def _rows(content: bytes, header: str, places: int) -> list[list[str]]:
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
    if not COUNT.fullmatch(lines[0]) or int(lines[0]) != len(rows):
        raise _unreadable(f"a count on line 1 that is not {len(rows)}", "the number of lines from line 3 on")
    for number, row in enumerate(rows, start=3):
        if len(row) != places:
            raise _unreadable(f"{len(row)} columns on line {number}", f"{places} columns")
    return rows


def _batch_state(layout: ReceiptLayout, named: str, rows: list[list[str]]) -> str:
    if len(rows) != 1:
        raise _unreadable(f"{len(rows)} lines about a batch", "one line")
    _, state, at, _ = rows[0]
    if state != named or state not in layout.batch_states:
        raise _unreadable(
            "a state that is unknown or not the name's", f"one of {sorted(layout.batch_states)}"
        )
    try:
        datetime.strptime(at, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - only whether it can be read
    except ValueError:
        raise _unreadable("a time on line 3 that cannot be read", "YYYY-MM-DD HH:MM:SS") from None
    return state


def _answers(layout: ReceiptLayout, rows: list[list[str]]) -> list[RecordAnswer]:
    answers, seen = [], set()
    for number, (_, member_name, line, record_id, state, code, _) in enumerate(rows, start=3):
        if not COUNT.fullmatch(line) or state not in (*layout.record_states,):
            raise _unreadable(f"a line number or state on line {number} that is unknown", "as agreed")
        if (state == REJECTED) != bool(code) or (code and not CODE.fullmatch(code)):
            raise _unreadable(
                f"state and code on line {number} that do not fit", "a code for a rejection only"
            )
        if record_id in seen:
            raise _unreadable(f"a record on line {number} for the second time", "each record once")
        seen.add(record_id)
        answers.append(RecordAnswer(member_name, int(line), record_id, state, code or None))
    return answers


def _unreadable(found: str, expected: str) -> Refusal:
    return Refusal("receipt_unreadable", found=found, expected=expected, to_do=TO_DO)
