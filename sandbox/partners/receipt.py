"""The gateway's receipts as files, on four levels: transfer, file, batch, record.

`<batch>.T01.csv` a file was taken; `<batch>.F01.csv` it can be read, or why not; `<batch>.S20.csv` the
batch reached a state; `<batch>.R01.csv` answers about its records. T and F count how often the batch came.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sandbox.partners.layout import (
    BATCH_RECEIPT_HEADER,
    FAULTS,
    FILE_RECEIPT_HEADER,
    MOST_RECEIPT_ROWS,
    RECORD_RECEIPT_HEADER,
    TRANSFER_RECEIPT_HEADER,
)

TIME = "%Y-%m-%d %H:%M:%S"
ACCEPTED, REFUSED = "A", "R"


@dataclass(frozen=True)
class RecordAnswer:
    """The answer to one record: accepted without a code, or refused with one."""

    member_name: str
    line_number: int
    case_number: str
    fault_code: str | None


def transfer_receipt(
    batch_id: str, times: int, file_name: str, byte_count: int, sha256: str, at: datetime
) -> tuple[str, bytes]:
    """Give name and bytes of the receipt that a file was taken: what arrived, not what was meant."""
    row = (batch_id, file_name, str(byte_count), sha256, at.strftime(TIME))
    return f"{batch_id}.T{times:02d}.csv", receipt_content(TRANSFER_RECEIPT_HEADER, [row])


def file_receipt(
    batch_id: str, times: int, at: datetime, record_count: int = 0, fault: tuple[str, str] | None = None
) -> tuple[str, bytes]:
    """Give name and bytes of the receipt that a file can be read, or cannot: `fault` is code and reason."""
    code, said = fault or ("", "文件可读")
    verdict = REFUSED if fault else ACCEPTED
    row = (batch_id, verdict, str(record_count), code, at.strftime(TIME), said)
    return f"{batch_id}.F{times:02d}.csv", receipt_content(FILE_RECEIPT_HEADER, [row])


def batch_receipt(batch_id: str, state: str, at: datetime, explanation: str) -> tuple[str, bytes]:
    """Give name and bytes of the receipt that a batch reached a state."""
    row = (batch_id, state, at.strftime(TIME), explanation)
    return f"{batch_id}.S{state}.csv", receipt_content(BATCH_RECEIPT_HEADER, [row])


def record_receipts(batch_id: str, answers: Sequence[RecordAnswer]) -> Iterator[tuple[str, bytes]]:
    """Give names and bytes of the receipts about records; without answers there is none."""
    for part, start in enumerate(range(0, len(answers), MOST_RECEIPT_ROWS), start=1):
        rows = [_row(batch_id, answer) for answer in answers[start : start + MOST_RECEIPT_ROWS]]
        yield f"{batch_id}.R{part:02d}.csv", receipt_content(RECORD_RECEIPT_HEADER, rows)


def write_receipt(folder: Path, name: str, content: bytes) -> None:
    """Let a receipt appear whole under its name; one that is there stays as it is."""
    if (folder / name).exists():
        return
    part = folder / f"{name}.part"
    part.write_bytes(content)
    part.rename(folder / name)


def _row(batch_id: str, answer: RecordAnswer) -> tuple[str, ...]:
    place = (batch_id, answer.member_name, str(answer.line_number), answer.case_number)
    if answer.fault_code is None:
        return (*place, "30", "", "")
    return (*place, "31", answer.fault_code, f"第{answer.line_number}行出错：{FAULTS[answer.fault_code]}")


def receipt_content(header: str, rows: Iterable[Sequence[str]]) -> bytes:
    """Write the text of a receipt: how many lines, their header, the lines."""
    lines = [",".join(value.replace(",", "，") for value in row) for row in rows]
    return "".join(f"{line}\n" for line in (str(len(lines)), header, *lines)).encode("utf-8")
