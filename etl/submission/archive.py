"""Members of a batch, and the ZIP of text members whose bytes follow from them alone."""

import hashlib
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from schemas.padis_file_form import FIRST_NUMBERS, ZIP_TEXT
from schemas.refusal import Refusal

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
LINE_END = "\r\n"
FIRST_DATA_LINE = FIRST_NUMBERS[ZIP_TEXT]
# The oldest time that a ZIP can tell; the clock must not show in the bytes.
FIXED_TIME = (1980, 1, 1, 0, 0, 0)
REGULAR_FILE_0644 = 0o100644 << 16
UNIX = 3


@dataclass(frozen=True)
class Place:
    """Where a record stands in a batch."""

    record_id: str
    person_id: str
    member_name: str
    line_number: int
    content_sha256: str


@dataclass(frozen=True)
class Packed:
    """The bytes of a batch and the place of each of its records."""

    content: bytes
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Member:
    """One part of a batch; its records as lines, whatever the form of the file."""

    name: str
    count: str
    header: str
    lines: tuple[str, ...]
    first_number: int = FIRST_DATA_LINE

    def line(self, number: int) -> str | None:
        """Give a record's line by its number in the member, or None if there is no such record."""
        place = number - self.first_number
        return self.lines[place] if 0 <= place < len(self.lines) else None


def digest_of_line(line: str) -> str:
    """Compute the SHA-256 of a data line without its line end."""
    return hashlib.sha256(line.encode("utf-8")).hexdigest()


def member_of(name: str, header: str, lines: Sequence[str]) -> Member:
    """Make a member that tells how many lines it has."""
    return Member(name, str(len(lines)), header, tuple(lines))


def zip_members(members: Iterable[Member]) -> bytes:
    """Pack members in their order; equal members give equal bytes."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for member in members:
            text = (member.count, member.header, *member.lines)
            content = BYTE_ORDER_MARK + "".join(line + LINE_END for line in text).encode("utf-8")
            file.writestr(_entry(member.name), content, compresslevel=6)
    return archive.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, FIXED_TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = UNIX
    entry.external_attr = REGULAR_FILE_0644
    return entry


def read_members(content: bytes) -> Iterator[Member]:
    """Read the members of a batch of our own back.

    Raises:
        Refusal: the bytes are no batch.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                text = archive.read(name).removeprefix(BYTE_ORDER_MARK).decode("utf-8")
                count, header, *lines = text.removesuffix(LINE_END).split(LINE_END)
                yield Member(name, count, header, tuple(lines))
    except (zipfile.BadZipFile, ValueError, EOFError) as error:
        raise Refusal(
            "batch_unreadable",
            found=f"{len(content)} bytes that are no batch ({type(error).__name__})",
            expected="a ZIP of text members with count and header",
            to_do="restore exchange.batch from backup",
        ) from None


def sidecar_of(file_name: str, digest: str) -> bytes:
    """Give the content of a digest file that is sent before the batch."""
    return f"{digest}  {file_name}\n".encode("ascii")
