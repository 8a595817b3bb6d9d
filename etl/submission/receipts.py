"""Collect the receiver's receipts: land each, read it strictly, apply it once or park it."""

import re
from collections import Counter
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from connectors.deadline import require_aware
from connectors.registry import hold_lock, lock_key, registry_session
from connectors.settings import Settings
from connectors.sftp import RemoteFile, SftpPartner, SftpSession, open_sftp
from etl.submission.intake import dataset_of, look_again, take_in_file
from etl.submission.levels import awaited_levels, record_levels
from etl.submission.outbox import RECEIVER, batches_where, brief
from etl.submission.receipt_file import ACCEPTED, REJECTED, batch_of
from etl.submission.tasks import update_tasks
from schemas.padis_profile import Correspondent, Profile
from schemas.padis_profile_file import profile_on
from schemas.registry import BATCH, LANDING, RECEIPT, RECORD

POSSIBLY_SENT = ("sending", "uncertain", "sent")
UNFINISHED = re.compile(r".*\.(part|tmp)(-[A-Za-z0-9-]+)?")


def clock() -> datetime:
    """Read the clock; whether an answer is overdue depends on when it is looked for."""
    return datetime.now(UTC)


def collect_receipts(
    settings: Settings,
    business_date: date,
    partner: SftpPartner,
    *,
    now: Callable[[], datetime] = clock,
) -> dict[str, Any]:
    """Fetch the receipts that are new, land them, and move batches, records and their levels on.

    A receipt counts once, whatever it is called and however often it is seen. One that cannot be used
    is parked with its reason, and looked at anew each time; one that cannot be read is counted. The
    others go on. What is awaited is on record before the receiver is asked, so that silence becomes
    overdue even if nobody can be reached.

    Returns:
        Records of all batches sent up to this date: `accepted`, `rejected`, `waiting` for an answer;
        `parked` receipts; levels of batches that are `awaited` and, of these, `overdue`; open `tasks`;
        `new` and `unreadable` receipts of this run; `batches` of this date and open earlier ones.

    Raises:
        Refusal: another run collects, or the receiver cannot be reached; what was read is kept.
    """
    settings.refuse_in_shadow("collecting receipts")
    profile = profile_on(RECEIVER, business_date)
    with hold_lock(settings, "etl.submission.receipts", business_date):
        try:
            update_levels(settings, business_date, now())
            with open_sftp(partner) as session:
                taken = take_in_receipts(settings, profile, session, business_date)
            taken["new"] += look_again(settings, profile)
        finally:
            tasks = update_levels(settings, business_date, now())
    counts = _counts(settings, profile, business_date)
    return {**counts, "tasks": tasks, "new": taken["new"], "unreadable": taken["unreadable"]}


def update_levels(settings: Settings, business_date: date, now: datetime) -> int | None:
    """Put on record what is awaited, since when, until when, and what people have to do about it.

    Tells how many tasks are open; None where those of a later date stand.
    """
    with registry_session(settings) as connection:
        # PADIS's receipts and the platform's may be collected at once.
        key = lock_key("etl.submission", "levels")
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
        record_levels(connection, require_aware(now))
        return update_tasks(settings, connection, business_date)


def take_in_receipts(
    settings: Settings,
    profile: Correspondent,
    session: SftpSession,
    business_date: date,
    awaiting: Collection[str] | None = None,
) -> Counter[str]:
    """Take in what the receiver's folder holds, each receipt in a transaction of its own.

    `awaiting` are the batches that are not answered yet; if None, those that await PADIS.

    Returns:
        Files by what became of them: `new`, `known`, `unreadable` or `gone`.
    """
    listed = session.list_folder(profile.receipts_folder)
    if awaiting is None:
        awaiting = _awaiting_padis(settings, business_date)
    files = _files_to_read(settings, profile.receiver, listed, business_date, awaiting)
    return Counter(take_in_file(settings, profile, session, file, business_date) for file in files)


def awaiting_batches(settings: Settings, business_date: date) -> int:
    """Count the batches up to a date that may have arrived and whose receiver has not finished."""
    return len(_awaiting_padis(settings, business_date))


def _awaiting_padis(settings: Settings, business_date: date) -> set[str]:
    is_awaiting = _is_awaiting(profile_on(RECEIVER, business_date), business_date)
    with registry_session(settings) as connection:
        return {batch["batch_id"] for batch in batches_where(connection, is_awaiting)}


def _is_awaiting(profile: Profile, business_date: date) -> sa.ColumnElement[bool]:
    final = sorted(profile.receipts.final_states)
    return sa.and_(
        BATCH.c.state.in_(POSSIBLY_SENT),
        BATCH.c.business_date <= business_date,
        sa.or_(BATCH.c.receiver_state_code.is_(None), BATCH.c.receiver_state_code.not_in(final)),
    )


def _files_to_read(
    settings: Settings,
    receiver: str,
    files: list[RemoteFile],
    business_date: date,
    awaiting: Collection[str],
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
                LANDING.c.dataset_name == dataset_of(receiver),
                LANDING.c.business_date < business_date,
                RECEIPT.c.state == "applied",
            )
        )
        settled = {(row.file_name, row.byte_count) for row in landed}
    return [
        file
        for file in files
        if not UNFINISHED.fullmatch(file.name)
        and (batch_of(file.name) in awaiting or (file.name, file.byte_count) not in settled)
    ]


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
        levels = awaited_levels(connection, receiver=RECEIVER)
    return {
        "accepted": states[ACCEPTED],
        "rejected": states[REJECTED],
        "waiting": states.total() - states[ACCEPTED] - states[REJECTED],
        "parked": parked or 0,
        "awaited": len(levels),
        "overdue": sum(level["state"] == "overdue" for level in levels),
        "batches": [brief(batch) for batch in batches],
    }
