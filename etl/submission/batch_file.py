"""The file of a batch in the form that the receiver's profile names: built once, read back whenever asked.

Whatever the form, a record is a line of the profile's columns; only here it is known how lines become a file.
"""

from collections.abc import Callable, Iterator
from itertools import groupby

import pyarrow as pa
import sqlalchemy as sa

from connectors.settings import Settings
from etl.submission.archive import Member, Packed, Place, digest_of_line, read_members, zip_members
from etl.submission.outbox import open_batch
from etl.submission.package import pack_package, read_package
from schemas.padis_profile import Profile, Subsystem
from schemas.padis_profile_file import profile_on
from schemas.refusal import Refusal


def pack_lines(
    settings: Settings, profile: Profile, subsystem: Subsystem, batch_id: str, lines: pa.Table
) -> Packed:
    """Pack lines, ordered by district and record as `lay_out` gives them, one member per district.

    Raises:
        Refusal: the profile wants a key that is not there, or the file does not read back as it should.
    """
    places: list[Place] = []
    members: list[Member] = []
    first = profile.file.first_number
    for district, rows in groupby(lines.to_pylist(), key=lambda row: str(row["district_code"])):
        name, records = profile.name_member(subsystem, district), list(rows)
        places += [
            Place(row["record_id"], row["person_id"], name, number, digest_of_line(row["line"]))
            for number, row in enumerate(records, start=first)
        ]
        texts = tuple(row["line"] for row in records)
        members.append(Member(name, str(len(texts)), subsystem.header, texts, first))
    return Packed(_pack(settings, profile, subsystem, batch_id, members), tuple(places))


def pack_nothing(settings: Settings, profile: Profile, subsystem: Subsystem, batch_id: str) -> Packed:
    """Pack a batch that says that there is nothing to report: one member of the whole city, without lines."""
    name = profile.name_member(subsystem, profile.division_code)
    nothing = Member(name, "0", subsystem.header, (), profile.file.first_number)
    return Packed(_pack(settings, profile, subsystem, batch_id, [nothing]), ())


def pack_within_limits(
    profile: Profile, lines: pa.Table, pack: Callable[[pa.Table], Packed]
) -> Iterator[Packed]:
    """Pack lines, in their order, into batches that each keep the receiver's limits.

    Raises:
        Refusal: a single record does not fit into a batch.
    """
    for start in range(0, lines.num_rows, profile.most_records):
        yield from _pack_halves(profile, lines.slice(start, profile.most_records), pack)


def read_batch(settings: Settings, batch: sa.RowMapping) -> Iterator[Member]:
    """Read a sealed batch back, by the profile of the day that built it.

    Raises:
        Refusal: the bytes do not open, or are no batch of that form.
    """
    content = open_batch(settings, batch)
    profile = profile_on(batch["receiver"], batch["business_date"])
    subsystem = profile.subsystems.get(batch["subsystem_code"])
    if profile.file.package is None or subsystem is None:
        return read_members(content)
    return read_package(settings, profile, subsystem, content)


def _pack(
    settings: Settings, profile: Profile, subsystem: Subsystem, batch_id: str, members: list[Member]
) -> bytes:
    if profile.file.package is None:
        return zip_members(members)
    return pack_package(settings, profile, subsystem, batch_id, members)


def _pack_halves(profile: Profile, lines: pa.Table, pack: Callable[[pa.Table], Packed]) -> Iterator[Packed]:
    packed = pack(lines)
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
        yield from _pack_halves(profile, part, pack)
