"""Take in one receipt: land its bytes, apply it once, or park it with its reason."""

import hashlib
import logging
from collections.abc import Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from connectors.landing import find_landing, land_bytes, landed_file
from connectors.registry import lock_key, registry_session
from connectors.settings import Settings
from connectors.sftp import RemoteFile, SftpSession
from etl.submission.answer import apply_receipt, lock_batch
from etl.submission.outbox import RECEIVER
from etl.submission.receipt_file import Receipt, batch_of, level_named, read_receipt
from etl.submission.shared_answers import Applied
from schemas.padis_profile import Correspondent
from schemas.refusal import Refusal
from schemas.registry import RECEIPT

LOG = logging.getLogger(__name__)

DATASET = "padis_receipt"
# Of one file; whatever else goes wrong concerns them all.
CANNOT_READ = ("remote_permission_denied", "remote_failed")


def dataset_of(receiver: str) -> str:
    """Name what receipts of a receiver are landed as."""
    return DATASET if receiver == RECEIVER else f"{receiver}_receipt"


def take_in_file(
    settings: Settings, profile: Correspondent, session: SftpSession, file: RemoteFile, business_date: date
) -> str:
    """Take in one receipt and tell what became of it: new, known, unreadable or gone."""
    limit = profile.receipts.longest_bytes
    try:
        content = session.read_file(f"{profile.receipts_folder}/{file.name}", limit=limit)
    except Refusal as refusal:
        return _pass_over(settings, file, limit, refusal)
    with registry_session(settings) as connection:
        _one_at_a_time(connection)
        landing = land_bytes(
            connection,
            settings,
            content,
            dataset_name=dataset_of(profile.receiver),
            business_date=business_date,
            source_name=profile.receiver,
            file_name=file.name,
            row_count=max(content.count(b"\n") - 2, 0),
            contract_version=profile.valid_from.isoformat(),
        )
        return _apply_once(connection, profile, landing.landing_id, file.name, content)


def look_again(settings: Settings, profile: Correspondent) -> int:
    """Look at the landed bytes of parked receipts anew: their batch may be known by now.

    What the receiver took away since is not lost. Tells how many fare otherwise now.
    """
    with registry_session(settings) as connection:
        parked = list(connection.scalars(sa.select(RECEIPT.c.landing_id).where(RECEIPT.c.state == "parked")))
    changed = 0
    for landing_id in sorted(parked):
        with registry_session(settings) as connection:
            _one_at_a_time(connection)
            try:
                landing = find_landing(connection, dataset_of(profile.receiver), landing_id)
            except Refusal:
                # Of another receiver; or never fetched: its name and size stand for its bytes.
                continue
            held = _held_receipt(connection, landing_id)
            content = landed_file(settings, landing).read_bytes()
            name = str(held["file_name"]) if held is not None else landing.file_name
            changed += _apply_once(connection, profile, landing_id, name, content) == "new"
    return changed


def _apply_once(
    connection: Connection, profile: Correspondent, landing_id: str, file_name: str, content: bytes
) -> str:
    held = _held_receipt(connection, landing_id)
    if held is not None and held["state"] != "parked":
        return "known"
    row = _take_in(connection, profile, file_name, content)
    if held is not None and not _says_more(row, dict(held)):
        return "known"
    _put_receipt(connection, {"landing_id": landing_id, **row})
    if row["state"] == "parked":
        LOG.warning("receipt %s is parked: %s", landing_id, row["message"])
    return "new"


def _pass_over(settings: Settings, file: RemoteFile, limit: int, refusal: Refusal) -> str:
    """Tell what became of a file that could not be read; what concerns more than this file is raised."""
    if refusal.code == "remote_missing":
        return "gone"
    if refusal.code == "remote_too_large":
        return "new" if _park_unlanded(settings, file, limit) else "known"
    if refusal.code not in CANNOT_READ:
        raise refusal
    # The receiver chooses the name: one that is not as agreed may hold anything.
    name = file.name if batch_of(file.name) else "of another name than agreed"
    LOG.warning("receipt %s cannot be read: %s", name, refusal.code)
    return "unreadable"


def _one_at_a_time(connection: Connection) -> None:
    """Let runs of other dates wait, so that the same receipt is not taken in twice."""
    key = lock_key("etl.submission", "receipts")
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def _held_receipt(connection: Connection, landing_id: str) -> sa.RowMapping | None:
    return connection.execute(sa.select(RECEIPT).where(RECEIPT.c.landing_id == landing_id)).mappings().first()


def _says_more(row: Mapping[str, Any], parked: Mapping[str, Any]) -> bool:
    """Tell whether a receipt that was parked fares otherwise now, or better under its other name.

    Copies under several names must not take turns on record, so another name has to be the better one.
    """
    if row["file_name"] == parked["file_name"]:
        return _reason(row) != _reason(parked)
    return _weight(row) > _weight(parked)


def _reason(row: Mapping[str, Any]) -> str:
    """Give the code of the reason; states that its text names may have moved on since."""
    return str(row["message"] or "").partition("]")[0]


def _weight(row: Mapping[str, Any]) -> tuple[bool, bool, bool]:
    return row["state"] == "applied", row["batch_id"] is not None, batch_of(row["file_name"]) is not None


def _put_receipt(connection: Connection, row: dict[str, Any]) -> None:
    put = postgresql.insert(RECEIPT).values(row)
    connection.execute(put.on_conflict_do_update(index_elements=[RECEIPT.c.landing_id], set_=row))


def _take_in(
    connection: Connection, profile: Correspondent, file_name: str, content: bytes
) -> dict[str, Any]:
    """Read and apply a receipt, and give its row of `exchange.receipt`."""
    row: dict[str, Any] = {"file_name": file_name, "batch_id": None, "stage": level_named(file_name)}
    try:
        receipt = read_receipt(profile.receipts, file_name, content)
        batch = lock_batch(connection, receipt.batch_id)
        row["batch_id"] = receipt.batch_id
        applied = apply_receipt(connection, profile.receipts, receipt, batch)
    except Refusal as refusal:
        return {**row, "state": "parked", "accepted": 0, "rejected": 0, "message": str(refusal)}
    return {**row, **_applied(receipt, applied)}


def _applied(receipt: Receipt, applied: Applied) -> dict[str, Any]:
    aside = sum(applied.set_aside.values())
    message = None
    if aside:
        reasons = ", ".join(f"{count} {reason}" for reason, count in applied.set_aside.items())
        message = str(
            Refusal(
                "receipt_lines_set_aside",
                found=f"{aside} of {len(receipt.answers)} lines about no record of ours as sent: {reasons}",
                expected="member, line and case number of a sent record, answered once",
                to_do="ask the receiver about them with `padis trace`; the other lines were applied",
            )
        )
    return {
        "state": "parked" if aside else "applied",
        "accepted": applied.accepted,
        "rejected": applied.rejected,
        "message": message,
    }


def _park_unlanded(settings: Settings, file: RemoteFile, limit: int) -> bool:
    """Put on record a file that is too large to be fetched; its name and size stand for its bytes."""
    name_and_size = hashlib.sha256(f"{file.name}\x1f{file.byte_count}".encode()).hexdigest()[:16]
    refusal = Refusal(
        "receipt_too_large",
        found=f"a receipt of {file.byte_count} bytes, not fetched",
        expected=f"at most {limit} bytes",
        to_do="ask the receiver whether this is a receipt",
    )
    with registry_session(settings) as connection:
        _one_at_a_time(connection)
        if _held_receipt(connection, name_and_size) is not None:
            return False
        row = {
            "landing_id": name_and_size,
            "file_name": file.name,
            "stage": level_named(file.name),
            "state": "parked",
            "accepted": 0,
            "rejected": 0,
            "message": str(refusal),
        }
        connection.execute(sa.insert(RECEIPT), row)
    return True
