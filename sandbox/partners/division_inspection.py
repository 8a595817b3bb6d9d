"""What the receiver makes of a division upload (QHDM_, QHDM_BGDZB_): its own reading.

It was observed in public source code: members are opened one after the other, a fault of a file stops all,
a fault of a line of the changes is noted and the next line read. Blank lines are not numbered.
"""

import io
import re
import zipfile
from dataclasses import dataclass, field

from sandbox.partners.inspection import BROKEN_ZIP, BatchRefused
from sandbox.partners.layout import (
    MOST_ARCHIVE_BYTES,
    MOST_MEMBER_BYTES,
    MOST_MEMBERS,
    MOST_RATIO,
    RATIO_MATTERS_FROM,
)

DIVISIONS_HEADER = "区划名称,区划代码"
CHANGES_HEADER = "调整编号,调整说明,原区划名称,原区划代码,调整类型,现区划名称,现区划代码"
NEW, CHANGED, MERGED, MOVED = "11", "21", "31", "41"
CENTRAL_ENTRY = b"PK\x01\x02"


@dataclass
class DivisionsTaken:
    """What was read: codes by name of member, and what was noted of single lines."""

    divisions: dict[str, str] = field(default_factory=dict)
    changes: list[tuple[str, ...]] = field(default_factory=list)
    noted: list[str] = field(default_factory=list)


def inspect_divisions(file_name: str, content: bytes) -> DivisionsTaken:
    """Read an upload of divisions.

    Raises:
        BatchRefused: the archive or a member cannot be taken; the explanation names the line if there is one.
    """
    runs = [run for run in re.split(r"[^0-9]+", file_name) if len(run) in (6, 12, 15)]
    if not runs:
        raise BatchRefused("文件名中没有区划代码", "F103")
    if len(content) > MOST_ARCHIVE_BYTES or content.count(CENTRAL_ENTRY) > MOST_MEMBERS:
        raise BatchRefused("压缩包过大", "F106")
    taken = DivisionsTaken()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if not archive.namelist():
                raise BatchRefused("压缩包中没有文件", "F107")
            for entry in archive.infolist():
                _check_name(entry.filename, runs[0])
                most = max(RATIO_MATTERS_FROM, MOST_RATIO * entry.compress_size)
                if entry.file_size > min(MOST_MEMBER_BYTES, most):
                    raise BatchRefused(f"{entry.filename}压缩比异常或过大", "F106")
                _read(entry.filename, archive.read(entry), runs[0], taken)
    except BROKEN_ZIP:
        raise BatchRefused("压缩包损坏或无法读取", "F102") from None
    return taken


def _check_name(name: str, division: str) -> None:
    if "QHDM_" not in name.upper():
        raise BatchRefused(f"{name}文件名称不规范！请检查", "F103")
    if name.rpartition(".")[2].lower() != "txt":
        raise BatchRefused(f"{name}文件名称不规范！请检查,扩展名不是txt格式", "F103")
    if name.find(division) < 0:
        raise BatchRefused(f"{name}文件和ZIP文件的区划代码不一致！请检查", "F103")


def _read(name: str, content: bytes, division: str, taken: DivisionsTaken) -> None:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BatchRefused(f"{name}不是UTF-8编码", "F103") from None
    is_changes = "QHDM_BGDZB_" in name.upper()
    stated, number = "", 0
    for line in text.replace("\r", "\n").split("\n"):
        if not line.strip():
            continue
        number += 1
        columns = [column.strip() for column in line.rstrip(",").split(",")]
        if number == 1:
            stated = line.strip()
        elif number == 2:
            header = CHANGES_HEADER if is_changes else DIVISIONS_HEADER
            if ",".join(columns) != header:
                raise BatchRefused(f"{name}第2行出错：文件标题错误，规范中要求标题是：[{header}]", "F105")
        elif len(columns) != (7 if is_changes else 2):
            raise BatchRefused(f"{name}第{number}行出错：逗号分隔错误", "F105")
        elif is_changes:
            taken.changes.append(tuple(columns))
            taken.noted += [
                f"{name}第{number}行出错：{said}，请检查！" for said in _faults(columns, division)
            ]
        else:
            said = _fault_of_code("区划代码", columns[1], division)
            if said:
                raise BatchRefused(f"{name}第{number}行出错：{said}，请检查！", "F105")
            taken.divisions[columns[1].ljust(15, "0")] = columns[0]
    if number < 2:
        raise BatchRefused(f"{name}第2行出错：没有文件标题", "F105")
    if not (stated.isascii() and stated.isdigit()) or int(stated) != number - 2:
        raise BatchRefused(f"{name}第1行出错：给出的数据量和实际条数不符合，请检查！", "F104")


def _faults(columns: list[str], division: str) -> list[str]:
    adjustment, _, _, old, kind, _, new = columns
    found = []
    if adjustment == "":
        found.append("调整编号为空")
    if kind not in (NEW, CHANGED, MERGED, MOVED):
        found.append("调整类型不符合规范")
    if not (old == "" and kind == NEW):
        found.append(_fault_of_code("原区划代码", old, division))
    found.append(_fault_of_code("现区划代码", new, division))
    return [said for said in found if said]


def _fault_of_code(what: str, code: str, division: str) -> str:
    if code == "":
        return f"{what}为空"
    if len(code) not in (12, 15) or not (code.isascii() and code.isdigit()):
        return f"{what}不符合规范"
    return "" if code[:2] == division[:2] else f"{what}和ZIP文件区划代码不一致"
