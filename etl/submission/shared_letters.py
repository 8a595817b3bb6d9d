"""Letters through the sharing platform: proposed corrections and handed to-dos of one business date.

They are batches of the outbox with bytes that are built once, sent as the others are. Never is anything
written into another system: its keeper checks what is proposed, and answers (国发〔2016〕51号).
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.crypto import seal
from connectors.lake import DatasetVersion, version_on
from connectors.registry import hold_lock, lock_key, registry_session
from connectors.settings import Settings
from etl.submission.archive import digest_of_line
from etl.submission.outbox import batches_where, brief
from etl.submission.shared_items import INPUTS, Row, handed_tasks, header_of, items_due, last_items, line_of
from schemas.policy import load_parameter
from schemas.registry import BATCH, SHARED_ITEM
from schemas.sharing import LAYOUT_VERSION, OPEN, PLATFORM, name_letter

# The first line of a letter names its columns.
FIRST_LINE = 2
# Who released a letter that no person has to look at.
BY_POLICY = "policy/sharing/letter_most_items"


def write_letters(settings: Settings, business_date: date) -> dict[str, Any]:
    """Write to each addressee what is due on a business date; running again adds nothing.

    A letter of more items than `policy/sharing/letter_most_items` waits for a person's approval; a smaller
    one is released by that policy. Once a later date has written, a date writes nothing more.

    Returns:
        `letters` of this date [{batch_id, subsystem, records, sha256, state, receiver_state}], `items` in
        them and `withdrawn` of these, and `is_superseded` if a later date has written.

    Raises:
        Refusal: births of the date were not reconciled, or another run writes.
    """
    with (
        hold_lock(settings, "etl.submission.letters", business_date),
        registry_session(settings) as connection,
    ):
        # Another date's run must not give the same subject the same round.
        connection.execute(
            sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_key("etl.submission", "letters")}
        )
        superseded = bool(batches_where(connection, BATCH.c.business_date > business_date, receiver=PLATFORM))
        if not superseded:
            versions = {name: version_on(connection, name, business_date) for name in INPUTS}
            for code, items in groupby(
                _due(settings, connection, versions, business_date),
                key=lambda row: row["addressee_code"],
            ):
                _put_letter(connection, settings, code, list(items), versions, business_date)
        of_date = sa.select(SHARED_ITEM.c.operation_code).where(SHARED_ITEM.c.business_date == business_date)
        operations = list(connection.scalars(of_date))
        letters = batches_where(connection, BATCH.c.business_date == business_date, receiver=PLATFORM)
    return {
        "letters": [brief(letter) for letter in letters],
        "items": len(operations),
        "withdrawn": len(operations) - operations.count(OPEN),
        "is_superseded": superseded,
    }


def _due(
    settings: Settings, connection: Connection, versions: Mapping[str, DatasetVersion], day: date
) -> Sequence[Row]:
    births = {name.partition(".")[2]: version for name, version in versions.items()}
    return items_due(settings, births, handed_tasks(connection, day), last_items(connection), day)


def _put_letter(
    connection: Connection,
    settings: Settings,
    addressee_code: str,
    items: Sequence[Row],
    versions: Mapping[str, DatasetVersion],
    business_date: date,
) -> None:
    lines = [line_of(item) for item in items]
    header = header_of(items[0]["kind_code"])
    content = "".join(f"{line}\n" for line in (header, *lines)).encode("utf-8")
    period = f"{business_date:%Y}"
    sequence = _next_sequence(connection, addressee_code, period)
    batch_id = name_letter(addressee_code, business_date, sequence)
    is_small = len(items) <= load_parameter("sharing/letter_most_items").on(business_date)
    connection.execute(
        sa.insert(BATCH),
        {
            "batch_id": batch_id,
            "receiver": PLATFORM,
            "subsystem_code": addressee_code,
            "period": period,
            "operation_code": OPEN,
            "sequence": sequence,
            "business_date": business_date,
            "file_name": f"{batch_id}.csv",
            "record_count": len(items),
            "byte_count": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "content": seal(settings, content, batch_id.encode("ascii")),
            "inputs": [str(version) for version in versions.values()],
            "policy_version": f"schemas/sharing {LAYOUT_VERSION}",
            "state": "approved" if is_small else "built",
            "approved_by": BY_POLICY if is_small else None,
        },
    )
    names = [column.name for column in SHARED_ITEM.columns]
    rows = [
        {
            **{name: item[name] for name in names if name in item},
            "batch_id": batch_id,
            "business_date": business_date,
            "line_number": number,
            "content_sha256": digest_of_line(line),
        }
        for number, (item, line) in enumerate(zip(items, lines, strict=True), start=FIRST_LINE)
    ]
    connection.execute(sa.insert(SHARED_ITEM), rows)


def _next_sequence(connection: Connection, addressee_code: str, period: str) -> int:
    last = connection.scalar(
        sa.select(sa.func.max(BATCH.c.sequence)).where(
            BATCH.c.receiver == PLATFORM,
            BATCH.c.subsystem_code == addressee_code,
            BATCH.c.period == period,
        )
    )
    return (last or 0) + 1
