"""The registry: sessions, migrations, locks, and state with its history."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import URL, Connection, Engine

from connectors.holder import forget_holder, put_holder, tell_holders
from connectors.registry_copy import copy_in
from connectors.settings import PROJECT, Settings
from schemas.refusal import Refusal
from schemas.registry import COUNTED_STATE, RELEASE, STATE_DATE, ZONES

# Rows that change what the database should know of a table at once, not when it comes to it.
MANY = 1_000
Row = Mapping[str, Any] | sa.RowMapping
TAKE, GIVE_BACK, SHARE, UNSHARE = map(
    sa.text,
    (
        "SELECT pg_try_advisory_lock(:key)",
        "SELECT pg_advisory_unlock(:key)",
        "SELECT pg_try_advisory_lock_shared(:key)",
        "SELECT pg_advisory_unlock_shared(:key)",
    ),
)


def registry_engine(settings: Settings) -> Engine:
    """Open the engine of the registry, or of a branch of it; parameters never reach logs.

    A branch shares the connections of the registry itself.
    """
    trunk = _engine_of(settings.database_url("registry"))
    if settings.shadow is None:
        return trunk
    branch = {zone: schema_in_shadow(settings.shadow, zone) for zone in ZONES}
    return trunk.execution_options(schema_translate_map=branch)


@lru_cache(maxsize=8)
def _engine_of(url: URL) -> Engine:
    # By address: what else differs between settings must not make a second pool, which nobody would close.
    return sa.create_engine(url, hide_parameters=True, pool_pre_ping=True, pool_size=4)


def schema_in_shadow(shadow: str, zone: str) -> str:
    """Name the schema of the database that holds a zone in a shadow."""
    return f"shadow_{shadow}_{zone}"


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
def hold_lock(
    settings: Settings, flow: str, business_date: date, *, is_shared: bool = False
) -> Iterator[None]:
    """Hold the lock of a flow for one business date, on a connection of its own, and tell who holds it.

    A shared lock keeps out those who want it alone, not those who share it. The lock ends with its
    process, however that ends. A shadow has locks of its own.

    Raises:
        Refusal: another run holds it; the message says which.
    """
    key = lock_key(flow, business_date, *([settings.shadow] if settings.shadow else []))
    take, give_back = (SHARE, UNSHARE) if is_shared else (TAKE, GIVE_BACK)
    with registry_engine(settings).connect() as connection:
        while not connection.scalar(take, {"key": key}):
            if holders := tell_holders(connection, flow, business_date, key):
                raise Refusal(
                    "held_by_another_run",
                    found=f"{flow} of {business_date} is held by {holders}",
                    expected="no other run of the same flow and business date",
                    to_do="wait for that run to end, or stop it, then run again",
                )
        put_holder(connection, flow, business_date)
        try:
            yield
        finally:
            # Where the server is gone the lock is gone too; what ended the body is told, not this.
            with suppress(sa.exc.OperationalError):
                forget_holder(connection, flow, business_date)
                connection.execute(give_back, {"key": key})
                connection.commit()


@dataclass(frozen=True)
class Among:
    """The values of a column of which alone rows speak; what is known of others is as before the date."""

    column: str
    values: Sequence[str]


def record_state(
    connection: Connection,
    table: sa.Table,
    rows: Sequence[Row],
    business_date: date,
    *,
    where: Mapping[str, Any] | None = None,
    among: Among | None = None,
) -> int:
    """Make `rows` what is known from `business_date` on, and return how many rows changed.

    `rows` is the whole state (of the part of the table that `where` names, by column equality, and of that
    what is `among` some values): a key that is missing ends, a key with other values ends and begins anew,
    an equal one is left alone. What an earlier run of the same date wrote is replaced, so running twice
    changes nothing.
    `recorded_from` and `recorded_to` are not given by the caller.

    Raises:
        Refusal: a later business date is already on record, or figures that count this state on the date
            are proposed or released; the past is not rewritten in place.
    """
    _claim_date(connection, table, where or {}, business_date)
    return write_state(connection, table, rows, business_date, where=where, among=among)


def write_state(
    connection: Connection,
    table: sa.Table,
    rows: Sequence[Row],
    business_date: date,
    *,
    where: Mapping[str, Any] | None = None,
    among: Among | None = None,
) -> int:
    """Write what `record_state` writes, where the caller knows that no later date is on record."""
    part = sa.and_(sa.true(), *(table.c[name] == value for name, value in (where or {}).items()))
    wanted = _wanted(connection, table, rows)
    if among is None and _is_held(connection, table, part, wanted, len(rows)):
        return 0
    _take_back(connection, table, part, business_date)
    if among is not None:
        part = sa.and_(part, table.c[among.column].in_(_asked(connection, among)))
    return _write_differences(connection, table, part, wanted, business_date)


def state_name(table: sa.Table, where: Mapping[str, Any]) -> str:
    """Name a state: its table, and the part of it that a process owns, such as `worklist.task:births`."""
    return ":".join([table.fullname, *map(str, where.values())])


def newest_on_record(
    connection: Connection, table: sa.Table, where: Mapping[str, Any], *, is_held: bool = False
) -> date | None:
    """Tell up to which date a state is on record.

    Held, nobody else writes it while the transaction lasts.
    """
    newest = sa.select(STATE_DATE.c.business_date).where(_is_state(table, where))
    found: date | None = connection.scalar(newest.with_for_update() if is_held else newest)
    return found


def _is_state(table: sa.Table, where: Mapping[str, Any]) -> sa.ColumnElement[bool]:
    return sa.and_(STATE_DATE.c.table_name == table.fullname, STATE_DATE.c.part == _part_text(where))


def _part_text(where: Mapping[str, Any]) -> str:
    return json.dumps(where, sort_keys=True, default=str)


def _claim_date(
    connection: Connection, table: sa.Table, where: Mapping[str, Any], business_date: date
) -> None:
    """Note that this state is now on record up to a date; two dates at once wait for each other here."""
    row = {"table_name": table.fullname, "part": _part_text(where), "business_date": business_date}
    connection.execute(postgresql.insert(STATE_DATE).values(row).on_conflict_do_nothing())
    newest = newest_on_record(connection, table, where, is_held=True)
    if newest is not None and newest > business_date:
        raise Refusal(
            "later_state_on_record",
            found=f"{state_name(table, where)} is already on record up to {newest}",
            expected=f"{business_date} to be the newest business date",
            to_do="run the newest date; past dates are rebuilt in shadow only",
        )
    _refuse_what_is_out(connection, table, where, business_date)
    newer = sa.update(STATE_DATE).where(_is_state(table, where)).values(business_date=business_date)
    connection.execute(newer)


def _refuse_what_is_out(
    connection: Connection, table: sa.Table, where: Mapping[str, Any], business_date: date
) -> None:
    """Refuse state of a date whose figures are proposed or released: also of who never wrote up to it."""
    if table not in COUNTED_STATE:
        return
    known_on = connection.scalar(sa.select(sa.func.max(RELEASE.c.known_on)))
    if known_on is not None and business_date <= known_on:
        raise Refusal(
            "later_state_on_record",
            found=f"figures that count {state_name(table, where)} as known on {known_on} are proposed or out",
            expected=f"a business date after {known_on}",
            to_do="run the newest date; past dates are rebuilt in shadow only",
        )


def _keys(table: sa.Table) -> list[str]:
    return [column.name for column in table.primary_key if column.name != "recorded_from"]


def _values(table: sa.Table) -> list[str]:
    return [column.name for column in table.columns if column.name not in {"recorded_from", "recorded_to"}]


def _wanted(connection: Connection, table: sa.Table, rows: Sequence[Row]) -> sa.Table:
    """Put rows into a table of this transaction, so that the database compares them."""
    columns = [sa.Column(name, table.c[name].type) for name in _values(table)]
    wanted = sa.Table("wanted", sa.MetaData(), *columns, prefixes=["TEMPORARY"], postgresql_on_commit="DROP")
    connection.execute(sa.text("DROP TABLE IF EXISTS pg_temp.wanted"))
    wanted.create(connection, checkfirst=False)
    copy_in(connection, wanted, ([row[name] for name in _values(table)] for row in rows))
    connection.execute(sa.text("ANALYZE wanted"))
    keys = sa.select(*(wanted.c[name] for name in _keys(table))).distinct().subquery()
    repeated = len(rows) - int(connection.scalar(sa.select(sa.func.count()).select_from(keys)) or 0)
    if repeated:
        raise Refusal(
            "state_key_repeated",
            found=f"{repeated} rows of {table.fullname} share a key",
            expected=f"one row per {', '.join(_keys(table))}",
            to_do="report a defect of the step that made them",
        )
    return wanted


def _asked(connection: Connection, among: Among) -> sa.Select[Any]:
    """Put values into a table of this transaction."""
    value = sa.Column("value", sa.Text)
    asked = sa.Table("asked", sa.MetaData(), value, prefixes=["TEMPORARY"], postgresql_on_commit="DROP")
    connection.execute(sa.text("DROP TABLE IF EXISTS pg_temp.asked"))
    asked.create(connection, checkfirst=False)
    copy_in(connection, asked, ([value] for value in among.values))
    connection.execute(sa.text("ANALYZE asked"))
    return sa.select(asked.c.value)


def _open_rows(table: sa.Table, part: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return sa.and_(part, table.c.recorded_to.is_(None))


def _is_same(table: sa.Table, wanted: sa.Table) -> sa.ColumnElement[bool]:
    keys = _keys(table)
    others = [name for name in _values(table) if name not in keys]
    return sa.and_(
        *(table.c[name] == wanted.c[name] for name in keys),
        *(table.c[name].is_not_distinct_from(wanted.c[name]) for name in others),
    )


def _is_held(
    connection: Connection, table: sa.Table, part: sa.ColumnElement[bool], wanted: sa.Table, count: int
) -> bool:
    """Tell whether what is held is what is wanted. Rows are counted, in one pass."""
    is_open = _open_rows(table, part)
    held = sa.select(sa.func.count()).select_from(table).where(is_open)
    same = sa.select(sa.func.count()).select_from(table.join(wanted, _is_same(table, wanted))).where(is_open)
    return bool(connection.scalar(held) == count and connection.scalar(same) == count)


def _take_back(
    connection: Connection, table: sa.Table, part: sa.ColumnElement[bool], business_date: date
) -> None:
    """Undo what an earlier run of this date wrote, so that the rest compares with the day before."""
    connection.execute(sa.delete(table).where(part, table.c.recorded_from == business_date))
    connection.execute(
        sa.update(table).where(part, table.c.recorded_to == business_date).values(recorded_to=None)
    )


def _write_differences(
    connection: Connection,
    table: sa.Table,
    part: sa.ColumnElement[bool],
    wanted: sa.Table,
    business_date: date,
) -> int:
    is_same, is_open = _is_same(table, wanted), _open_rows(table, part)
    is_ended = sa.and_(is_open, ~sa.exists().where(is_same).correlate(table))
    ended = connection.execute(sa.update(table).where(is_ended).values(recorded_to=business_date))
    # What is open now is wanted as it is.
    is_begun = ~sa.exists().where(is_open, is_same).correlate(wanted)
    begun = sa.select(*wanted.c, sa.literal(business_date)).where(is_begun)
    added = connection.execute(
        sa.insert(table).from_select([*wanted.c.keys(), "recorded_from"], begun),
        execution_options={"preserve_rowcount": True},
    )
    changed = ended.rowcount + added.rowcount
    if changed > MANY:
        _analyze(connection, table)
    return changed


def _analyze(connection: Connection, table: sa.Table) -> None:
    """Let the database know what a table holds: one that it takes for empty it goes through row by row."""
    branch = connection.get_execution_options().get("schema_translate_map") or {}
    quote = connection.dialect.identifier_preparer.quote
    name = f"{quote(branch.get(table.schema, str(table.schema)))}.{quote(table.name)}"
    connection.execute(sa.text(f"ANALYZE {name}"))


def state_on(table: sa.Table, business_date: date) -> sa.ColumnElement[bool]:
    """Select the rows of a table with history that were known on a business date."""
    return sa.and_(
        table.c.recorded_from <= business_date,
        sa.or_(table.c.recorded_to.is_(None), table.c.recorded_to > business_date),
    )
