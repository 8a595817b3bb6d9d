"""Who acts, and who holds a lock: named so that others can be told."""

import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from schemas.business_date import BEIJING
from schemas.registry import LOCK_HOLDER

# A holder names itself a moment after it has the lock.
NAMING_SECONDS = 3.0
HOLDING = sa.text(
    "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted "
    "AND ((classid::bigint << 32) | objid::bigint) = :key ORDER BY pid"
)


@dataclass(frozen=True)
class Run:
    """A run as others are told of it: nightly, manual, backfill or command, and its id."""

    kind: str
    run_id: str


_RUN: ContextVar[Run | None] = ContextVar("padis_run", default=None)


@contextmanager
def acting_as(run: Run) -> Iterator[None]:
    """Name the run for the time of the body."""
    before = _RUN.get()
    _RUN.set(run)
    try:
        yield
    finally:
        _RUN.set(before)


def this_run() -> Run:
    """Tell the run that acts; a process that did not say is a command."""
    return _RUN.get() or Run("command", Path(sys.argv[0]).name)


def put_holder(connection: Connection, flow: str, business_date: date) -> None:
    """Put on record that this run holds the lock of a flow; committed, so that others see it."""
    run, backend_id = this_run(), connection.scalar(sa.func.pg_backend_pid())
    row = {
        "flow": flow,
        "business_date": business_date,
        "backend_id": backend_id,
        "kind": run.kind,
        "run_id": run.run_id,
        "host": f"{socket.gethostname()}, process {os.getpid()}",
        "since": sa.func.now(),
    }
    put = postgresql.insert(LOCK_HOLDER).values(row)
    keys = ["flow", "business_date", "backend_id"]
    connection.execute(put.on_conflict_do_update(index_elements=keys, set_=row))
    connection.commit()


def forget_holder(connection: Connection, flow: str, business_date: date) -> None:
    """Take this run off the record of a flow, and all those whose process has ended."""
    living = sa.select(sa.column("pid", sa.Integer)).select_from(sa.table("pg_stat_activity"))
    is_ours = sa.and_(
        LOCK_HOLDER.c.flow == flow,
        LOCK_HOLDER.c.business_date == business_date,
        LOCK_HOLDER.c.backend_id == sa.func.pg_backend_pid(),
    )
    connection.execute(sa.delete(LOCK_HOLDER).where(is_ours | LOCK_HOLDER.c.backend_id.not_in(living)))
    connection.commit()


def tell_holders(connection: Connection, flow: str, business_date: date, key: int) -> str:
    """Name those who hold a lock: kind, run, host, since when; else their database process.

    Empty where nobody holds it any more: it can be taken.
    """
    deadline = time.monotonic() + NAMING_SECONDS
    while True:
        holding = list(connection.scalars(HOLDING, {"key": key}))
        is_holding = sa.and_(
            LOCK_HOLDER.c.flow == flow,
            LOCK_HOLDER.c.business_date == business_date,
            LOCK_HOLDER.c.backend_id.in_(holding),
        )
        rows = connection.execute(sa.select(LOCK_HOLDER).where(is_holding)).mappings()
        named = sorted({_tell(row) for row in rows})
        if named or not holding or time.monotonic() > deadline:
            break
        connection.rollback()
        time.sleep(0.1)
    return " and ".join(named or (f"database process {process}" for process in holding))


def _tell(row: sa.RowMapping) -> str:
    since = row["since"].astimezone(BEIJING)
    return f"{row['kind']} run {row['run_id']} on {row['host']}, since {since:%Y-%m-%d %H:%M:%S}"
