"""Release or withhold batches: a person's word, with who and when."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.registry import hold_lock, registry_session
from connectors.settings import Settings
from etl.submission.outbox import RECEIVER, batches_where, brief, sender_lock
from etl.submission.prediction_record import put_prediction
from schemas.business_date import BEIJING
from schemas.refusal import Refusal
from schemas.registry import ATTEMPT, BATCH


def approve_batches(
    settings: Settings,
    business_date: date,
    user: str,
    approved: bool,
    batch_ids: Collection[str] | None = None,
    *,
    answered_at: datetime | None = None,
) -> dict[str, Any]:
    """Release the batches that wait for approval on a date, or withhold them.

    These are the batches to PADIS, of the date and earlier ones, that nobody decided about. `batch_ids`
    limits it to the batches that were shown, of whatever receiver. A withheld batch is released only if they
    name it; a release of this date's own batches may be taken back while nothing has been tried to send.
    What the receiver will probably refuse is put on record with the first release. `answered_at` is the
    instant of the person's word, where that was given before now: it does not undo what was decided later.

    Returns:
        `approved` and `withheld` now decided so, `to_countersign`, how many of the approved wait for a second
        person, since a later date had been decided; and the `batches` concerned.

    Raises:
        Refusal: no user is named, the batches are being sent by another run, or one of those shown was
            decided otherwise after the answer; nothing is decided then.
    """
    settings.refuse_in_shadow("approving")
    if not user.strip():
        raise Refusal(
            "approver_missing",
            found="no user",
            expected="the name of the user who decides",
            to_do="log in, or give the user",
        )
    state = "approved" if approved else "withheld"
    is_shown = BATCH.c.receiver == RECEIVER if batch_ids is None else BATCH.c.batch_id.in_(batch_ids)
    is_open = _is_releasable(batch_ids is not None) if approved else _is_withholdable(business_date)
    is_open = sa.and_(is_open, BATCH.c.business_date <= business_date)
    decide = (
        sa.update(BATCH)
        .where(is_open, is_shown)
        .values(state=state, approved_by=user.strip(), approved_at=answered_at or sa.func.now())
        .returning(BATCH.c.batch_id)
    )
    with hold_lock(settings, sender_lock(RECEIVER), business_date), registry_session(settings) as connection:
        if answered_at is not None:
            _refuse_stale(connection, is_shown, state, answered_at)
        decided = list(connection.scalars(decide))
        batches = batches_where(connection, BATCH.c.batch_id.in_(decided), receiver=None)
        for batch in batches if approved else ():
            put_prediction(connection, batch)
    counts = {"approved": 0, "withheld": 0, state: len(decided)}
    counts["to_countersign"] = sum(batch["is_backfill"] for batch in batches)
    return {**counts, "batches": [brief(batch) for batch in batches]}


def _refuse_stale(
    connection: Connection, is_shown: sa.ColumnElement[bool], state: str, answered_at: datetime
) -> None:
    """Refuse an answer that a later word about one of the batches has overtaken."""
    others = ("withheld",) if state == "approved" else ("approved", "sending", "uncertain", "sent")
    overtaken = batches_where(
        connection,
        is_shown,
        BATCH.c.state.in_(others),
        BATCH.c.approved_at > answered_at,
        receiver=None,
    )
    if overtaken:
        batch = overtaken[0]
        answered, decided = (
            f"{when.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}" for when in (answered_at, batch["approved_at"])
        )
        raise Refusal(
            "answer_stale",
            found=f"an answer of {answered}; {batch['batch_id']} is {batch['state']} since {decided}",
            expected="the last word about each batch",
            to_do="ask again: clear the question, not only this task; or `padis run release BATCH --as USER`",
        )


def _is_releasable(is_named: bool) -> sa.ColumnElement[bool]:
    """Choose what may be released; a rerun that names no batch must not undo that one was withheld."""
    return BATCH.c.state.in_(("built", "withheld") if is_named else ("built",))


def _is_withholdable(business_date: date) -> sa.ColumnElement[bool]:
    untried = ~sa.exists().where(ATTEMPT.c.batch_id == BATCH.c.batch_id)
    is_released = sa.and_(BATCH.c.state == "approved", BATCH.c.business_date == business_date, untried)
    return sa.or_(BATCH.c.state == "built", is_released)


def batches_to_decide(settings: Settings, business_date: date) -> list[str]:
    """List the batches up to a date that nobody decided about, by their ids."""
    is_open = sa.and_(
        BATCH.c.receiver == RECEIVER, BATCH.c.state == "built", BATCH.c.business_date <= business_date
    )
    with registry_session(settings) as connection:
        return [batch["batch_id"] for batch in batches_where(connection, is_open)]
