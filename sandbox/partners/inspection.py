"""What the gateway makes of one uploaded batch: refused with a reason, or records with their faults."""

import hashlib
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.partners.layout import (
    BATCH_NAME,
    HEADER,
    MEMBER_KIND,
    MOST_ARCHIVE_BYTES,
    MOST_MEMBER_BYTES,
    MOST_MEMBERS,
    MOST_RATIO,
    MOST_TEXT_BYTES,
    OPERATIONS,
    RATIO_MATTERS_FROM,
)
from sandbox.partners.row_fault import fault_of

CENTRAL_ENTRY = b"PK\x01\x02"
BROKEN_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    UnicodeError,
    ValueError,
)
SIDECAR = re.compile(rb"([0-9a-f]{64})  ([^\r\n]{1,200})\n?")


class BatchRefused(Exception):  # noqa: N818 - the word of the field
    """The whole batch fails the import; the explanation holds no value of a row."""

    def __init__(self, explanation: str, code: str) -> None:
        super().__init__(explanation)
        self.code = code


@dataclass(frozen=True)
class WireRecord:
    """One data line of a member; `fault_code` is what the layout itself forbids, or None.

    `case` names the person's case of the year, whatever number the line has.
    """

    member_name: str
    line_number: int
    case_number: str
    fault_code: str | None
    operation: str
    case: str


def inspect_batch(file_name: str, content: bytes, sidecar: bytes | None) -> list[WireRecord]:
    """Read a batch as uploaded and give its records in the order of members and lines.

    Raises:
        BatchRefused: digest, archive, member names, counts, header or columns are wrong.
    """
    check_digest(file_name, content, sidecar)
    batch_id = file_name.removesuffix(".zip")
    name = BATCH_NAME.fullmatch(batch_id)
    if name is None or name["subsystem"] not in MEMBER_KIND or name["operation"] not in OPERATIONS:
        raise BatchRefused("批次文件名不符合约定", "F103")
    records: list[WireRecord] = []
    for member_name, text in _members(content, name["subsystem"], name["division"]):
        records += _records(member_name, text, name)
    if not records:
        raise BatchRefused("批次中没有记录", "F107")
    return records


def check_digest(file_name: str, content: bytes, sidecar: bytes | None) -> None:
    """Hold what came against its digest file.

    Raises:
        BatchRefused: there is none, or it says otherwise.
    """
    if sidecar is None:
        raise BatchRefused(f"缺少摘要文件{file_name}.sha256", "F101")
    stated = SIDECAR.fullmatch(sidecar)
    if stated is None:
        raise BatchRefused("摘要文件格式错误，应为64位十六进制摘要、两个空格和文件名", "F101")
    if stated[2].decode("utf-8", "replace") != file_name:
        raise BatchRefused("摘要文件中的文件名与批次文件不一致", "F101")
    if stated[1].decode("ascii") != hashlib.sha256(content).hexdigest():
        raise BatchRefused("摘要不符，文件内容与摘要文件不一致", "F101")


def _members(content: bytes, subsystem: str, division: str) -> Iterator[tuple[str, str]]:
    if len(content) > MOST_ARCHIVE_BYTES:
        raise BatchRefused("压缩包过大", "F106")
    # Counted before the directory is parsed: a million entries would fill the memory.
    if content.count(CENTRAL_ENTRY) > MOST_MEMBERS:
        raise BatchRefused(f"成员文件过多，最多{MOST_MEMBERS}个", "F106")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            _check_entries(entries, subsystem, division)
            for entry in entries:
                yield entry.filename, _text(archive, entry)
    except BROKEN_ZIP:
        raise BatchRefused("压缩包损坏或无法读取", "F102") from None


def _check_entries(entries: list[zipfile.ZipInfo], subsystem: str, division: str) -> None:
    expected = re.compile(rf"{MEMBER_KIND[subsystem]}_{division}_{division[:2]}[0-9]{{4}}\.txt")
    for place, entry in enumerate(entries, start=1):
        if not expected.fullmatch(entry.filename):
            raise BatchRefused(f"第{place}个成员的文件名不符合约定", "F103")
        if entry.flag_bits & 0x1 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise BatchRefused(f"第{place}个成员已加密或压缩方式不受支持", "F102")
        if entry.file_size > max(RATIO_MATTERS_FROM, MOST_RATIO * entry.compress_size):
            raise BatchRefused(f"第{place}个成员压缩比异常", "F106")
    if len({entry.filename for entry in entries}) < len(entries):
        raise BatchRefused("成员文件名重复", "F103")
    if any(entry.file_size > MOST_MEMBER_BYTES for entry in entries):
        raise BatchRefused("成员文件过大", "F106")
    if sum(entry.file_size for entry in entries) > MOST_TEXT_BYTES:
        raise BatchRefused("解压后内容过大", "F106")


def _text(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> str:
    with archive.open(entry) as member:
        content = member.read(entry.file_size + 1)
    if len(content) != entry.file_size:
        raise BatchRefused(f"{entry.filename}长度与目录不符", "F103")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BatchRefused(f"{entry.filename}不是UTF-8编码", "F103") from None


def _records(member_name: str, text: str, name: re.Match[str]) -> Iterator[WireRecord]:
    subsystem, period = name["subsystem"], name["period"]
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    header = HEADER[subsystem]
    if len(lines) < 2 or lines[1] != header:
        raise BatchRefused(f"{member_name}第2行出错：表头不符合约定", "F105")
    rows = [(number, line) for number, line in enumerate(lines[2:], start=3) if line.strip()]
    if not re.fullmatch(r"[0-9]{1,9}", lines[0]) or int(lines[0]) != len(rows):
        raise BatchRefused(f"{member_name}第1行出错：记录数与数据行数{len(rows)}不一致", "F104")
    columns = header.split(",")
    for number, line in rows:
        values = line.split(",")
        if len(values) != len(columns):
            raise BatchRefused(
                f"{member_name}第{number}行出错：应有{len(columns)}列，实有{len(values)}列", "F105"
            )
        row = dict(zip(columns, values, strict=True))
        yield WireRecord(
            member_name,
            number,
            row["个案编号"],
            fault_of(row, subsystem, period, member_name[-10:-4]),
            name["operation"],
            f"{subsystem}/{period}/{row['人口电子档案号']}",
        )
