"""What the gateway makes of a batch as `padisPackage`: refused with a reason, or records with their faults.

It reads with libxml2's own GBK and knows its element names by itself, so that a mistake of ours shows as a
refusal.
"""

import base64
import binascii
import re
import zlib
from collections.abc import Iterator

from lxml import etree

from connectors.exchange_crypto import decrypt_sm4
from sandbox.partners.agreement import Agreement
from sandbox.partners.inspection import BatchRefused, WireRecord
from sandbox.partners.layout import (
    BATCH_NAME,
    ELEMENTS,
    MEMBER_KIND,
    MOST_ARCHIVE_BYTES,
    MOST_MEMBER_BYTES,
    MOST_MEMBERS,
    OPERATIONS,
)
from sandbox.partners.row_fault import fault_of
from schemas.padis_xml import CONTENT, PACKAGE, XmlRefused, refuse_invalid
from schemas.refusal import Refusal

SPACE = "{http://www.chinapop.gov.cn/dataspec}"
BEGIN = b'<?xml version="1.0" encoding="GBK"?>'


def inspect_package(file_name: str, content: bytes, agreement: Agreement) -> list[WireRecord]:
    """Read a package as uploaded and give its records in the order of subPackages and records.

    Raises:
        BatchRefused: XML, envelope, password, encryption, names, counts or columns are wrong.
    """
    name = BATCH_NAME.fullmatch(file_name.removesuffix(".xml"))
    if name is None or name["subsystem"] not in MEMBER_KIND or name["operation"] not in OPERATIONS:
        raise BatchRefused("批次文件名不符合约定", "F103")
    if len(content) > MOST_ARCHIVE_BYTES:
        raise BatchRefused("文件过大", "F106")
    root = _parse(content, PACKAGE)
    said = {element.tag.removeprefix(SPACE): element.text or "" for element in root.iter(etree.Element)}
    if said["globalBusinessId"] != name[0] or not agreement.is_password(said["password"]):
        raise BatchRefused("业务号或口令不符", "F103")
    packages = root.findall(f"{SPACE}businessContent/{SPACE}subPackage")
    if len(packages) > MOST_MEMBERS:
        raise BatchRefused(f"子包过多，最多{MOST_MEMBERS}个", "F106")
    records: list[WireRecord] = []
    for package in packages:
        member = str(package.findtext(f"{SPACE}id"))
        inner = _opened(said, agreement, f"{name[0]}/{member}", package.findtext(f"{SPACE}content") or "")
        records += _records(member, _parse(inner, CONTENT), name)
    if not records:
        raise BatchRefused("批次中没有记录", "F107")
    return records


def _parse(content: bytes, kind: str) -> etree._Element:
    # The sign < is never half of a character in GBK, so that no document type hides.
    if not content.startswith(BEGIN) or b"<!DOCTYPE" in content:
        raise BatchRefused("不是约定的GBK编码XML，或含有文档类型声明", "F111")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    try:
        root = etree.fromstring(content, parser)
        refuse_invalid(root, kind)
    except (etree.XMLSyntaxError, XmlRefused):
        raise BatchRefused("XML无法读取或不符合XSD", "F111") from None
    return root


def _opened(said: dict[str, str], agreement: Agreement, place: str, text: str) -> bytes:
    key = agreement.sm4_key
    if (said["isEncrypt"] == "1") != (key is not None):
        raise BatchRefused("内容应按约定加密", "F110")
    if said["isCode"] != "1":
        return text.encode("gbk")
    try:
        content = base64.b64decode(text, validate=True)
        if key is not None:
            content = decrypt_sm4([key], content, place.encode())
        return _unzipped(content) if said["isZip"] == "1" else content
    except (Refusal, binascii.Error, zlib.error, ValueError):
        raise BatchRefused("内容无法解码、解密或解压", "F110") from None


def _unzipped(content: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    unzipped = unpacker.decompress(content, MOST_MEMBER_BYTES)
    if not unpacker.eof:
        raise BatchRefused("解压后内容过大或不完整", "F110")
    return unzipped


def _records(member: str, root: etree._Element, name: re.Match[str]) -> Iterator[WireRecord]:
    subsystem, period, division = name["subsystem"], name["period"], name["division"]
    kind = MEMBER_KIND[subsystem]
    expected = rf"{kind}_{division}_{division[:2]}[0-9]{{4}}"
    if not re.fullmatch(expected, member) or root.get("name") != kind:
        raise BatchRefused("子包标识不符合约定", "F103")
    rows = root.findall("jl")
    if root.findtext("jls") != str(len(rows)):
        raise BatchRefused(f"{member}记录数与数据行数{len(rows)}不一致", "F104")
    columns = ELEMENTS[subsystem]
    for number, element in enumerate(rows, start=1):
        if [child.tag for child in element] != list(columns) or any(len(child) for child in element):
            raise BatchRefused(f"{member}第{number}行出错：元素不符合约定", "F105")
        row = {columns[child.tag]: child.text or "" for child in element}
        yield WireRecord(
            member,
            number,
            row["个案编号"],
            fault_of(row, subsystem, period, member[-6:]),
            name["operation"],
            f"{subsystem}/{period}/{row['人口电子档案号']}",
        )
