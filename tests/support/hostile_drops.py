"""Drops made to do harm, beyond those of the sandbox: each a function of a whole drop, with its refusal."""

import gzip
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

from sandbox.partners.drops import MANIFEST, Drop, files_of, manifest_of, promise
from sandbox.partners.hostile import SPOILS

Written = dict[str, bytes]
Hostile = Callable[[Drop], Written]
MIB = 2**20
# More than any reader of ours takes in one piece.
LONG = 12 * MIB
SYMLINK, DEVICE, FOLDER = 0o120777 << 16, 0o020666 << 16, 0o040755 << 16
OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(4096)
# Where a local header and the directory of a ZIP hold flags, method, and the size unpacked.
LOCAL, DIRECTORY = b"PK\x03\x04", b"PK\x01\x02"
FIELDS = {"flags": (6, 8, "<H"), "method": (8, 10, "<H"), "size": (22, 24, "<I")}


def file_of(name: str, content: Callable[[Drop], bytes] | bytes, encoding: str = "utf-8") -> Hostile:
    """Leave bytes under a name, `{stem}` filled in, promised truly."""

    def leave(drop: Drop) -> Written:
        held = content if isinstance(content, bytes) else content(drop)
        return _with_manifest(drop, name.format(stem=drop.stem), held, encoding)

    return leave


def xml_of(body: str, *, doctype: str = "", declared: str = "utf-8") -> Hostile:
    """Leave an XML file with a document type or a body of evil."""

    def write(drop: Drop) -> bytes:
        filled = body.replace("{key}", drop.key).replace("{long}", "x" * LONG)
        text = f"{doctype}<{drop.dataset}>{filled}</{drop.dataset}>"
        return f'<?xml version="1.0" encoding="{declared}"?>\n{text}\n'.encode()

    return file_of("{stem}.xml", write)


def zip_of(*names: str, mode: int = 0, patch: dict[str, int] | None = None, extra: bytes = b"") -> Hostile:
    """Leave a ZIP of members of these names with the drop's rows, its headers changed by `patch`."""

    def write(drop: Drop) -> bytes:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in names:
                member = zipfile.ZipInfo("placeholder", (1980, 1, 1, 0, 0, 0))
                # Set afterwards: the library would mend it.
                member.filename = name.format(stem=drop.stem)
                member.create_system, member.external_attr, member.extra = 3, mode, extra
                archive.writestr(member, _csv(drop), zipfile.ZIP_DEFLATED)
        return _patched(packed.getvalue(), patch or {})

    return file_of("{stem}.zip", write)


def manifest_with(**changed: Any) -> Hostile:
    """Promise another thing of the only file than is true; `_` entries change the manifest itself."""

    def leave(drop: Drop) -> Written:
        files = files_of(drop)
        said = json.loads(files[MANIFEST])
        said.update({key[1:]: value for key, value in changed.items() if key.startswith("_")})
        said["files"][0].update({key: value for key, value in changed.items() if not key.startswith("_")})
        return {**files, MANIFEST: json.dumps(said).encode()}

    return leave


def manifest_bytes(content: bytes) -> Hostile:
    """Leave a manifest of these very bytes."""
    return lambda drop: {**files_of(drop), MANIFEST: content}


def _with_manifest(drop: Drop, name: str, content: bytes, encoding: str) -> Written:
    return {
        name: content,
        MANIFEST: manifest_of(drop, [promise(name, content, drop.rows.num_rows, encoding)]),
    }


def _csv(drop: Drop) -> bytes:
    return next(content for name, content in files_of(drop).items() if name != MANIFEST)


def _patched(archive: bytes, patch: dict[str, int]) -> bytes:
    changed = bytearray(archive)
    for signature, place in ((LOCAL, 0), (DIRECTORY, 1)):
        start = archive.index(signature)
        for field, value in patch.items():
            struct.pack_into(FIELDS[field][2], changed, start + FIELDS[field][place], value)
    return bytes(changed)


def _workbook(drop: Drop) -> bytes:
    from openpyxl import Workbook

    book, kept = Workbook(), io.BytesIO()
    for row in drop.rows.to_pylist():
        book.active.append(list(row.values()))
    book.save(kept)
    return kept.getvalue()


def _overlapping(drop: Drop) -> bytes:
    """Let a hundred entries of the directory share one packed member, as bombs without nesting do."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{drop.stem}.csv", bytes(MIB))
    content = packed.getvalue()
    start, end = content.index(DIRECTORY), content.rindex(b"PK\x05\x06")
    entries = content[start:end] * 100
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 100, 100, len(entries), start, 0)
    return content[:start] + entries + tail


def _understated(drop: Drop) -> bytes:
    """Unpack to 256 MiB and declare as many bytes as the real rows have."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
        archive.open(f"{drop.stem}.csv", "w") as member,
    ):
        for _ in range(256):
            member.write(bytes(MIB))
    return _patched(packed.getvalue(), {"size": len(_csv(drop))})


def _unicode_path(name: str) -> bytes:
    """A second name in the extra field, by which some unpack instead of the first."""
    held = struct.pack("<BL", 1, zlib.crc32(b"")) + name.encode()
    return struct.pack("<HH", 0x7075, len(held)) + held


def _laughs(levels: int) -> str:
    steps = "".join(f'<!ENTITY % l{n} "{f"%l{n - 1};" * 10}">' for n in range(1, levels))
    return f'<!DOCTYPE rows [<!ENTITY % l0 "ha">{steps}]>'


def _last_sign_cut(drop: Drop, cut: bytes, encoding: str) -> bytes:
    return _csv(drop).decode().encode(encoding) + cut


FIELD = "<row><{key}>%s</{key}></row>"
EXTERNAL = '<!DOCTYPE rows [<!ENTITY x SYSTEM "{address}">]>'
OUTSIDE = "../../../../canary.csv"

XML: dict[str, tuple[Hostile, str]] = {
    "entities squared": (
        xml_of(FIELD % ("&b;" * 50_000), doctype=f'<!DOCTYPE rows [<!ENTITY b "{"b" * 50_000}">]>'),
        "xml_doctype",
    ),
    "laughs of parameters": (xml_of(FIELD % "", doctype=_laughs(12)), "xml_doctype"),
    "document type alone": (xml_of(FIELD % "", doctype="<!DOCTYPE rows>"), "xml_doctype"),
    "document type after a comment": (
        xml_of(FIELD % "&x;", doctype=f"<!--{' ' * 100_000}-->{EXTERNAL.format(address='/etc/passwd')}"),
        "xml_doctype",
    ),
    "elements without end": (xml_of("<row>" + "<a>" * 200_000), "xml_unreadable"),
    "text without end": (xml_of(FIELD % "{long}"), "line_too_long"),
    "white space without end": (file_of("{stem}.xml", lambda _: b" " * LONG), "xml_unreadable"),
    "attribute without end": (xml_of('<row a="{long}"/>'), "xml_unreadable"),
    "comment without end": (xml_of("<!--{long}-->"), "xml_unreadable"),
    "name without end": (xml_of("<{long}/>"), "xml_unreadable"),
    "attributes by the million": (
        xml_of("<row " + "".join(f" a{n}='1'" for n in range(200_000)) + "/>"),
        "drop_rows_differ",
    ),
    "another encoding declared": (xml_of(FIELD % "", declared="utf-16"), "encoding_differs"),
    "an entity that nobody declared": (xml_of(FIELD % "&secret;"), "xml_unreadable"),
}
ZIP: dict[str, tuple[Hostile, str]] = {
    "bomb of overlapping members": (file_of("{stem}.zip", _overlapping), "archive_unfit"),
    "bomb that understates itself": (file_of("{stem}.zip", _understated), "archive_unreadable"),
    "unpacks to more than agreed": (zip_of("{stem}.csv", patch={"size": 2**32 - 2}), "archive_unfit"),
    "absolute name": (zip_of("/tmp/{stem}.csv"), "archive_unfit"),  # noqa: S108 - what an attacker writes
    "name of another machine": (zip_of("C:\\Windows\\{stem}.csv"), "archive_unfit"),
    "backslashes upwards": (zip_of("..\\..\\{stem}.csv"), "archive_unfit"),
    "upwards within": (zip_of("x/../{stem}.csv"), "archive_unfit"),
    "line break in a name": (zip_of("{stem}.csv\nforged.csv"), "archive_unfit"),
    "NUL in a name": (zip_of("{stem}.csv\0.exe"), "archive_unfit"),
    "a device": (zip_of("{stem}.csv", mode=DEVICE), "archive_unfit"),
    "a folder": (zip_of("{stem}.csv/"), "archive_unfit"),
    "a link": (zip_of("{stem}.csv", mode=SYMLINK), "archive_unfit"),
    "two members": (zip_of("{stem}.csv", "{stem}.xml"), "archive_unfit"),
    "encrypted": (zip_of("{stem}.csv", patch={"flags": 1}), "archive_unfit"),
    "encrypted by AES": (zip_of("{stem}.csv", patch={"flags": 1, "method": 99}), "archive_unfit"),
    "packed in an odd way": (zip_of("{stem}.csv", patch={"method": 14}), "archive_unfit"),
    "cut off": (file_of("{stem}.zip", lambda drop: _cut(zip_of("{stem}.csv")(drop))), "archive_unreadable"),
    "nothing but an end": (file_of("{stem}.zip", b"PK\x05\x06" + bytes(18)), "archive_unfit"),
    "no ZIP": (file_of("{stem}.zip", _csv), "archive_unreadable"),
    "a workbook as ZIP": (file_of("{stem}.zip", _workbook), "archive_unfit"),
    "an encrypted workbook as ZIP": (file_of("{stem}.zip", OLE), "file_kind_differs"),
}
TEXT: dict[str, tuple[Hostile, str]] = {
    "a workbook": (file_of("{stem}.xlsx", _workbook), "file_kind_differs"),
    "a workbook as CSV": (file_of("{stem}.csv", _workbook), "file_kind_differs"),
    "an encrypted workbook as CSV": (file_of("{stem}.csv", OLE), "file_kind_differs"),
    "gzip as CSV": (file_of("{stem}.csv", lambda drop: gzip.compress(_csv(drop))), "file_kind_differs"),
    "a line without end": (
        file_of("{stem}.csv", lambda drop: _csv(drop) + b"x" * LONG),
        "line_too_long",
    ),
    "a quote without end": (
        file_of("{stem}.csv", lambda drop: _csv(drop) + b'"' + b'""' * LONG),
        "line_too_long",
    ),
    "stray quotes by the hundred thousand": (
        file_of("{stem}.csv", lambda drop: _csv(drop) + b'""x\n' * 300_000),
        "drop_rows_differ",
    ),
    "a header without end": (file_of("{stem}.csv", lambda _: b"a," * LONG), "line_too_long"),
    "nothing but NUL": (file_of("{stem}.csv", lambda _: bytes(LONG)), "line_too_long"),
    "UTF-8 told to be GBK": (file_of("{stem}.csv", _csv, "gbk"), "encoding_differs|file_undecodable"),
    "GB18030 told to be GBK": (
        file_of("{stem}.csv", lambda drop: _last_sign_cut(drop, b"\x82\x30\x81\x30\n", "gb18030"), "gbk"),
        "file_undecodable",
    ),
    "UTF-16 told to be UTF-8": (
        file_of("{stem}.csv", lambda drop: _csv(drop).decode().encode("utf-16")),
        "file_undecodable",
    ),
    "GB18030 of no character": (
        file_of("{stem}.csv", lambda drop: _last_sign_cut(drop, b"\xfe\x39\xfe\x39\n", "gb18030"), "gb18030"),
        "file_undecodable",
    ),
    "GB18030 cut within four bytes": (
        file_of("{stem}.csv", lambda drop: _last_sign_cut(drop, b"\x95\x32\x82", "gb18030"), "gb18030"),
        "file_undecodable",
    ),
    "half a surrogate": (
        file_of("{stem}.csv", lambda drop: _csv(drop) + b"\xed\xa0\x80\n"),
        "file_undecodable",
    ),
    "a byte order mark of others": (
        file_of("{stem}.csv", lambda drop: b"\xff\xfe" + _csv(drop)),
        "file_undecodable",
    ),
}
MANIFESTS: dict[str, tuple[Hostile, str]] = {
    "digest": (manifest_with(sha256="a" * 64), "drop_digest_differs"),
    "rows": (manifest_with(rows=0), "drop_rows_differ"),
    "more bytes": (manifest_with(bytes=10**8), "drop_bytes_differ"),
    "fewer bytes": (manifest_with(bytes=9), "drop_bytes_differ"),
    "rows without bound": (manifest_with(rows=10**400), "manifest_unreadable"),
    "another dataset": (manifest_with(_dataset="bank_return"), "manifest_of_another_drop"),
    "another date": (manifest_with(_business_date="2026-06-02"), "manifest_of_another_drop"),
    "another city": (manifest_with(_city="120000"), "manifest_unreadable"),
    "name of another date": (manifest_with(name="mch_birth_20260602.csv"), "manifest_names_unfit"),
    "name upwards": (manifest_with(name=OUTSIDE), "manifest_names_unfit"),
    "absolute name": (manifest_with(name="/etc/passwd"), "manifest_names_unfit"),
    "name with NUL": (manifest_with(name="mch_birth_20260601.csv\0"), "manifest_names_unfit"),
    "name with half a surrogate": (
        manifest_with(name="mch_birth_20260601\ud800.csv"),
        "manifest_names_unfit",
    ),
    "name with an escape": (manifest_with(name="\x1b[2Jmch_birth_20260601.csv"), "manifest_names_unfit"),
    "name with a line break after": (manifest_with(name="mch_birth_20260601.csv\n"), "manifest_names_unfit"),
    "brackets without end": (manifest_bytes(b"[" * 60_000), "manifest_unreadable"),
    "a number without end": (manifest_bytes(b"9" * 60_000), "manifest_unreadable"),
    "more than is read": (manifest_bytes(b" " * MIB), "remote_too_large"),
    "UTF-16": (manifest_bytes('{"files": []}'.encode("utf-16")), "manifest_unreadable"),
}
OF_SANDBOX = {
    "wrong_encoding": "file_undecodable",
    "wrong_digest": "drop_digest_differs",
    "wrong_count": "drop_rows_differ",
    "truncated_gbk": "file_undecodable",
    "zip_bomb": "archive_unfit",
    "nested_zip": "archive_unfit",
    "parent_path": "archive_unfit",
    "symlink_member": "archive_unfit",
    "external_entity": "xml_doctype",
    "entity_bomb": "xml_doctype",
    "encrypted_workbook": "file_kind_differs",
    "newline_in_name": "manifest_names_unfit",
}
HOSTILE: dict[str, tuple[Hostile, str]] = {
    **{f"sandbox: {kind}": (SPOILS[kind], code) for kind, code in OF_SANDBOX.items()},
    **{f"XML: {name}": case for name, case in XML.items()},
    **{f"ZIP: {name}": case for name, case in ZIP.items()},
    **{f"text: {name}": case for name, case in TEXT.items()},
    **{f"manifest: {name}": case for name, case in MANIFESTS.items()},
}


def _cut(files: Written) -> bytes:
    content = next(content for name, content in files.items() if name != MANIFEST)
    return content[: len(content) // 2]


def asks_outside(address: str) -> list[Hostile]:
    """Let XML ask for an address in every way that XML knows."""
    return [
        xml_of(FIELD % "&x;", doctype=EXTERNAL.format(address=address)),
        xml_of(FIELD % "", doctype=f'<!DOCTYPE rows SYSTEM "{address}">'),
        xml_of(FIELD % "", doctype=f'<!DOCTYPE rows PUBLIC "x" "{address}">'),
        xml_of(FIELD % "", doctype=f'<!DOCTYPE rows [<!ENTITY % x SYSTEM "{address}"> %x;]>'),
    ]


def includes(address: str) -> bytes:
    """Ask for an address by XInclude and by a style sheet: no fault of the file, and nobody follows."""
    include = f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{address}" parse="text"/>'
    style = f'<?xml-stylesheet href="{address}"?>'
    return f"{style}<mch_birth><row>{include}</row>{include}</mch_birth>".encode()
