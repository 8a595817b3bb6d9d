"""Drops that must be refused: wrong in themselves, or made to do harm."""

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace

from sandbox.partners.drops import MANIFEST, Drop, files_of, manifest_of, promise
from sandbox.partners.wire import Format, Wire, written, zipped

BOMB_BYTES = 256 * 2**20
BLOCK = bytes(2**20)
# The first bytes of every OLE container, in which an encrypted workbook is wrapped.
OLE_SIGNATURE = bytes.fromhex("d0cf11e0a1b11ae1")
EXTERNAL_ENTITY = '<!DOCTYPE rows [<!ENTITY secret SYSTEM "file:///etc/passwd">]>'
SYMLINK = 0o120777 << 16
Written = dict[str, bytes]


def wrong_encoding(drop: Drop) -> Written:
    """Write GBK, or GB18030, and declare UTF-8."""
    name, content, encoding = written(drop.rows, drop.dataset, drop.stem, Wire(_plain(drop), "gbk"))
    content = content.replace(f'encoding="{encoding}"'.encode(), b'encoding="utf-8"', 1)
    if drop.wire.file_format == "zip":
        name, content = f"{drop.stem}.zip", zipped({name: content})
    return _with_manifest(drop, name, content, "utf-8")


def truncated_gbk(drop: Drop) -> Written:
    """End in the middle of a two-byte character; digest and length are those of what is there."""
    name, content, encoding = written(drop.rows, drop.dataset, drop.stem, Wire(_plain(drop), "gbk"))
    text = content.decode(encoding)
    last = max((place for place, sign in enumerate(text) if not sign.isascii()), default=0)
    cut = text[:last].encode(encoding) + (text[last:] + "末")[0:1].encode(encoding)[:1]
    return _with_manifest(drop, name, cut, encoding)


def wrong_digest(drop: Drop) -> Written:
    """Promise another digest than the file has."""
    return _promised(drop, sha256="0" * 64)


def wrong_count(drop: Drop) -> Written:
    """Promise one row more than the file has."""
    return _promised(drop, rows=drop.rows.num_rows + 1)


def zip_bomb(drop: Drop) -> Written:
    """Pack 256 MiB of nothing into a quarter of a megabyte."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(f"{drop.stem}.csv", "w") as member,
    ):
        for _ in range(BOMB_BYTES // len(BLOCK)):
            member.write(BLOCK)
    return _with_manifest(drop, f"{drop.stem}.zip", packed.getvalue(), "utf-8")


def nested_zip(drop: Drop) -> Written:
    """Hide a ZIP in a ZIP."""
    inner = zipped({f"{drop.stem}.csv": _csv(drop)})
    return _with_manifest(drop, f"{drop.stem}.zip", zipped({f"{drop.stem}_inner.zip": inner}), "utf-8")


def parent_path(drop: Drop) -> Written:
    """Name a member so that unpacking it would leave the folder."""
    packed = zipped({f"../../{drop.stem}.csv": _csv(drop)})
    return _with_manifest(drop, f"{drop.stem}.zip", packed, "utf-8")


def symlink_member(drop: Drop) -> Written:
    """Pack a link to a file of the machine that unpacks."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        link = zipfile.ZipInfo(f"{drop.stem}.csv", (1980, 1, 1, 0, 0, 0))
        link.create_system, link.external_attr = 3, SYMLINK
        archive.writestr(link, "/etc/passwd")
    return _with_manifest(drop, f"{drop.stem}.zip", packed.getvalue(), "utf-8")


def external_entity(drop: Drop) -> Written:
    """Let XML ask for a file of the machine that reads it."""
    body = f"<{drop.dataset}><row><{drop.key}>&secret;</{drop.key}></row></{drop.dataset}>"
    return _xml(drop, EXTERNAL_ENTITY + body)


def entity_bomb(drop: Drop) -> Written:
    """Let XML grow to a billion laughs."""
    steps = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    body = f"<{drop.dataset}><row><{drop.key}>&l9;</{drop.key}></row></{drop.dataset}>"
    return _xml(drop, f'<!DOCTYPE rows [<!ENTITY l0 "ha">{steps}]>{body}')


def encrypted_workbook(drop: Drop) -> Written:
    """Leave a workbook that nobody can open without its password."""
    content = OLE_SIGNATURE + bytes(504) + "EncryptedPackage".encode("utf-16-le") + bytes(1000)
    return _with_manifest(drop, f"{drop.stem}.xlsx", content, "utf-8")


def newline_in_name(drop: Drop) -> Written:
    """Name a file so that a log or a list would show two."""
    return _with_manifest(drop, f"{drop.stem}.csv\nforged.csv", _csv(drop), "utf-8")


SPOILS: dict[str, Callable[[Drop], Written]] = {
    "wrong_encoding": wrong_encoding,
    "wrong_digest": wrong_digest,
    "wrong_count": wrong_count,
    "truncated_gbk": truncated_gbk,
    "zip_bomb": zip_bomb,
    "nested_zip": nested_zip,
    "parent_path": parent_path,
    "symlink_member": symlink_member,
    "external_entity": external_entity,
    "entity_bomb": entity_bomb,
    "encrypted_workbook": encrypted_workbook,
    "newline_in_name": newline_in_name,
}


def _with_manifest(drop: Drop, name: str, content: bytes, encoding: str) -> Written:
    entry = promise(name, content, drop.rows.num_rows, encoding)
    return {name: content, MANIFEST: manifest_of(drop, [entry])}


def _promised(drop: Drop, **other: object) -> Written:
    name, content = next(iter(files_of(drop).items()))
    encoding = written(drop.rows, drop.dataset, drop.stem, drop.wire)[2]
    entry = {**promise(name, content, drop.rows.num_rows, encoding), **other}
    return {name: content, MANIFEST: manifest_of(drop, [entry])}


def _plain(drop: Drop) -> Format:
    return "xml" if drop.wire.file_format == "xml" else "csv"


def _csv(drop: Drop) -> bytes:
    plain = replace(drop, wire=Wire("csv", "utf-8"))
    return next(iter(files_of(plain).values()))


def _xml(drop: Drop, text: str) -> Written:
    content = f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()
    return _with_manifest(drop, f"{drop.stem}.xml", content, "utf-8")
