"""Receipts as a receiver writes them about one batch: true, contradicting, or about nothing."""

from collections.abc import Sequence

from schemas.padis_profile_file import PROFILES, load_profile
from tests.support.far_side import receipt

LAYOUT = load_profile(PROFILES / "national_2026.yaml").receipts
AT = "2026-06-01 10:00:00"
TO_THE_END = ("10", "22", "20", "32", "30", "42", "40")

Place = tuple[str, str, int]


def taken(batch_id: str, byte_count: int, sha256: str) -> tuple[str, bytes]:
    """Say that a file was taken."""
    row = f"{batch_id},{batch_id}.zip,{byte_count},{sha256},{AT}"
    return f"{batch_id}.T01.csv", receipt(LAYOUT.transfer_header, row)


def read(batch_id: str, count: int, code: str = "") -> tuple[str, bytes]:
    """Say that a file can be read, or with which code it cannot."""
    row = f"{batch_id},{'R' if code else 'A'},{count},{code},{AT},说明"
    return f"{batch_id}.F01.csv", receipt(LAYOUT.file_header, row)


def reached(batch_id: str, state: str) -> tuple[str, bytes]:
    """Say which state a batch has reached."""
    return f"{batch_id}.S{state}.csv", receipt(LAYOUT.batch_header, f"{batch_id},{state},{AT},说明")


def answered(
    batch_id: str, part: int, places: Sequence[Place], code: str = "", state: str = ""
) -> tuple[str, bytes]:
    """Say of records that they were accepted, or refused with a code."""
    said = state or ("31" if code else "30")
    rows = [f"{batch_id},{member},{line},{record},{said},{code},说明" for record, member, line in places]
    return f"{batch_id}.R{part:02d}.csv", receipt(LAYOUT.record_header, *rows)
