"""Deadlines on record: what is awaited, since when, until when; silence only ever makes it overdue."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from schemas.refusal import Refusal
from schemas.registry import DEADLINE

OPEN = ("waiting", "overdue")


@dataclass(frozen=True)
class Awaited:
    """Something that is or was awaited; `state` is waiting, met, void or given_up.

    The deadline is `due_at`, or `patience` after the first look, or the later of both where both are
    given; it is set at the first look and stays.
    """

    kind_code: str
    subject_id: str
    business_date: date
    state: str
    patience: timedelta | None = None
    due_at: datetime | None = None

    @property
    def key(self) -> tuple[str, str, date]:
        """The key of its row."""
        return self.kind_code, self.subject_id, self.business_date

    def due_from(self, now: datetime) -> datetime:
        """Tell the deadline of what is first looked for now."""
        limits = [limit for limit in (self.due_at, now + self.patience if self.patience else None) if limit]
        return max(limits, default=now)


def record_deadlines(connection: Connection, awaited: Iterable[Awaited], now: datetime) -> None:
    """Put the state of what is awaited on record, as seen at an instant.

    What still waits is overdue from its deadline on; what has ended keeps when that was first seen;
    what is awaited anew gets a new deadline.
    """
    wanted = {each.key: each for each in awaited}
    for kind_code in sorted({kind for kind, _, _ in wanted}):
        held = {_key(row): row for row in _of_kind(connection, kind_code)}
        of_kind = [each for key, each in sorted(wanted.items()) if key[0] == kind_code]
        rows = [_row(each, held.get(each.key), now) for each in of_kind]
        _write(connection, [row for row in rows if _key(row) not in held], insert=True)
        _write(connection, [row for row in rows if dict(held.get(_key(row), {})) != row], insert=False)


def mark_overdue(connection: Connection, now: datetime) -> int:
    """Let everything whose deadline has passed be overdue, whoever was to look for it; tell how many."""
    is_late = sa.and_(DEADLINE.c.state == "waiting", DEADLINE.c.due_at <= now)
    return connection.execute(sa.update(DEADLINE).where(is_late).values(state="overdue")).rowcount


def deadlines_where(connection: Connection, *conditions: sa.ColumnElement[bool]) -> Sequence[sa.RowMapping]:
    """Read deadlines, the earliest due first."""
    chosen = sa.select(DEADLINE).where(*conditions)
    in_order = chosen.order_by(DEADLINE.c.due_at, DEADLINE.c.kind_code, DEADLINE.c.subject_id)
    return connection.execute(in_order).mappings().all()


def require_aware(now: datetime) -> datetime:
    """Give an instant back if it has a time zone.

    Raises:
        Refusal: it has none, so no deadline can be held against it.
    """
    if now.tzinfo is not None:
        return now
    raise Refusal(
        "naive_instant",
        found="an instant without a time zone",
        expected="an instant with a time zone",
        to_do="attach the zone in which the clock was read",
    )


def _of_kind(connection: Connection, kind_code: str) -> Sequence[sa.RowMapping]:
    chosen = sa.select(DEADLINE).where(DEADLINE.c.kind_code == kind_code).with_for_update()
    return connection.execute(chosen).mappings().all()


def _key(row: object) -> tuple[str, str, date]:
    return row["kind_code"], row["subject_id"], row["business_date"]  # type: ignore[index]


def _row(awaited: Awaited, held: sa.RowMapping | None, now: datetime) -> dict[str, object]:
    if held is not None and held["state"] == "given_up" and awaited.state != "met":
        # A person gave it up, perhaps after the look began: only what comes after all changes that.
        return dict(held)
    is_open = awaited.state == "waiting"
    since_at, due_at, ended_at = now, awaited.due_from(now), now
    if held is not None and not (is_open and held["state"] not in OPEN):
        since_at, due_at, ended_at = held["since_at"], held["due_at"], held["ended_at"] or now
    state = awaited.state if not is_open else ("waiting" if now < due_at else "overdue")
    return {
        "kind_code": awaited.kind_code,
        "subject_id": awaited.subject_id,
        "business_date": awaited.business_date,
        "since_at": since_at,
        "due_at": due_at,
        "state": state,
        "ended_at": None if is_open else ended_at,
        "given_up_by": None,
        "given_up_reason": None,
    }


def _write(connection: Connection, rows: Sequence[dict[str, object]], *, insert: bool) -> None:
    if not rows:
        return
    if insert:
        # Two who look at once find the same; the first one's deadline holds.
        connection.execute(postgresql.insert(DEADLINE).on_conflict_do_nothing(), rows)
        return
    keys = ("kind_code", "subject_id", "business_date")
    is_it = sa.and_(*(DEADLINE.c[name] == sa.bindparam(f"key_{name}") for name in keys))
    values = ("since_at", "due_at", "state", "ended_at", "given_up_by", "given_up_reason")
    change: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in values}
    connection.execute(
        sa.update(DEADLINE).where(is_it).values(change),
        [
            {f"key_{name}": row[name] for name in keys} | {f"new_{name}": row[name] for name in values}
            for row in rows
        ],
    )
