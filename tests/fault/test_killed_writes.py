"""Killed in the middle of a write, a table stays at its last version, and the next run completes it."""

import multiprocessing
import os
import random
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import sqlalchemy as sa

from connectors.lake import DatasetVersion, read_dataset
from connectors.lake_room import digest_of
from connectors.registry import registry_engine, registry_session
from connectors.settings import Settings
from etl.conform.population import conform_population
from schemas.registry import DATASET_VERSION
from tests.support.landed import land_extract
from tests.support.received import TODAY, row_of

# What writes the lake: a kill may strike before any of their lines.
WRITERS = ("connectors/lake.py", "connectors/lake_room.py", "connectors/row_file.py")
POINTS = 14
SEED = random.SystemRandom().randrange(2**32)
KEYS = {"population_person": "person_id", "family_child": "relation_id", "marriage": "marriage_id"}


def extracts(settings: Settings, rows: int) -> None:
    for name, key in KEYS.items():
        made = [row_of(name, **{key: f"{number:020d}"}) for number in range(1, rows + 1)]
        land_extract(settings, name, TODAY, *made)


def conform(settings: Settings) -> None:
    conform_population(settings, TODAY)
    registry_engine(settings).dispose()


def conform_and_die(var: Path, number: int) -> None:
    """Conform in this process, which is killed before the line of that number of the writers."""
    left = number

    def line(frame: FrameType, event: str, told: Any) -> Any:
        nonlocal left
        left -= event == "line"
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return line

    sys.settrace(lambda frame, *_: line if frame.f_code.co_filename.endswith(WRITERS) else None)
    conform(Settings(var=var))


def lines_of_writers(settings: Settings) -> int:
    """Count the lines that a whole run passes."""
    counted = 0

    def line(frame: FrameType, event: str, told: Any) -> Any:
        nonlocal counted
        counted += event == "line"
        return line

    sys.settrace(lambda frame, *_: line if frame.f_code.co_filename.endswith(WRITERS) else None)
    try:
        conform(settings)
    finally:
        sys.settrace(None)
    return counted


def versions(settings: Settings) -> dict[str, str]:
    """Read all versions on record, each with the digest of the rows that it gives now."""
    with registry_session(settings) as connection:
        found = connection.execute(
            sa.select(DATASET_VERSION.c.dataset_name, DATASET_VERSION.c.version, DATASET_VERSION.c.digest)
        ).all()
    told = {}
    for name, version, digest in found:
        known = DatasetVersion(name, version)
        told[str(known)] = digest
        assert digest_of(read_dataset(settings, known)) == digest
    return told


def candidates(settings: Settings) -> dict[str, str]:
    chosen = sa.select(DATASET_VERSION.c.dataset_name, DATASET_VERSION.c.digest).where(
        DATASET_VERSION.c.is_candidate
    )
    with registry_session(settings) as connection:
        return {row.dataset_name: row.digest for row in connection.execute(chosen)}


def test_a_run_that_is_killed_in_any_write_leaves_the_last_versions_and_is_completed(
    settings: Settings,
) -> None:
    nursery = multiprocessing.get_context("forkserver")
    nursery.set_forkserver_preload([__name__])
    extracts(settings, 3)
    lines = lines_of_writers(settings)
    chance = random.Random(SEED)
    step = lines // POINTS
    points = [number * step + chance.randrange(1, step) for number in range(POINTS)]
    for rows, point in enumerate(points, start=4):
        before = versions(settings)
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
        conform(settings)
        assert candidates(settings) == completed, where


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
