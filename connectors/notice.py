"""Notices on record: each event is told once by each channel, or it is uncertain whether it was."""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from connectors.notice_channel import BrokeOff, Channel, NotTaken
from connectors.registry import hold_lock, registry_session
from connectors.settings import Settings
from connectors.unexpected import unexpected_error
from schemas.notice import Event, Notice
from schemas.refusal import Refusal
from schemas.registry import NOTICE

# Notices of all dates are told by one at a time.
EVERY_DATE = date.min
# After that many attempts a person has to look after the channel.
MOST_ATTEMPTS = 50
MOST_UNWELL = 3
LOG = logging.getLogger(__name__)


def note_events(
    connection: Connection, events: Iterable[Event], channels: Sequence[str], now: datetime
) -> int:
    """Put events on record for these channels, unless they are there already; tell how many are new."""
    rows = [
        {
            "event_id": event.event_id,
            "channel_code": channel,
            "kind_code": event.kind_code,
            "subject_id": event.subject_id,
            "business_date": event.business_date,
            "detail_codes": list(event.detail_codes),
            "state": "pending",
            "attempts": 0,
            "noted_at": now,
        }
        for event in events
        for channel in channels
    ]
    if not rows:
        return 0
    noted = postgresql.insert(NOTICE).on_conflict_do_nothing().returning(NOTICE.c.event_id)
    return len(connection.execute(noted, rows).all())


def tell_notices(settings: Settings, channels: Sequence[Channel], now: datetime) -> Counter[str]:
    """Tell what waits to be told, and what failed before it was taken; count the states that came of it.

    One at a time tells, so what is found `sending` belongs to one who died at it: it is uncertain.
    Whoever comes meanwhile leaves it to the other.
    """
    settings.refuse_in_shadow("telling people")
    try:
        with hold_lock(settings, "tell_notices", EVERY_DATE):
            return _tell(settings, channels, now)
    except Refusal as refusal:
        if refusal.code == "held_by_another_run":
            return Counter()
        raise


def _tell(settings: Settings, channels: Sequence[Channel], now: datetime) -> Counter[str]:
    with registry_session(settings) as connection:
        is_left = NOTICE.c.state == "sending"
        connection.execute(
            sa.update(NOTICE).where(is_left).values(state="uncertain", message="ended_while_sending")
        )
    outcomes: Counter[str] = Counter()
    for channel in channels:
        unwell = 0
        for row in _untold(settings, channel.code):
            _settle(settings, row, "sending", attempts=row["attempts"] + 1)
            state, message = _outcome(channel, _notice(row))
            _settle(settings, row, state, message=message, told_at=now if state == "sent" else None)
            outcomes[state] += 1
            unwell += state != "sent"
            if unwell == MOST_UNWELL:
                # The channel itself is unwell: the others are told, the rest of this one at the next look.
                break
    return outcomes


def _outcome(channel: Channel, notice: Notice) -> tuple[str, str | None]:
    try:
        channel.tell(notice)
    except NotTaken as reason:
        return "failed", str(reason)
    except BrokeOff as reason:
        return "uncertain", str(reason)
    except Exception as error:
        # A defect of one channel holds up no other, and nobody is left untold for it.
        unexpected = unexpected_error(f"channel {channel.code}", error)
        LOG.error("通知通道出错 · %s", unexpected)
        return "failed", unexpected.code
    return "sent", None


def _untold(settings: Settings, channel_code: str) -> Sequence[sa.RowMapping]:
    is_untold = sa.and_(
        NOTICE.c.channel_code == channel_code,
        NOTICE.c.state.in_(("pending", "failed")),
        NOTICE.c.attempts < MOST_ATTEMPTS,
    )
    with registry_session(settings) as connection:
        oldest_first = sa.select(NOTICE).where(is_untold).order_by(NOTICE.c.noted_at, NOTICE.c.event_id)
        return connection.execute(oldest_first).mappings().all()


def _notice(row: sa.RowMapping) -> Notice:
    names = ("kind_code", "subject_id", "business_date", "detail_codes", "noted_at")
    return Notice(**{name: row[name] for name in names})


def _settle(settings: Settings, row: sa.RowMapping, state: str, **change: object) -> None:
    is_it = sa.and_(NOTICE.c.event_id == row["event_id"], NOTICE.c.channel_code == row["channel_code"])
    with registry_session(settings) as connection:
        connection.execute(sa.update(NOTICE).where(is_it).values(state=state, **change))


def notices_where(connection: Connection, *conditions: sa.ColumnElement[bool]) -> Sequence[sa.RowMapping]:
    """Read notices, the newest first."""
    newest_first = sa.select(NOTICE).where(*conditions).order_by(NOTICE.c.noted_at.desc(), NOTICE.c.event_id)
    return connection.execute(newest_first).mappings().all()
