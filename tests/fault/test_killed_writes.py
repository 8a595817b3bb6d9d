"""Killed in the middle of a write, a table stays at its last version, and the next run completes it."""

import multiprocessing
import os
import random
import signal
import sys
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.lake import DatasetVersion, candidate_on, point_dataset, read_dataset, table_path
from connectors.lake_layer import held_by
from connectors.lake_room import digest_of
from connectors.registry import registry_engine, registry_session
from connectors.settings import Settings
from etl.conform.population import conform_population
from schemas.registry import DATASET_VERSION
from tests.support.landed import land_extract, land_increment
from tests.support.received import TODAY, row_of
from tests.support.seed import draw_seed

# What writes the lake: a kill may strike before any of their lines.
WRITERS = ("connectors/lake.py", "connectors/lake_room.py", "connectors/row_file.py")
POINTS = [10, pytest.param(60, marks=pytest.mark.deep)]
# After every so many points the run that completed is run once more.
RERUN_AFTER = 5
# What commits changes of a version; the other writers are the same.
COMMITTERS = ("connectors/lake.py", "connectors/lake_layer.py", "connectors/lake_changes.py")
POINTS_OF_CHANGES = [2, pytest.param(20, marks=pytest.mark.deep)]
SEED = draw_seed()
KEYS = {"population_person": "person_id", "family_child": "relation_id", "marriage": "marriage_id"}


def numbered(name: str, numbers: Iterable[int]) -> list[dict[str, str | None]]:
    return [row_of(name, **{KEYS[name]: f"{number:020d}"}) for number in numbers]


def extracts(settings: Settings, rows: int) -> None:
    for name in KEYS:
        land_extract(settings, name, TODAY, *numbered(name, range(1, rows + 1)))


def increments(
    settings: Settings, day: date, follows: dict[str, str], come: int, swept: int
) -> dict[str, str]:
    """Land that a row has come and the first is gone, so that `swept` are there; give the landing ids."""
    landed = {}
    for name in KEYS:
        changed, deleted = numbered(name, [come]), numbered(name, [1])
        landing = land_increment(settings, name, day, follows[name], changed, deleted, swept)
        landed[name] = landing.landing_id
    return landed


def conform(settings: Settings, day: date = TODAY) -> None:
    conform_population(settings, day)
    registry_engine(settings).dispose()


def publish(settings: Settings, day: date) -> None:
    """Point a date at what was conformed last for it, as the gate would."""
    with registry_session(settings) as connection:
        for name in KEYS:
            for zone in ("staging", "returned"):
                point_dataset(connection, candidate_on(connection, f"{zone}.{name}", day), day)


def conform_and_die(var: Path, number: int, day: date = TODAY, writers: tuple[str, ...] = WRITERS) -> None:
    """Conform in this process, which is killed before the line of that number of the writers."""
    left = number

    def line(frame: FrameType, event: str, told: Any) -> Any:
        nonlocal left
        left -= event == "line"
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return line

    sys.settrace(lambda frame, *_: line if frame.f_code.co_filename.endswith(writers) else None)
    conform(Settings(var=var), day)


def lines_of_writers(settings: Settings, day: date = TODAY, writers: tuple[str, ...] = WRITERS) -> int:
    """Count the lines that a whole run passes."""
    counted = 0

    def line(frame: FrameType, event: str, told: Any) -> Any:
        nonlocal counted
        counted += event == "line"
        return line

    sys.settrace(lambda frame, *_: line if frame.f_code.co_filename.endswith(writers) else None)
    try:
        conform(settings, day)
    finally:
        sys.settrace(None)
    return counted


def drawn_points(lines: int, count: int) -> list[int]:
    """Draw a line in each of so many stretches, but of no stretch shorter than two lines."""
    stretches, chance = min(count, lines // 2), random.Random(SEED)
    step = lines // stretches
    return [number * step + chance.randrange(1, step) for number in range(stretches)]


def digests_on_record(settings: Settings) -> dict[DatasetVersion, str]:
    with registry_session(settings) as connection:
        found = connection.execute(
            sa.select(DATASET_VERSION.c.dataset_name, DATASET_VERSION.c.version, DATASET_VERSION.c.digest)
        ).all()
    return {DatasetVersion(name, version): digest for name, version, digest in found}


def versions(settings: Settings) -> dict[DatasetVersion, str]:
    """Read all versions on record: the rows that each gives now have its digest."""
    told = digests_on_record(settings)
    for known, digest in told.items():
        assert digest_of(read_dataset(settings, known)) == digest
    return told


def candidates(settings: Settings) -> dict[str, str]:
    chosen = sa.select(DATASET_VERSION.c.dataset_name, DATASET_VERSION.c.digest).where(
        DATASET_VERSION.c.is_candidate
    )
    with registry_session(settings) as connection:
        return {row.dataset_name: row.digest for row in connection.execute(chosen)}


@pytest.mark.parametrize("count", POINTS)
def test_a_run_that_is_killed_in_any_write_leaves_the_last_versions_and_is_completed(
    settings: Settings, count: int
) -> None:
    nursery = multiprocessing.get_context("forkserver")
    nursery.set_forkserver_preload([__name__])
    extracts(settings, count)
    lines = lines_of_writers(settings)
    for rows, point in enumerate(drawn_points(lines, count), start=count + 1):
        before = digests_on_record(settings)
        extracts(settings, rows)

        child = nursery.Process(target=conform_and_die, args=(settings.var, point))
        child.start()
        child.join()
        where = f"seed {SEED}: killed before line {point} of {lines}"
        assert child.exitcode == -signal.SIGKILL, where
        assert before.items() <= versions(settings).items(), where
        conform(settings)
        completed = candidates(settings)
        assert not list(settings.lake.glob(".room-*")), where
        # The children's parents were not received: of them nothing is accepted, before and after.
        made = {completed[f"staging.{name}"] for name in ("population_person", "marriage")}
        assert not made & set(before.values()), where
        if rows % RERUN_AFTER == 0:
            conform(settings)
            assert candidates(settings) == completed, where
    versions(settings)


def rows_on_record(settings: Settings) -> dict[str, str]:
    """Give for each version on record the digest of the rows that it gives now."""
    with registry_session(settings) as connection:
        found = connection.execute(sa.select(DATASET_VERSION.c.dataset_name, DATASET_VERSION.c.version)).all()
    versions = {DatasetVersion(name, version) for name, version in found}
    return {str(version): digest_of(read_dataset(settings, version)) for version in versions}


def staged(settings: Settings, day: date) -> dict[str, list[dict[str, Any]]]:
    with registry_session(settings) as connection:
        versions = {name: candidate_on(connection, f"staging.{name}", day) for name in KEYS}
    return {
        name: read_dataset(settings, found).sort_by(KEYS[name]).to_pylist()
        for name, found in versions.items()
    }


def is_changed(settings: Settings, day: date, name: str) -> bool:
    with registry_session(settings) as connection:
        version = candidate_on(connection, f"staging.{name}", day)
    return held_by(table_path(settings, version.name), version.version).layer is not None


@pytest.mark.parametrize("count", POINTS_OF_CHANGES)
def test_changes_that_are_killed_in_any_commit_leave_the_last_versions_and_are_completed(
    settings: Settings, count: int
) -> None:
    """The third night lays its changes upon what the second has laid upon the first."""
    nursery = multiprocessing.get_context("forkserver")
    nursery.set_forkserver_preload([__name__])
    second, third = TODAY + timedelta(days=1), TODAY + timedelta(days=2)
    base = {name: land_extract(settings, name, TODAY, *numbered(name, (1, 2, 3))).landing_id for name in KEYS}
    conform_population(settings, TODAY, is_full=True)
    publish(settings, TODAY)
    follows = increments(settings, second, base, come=4, swept=3)
    conform(settings, second)
    publish(settings, second)
    increments(settings, third, follows, come=5, swept=4)
    lines = lines_of_writers(settings, third, COMMITTERS)
    for come, point in enumerate(drawn_points(lines, count), start=4 + count):
        before = rows_on_record(settings)
        increments(settings, third, follows, come, swept=4)

        child = nursery.Process(target=conform_and_die, args=(settings.var, point, third, COMMITTERS))
        child.start()
        child.join()
        where = f"seed {SEED}: killed before line {point} of {lines}"
        assert child.exitcode == -signal.SIGKILL, where
        assert before.items() <= rows_on_record(settings).items(), where
        conform(settings, third)
        completed = staged(settings, third)
        assert all(is_changed(settings, third, name) for name in ("population_person", "marriage")), where
        conform_population(settings, third, is_full=True)
        assert completed == staged(settings, third), where
        assert not list(settings.lake.glob(".room-*")), where


def test_a_file_half_committed_is_taken_over(settings: Settings) -> None:
    """Committed to the table, and killed before the registry knew: the same rows become that version."""
    extracts(settings, 40)
    told = conform_population(settings, TODAY)["datasets"][0]["version"]
    version = DatasetVersion.parse(told)
    with registry_session(settings) as connection:
        connection.execute(
            sa.delete(DATASET_VERSION).where(
                DATASET_VERSION.c.dataset_name == version.name, DATASET_VERSION.c.version == version.version
            )
        )
    assert conform_population(settings, TODAY)["datasets"][0]["version"] == told
