"""State with history: running a date twice changes nothing, and the past stays readable."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from connectors.registry import hold_lock, record_state, registry_engine, registry_session, state_on
from connectors.settings import Settings
from schemas.refusal import Refusal
from schemas.registry import METADATA, TASK, ZONES

FIRST, SECOND, THIRD, FOURTH = (date(2026, 6, day) for day in (1, 2, 3, 4))


def task(task_id: str, due: date = THIRD) -> dict[str, object]:
    return {
        "task_id": task_id,
        "process_name": "births",
        "kind_code": "k",
        "subject_id": "s",
        "division_code": "110101001001",
        "level_code": "4",
        "due_date": due,
        "detail_codes": [],
    }


def known(settings: Settings, day: date) -> set[tuple[str, date]]:
    with registry_session(settings) as connection:
        rows = connection.execute(sa.select(TASK.c.task_id, TASK.c.due_date).where(state_on(TASK, day)))
        return {(row.task_id, row.due_date) for row in rows}


def record(settings: Settings, rows: list[dict[str, object]], day: date) -> int:
    with registry_session(settings) as connection:
        return record_state(connection, TASK, rows, day)


def test_migrations_produce_exactly_the_declared_tables(settings: Settings) -> None:
    with registry_session(settings) as connection:
        context = MigrationContext.configure(
            connection,
            opts={"include_schemas": True, "include_name": lambda n, kind, _: kind != "schema" or n in ZONES},
        )
        assert compare_metadata(context, METADATA) == []


def test_each_day_keeps_what_it_knew_and_a_rerun_changes_nothing(settings: Settings) -> None:
    assert record(settings, [task("a"), task("b")], FIRST) == 2
    assert record(settings, [task("a"), task("b")], FIRST) == 0
    assert record(settings, [task("a", SECOND), task("c")], SECOND) == 4
    assert record(settings, [task("a", SECOND), task("c")], SECOND) == 0
    assert known(settings, FIRST) == {("a", THIRD), ("b", THIRD)}
    assert known(settings, SECOND) == {("a", SECOND), ("c", THIRD)}


def test_a_rerun_with_other_findings_replaces_those_of_its_date(settings: Settings) -> None:
    record(settings, [task("b")], SECOND)
    assert known(settings, FIRST) == {("a", THIRD), ("b", THIRD)}
    assert known(settings, SECOND) == {("b", THIRD)}


def test_the_past_is_not_rewritten_in_place(settings: Settings) -> None:
    with pytest.raises(Refusal, match="later_state_on_record"):
        record(settings, [], FIRST)


def test_a_date_on_which_nothing_changed_is_on_record_all_the_same(settings: Settings) -> None:
    assert record(settings, [task("b")], THIRD) == 0
    with pytest.raises(Refusal, match="on record up to 2026-06-03"):
        record(settings, [task("b", FIRST)], SECOND)
    assert known(settings, THIRD) == {("b", THIRD)}


def test_two_dates_at_once_wait_for_each_other(settings: Settings) -> None:
    with ThreadPoolExecutor() as pool:
        with registry_session(settings) as connection:
            record_state(connection, TASK, [task("b"), task("d")], FOURTH)
            earlier = pool.submit(record, settings, [task("b"), task("e")], THIRD)
            time.sleep(0.5)
            assert not earlier.done()
        with pytest.raises(Refusal, match="later_state_on_record"):
            earlier.result(timeout=10)
    assert known(settings, FOURTH) == {("b", THIRD), ("d", THIRD)}


def test_one_run_holds_a_flow_and_the_other_is_told_who(settings: Settings) -> None:
    with hold_lock(settings, "submit_padis", FIRST):
        with (
            pytest.raises(Refusal, match=r"held by command run \S+ on \S+, process \d+, since 20"),
            hold_lock(settings, "submit_padis", FIRST),
        ):
            pass
        with hold_lock(settings, "submit_padis", SECOND):
            pass
    with hold_lock(settings, "submit_padis", FIRST):
        pass


def test_settings_that_differ_elsewhere_share_the_connections_of_one_registry(settings: Settings) -> None:
    trunk = registry_engine(settings)
    others = [replace(settings, shadow=f"r{number}") for number in range(20)]
    pools = [registry_engine(other).pool for other in others]
    pools.append(registry_engine(replace(settings, population_server_url="sqlite://")).pool)
    assert all(pool is trunk.pool for pool in pools)
    assert registry_engine(settings) is trunk


def test_the_database_knows_at_once_that_a_table_has_become_large(settings: Settings) -> None:
    record(settings, [task(f"many-{number}") for number in range(2_000)], FOURTH)
    with registry_session(settings) as connection:
        known_rows = sa.text("SELECT reltuples FROM pg_class WHERE oid = CAST('worklist.task' AS regclass)")
        assert int(connection.scalar(known_rows) or 0) >= 2_000
