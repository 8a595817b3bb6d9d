"""Batches as the pipeline uploads them, written by hand so that a test can spoil any part of them."""

import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

J_HEADER = (
    "个案编号,人口电子档案号,姓名,性别,出生日期,证件类型,证件号码,户籍地区划,户口性质,婚姻状况,类别,"
    "现存子女数,起始年月,金额"
)
J_MEMBER = "LNJF_JFDX_110000_110101.txt"


def j_row(number: int, **changes: str) -> str:
    """One good J record of a person born in 1950; `changes` replaces values by column name."""
    row = {
        "个案编号": f"J112026{number:010X}",
        "人口电子档案号": f"{number:020d}",
        "姓名": "测试",
        "性别": "2",
        "出生日期": "1950-03-08",
        "证件类型": "10",
        "证件号码": "11010119500308002X",
        "户籍地区划": "110101001001000",
        "户口性质": "2",
        "婚姻状况": "20",
        "类别": "1",
        "现存子女数": "1",
        "起始年月": "2026-06",
        "金额": "1740.00",
    }
    return ",".join((row | changes).values())


def member_text(rows: Sequence[str], *, header: str = J_HEADER, count: int | None = None) -> bytes:
    """A member file: byte order mark, count, header, rows, each line ended by CR LF."""
    lines = [str(len(rows) if count is None else count), header, *rows]
    return ("\ufeff" + "".join(f"{line}\r\n" for line in lines)).encode()


def zip_of(members: Mapping[str, bytes]) -> bytes:
    """A ZIP of these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def j_batch(numbers: Sequence[int]) -> bytes:
    """A good J batch with one member."""
    return zip_of({J_MEMBER: member_text([j_row(number) for number in numbers])})


def sidecar_of(file_name: str, content: bytes) -> bytes:
    """The digest file that belongs beside an upload."""
    return f"{hashlib.sha256(content).hexdigest()}  {file_name}\n".encode()


def lay_down(inbox: Path, file_name: str, content: bytes, sidecar: bytes | None = None) -> None:
    """Put a whole upload into a folder without a network; the digest file first."""
    (inbox / f"{file_name}.sha256").write_bytes(
        sidecar_of(file_name, content) if sidecar is None else sidecar
    )
    (inbox / file_name).write_bytes(content)
