"""A division upload as a batch of the outbox: previewed, approved, sent and answered like the others.

It holds no persons' records, so nothing is answered line by line; the states of a batch were observed for
this very upload.
"""

from datetime import date
from typing import Any

import sqlalchemy as sa

from connectors.divisions import division_tree
from connectors.registry import hold_lock, lock_key, registry_session
from connectors.settings import Settings
from etl.submission.archive import read_members
from etl.submission.difference import period_of
from etl.submission.division_check import check_upload
from etl.submission.division_upload import build_division_upload, refuse_faulty
from etl.submission.outbox import RECEIVER, batches_where, brief, file_columns, next_sequence
from schemas.division_upload import upload_layout_on
from schemas.padis_profile import ADD
from schemas.padis_profile_file import profile_on
from schemas.registry import BATCH

DIVISIONS = "Q"
# Of the changes, as many as a person reads before releasing them.
MOST_SHOWN = 20


def put_division_batch(settings: Settings, as_of: date, since: date | None = None) -> dict[str, Any]:
    """Put the division upload of a day into the outbox, where it waits for approval as a batch of that date.

    The same content is put there once: running again gives the batch that is there.

    Returns:
        As a step tells of a batch: `batch_id`, `subsystem`, `records` (lines), `sha256`, states.

    Raises:
        Refusal: the receiver would refuse it, or another run builds batches of the date.
    """
    settings.refuse_in_shadow("submitting divisions")
    profile = profile_on(RECEIVER, as_of)
    upload = build_division_upload(division_tree(settings, as_of), as_of, since)
    is_it = sa.and_(BATCH.c.subsystem_code == DIVISIONS, BATCH.c.sha256 == upload.sha256)
    with hold_lock(settings, "etl.submission.build", as_of), registry_session(settings) as connection:
        connection.execute(
            sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_key("etl.submission", "outbox")}
        )
        held = batches_where(connection, is_it)
        if held:
            return brief(held[-1])
        period = period_of(as_of)
        sequence = next_sequence(connection, profile, DIVISIONS, period)
        batch_id = profile.name_batch(DIVISIONS, period, ADD, sequence)
        file_name = f"{batch_id}.zip"
        refuse_faulty(check_upload(upload_layout_on(RECEIVER, as_of), file_name, upload.content))
        connection.execute(
            sa.insert(BATCH),
            {
                "receiver": profile.receiver,
                "subsystem_code": DIVISIONS,
                "period": period,
                "operation_code": ADD,
                "batch_id": batch_id,
                "sequence": sequence,
                "business_date": as_of,
                "file_name": file_name,
                "record_count": upload.divisions + upload.changes,
                **file_columns(settings, profile, batch_id, upload.content),
                "inputs": [],
                "policy_version": "schemas/divisions",
                "state": "built",
            },
        )
        return brief(batches_where(connection, BATCH.c.batch_id == batch_id)[0])


def describe_divisions(content: bytes) -> list[str]:
    """Tell a person what an upload says: lines of each member, and the first of the changes."""
    lines = ["", "| 成员 · member | 行数 · lines |", "|---|---:|"]
    shown: list[str] = []
    for member in read_members(content):
        lines.append(f"| {member.name} | {len(member.lines):,} |")
        if "BGDZB" in member.name:
            shown = [f"- {line.replace(',', ' · ')}" for line in member.lines[:MOST_SHOWN]]
            rest = len(member.lines) - len(shown)
            shown += [f"- … {rest} 行 · more"] if rest else []
    return [*lines, "", *shown, ""]
