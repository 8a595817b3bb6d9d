"""Send letters to the sharing platform, and collect what it and the addressees answer."""

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.registry import hold_lock, registry_session
from connectors.settings import Settings
from connectors.sftp import SftpPartner, open_sftp
from etl.submission.intake import dataset_of, look_again
from etl.submission.levels import awaited_levels
from etl.submission.outbox import batches_where
from etl.submission.receipts import POSSIBLY_SENT, clock, take_in_receipts, update_levels
from etl.submission.send import OPEN_STATES, send_batches
from schemas.registry import BATCH, LANDING, RECEIPT, SHARED_ANSWER, SHARED_ITEM
from schemas.sharing import FINAL, PLATFORM, PROFILE


def has_letters_to_send(settings: Settings, business_date: date) -> bool:
    """Tell whether a released letter up to a date has not been sent, so that the platform is asked at all."""
    is_open = sa.and_(BATCH.c.state.in_(OPEN_STATES), BATCH.c.business_date <= business_date)
    with registry_session(settings) as connection:
        return bool(batches_where(connection, is_open, receiver=PLATFORM))


def has_letters_out(settings: Settings, business_date: date) -> bool:
    """Tell whether a letter up to a date may have arrived of which an item has no final answer."""
    with registry_session(settings) as connection:
        return bool(_awaiting(connection, business_date))


def send_letters(settings: Settings, business_date: date, platform: SftpPartner) -> dict[str, Any]:
    """Send released letters, each exactly once, as batches to PADIS are sent."""
    return send_batches(settings, business_date, platform, PROFILE)


def collect_answers(
    settings: Settings,
    business_date: date,
    platform: SftpPartner,
    *,
    now: Callable[[], datetime] = clock,
) -> dict[str, Any]:
    """Fetch what is new from the platform, land it, and put the addressees' words on record.

    They count from the next night on: see `etl.births.feedback`. What is awaited until when is on record
    before the platform is asked, so that silence becomes overdue even if nobody can be reached.

    Returns:
        Items of letters up to this date: `done`, `refused`, `waiting`; `parked` receipts; levels of
        letters that are `awaited` and, of these, `overdue`; `new` and `unreadable` receipts of this run.

    Raises:
        Refusal: another run collects, or the platform cannot be reached; what was read is kept.
    """
    settings.refuse_in_shadow("collecting answers")
    with hold_lock(settings, "etl.submission.answers", business_date):
        try:
            update_levels(settings, business_date, now())
            with registry_session(settings) as connection:
                awaiting = _awaiting(connection, business_date)
            with open_sftp(platform) as session:
                taken = take_in_receipts(settings, PROFILE, session, business_date, awaiting)
            taken["new"] += look_again(settings, PROFILE)
        finally:
            update_levels(settings, business_date, now())
    return {**_counts(settings, business_date), "new": taken["new"], "unreadable": taken["unreadable"]}


def _awaiting(connection: Connection, business_date: date) -> set[str]:
    is_ended = (
        sa.select(SHARED_ANSWER.c.item_id)
        .where(SHARED_ANSWER.c.item_id == SHARED_ITEM.c.item_id, SHARED_ANSWER.c.state_code.in_(FINAL))
        .exists()
    )
    chosen = (
        sa.select(BATCH.c.batch_id)
        .join(SHARED_ITEM, SHARED_ITEM.c.batch_id == BATCH.c.batch_id)
        .where(BATCH.c.state.in_(POSSIBLY_SENT), BATCH.c.business_date <= business_date, ~is_ended)
    )
    return set(connection.scalars(chosen.distinct()))


def _counts(settings: Settings, business_date: date) -> dict[str, int]:
    ended = sa.and_(SHARED_ANSWER.c.item_id == SHARED_ITEM.c.item_id, SHARED_ANSWER.c.state_code.in_(FINAL))
    by_state = (
        sa.select(SHARED_ANSWER.c.state_code, sa.func.count().label("items"))
        .join_from(SHARED_ITEM, SHARED_ANSWER, ended, isouter=True)
        .join(BATCH, BATCH.c.batch_id == SHARED_ITEM.c.batch_id)
        .where(BATCH.c.state.in_(POSSIBLY_SENT), SHARED_ITEM.c.business_date <= business_date)
        .group_by(SHARED_ANSWER.c.state_code)
    )
    is_parked = (
        sa.select(sa.func.count(RECEIPT.c.landing_id.distinct()))
        .join(LANDING, LANDING.c.landing_id == RECEIPT.c.landing_id)
        .where(RECEIPT.c.state == "parked", LANDING.c.dataset_name == dataset_of(PLATFORM))
    )
    with registry_session(settings) as connection:
        states = Counter({row.state_code: row.items for row in connection.execute(by_state)})
        parked = connection.scalar(is_parked) or 0
        levels = awaited_levels(connection, receiver=PLATFORM)
    done, refused = (states[code] for code in FINAL)
    return {
        "done": done,
        "refused": refused,
        "waiting": states.total() - done - refused,
        "parked": parked,
        "awaited": len(levels),
        "overdue": sum(level["state"] == "overdue" for level in levels),
    }
