"""Collect the receiver's receipts: land each, read it strictly, apply it once or park it."""

import hashlib
import logging
import re
from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from connectors.landing import land_bytes
from connectors.registry import hold_lock, lock_key, registry_session
from connectors.settings import Settings
from connectors.sftp import RemoteFile, SftpPartner, SftpSession, open_sftp
from etl.submission.answer import Applied, apply_receipt, lock_batch
from etl.submission.outbox import RECEIVER, batches_where, brief
from etl.submission.receipt_file import ACCEPTED, REJECTED, Receipt, batch_of, read_receipt, stage_of
from schemas.padis_profile import Profile
from schemas.padis_profile_file import profile_on
from schemas.refusal import Refusal
from schemas.registry import BATCH, LANDING, RECEIPT, RECORD

LOG = logging.getLogger(__name__)

DATASET = "padis_receipt"
POSSIBLY_SENT = ("sending", "uncertain", "sent")
UNFINISHED = re.compile(r".*\.(part|tmp)(-[A-Za-z0-9-]+)?")
# Of one file; whatever else goes wrong concerns them all.
CANNOT_READ = ("remote_permission_denied", "remote_failed")


def collect_receipts(settings: Settings, business_date: date, partner: SftpPartner) -> dict[str, Any]:
    """Fetch the receipts that are new, land them, and move batches and records on.

    A receipt counts once, whatever it is called and however often it is seen. One that cannot be used
    is parked with its reason, and looked at anew each time; one that cannot be read is counted. The
    others go on.

    Returns:
        Records of all batches sent up to this date: `accepted`, `rejected`, `waiting` for an answer;
        `parked` receipts; `new` and `unreadable` receipts of this run; `batches` of this date and open
        earlier ones.

    Raises:
        Refusal: another run collects, or the receiver cannot be reached; what was read is kept.
    """
    settings.refuse_in_shadow("collecting receipts")
    profile = profile_on(RECEIVER, business_date)
    with hold_lock(settings, "etl.submission.receipts", business_date), open_sftp(partner) as session:
        taken = take_in_receipts(settings, profile, session, business_date)
    counts = _counts(settings, profile, business_date)
    return {**counts, "new": taken["new"], "unreadable": taken["unreadable"]}


def take_in_receipts(
    settings: Settings, profile: Profile, session: SftpSession, business_date: date
) -> Counter[str]:
    """Take in what the receiver's folder holds, each receipt in a transaction of its own.

    Returns:
        Files by what became of them: `new`, `known`, `unreadable` or `gone`.
    """
    listed = session.list_folder(profile.receipts_folder)
    files = _files_to_read(settings, profile, listed, business_date)
    return Counter(_collect(settings, profile, session, file, business_date) for file in files)


def awaiting_batches(settings: Settings, business_date: date) -> int:
    """Count the batches up to a date that may have arrived and whose receiver has not finished."""
    profile = profile_on(RECEIVER, business_date)
    with registry_session(settings) as connection:
        return len(batches_where(connection, _is_awaiting(profile, business_date)))


def _is_awaiting(profile: Profile, business_date: date) -> sa.ColumnElement[bool]:
    final = sorted(profile.receipts.final_states)
    return sa.and_(
        BATCH.c.state.in_(POSSIBLY_SENT),
        BATCH.c.business_date <= business_date,
        sa.or_(BATCH.c.receiver_state_code.is_(None), BATCH.c.receiver_state_code.not_in(final)),
    )


def _files_to_read(
    settings: Settings, profile: Profile, files: list[RemoteFile], business_date: date
) -> list[RemoteFile]:
    """Choose what may be new; left out are uploads that are not finished, and what is settled.

    Settled are files about closed batches that an earlier date applied with the same name and size.
    Others are read again each time, so that one replaced by another of the same size is noticed.
    """
    with registry_session(settings) as connection:
        landed = connection.execute(
            sa.select(LANDING.c.file_name, LANDING.c.byte_count)
            .join(RECEIPT, RECEIPT.c.landing_id == LANDING.c.landing_id)
            .where(
                LANDING.c.dataset_name == DATASET,
                LANDING.c.business_date < business_date,
                RECEIPT.c.state == "applied",
            )
        )
        settled = {(row.file_name, row.byte_count) for row in landed}
        awaiting = batches_where(connection, _is_awaiting(profile, business_date))
    is_open = {batch["batch_id"] for batch in awaiting}
    return [
        file
        for file in files
        if not UNFINISHED.fullmatch(file.name)
        and (batch_of(file.name) in is_open or (file.name, file.byte_count) not in settled)
    ]


def _collect(
    settings: Settings, profile: Profile, session: SftpSession, file: RemoteFile, business_date: date
) -> str:
    """Take in one receipt and tell what became of it."""
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
            dataset_name=DATASET,
            business_date=business_date,
            source_name=profile.receiver,
            file_name=file.name,
            row_count=max(content.count(b"\n") - 2, 0),
            contract_version=profile.valid_from.isoformat(),
        )
        held = _held_receipt(connection, landing.landing_id)
        if held is not None and held["state"] == "applied":
            return "known"
        row = _take_in(connection, profile, file.name, content)
        if held is not None and not _says_more(row, dict(held)):
            return "known"
        _put_receipt(connection, {"landing_id": landing.landing_id, **row})
    if row["state"] == "parked":
        LOG.warning("receipt %s is parked: %s", landing.landing_id, row["message"])
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


def _take_in(connection: Connection, profile: Profile, file_name: str, content: bytes) -> dict[str, Any]:
    """Read and apply a receipt, and give its row of `exchange.receipt`."""
    row: dict[str, Any] = {"file_name": file_name, "batch_id": None, "stage": stage_of(file_name)}
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
            "stage": stage_of(file.name),
            "state": "parked",
            "accepted": 0,
            "rejected": 0,
            "message": str(refusal),
        }
        connection.execute(sa.insert(RECEIPT), row)
    return True


def _counts(settings: Settings, profile: Profile, business_date: date) -> dict[str, Any]:
    is_sent = sa.and_(BATCH.c.state.in_(POSSIBLY_SENT), BATCH.c.business_date <= business_date)
    is_shown = sa.and_(
        is_sent, sa.or_(BATCH.c.business_date == business_date, _is_awaiting(profile, business_date))
    )
    by_state = (
        sa.select(RECORD.c.receiver_state_code, sa.func.count().label("records"))
        .join_from(RECORD, BATCH)
        .where(is_sent)
        .group_by(RECORD.c.receiver_state_code)
    )
    with registry_session(settings) as connection:
        states = Counter({row.receiver_state_code: row.records for row in connection.execute(by_state)})
        parked = connection.scalar(sa.select(sa.func.count()).where(RECEIPT.c.state == "parked"))
        batches = batches_where(connection, is_shown)
    return {
        "accepted": states[ACCEPTED],
        "rejected": states[REJECTED],
        "waiting": states.total() - states[ACCEPTED] - states[REJECTED],
        "parked": parked or 0,
        "batches": [brief(batch) for batch in batches],
    }
