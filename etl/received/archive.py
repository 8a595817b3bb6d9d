"""Look into a ZIP without unpacking it: one member, named as agreed, streamed up to its limit.

The directory at the end is read by hand first, since reading a large one takes memory; nothing is ever
written under a name that an archive gives.
"""

import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from etl.received.file import CHUNK, ReceivedFile
from schemas.refusal import Refusal

END = struct.Struct("<4s4H2LH")
END_SIGNATURE = b"PK\x05\x06"
ZIP64_LOCATOR = b"PK\x06\x07"
LOCATOR_BYTES = 20
MOST_DIRECTORY_BYTES = 4096
# Text of a partner shrinks to a tenth or so; what shrinks to less than a hundredth is no text.
MOST_RATIO = 100
ENCRYPTED = 0x1
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
MEMBER_ENDINGS = (".csv", ".xml")


def member_of(file: ReceivedFile) -> tuple[zipfile.ZipInfo, str]:
    """Find the only member of an archive and tell its ending, `csv` or `xml`.

    Raises:
        Refusal: `archive_unfit`: not one plain member of the archive's own name, encrypted, or one that
            would unpack to more than is agreed; `archive_unreadable`: no ZIP at all.
    """
    _check_directory(file)
    try:
        with zipfile.ZipFile(file.path) as archive:
            (member,) = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        raise _unreadable(file) from None
    _check_member(file, member)
    return member, Path(member.orig_filename).suffix.removeprefix(".")


def member_chunks(file: ReceivedFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """Give the bytes of a member; never more than it declares.

    Raises:
        Refusal: `archive_unreadable`: cut off, changed, or longer than declared.
    """
    given = 0
    try:
        with zipfile.ZipFile(file.path) as archive, archive.open(member) as content:
            while chunk := content.read(CHUNK):
                given += len(chunk)
                if given > member.file_size:
                    raise _unreadable(file)
                yield chunk
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError):
        raise _unreadable(file) from None


def _check_directory(file: ReceivedFile) -> None:
    """Hold the end of the archive against the only form that we take: one entry, no comment, no ZIP64."""
    size = file.path.stat().st_size
    with file.path.open("rb") as content:
        content.seek(max(0, size - END.size - LOCATOR_BYTES))
        tail = content.read()
    if len(tail) < END.size:
        raise _unreadable(file)
    signature, disk, start_disk, here, entries, length, _, comment = END.unpack(tail[-END.size :])
    if signature != END_SIGNATURE or comment:
        raise _unreadable(file)
    is_large = tail[: -END.size].startswith(ZIP64_LOCATOR)
    if (disk, start_disk, here, entries) != (0, 0, 1, 1) or is_large or length > MOST_DIRECTORY_BYTES:
        raise _unfit(file, f"{entries} members" if entries != 1 else "an archive in parts or of ZIP64")


def _check_member(file: ReceivedFile, member: zipfile.ZipInfo) -> None:
    agreed = re.compile(rf"{re.escape(Path(file.name).stem)}({'|'.join(map(re.escape, MEMBER_ENDINGS))})")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG) or member.is_dir():
        raise _unfit(file, "a member that is no plain file (a link or folder)")
    # The name as it was written: the library cuts it at a NUL.
    if not agreed.fullmatch(member.orig_filename):
        raise _unfit(file, "a member whose name is not the archive's with .csv or .xml")
    if member.flag_bits & ENCRYPTED or member.compress_type not in METHODS:
        raise _unfit(file, "a member that is encrypted or packed in an unusual way")
    if member.file_size > file.most_bytes:
        raise _unfit(file, f"a member of more than {file.most_bytes} bytes")
    if member.file_size > CHUNK and member.file_size > MOST_RATIO * member.compress_size:
        raise _unfit(file, f"a member packed to less than 1/{MOST_RATIO}, as bombs are")


def _unfit(file: ReceivedFile, found: str) -> Refusal:
    return file.refusal(
        "archive_unfit", found, f"a ZIP of one file {Path(file.name).stem}.csv or .xml, not encrypted"
    )


def _unreadable(file: ReceivedFile) -> Refusal:
    return file.refusal("archive_unreadable", "bytes that are no whole ZIP", "a ZIP of one CSV or XML file")
