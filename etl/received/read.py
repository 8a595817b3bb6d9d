"""Read a received file by what its name and manifest promise, whatever its format."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

import pyarrow as pa

from etl.received.archive import member_chunks, member_of
from etl.received.decode import decoded
from etl.received.file import CHUNK, ReceivedFile
from etl.received.row import Row
from etl.received.separated import separated_rows
from etl.received.xml_rows import xml_rows

ROWS_PER_BLOCK = 20_000
ZIP = b"PK\x03\x04"
# What other kinds of files begin with. Office writes workbooks as ZIP, or in an OLE container if old or
# encrypted.
OTHER_KINDS = {
    ZIP: "a ZIP or a workbook",
    bytes.fromhex("d0cf11e0a1b11ae1"): "an OLE container: an old or an encrypted workbook",
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"%PDF": "a PDF",
    b"PAR1": "Parquet",
    b"\x7fELF": "a program",
}


@dataclass(frozen=True)
class Block:
    """Some rows of a file: as text with `landing_row`, and the numbers of those that are malformed.

    Rows are counted from 1, malformed ones included.
    """

    rows: pa.Table
    malformed: tuple[int, ...]


def rows_of(file: ReceivedFile) -> Iterator[Row]:
    """Give the rows of a file in their order, None for each that is malformed.

    Raises:
        Refusal: the whole file cannot be read; nothing of its content is told.
    """
    ending = file.ending
    if ending == "zip":
        _check_kind(file, next(_chunks(file), b""), "zip")
        member, ending = member_of(file)
        chunks = member_chunks(file, member)
    else:
        chunks = _chunks(file)
    first = next(chunks, b"")
    _check_kind(file, first, ending)
    text = decoded(file, chain([first], chunks))
    return (xml_rows if ending == "xml" else separated_rows)(file, text)


def count_rows(file: ReceivedFile) -> int:
    """Count the rows of a file, malformed ones included, in constant memory.

    Raises:
        Refusal: as `rows_of`.
    """
    return sum(1 for _ in rows_of(file))


def read_blocks(file: ReceivedFile, rows_per_block: int = ROWS_PER_BLOCK) -> Iterator[Block]:
    """Read a file block by block; a file without rows gives one empty block.

    Raises:
        Refusal: as `rows_of`.
    """
    rows = rows_of(file)
    number = 0
    while True:
        block = list(islice(rows, rows_per_block))
        if block or number == 0:
            yield _block(file, block, number + 1)
        number += len(block)
        if len(block) < rows_per_block:
            return


def _block(file: ReceivedFile, rows: list[Row], first_number: int) -> Block:
    numbers = [number for number, row in enumerate(rows, start=first_number) if row is not None]
    malformed = tuple(number for number, row in enumerate(rows, start=first_number) if row is None)
    columns = list(zip(*(row for row in rows if row is not None), strict=True)) or [()] * len(file.columns)
    table = pa.table(
        {
            **{
                name: pa.array(values, pa.string())
                for name, values in zip(file.columns, columns, strict=True)
            },
            "landing_row": pa.array(numbers, pa.int64()),
        }
    )
    return Block(table, malformed)


def _chunks(file: ReceivedFile) -> Iterator[bytes]:
    with file.path.open("rb") as content:
        while chunk := content.read(CHUNK):
            yield chunk


def _check_kind(file: ReceivedFile, first: bytes, ending: str) -> None:
    """Refuse by its first bytes what is another kind of file, before it is read as if it were not."""
    for signature, kind in OTHER_KINDS.items():
        if first.startswith(signature) and (signature, ending) != (ZIP, "zip"):
            raise file.refusal("file_kind_differs", f"bytes that begin like {kind}", f"a {ending} file")
