"""Batches that may have arrived: evidence from the receiver decides, or a person."""

import hashlib
from collections.abc import Collection
from datetime import date
from typing import Any

import sqlalchemy as sa

from connectors.registry import hold_lock, registry_session
from connectors.settings import Settings
from connectors.sftp import SftpPartner, SftpSession, open_sftp
from etl.submission.attempt import attempts_of
from etl.submission.outbox import RECEIVER, batches_where, brief, sealed_batch, sender_lock
from etl.submission.receipt_file import batch_of
from schemas.padis_profile import Correspondent
from schemas.padis_profile_file import profile_on
from schemas.refusal import Refusal
from schemas.registry import ATTEMPT, BATCH, RECEIPT

DOUBTFUL = ("sending", "uncertain")
NO_EVIDENCE = (
    "neither in the inbox nor answered by a receipt; not sent again until a receipt arrives or a person "
    "decides with `padis run resolve`"
)


def resolve_uncertain(settings: Settings, business_date: date, partner: SftpPartner) -> dict[str, Any]:
    """Look at the receiver for evidence about the doubtful batches of a date; nothing is sent.

    Returns:
        `sent`, `approved` (proven not to have arrived) and `uncertain`, and the `batches` concerned.

    Raises:
        Refusal: a sender is at work, or the receiver cannot be asked.
    """
    profile = profile_on(RECEIVER, business_date)
    is_doubtful = sa.and_(BATCH.c.state.in_(DOUBTFUL), BATCH.c.business_date == business_date)
    with hold_lock(settings, sender_lock(RECEIVER), business_date):
        with registry_session(settings) as connection:
            doubtful = [batch["batch_id"] for batch in batches_where(connection, is_doubtful)]
        states = []
        if doubtful:
            with open_sftp(partner) as session:
                states = [resolve_batch(settings, profile, session, batch_id) for batch_id in doubtful]
    with registry_session(settings) as connection:
        batches = batches_where(connection, BATCH.c.batch_id.in_(doubtful))
    counts = {state: states.count(state) for state in ("sent", "approved", "uncertain")}
    return {**counts, "batches": [brief(batch) for batch in batches]}


def resolve_batch(settings: Settings, profile: Correspondent, session: SftpSession, batch_id: str) -> str:
    """Find out about one batch and give its state: sent, approved (it did not arrive), or uncertain.

    The caller holds the sender's lock. Evidence that it arrived is looked for first; only then is the
    upload taken back, which proves that it did not and cannot arrive any more. The receiver keeps that
    proof until this verdict is on record: who is ended in between finds it again.
    """
    with registry_session(settings) as connection:
        batch = sealed_batch(connection, batch_id)
        if batch["state"] not in DOUBTFUL:
            return str(batch["state"])
        attempts = attempts_of(connection, batch_id)
        has_receipt = _has_receipt(connection, batch_id)
    if has_receipt or _is_answered(profile, session, batch_id):
        return _settle(settings, batch_id, "sent", "a receipt of the batch is there")
    inbox = _state_in_inbox(profile, session, batch)
    if inbox == "same":
        return _settle(settings, batch_id, "sent", "the file lies in the inbox with the same digest")
    if inbox == "other":
        return _settle(settings, batch_id, "uncertain", "another content lies in the inbox under this name")
    file_name = batch["file_name"]
    if not (attempts and session.withdraw_part(profile.inbox, file_name, attempts[-1].part_name)):
        return _settle(settings, batch_id, "uncertain", NO_EVIDENCE)
    if _state_in_inbox(profile, session, batch) != "missing":
        # A server whose rename is a link and an unlink shows the name between the two. With nothing left to
        # unlink it takes the name away again, unless the receiver was quicker: this proves nothing.
        session.discard_attempt(profile.inbox, file_name, attempts[-1].part_name)
        return _settle(settings, batch_id, "uncertain", "the name was there when the upload was taken back")
    return _settle(settings, batch_id, "approved", "the upload was never named and was taken back")


def settle_if_answered(
    settings: Settings, profile: Correspondent, session: SftpSession, batch_id: str
) -> bool:
    """Settle a released batch that was tried before as sent if a receipt proves that it arrived.

    The caller holds the sender's lock.
    """
    with registry_session(settings) as connection:
        has_receipt = _has_receipt(connection, batch_id)
    if not (has_receipt or _is_answered(profile, session, batch_id)):
        return False
    possibly = (*DOUBTFUL, "approved")
    return _settle(settings, batch_id, "sent", "a receipt of the batch is there", possibly) == "sent"


def decide_uncertain(settings: Settings, batch_id: str, user: str, arrived: bool) -> dict[str, Any]:
    """Let a person who asked the receiver say whether an uncertain batch arrived.

    `arrived=False` releases the batch anew, in that person's name.

    Raises:
        Refusal: the batch is not uncertain, no user is named, or a receipt says that it did arrive.
    """
    settings.refuse_in_shadow("deciding about a batch")
    with registry_session(settings) as connection:
        batch = sealed_batch(connection, batch_id)
        business_date, lock = batch["business_date"], sender_lock(batch["receiver"])
    with hold_lock(settings, lock, business_date):
        with registry_session(settings) as connection:
            state = sealed_batch(connection, batch_id)["state"]
        if state not in DOUBTFUL or not user.strip():
            raise Refusal(
                "batch_not_uncertain",
                found=f"{batch_id} is {state}" if user.strip() else "no user",
                expected="an uncertain batch and the name of the user who decides",
                to_do="list the batches with `padis status`",
            )
        if not arrived:
            _check_without_receipt(settings, batch_id)
        _settle(settings, batch_id, "sent" if arrived else "approved", f"decided by {user.strip()}")
        with registry_session(settings) as connection:
            if not arrived:
                released = {"approved_by": user.strip(), "approved_at": sa.func.now()}
                connection.execute(sa.update(BATCH).where(BATCH.c.batch_id == batch_id).values(released))
            return brief(sealed_batch(connection, batch_id))


def _check_without_receipt(settings: Settings, batch_id: str) -> None:
    with registry_session(settings) as connection:
        if not _has_receipt(connection, batch_id, ("applied", "parked")):
            return
    raise Refusal(
        "batch_has_receipt",
        found=f"a receipt of {batch_id} is on record",
        expected="no receipt of a batch that did not arrive",
        to_do="collect receipts; if the batch stays uncertain, say that it arrived",
    )


def _has_receipt(connection: sa.Connection, batch_id: str, states: Collection[str] = ("applied",)) -> bool:
    found = sa.select(RECEIPT).where(RECEIPT.c.batch_id == batch_id, RECEIPT.c.state.in_(states))
    return connection.scalar(sa.select(sa.exists(found))) or False


def _is_answered(profile: Correspondent, session: SftpSession, batch_id: str) -> bool:
    """Tell whether the receiver's folder holds a receipt named after the batch."""
    return any(batch_of(file.name) == batch_id for file in session.list_folder(profile.receipts_folder))


def _state_in_inbox(profile: Correspondent, session: SftpSession, batch: sa.RowMapping) -> str:
    try:
        content = session.read_file(f"{profile.inbox}/{batch['file_name']}", limit=batch["byte_count"])
    except Refusal as refusal:
        if refusal.code == "remote_missing":
            return "missing"
        if refusal.code == "remote_too_large":
            return "other"
        raise
    return "same" if hashlib.sha256(content).hexdigest() == batch["sha256"] else "other"


def _settle(
    settings: Settings, batch_id: str, state: str, message: str, open_states: Collection[str] = DOUBTFUL
) -> str:
    """Put on record what became of the newest attempt; a receipt that came in meanwhile stands."""
    outcome = {"sent": "sent", "approved": "failed", "uncertain": "uncertain"}[state]
    change: dict[str, object] = {"state": state}
    if state == "sent":
        change["sent_at"] = sa.func.coalesce(BATCH.c.sent_at, sa.func.now())
    newest = sa.select(sa.func.max(ATTEMPT.c.attempt)).where(ATTEMPT.c.batch_id == batch_id)
    with registry_session(settings) as connection:
        changed = connection.execute(
            sa.update(BATCH)
            .where(BATCH.c.batch_id == batch_id, BATCH.c.state.in_(open_states))
            .values(change)
        )
        if changed.rowcount:
            connection.execute(
                sa.update(ATTEMPT)
                .where(ATTEMPT.c.batch_id == batch_id, ATTEMPT.c.attempt == newest.scalar_subquery())
                .values(outcome=outcome, message=message)
            )
        return str(sealed_batch(connection, batch_id)["state"])
