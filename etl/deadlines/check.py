"""Hold what should be there by now against the clock, and tell people of what is not."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.deadline import OPEN, Awaited, deadlines_where, mark_overdue, record_deadlines, require_aware
from connectors.notice import note_events, tell_notices
from connectors.notice_channel import Channel
from connectors.registry import registry_session
from connectors.settings import Settings
from schemas.business_date import BEIJING, business_date_of
from schemas.notice import Event
from schemas.policy import load_parameter
from schemas.registry import ATTEMPT, BATCH, DEADLINE, DROP, STEP_RUN

# Steps with a deadline of their own in policy/deadlines/; the others are part of what these wait for.
STEPS = ("pull_population", "gate_population", "reconcile_births", "decide_subsidies", "publish_statistics")
# How far back a check looks for dates that no check has seen.
MOST_DAYS = 31


def check_deadlines(
    settings: Settings, channels: Sequence[Channel], now: datetime, business_date: date | None = None
) -> dict[str, Any]:
    """Put on record what is awaited and what is overdue at an instant, and tell each new event once.

    Steps are looked for up to `business_date`, or the last one that has ended in Beijing.
    """
    settings.refuse_in_shadow("watching deadlines")
    newest = business_date or last_ended(require_aware(now))
    with registry_session(settings) as connection:
        record_deadlines(connection, [*awaited_drops(connection), *awaited_steps(connection, newest)], now)
        mark_overdue(connection, now)
        noted = note_events(connection, events_on_record(connection), [each.code for each in channels], now)
        states = sa.select(DEADLINE.c.state, sa.func.count()).group_by(DEADLINE.c.state)
        counts = {row[0]: row[1] for row in connection.execute(states)}
    told = tell_notices(settings, channels, now)
    return {
        "waiting": counts.get("waiting", 0),
        "overdue": counts.get("overdue", 0),
        "new_notices": noted,
        "notices": {state: told[state] for state in ("sent", "failed", "uncertain")},
    }


def last_ended(now: datetime) -> date:
    """Tell the last business date that has ended in Beijing."""
    return business_date_of(now) - timedelta(days=1)


def step_due(step: str, business_date: date) -> datetime:
    """Tell by when a step of a business date is done: minutes after the date has ended in Beijing."""
    ended = datetime.combine(business_date + timedelta(days=1), datetime.min.time(), tzinfo=BEIJING)
    return ended + timedelta(minutes=load_parameter(f"deadlines/step_{step}_minutes").on(business_date))


def awaited_steps(connection: Connection, newest: date) -> list[Awaited]:
    """Tell what the steps owe: of every date since the newest one on record, and of what is still open."""
    dates = _dates_of_steps(connection, newest)
    ended = _ended_steps(connection, dates)
    return [
        Awaited(
            "step",
            step,
            day,
            ended.get((step, day), "waiting"),
            patience=timedelta(minutes=load_parameter("deadlines/step_patience_minutes").on(day)),
            due_at=step_due(step, day),
        )
        for day in sorted(dates)
        for step in STEPS
    ]


def _dates_of_steps(connection: Connection, newest: date) -> set[date]:
    is_step = DEADLINE.c.kind_code == "step"
    known = connection.scalar(sa.select(sa.func.max(DEADLINE.c.business_date)).where(is_step))
    unseen = (newest - known).days if known and known < newest else 1
    still_open = sa.select(DEADLINE.c.business_date).where(is_step, DEADLINE.c.state.in_(OPEN))
    dates = {newest - timedelta(days=back) for back in range(min(unseen, MOST_DAYS))}
    return dates | set(connection.scalars(still_open))


def _ended_steps(connection: Connection, dates: Iterable[date]) -> dict[tuple[str, date], str]:
    """Tell which steps are done (met), and which a later date has overtaken (void)."""
    refusal = STEP_RUN.c.counts["refusal"].astext
    is_ended = sa.or_(STEP_RUN.c.state == "done", refusal == "later_state_on_record")
    found = sa.select(STEP_RUN.c.step, STEP_RUN.c.business_date, STEP_RUN.c.state).where(
        STEP_RUN.c.business_date.in_(list(dates)), is_ended
    )
    ended: dict[tuple[str, date], str] = {}
    for row in connection.execute(found):
        key = (row.step, row.business_date)
        ended[key] = "met" if row.state == "done" or ended.get(key) == "met" else "void"
    return ended


def awaited_drops(connection: Connection) -> list[Awaited]:
    """Tell what partners owe: every drop that was asked for, until it has arrived whole.

    One that is on record no more does not exist, as its partner says. Who saw it before that may have put
    its deadline on record only afterwards, so such a deadline is void.
    """
    is_open = sa.and_(DEADLINE.c.kind_code == "drop", DEADLINE.c.state.in_(OPEN))
    # Before the drops: one that is asked for between the two looks must not seem to be gone.
    open_deadlines = deadlines_where(connection, is_open)
    drops = {(row.source_name, row.business_date): row for row in connection.execute(sa.select(DROP))}
    owed = [
        Awaited("drop", *key, "met" if row.state == "complete" else "waiting", due_at=row.due_at)
        for key, row in drops.items()
    ]
    gone = [
        Awaited("drop", row["subject_id"], row["business_date"], "void", due_at=row["due_at"])
        for row in open_deadlines
        if (row["subject_id"], row["business_date"]) not in drops
    ]
    return [*owed, *gone]


def _given_up_drops(connection: Connection) -> set[tuple[str, date]]:
    is_given_up = sa.and_(DEADLINE.c.kind_code == "drop", DEADLINE.c.state == "given_up")
    found = connection.execute(sa.select(DEADLINE.c.subject_id, DEADLINE.c.business_date).where(is_given_up))
    return {(row.subject_id, row.business_date) for row in found}


def events_on_record(connection: Connection) -> list[Event]:
    """List what people should know of now: what is overdue, refused drops, batches that are uncertain.

    The details say what is new when the same comes again: awaited anew, refused anew, sent anew.
    """
    overdue = deadlines_where(connection, DEADLINE.c.state == "overdue")
    events = [
        Event(
            f"{row['kind_code']}_overdue",
            row["subject_id"],
            row["business_date"],
            [_at("since", row["since_at"]), _at("due", row["due_at"])],
        )
        for row in overdue
    ]
    return [*events, *_refused_drops(connection), *_uncertain_batches(connection)]


def _refused_drops(connection: Connection) -> list[Event]:
    given_up = _given_up_drops(connection)
    return [
        Event(
            "drop_refused",
            row.source_name,
            row.business_date,
            [row.refusal_code or "unknown", *([_at("since", row.refused_at)] if row.refused_at else [])],
        )
        for row in connection.execute(sa.select(DROP).where(DROP.c.state == "refused"))
        if (row.source_name, row.business_date) not in given_up
    ]


def _uncertain_batches(connection: Connection) -> list[Event]:
    attempts = sa.select(sa.func.count()).where(ATTEMPT.c.batch_id == BATCH.c.batch_id).scalar_subquery()
    uncertain = sa.select(BATCH.c.batch_id, BATCH.c.business_date, attempts.label("attempts"))
    return [
        Event("batch_uncertain", row.batch_id, row.business_date, [f"attempt:{row.attempts}"])
        for row in connection.execute(uncertain.where(BATCH.c.state == "uncertain"))
    ]


def _at(what: str, instant: datetime) -> str:
    return f"{what}:{instant.astimezone(BEIJING):%Y-%m-%dT%H:%M:%S}"
