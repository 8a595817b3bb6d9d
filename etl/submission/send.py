"""Send released batches over SFTP, each once, whatever fails in between."""

import base64
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.registry import hold_lock, registry_session
from connectors.remote_file import LOST
from connectors.settings import Settings
from connectors.sftp import SftpPartner, SftpSession, UncertainTransfer, open_sftp
from etl.submission.archive import sidecar_of
from etl.submission.attempt import (
    Attempt,
    attempts_of,
    begin_attempt,
    finish_attempt,
    mark_sending,
    take_lease,
)
from etl.submission.countersign import BACKFILL, OUTSIDE_WINDOW, grounds_waiting
from etl.submission.outbox import RECEIVER, batches_where, brief, open_batch, sealed_batch, sender_lock
from etl.submission.uncertain import resolve_batch, settle_if_answered
from schemas.business_date import BEIJING
from schemas.padis_profile import Correspondent
from schemas.padis_profile_file import profile_on
from schemas.refusal import Refusal
from schemas.registry import BATCH

LOG = logging.getLogger(__name__)

OPEN_STATES = ("approved", "sending", "uncertain")
# A first try, and one more if the receiver proves that nothing of the first arrived.
ROUNDS = 2


def clock() -> datetime:
    """Tell the instant at which a file is about to be sent: a fact of the act."""
    return datetime.now(UTC)


def send_batches(
    settings: Settings,
    business_date: date,
    partner: SftpPartner,
    to: Correspondent | None = None,
    *,
    now: Callable[[], datetime] = clock,
) -> dict[str, Any]:
    """Send what is released up to a date; what may have been sent already waits for evidence.

    Outside the receiver's windows nothing is begun, and no backfill ever, unless a second person has let it
    pass; evidence is looked for at any time.

    Running again is safe at any time, also after a kill: a batch that is `sending` or `uncertain` is
    sent again only if the receiver proves that it did not arrive. To PADIS, unless somebody else is told.

    Returns:
        `sent` now or found to have arrived, `uncertain`, and the open or sent `batches` concerned. `state`
        waiting, if released batches wait: `opens_at`, for a window of the receiver; `to_countersign` is how
        many are backfills that wait for a second person.

    Raises:
        Refusal: another run sends for this date, or a batch could not be sent; the others were.
    """
    settings.refuse_in_shadow("sending")
    profile = to or profile_on(RECEIVER, business_date)
    receiver = profile.receiver
    refusals: list[Refusal] = []
    concerned: list[str] = []
    for day in _days_with_open_batches(settings, business_date, receiver):
        with _hold(settings, day, business_date, receiver) as is_ours:
            if not is_ours:
                continue
            for batch in _open_batches(settings, day, receiver):
                concerned.append(batch["batch_id"])
                if batch["state"] == "approved" and not _may_go(settings, profile, batch, now()):
                    continue
                try:
                    _bring_across(settings, profile, partner, batch["batch_id"], now)
                except Refusal as refusal:
                    refusals.append(refusal)
    if refusals:
        raise refusals[0]
    with registry_session(settings) as connection:
        batches = batches_where(connection, BATCH.c.batch_id.in_(concerned), receiver=receiver)
        waits = _told_to_wait(connection, profile, batches, now())
    counts = Counter(batch["state"] for batch in batches)
    return {
        "sent": counts["sent"],
        "uncertain": counts["uncertain"] + counts["sending"],
        "batches": [brief(batch) for batch in batches],
        **waits,
    }


def _told_to_wait(
    connection: Connection, profile: Correspondent, batches: Sequence[sa.RowMapping], instant: datetime
) -> dict[str, Any]:
    released = [batch for batch in batches if batch["state"] == "approved"]
    waiting = [grounds_waiting(connection, profile, batch, instant) for batch in released]
    told: dict[str, Any] = {"state": "waiting"} if any(waiting) else {}
    if any(OUTSIDE_WINDOW in grounds for grounds in waiting):
        opens_at = profile.opens_after(instant)
        told["opens_at"] = opens_at.astimezone(BEIJING).isoformat() if opens_at else None
    backfills = sum(BACKFILL in grounds for grounds in waiting)
    return told | ({"to_countersign": backfills} if backfills else {})


def _days_with_open_batches(settings: Settings, business_date: date, receiver: str) -> Sequence[date]:
    """List the date itself and earlier ones with something left to send, oldest first."""
    is_open = sa.and_(BATCH.c.state.in_(OPEN_STATES), BATCH.c.business_date < business_date)
    with registry_session(settings) as connection:
        open_batches = batches_where(connection, is_open, receiver=receiver)
        earlier = {batch["business_date"] for batch in open_batches}
    return [*sorted(earlier), business_date]


@contextmanager
def _hold(settings: Settings, day: date, business_date: date, receiver: str) -> Iterator[bool]:
    """Hold the sender's lock of a day; an earlier day that somebody else is sending is left to them."""
    try:
        lock = hold_lock(settings, sender_lock(receiver), day)
        lock.__enter__()
    except Refusal:
        if day == business_date:
            raise
        LOG.info("batches of %s are being sent by another run", day)
        yield False
        return
    try:
        yield True
    finally:
        lock.__exit__(None, None, None)


def _open_batches(settings: Settings, day: date, receiver: str) -> Sequence[sa.RowMapping]:
    is_open = sa.and_(BATCH.c.state.in_(OPEN_STATES), BATCH.c.business_date == day)
    with registry_session(settings) as connection:
        return batches_where(connection, is_open, receiver=receiver)


def _may_go(settings: Settings, profile: Correspondent, batch: sa.RowMapping, instant: datetime) -> bool:
    with registry_session(settings) as connection:
        return not grounds_waiting(connection, profile, batch, instant)


def _bring_across(
    settings: Settings,
    profile: Correspondent,
    partner: SftpPartner,
    batch_id: str,
    now: Callable[[], datetime],
) -> None:
    for _ in range(ROUNDS):
        with open_sftp(partner) as session:
            if resolve_batch(settings, profile, session, batch_id) != "approved":
                return
            if _try_once(settings, profile, session, batch_id, now()):
                return
    with open_sftp(partner) as session:
        if resolve_batch(settings, profile, session, batch_id) == "approved":
            raise Refusal(
                "batch_not_sent",
                found=f"{batch_id} was cut off {ROUNDS} times and has not arrived",
                expected="a connection that holds until the file has its name",
                to_do="run again; if it stays, call the receiver",
            )


def _try_once(
    settings: Settings, profile: Correspondent, session: SftpSession, batch_id: str, instant: datetime
) -> bool:
    """Make one attempt, unless a receipt answers an earlier one; False if it ended without certainty.

    Nothing is attempted where the batch may not go by now: the receiver has closed, or nobody let it pass.
    """
    with registry_session(settings) as connection:
        batch = sealed_batch(connection, batch_id)
        if grounds_waiting(connection, profile, batch, instant):
            return True
        epoch = take_lease(connection)
        earlier = attempts_of(connection, batch_id)
    if earlier and settle_if_answered(settings, profile, session, batch_id):
        return True
    # Whoever sleeps in an earlier attempt must not find its upload when it wakes.
    for left_behind in earlier:
        session.discard_attempt(profile.inbox, batch["file_name"], left_behind.part_name)
    content = open_batch(settings, batch)
    is_closed = profile.opens_after(instant) != instant
    attempt = begin_attempt(settings, batch_id, epoch, is_outside_window=is_closed)
    try:
        _put_sidecar(profile, session, batch, attempt)
        outcome = session.put_atomically(
            profile.inbox,
            batch["file_name"],
            content,
            attempt.part_name,
            before_rename=lambda: mark_sending(settings, attempt),
        )
    except UncertainTransfer as uncertain:
        finish_attempt(settings, attempt, "uncertain", uncertain.reason)
        LOG.warning("%s: %s", batch_id, uncertain)
        return False
    except Refusal as refusal:
        finish_attempt(settings, attempt, "failed", refusal.code)
        if refusal.code not in LOST:
            with suppress(Refusal):
                session.discard_attempt(profile.inbox, batch["file_name"], attempt.part_name)
        raise
    finish_attempt(settings, attempt, outcome)
    LOG.info("%s: %s, %d records", batch_id, outcome, batch["record_count"])
    return True


def _put_sidecar(
    profile: Correspondent, session: SftpSession, batch: sa.RowMapping, attempt: Attempt
) -> None:
    """Leave digests and signature first; they are no signal, so an uncertain one is a failed attempt."""
    try:
        for name, content in _beside(batch):
            session.put_atomically(profile.inbox, name, content, attempt.part_name)
    except UncertainTransfer as uncertain:
        raise Refusal(
            "digest_file_not_sent",
            found=f"the digest file of {batch['batch_id']} may have arrived ({uncertain.reason})",
            expected="the digest file before the batch",
            to_do="run again; the batch itself was not sent",
        ) from None


def _beside(batch: sa.RowMapping) -> Iterator[tuple[str, bytes]]:
    """Give what is sent beside a batch: its digests, and the signature that was made when it was built."""
    name = batch["file_name"]
    for kind in ("sha256", "sm3"):
        if batch[kind] is not None:
            yield f"{name}.{kind}", sidecar_of(name, batch[kind])
    if batch["signature"] is not None:
        yield f"{name}.sig", base64.b64encode(batch["signature"]) + b"\n"
