"""Rows of a received file are counted as they were sent, malformed ones included."""

from pathlib import Path

import pytest

from etl.received.file import MOST_ROW_CHARACTERS, ReceivedFile
from etl.received.read import count_rows
from schemas.refusal import Refusal

COLUMNS = ("record_id", "name")


def count(tmp_path: Path, content: bytes) -> int:
    path = tmp_path / "births.csv"
    path.write_bytes(content)
    return count_rows(ReceivedFile(path, path.name, "births", COLUMNS))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("", 0),
        ("1,甲\r\n2,乙\r\n", 2),
        ("1,甲\n2,乙", 2),
        ('1,"甲\r\n乙"\r\n2,丙\r\n', 2),
        ('1,"甲 ""乙"""\r\n', 1),
        ("1,甲,多\r\n2\r\n3,丙\r\n", 3),
        ('1,"甲\r\n2,乙\r\n3,丙\r\n', 3),
        ('1,甲"\r\n2,乙\r\n', 2),
        ('1,"甲\r\n' + "2,乙\r\n" * 30 + '3,丙"\r\n', 32),
    ],
    ids=[
        "none",
        "crlf",
        "last line open",
        "line break in quotes",
        "doubled quote",
        "other number of fields",
        "quote never closed",
        "quote within a field",
        "quote closed too late to be meant",
    ],
)
def test_rows_below_the_header(tmp_path: Path, rows: str, expected: int) -> None:
    assert count(tmp_path, f"record_id,name\r\n{rows}".encode()) == expected
    assert count(tmp_path, f"\ufeffrecord_id,name\r\n{rows}".encode()) == expected


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "header_differs"),
        (b"name,record_id\r\n", "header_differs"),
        (b"record_id\r\n", "header_differs"),
        ("record_id,name\r\n1,甲\r\n2,乙\r\n".encode("gb18030"), "file_undecodable"),
        (b"record_id,name\r\n1," + b"x" * MOST_ROW_CHARACTERS, "line_too_long"),
    ],
)
def test_a_file_whose_rows_cannot_be_told_apart_is_refused(tmp_path: Path, content: bytes, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        count(tmp_path, content)
    assert refused.value.code == code


def test_the_line_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="line 3 is not UTF-8"):
        count(tmp_path, b"record_id,name\r\n1,a\r\n2,\xff\r\n")
