"""The file to the receiver: a ZIP of text members whose bytes follow from the lines alone."""

import hashlib
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import pyarrow as pa

from schemas.padis_profile import Profile, Subsystem
from schemas.refusal import Refusal

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
LINE_END = "\r\n"
FIRST_DATA_LINE = 3
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

    @property
    def sha256(self) -> str:
        """Digest of the file."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class Member:
    """One text member as it stands in a batch."""

    name: str
    count: str
    header: str
    lines: tuple[str, ...]

    def line(self, number: int) -> str | None:
        """Give a data line by its number in the member, or None if there is no such line."""
        place = number - FIRST_DATA_LINE
        return self.lines[place] if 0 <= place < len(self.lines) else None


def digest_of_line(line: str) -> str:
    """Compute the SHA-256 of a data line without its line end."""
    return hashlib.sha256(line.encode("utf-8")).hexdigest()


def pack_lines(profile: Profile, subsystem: Subsystem, lines: pa.Table) -> Packed:
    """Pack lines, ordered by district and record as `lay_out` gives them, one member per district."""
    places: list[Place] = []
    members: list[Member] = []
    for district, rows in groupby(lines.to_pylist(), key=lambda row: str(row["district_code"])):
        name, records = profile.name_member(subsystem, district), list(rows)
        places += [
            Place(row["record_id"], row["person_id"], name, number, digest_of_line(row["line"]))
            for number, row in enumerate(records, start=FIRST_DATA_LINE)
        ]
        members.append(member_of(name, subsystem.header, [row["line"] for row in records]))
    return Packed(zip_members(members), tuple(places))


def pack_within_limits(profile: Profile, subsystem: Subsystem, lines: pa.Table) -> Iterator[Packed]:
    """Pack lines, in their order, into batches that each keep the receiver's limits.

    Raises:
        Refusal: a single record does not fit into a batch.
    """
    for start in range(0, lines.num_rows, profile.most_records):
        yield from _pack_halves(profile, subsystem, lines.slice(start, profile.most_records))


def _pack_halves(profile: Profile, subsystem: Subsystem, lines: pa.Table) -> Iterator[Packed]:
    packed = pack_lines(profile, subsystem, lines)
    if len(packed.content) <= profile.most_bytes:
        yield packed
        return
    if lines.num_rows == 1:
        raise Refusal(
            "record_too_large",
            found=f"a batch of one record with {len(packed.content)} bytes",
            expected=f"at most {profile.most_bytes} bytes, as the receiver's profile says",
            to_do="correct most_bytes in schemas/padis/, or find out what makes the record so long",
        )
    half = lines.num_rows // 2
    for part in (lines.slice(0, half), lines.slice(half)):
        yield from _pack_halves(profile, subsystem, part)


def pack_nothing(profile: Profile, subsystem: Subsystem) -> Packed:
    """Pack a batch that says that there is nothing to report: one member of the whole city, without lines."""
    name = profile.name_member(subsystem, profile.division_code)
    return Packed(zip_members([member_of(name, subsystem.header, [])]), ())


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


def sidecar_of(file_name: str, sha256: str) -> bytes:
    """Give the content of the digest file that is sent before the batch."""
    return f"{sha256}  {file_name}\n".encode("ascii")
