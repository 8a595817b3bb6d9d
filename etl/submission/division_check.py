"""Judge a division upload as the receiver does, line by line.

Lines are numbered as the receiver numbers them: blank ones are not counted. Where it would stop at the
first fault of a file, all faults are told here.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from etl.submission.archive import BYTE_ORDER_MARK
from schemas.division_upload import UploadLayout, UploadTable

# An archive with the division in its name: 6, 12 or 15 digits together.
DIVISION = re.compile(r"(?<![0-9])(?:[0-9]{6}|[0-9]{12}|[0-9]{15})(?![0-9])")
CODE = re.compile(r"[0-9]{12}|[0-9]{15}")
COUNT_LINE, HEADER_LINE = 1, 2
# The whole country has about 700,000 divisions; one line has some 60 bytes.
MOST_MEMBERS, MOST_BYTES, MOST_TEXT_BYTES, MOST_RATIO = 400, 64 * 2**20, 128 * 2**20, 200
DIRECTORY_ENTRY = b"PK\x01\x02"
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)


@dataclass(frozen=True)
class UploadFault:
    """What the receiver would say; no line where a member or the archive is at fault as a whole."""

    member_name: str
    line_number: int | None
    explanation: str

    def __str__(self) -> str:
        """Say it in the receiver's words."""
        place = "" if self.line_number is None else f"第{self.line_number}行出错："
        return f"{self.member_name}{place}{self.explanation}"


def check_upload(layout: UploadLayout, file_name: str, content: bytes) -> list[UploadFault]:
    """List what the receiver would refuse in an upload; nothing if it takes it."""
    division = DIVISION.search(file_name)
    if division is None:
        return [UploadFault(file_name, None, "文件名中没有区划代码！请检查")]
    # Counted before the directory is read: a million entries would fill the memory.
    if content.count(DIRECTORY_ENTRY) > MOST_MEMBERS:
        return [UploadFault(file_name, None, f"成员文件过多，最多{MOST_MEMBERS}个")]
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > MOST_TEXT_BYTES:
                return [UploadFault(file_name, None, "解压后内容过大")]
            members = [(entry, None if _is_too_large(entry) else archive.read(entry)) for entry in entries]
    except BROKEN:
        return [UploadFault(file_name, None, "压缩包损坏或无法读取！请检查")]
    if not members:
        return [UploadFault(file_name, None, "压缩包中没有文件！请检查")]
    return [
        fault for entry, text in members for fault in _check_member(layout, entry.filename, text, division[0])
    ]


def _is_too_large(entry: zipfile.ZipInfo) -> bool:
    return entry.file_size > min(MOST_BYTES, max(2**20, MOST_RATIO * entry.compress_size))


def _check_member(
    layout: UploadLayout, name: str, content: bytes | None, division: str
) -> Iterator[UploadFault]:
    if not name.lower().endswith(".txt"):
        yield UploadFault(name, None, "文件名称不规范！请检查，扩展名不是txt格式")
    elif layout.divisions.marker not in name.upper():
        yield UploadFault(name, None, "文件名称不规范！请检查")
    elif division not in name:
        yield UploadFault(name, None, "文件和ZIP文件的区划代码不一致！请检查")
    elif content is None:
        yield UploadFault(name, None, "成员文件过大或压缩比异常")
    else:
        try:
            text = content.removeprefix(BYTE_ORDER_MARK).decode("utf-8")
        except UnicodeDecodeError:
            yield UploadFault(name, None, "文件不是UTF-8编码！请检查")
            return
        is_changes = layout.changes.marker in name.upper()
        for line, explanation in _check_lines(layout, is_changes, text, division[:2]):
            yield UploadFault(name, line, explanation)


def _check_lines(
    layout: UploadLayout, is_changes: bool, text: str, province: str
) -> Iterator[tuple[int, str]]:
    table = layout.changes if is_changes else layout.divisions
    check = _check_change if is_changes else _check_division
    lines = [line for line in re.split(r"\r\n|\n|\r", text) if line.strip()]
    if len(lines) < HEADER_LINE:
        yield HEADER_LINE, "没有文件标题，请检查！"
        return
    if [column.strip() for column in _columns(lines[1])] != list(table.columns):
        yield HEADER_LINE, f"文件标题错误，规范中要求标题是：[{table.header}]"
        return
    rows = lines[HEADER_LINE:]
    stated = lines[0].strip()
    if not re.fullmatch(r"[0-9]{1,9}", stated) or int(stated) != len(rows):
        yield COUNT_LINE, f"给出的数据量和实际条数{len(rows)}不符合，请检查！"
    for number, line in enumerate(rows, start=HEADER_LINE + 1):
        values = [value.strip() for value in _columns(line)]
        if len(values) != len(table.columns):
            yield number, f"逗号分隔错误，应有{len(table.columns)}列，实有{len(values)}列"
            continue
        yield from ((number, said) for said in check(layout, table, values, province))


def _columns(line: str) -> list[str]:
    """Split a line as the receiver does, which loses empty columns at its end."""
    columns = line.split(",")
    while columns and not columns[-1]:
        columns.pop()
    return columns


def _check_division(_: UploadLayout, table: UploadTable, values: list[str], province: str) -> Iterator[str]:
    yield from _check_code("区划代码", values[table.place_of("division_code")], province)


def _check_change(
    layout: UploadLayout, table: UploadTable, values: list[str], province: str
) -> Iterator[str]:
    kind, old = values[table.place_of("kind")], values[table.place_of("old_code")]
    if not values[table.place_of("adjustment_number")]:
        yield "调整编号为空，请检查！"
    if kind not in layout.kinds.values():
        yield "调整类型不符合规范，请检查！"
    if old or kind not in layout.kinds_without_old:
        yield from _check_code("原区划代码", old, province)
    yield from _check_code("现区划代码", values[table.place_of("new_code")], province)


def _check_code(name: str, code: str, province: str) -> Iterator[str]:
    if not code:
        yield f"{name}为空，请检查！"
    elif not CODE.fullmatch(code):
        yield f"{name}不符合规范，请检查！"
    elif not code.startswith(province):
        yield f"{name}和ZIP文件区划代码不一致，请检查！"
