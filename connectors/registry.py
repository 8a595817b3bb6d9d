"""The registry: sessions, migrations, locks, and state with its history."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import Connection, Engine

from connectors.settings import PROJECT, Settings
from schemas.refusal import Refusal

Row = Mapping[str, Any] | sa.RowMapping


@lru_cache(maxsize=8)
def registry_engine(settings: Settings) -> Engine:
    """Open the engine of the registry; parameters never reach logs."""
    return sa.create_engine(
        settings.database_url("registry"), hide_parameters=True, pool_pre_ping=True, pool_size=4
    )


@contextmanager
def registry_session(settings: Settings) -> Iterator[Connection]:
    """Give a connection in one transaction: committed at the end, rolled back on an error."""
    with registry_engine(settings).begin() as connection:
        yield connection


def migrate_registry(settings: Settings) -> None:
    """Bring the registry's tables to the newest revision."""
    config = Config()
    config.set_main_option("script_location", str(PROJECT / "sql" / "migrations"))
    with registry_session(settings) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def check_registry(settings: Settings) -> None:
    """Check that the registry has its tables.

    Raises:
        Refusal: the database or its tables are missing.
    """
    try:
        with registry_session(settings) as connection:
            is_there = connection.scalar(sa.text("SELECT to_regclass('core.landing') IS NOT NULL"))
    except sa.exc.OperationalError:
        is_there = False
    if not is_there:
        raise Refusal(
            "not_initialised",
            found="no registry in this installation",
            expected="the databases, tables and keys of an installation",
            to_do="run `padis init` first; `make run` does it by itself",
        )


def lock_key(*parts: object) -> int:
    """Fold names into the 64-bit key of an advisory lock."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


@contextmanager
def hold_lock(settings: Settings, flow: str, business_date: date) -> Iterator[None]:
    """Hold the lock of a flow for one business date, on a connection of its own.

    Raises:
        Refusal: another run holds it; the message says which backend process.
    """
    key = lock_key(flow, business_date)
    with registry_engine(settings).connect() as connection:
        if not connection.scalar(sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": key}):
            holder = connection.scalar(
                sa.text(
                    "SELECT min(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted "
                    "AND ((classid::bigint << 32) | objid::bigint) = :key"
                ),
                {"key": key},
            )
            raise Refusal(
                "held_by_another_run",
                found=f"{flow} of {business_date} is held by database process {holder}",
                expected="no other run of the same flow and business date",
                to_do="wait for that run to end, or stop it, then run again",
            )
        try:
            yield
        finally:
            connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": key})
            connection.commit()


def record_state(
    connection: Connection,
    table: sa.Table,
    rows: Sequence[Row],
    business_date: date,
    *,
    where: Mapping[str, Any] | None = None,
) -> int:
    """Make `rows` what is known from `business_date` on, and return how many rows changed.

    `rows` is the whole state (of the part of the table that `where` names, by column equality):
    a key that is missing ends, a key with other values ends and begins anew, an equal one is left
    alone. What an earlier run of the same date wrote is replaced, so running twice changes nothing.
    `recorded_from` and `recorded_to` are not given by the caller.

    Raises:
        Refusal: a later business date is already on record; the past is not rewritten in place.
    """
    part = sa.and_(sa.true(), *(table.c[name] == value for name, value in (where or {}).items()))
    latest = connection.scalar(
        sa.select(sa.func.max(sa.func.greatest(table.c.recorded_from, table.c.recorded_to))).where(part)
    )
    if latest is not None and latest > business_date:
        raise Refusal(
            "later_state_on_record",
            found=f"{table.fullname} already holds findings of {latest}",
            expected=f"{business_date} to be the newest business date",
            to_do="run the newest date; past dates are rebuilt in shadow only",
        )
    keys = [column.name for column in table.primary_key if column.name != "recorded_from"]
    values = [c.name for c in table.columns if c.name not in {"recorded_from", "recorded_to"}]

    def key_of(row: Row) -> tuple[Any, ...]:
        return tuple(row[name] for name in keys)

    def content_of(row: Row) -> tuple[Any, ...]:
        return tuple(row[name] for name in values)

    wanted = {key_of(row): content_of(row) for row in rows}
    if len(wanted) != len(rows):
        raise Refusal(
            "state_key_repeated",
            found=f"{len(rows) - len(wanted)} rows of {table.fullname} share a key",
            expected=f"one row per {', '.join(keys)}",
            to_do="report a defect of the step that made them",
        )
    held = {
        key_of(row): content_of(row)
        for row in connection.execute(sa.select(table).where(part, table.c.recorded_to.is_(None))).mappings()
    }
    if held == wanted:
        return 0

    # Undo what an earlier run of this date wrote, so that the rest compares with the day before.
    connection.execute(sa.delete(table).where(part, table.c.recorded_from == business_date))
    connection.execute(
        sa.update(table).where(part, table.c.recorded_to == business_date).values(recorded_to=None)
    )
    held = {
        key_of(row): content_of(row)
        for row in connection.execute(sa.select(table).where(part, table.c.recorded_to.is_(None))).mappings()
    }
    ended = [key for key, content in held.items() if wanted.get(key) != content]
    begun = [key for key, content in wanted.items() if held.get(key) != content]
    if ended:
        match = sa.and_(*(table.c[name] == sa.bindparam(f"key_{name}") for name in keys))
        connection.execute(
            sa.update(table)
            .where(part, match, table.c.recorded_to.is_(None))
            .values(recorded_to=business_date),
            [{f"key_{name}": part_ for name, part_ in zip(keys, key, strict=True)} for key in ended],
        )
    if begun:
        connection.execute(
            sa.insert(table),
            [
                {**dict(zip(values, wanted[key], strict=True)), "recorded_from": business_date}
                for key in begun
            ],
        )
    return len(ended) + len(begun)


def state_on(table: sa.Table, business_date: date) -> sa.ColumnElement[bool]:
    """Select the rows of a table with history that were known on a business date."""
    return sa.and_(
        table.c.recorded_from <= business_date,
        sa.or_(table.c.recorded_to.is_(None), table.c.recorded_to > business_date),
    )
