"""Lay records out as the receiver demands, pack the batch, read it back against every line's digest."""

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from connectors.settings import Settings
from etl.submission.archive import Packed, digest_of_line, read_members
from etl.submission.batch_file import pack_lines
from etl.submission.layout import lay_out
from schemas.padis_profile_file import profile_on


def run(inputs: dict[str, Any]) -> tuple[Packed, int, int]:
    profile = profile_on("national", date.fromisoformat(inputs["day"]))
    subsystem = profile.subsystems["T"]
    records = pq.read_table(inputs["record"])
    laid_out = lay_out(profile, subsystem, records)
    # No key is read: the national profile encrypts and signs nothing.
    packed = pack_lines(Settings(var=Path("/nowhere")), profile, subsystem, "batch", laid_out.lines)
    members = {member.name: member for member in read_members(packed.content)}
    for place in packed.places:
        line = members[place.member_name].line(place.line_number)
        if line is None or digest_of_line(line) != place.content_sha256:
            raise AssertionError("a line is not what was packed")
    return packed, laid_out.lines.num_rows, laid_out.held_back.num_rows


def answer(outcome: tuple[Packed, int, int], inputs: dict[str, Any]) -> dict[str, Any]:
    packed, lines, held = outcome
    text = sum(
        len("\n".join((member.header, *member.lines)).encode()) for member in read_members(packed.content)
    )
    return {"records": lines, "held_back": held, "megabytes": round(text / 1e6, 2)}
