"""Attempts to send, on record before anything can have happened at the receiver.

A batch goes approved → sending → sent. It becomes `sending` when the whole file lies at the receiver
under the attempt's own name and only the rename is left: before that, nothing can have been sent;
after that, only evidence from the receiver tells whether it was.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.registry import registry_session
from connectors.settings import Settings
from schemas.refusal import Refusal
from schemas.registry import ATTEMPT, BATCH


@dataclass(frozen=True)
class Attempt:
    """One attempt to send one batch, under one lease of the sender's lock."""

    batch_id: str
    number: int
    lease_epoch: int

    @property
    def part_name(self) -> str:
        """Name of this attempt at the receiver; no other attempt has it."""
        return f"{self.lease_epoch}-{self.number}"


def take_lease(connection: Connection) -> int:
    """Take the next lease epoch: a number that only rises."""
    epoch = connection.scalar(sa.text("SELECT pg_current_xact_id()::text::bigint"))
    return int(epoch or 0)


def begin_attempt(
    settings: Settings, batch_id: str, lease_epoch: int, *, is_outside_window: bool = False
) -> Attempt:
    """Put the next attempt on record; earlier ones that ended without a word have sent nothing.

    Raises:
        Refusal: the batch is not released, or no longer.
    """
    with registry_session(settings) as connection:
        state = connection.scalar(
            sa.select(BATCH.c.state).where(BATCH.c.batch_id == batch_id).with_for_update()
        )
        if state != "approved":
            raise Refusal(
                "batch_not_released",
                found=f"{batch_id} is {state}",
                expected="an approved batch",
                to_do="approve it first; what is sent is not sent again",
            )
        connection.execute(
            sa.update(ATTEMPT)
            .where(ATTEMPT.c.batch_id == batch_id, ATTEMPT.c.outcome == "started")
            .values(outcome="failed", message="ended without a word before the rename; nothing was sent")
        )
        attempt = Attempt(batch_id, len(attempts_of(connection, batch_id)) + 1, lease_epoch)
        connection.execute(
            sa.insert(ATTEMPT).values(
                batch_id=batch_id,
                attempt=attempt.number,
                lease_epoch=lease_epoch,
                started_at=sa.func.now(),
                outcome="started",
                is_outside_window=is_outside_window,
            )
        )
    return attempt


def mark_sending(settings: Settings, attempt: Attempt) -> None:
    """Claim the rename for this attempt; committed before the rename is asked for.

    Raises:
        Refusal: another attempt took over meanwhile, or the batch is no longer released.
    """
    with registry_session(settings) as connection:
        claimed = connection.execute(
            sa.update(BATCH)
            .where(
                BATCH.c.batch_id == attempt.batch_id,
                BATCH.c.state == "approved",
                _is_latest(attempt),
            )
            .values(state="sending")
        )
        if claimed.rowcount == 1:
            return
    raise Refusal(
        "attempt_superseded",
        found=f"attempt {attempt.number} of {attempt.batch_id} is no longer the one that may send",
        expected="the newest attempt of an approved batch",
        to_do="nothing: the attempt that took over sends it",
    )


def finish_attempt(settings: Settings, attempt: Attempt, outcome: str, message: str | None = None) -> None:
    """Put the end of an attempt on record, and the state of the batch that follows from it.

    A failed attempt gives its claim back; what a newer attempt or a receipt has found out stands.
    """
    open_states: tuple[str, ...] = ("approved", "sending", "uncertain")
    state = "sent"
    if outcome not in ("sent", "already_there"):
        open_states, state = ("sending",), "uncertain" if outcome == "uncertain" else "approved"
    change: dict[str, object] = {"state": state}
    if state == "sent":
        change["sent_at"] = sa.func.now()
    with registry_session(settings) as connection:
        is_ours = sa.true() if state == "sent" else _is_latest(attempt)
        connection.execute(
            sa.update(BATCH)
            .where(BATCH.c.batch_id == attempt.batch_id, BATCH.c.state.in_(open_states), is_ours)
            .values(change)
        )
        connection.execute(
            sa.update(ATTEMPT)
            .where(ATTEMPT.c.batch_id == attempt.batch_id, ATTEMPT.c.attempt == attempt.number)
            .values(outcome=outcome, message=message)
        )


def attempts_of(connection: Connection, batch_id: str) -> list[Attempt]:
    """Read the attempts of a batch, oldest first."""
    rows = connection.execute(
        sa.select(ATTEMPT).where(ATTEMPT.c.batch_id == batch_id).order_by(ATTEMPT.c.attempt)
    )
    return [Attempt(row.batch_id, row.attempt, row.lease_epoch) for row in rows]


def _is_latest(attempt: Attempt) -> sa.ColumnElement[bool]:
    newest = (
        sa.select(sa.func.max(ATTEMPT.c.attempt))
        .where(ATTEMPT.c.batch_id == attempt.batch_id)
        .scalar_subquery()
    )
    return newest == attempt.number
