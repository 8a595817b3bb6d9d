"""Dataset versions: equal rows get no second version, and every version stays readable."""

import json
import os
import time
from datetime import date

import pyarrow as pa
import pytest

from connectors.engine import run_sql
from connectors.lake import (
    DatasetVersion,
    Reconciled,
    point_dataset,
    publish_dataset,
    read_dataset,
    table_path,
    version_on,
)
from connectors.lake_changes import change_version
from connectors.lake_layer import held_by
from connectors.lake_room import lake_room, stage_rows
from connectors.registry import registry_session
from connectors.settings import Settings
from schemas.refusal import Refusal

MONDAY, TUESDAY = date(2026, 6, 1), date(2026, 6, 2)


def publish(settings: Settings, values: list[int], day: date, *, current: bool = True) -> DatasetVersion:
    table = pa.table({"value": pa.array(values, pa.int64())})
    counts = Reconciled(len(values), len(values), 0)
    with registry_session(settings) as connection:
        return publish_dataset(
            connection, settings, "staging.sample", table, day, counts=counts, inputs=[], current=current
        )


def current(settings: Settings, day: date) -> DatasetVersion:
    with registry_session(settings) as connection:
        return version_on(connection, "staging.sample", day)


def test_versions_are_shared_by_equal_rows_and_pointed_at_by_dates(settings: Settings) -> None:
    with pytest.raises(Refusal, match="dataset_not_published"):
        current(settings, MONDAY)
    first = publish(settings, [], MONDAY)
    second = publish(settings, [1, 2], TUESDAY)
    assert publish(settings, [1, 2], TUESDAY) == second
    assert publish(settings, [], MONDAY) == first
    assert (current(settings, MONDAY), current(settings, TUESDAY)) == (first, second)
    assert read_dataset(settings, first).num_rows == 0
    assert run_sql(settings, "SELECT sum(value) AS total FROM t", {"t": second}).to_pylist() == [{"total": 3}]
    assert run_sql(settings, "SELECT count(*) AS n FROM t", {"t": first}).to_pylist() == [{"n": 0}]


def test_a_version_is_current_only_after_the_gate_pointed_at_it(settings: Settings) -> None:
    before = current(settings, TUESDAY)
    candidate = publish(settings, [1, 2, 3], TUESDAY, current=False)
    assert current(settings, TUESDAY) == before
    with registry_session(settings) as connection:
        point_dataset(connection, candidate, TUESDAY)
    assert current(settings, TUESDAY) == candidate


KEYED = pa.schema([("value", pa.int64()), ("key", pa.string())])
Pair = tuple[str | None, int]


def keyed(rows: list[Pair]) -> pa.Table:
    return pa.Table.from_pylist([{"key": key, "value": value} for key, value in rows], schema=KEYED)


def change(
    settings: Settings, upon: DatasetVersion, was: list[Pair], becomes: list[Pair], day: date
) -> DatasetVersion:
    """Give a version other rows than some that it has."""
    with lake_room(settings) as room, registry_session(settings) as connection:
        sides = {"was": keyed(was), "becomes": keyed(becomes)}
        staged = [stage_rows(room, name, [rows], KEYED) for name, rows in sides.items()]
        changes = change_version(settings, room, upon, "key", *staged, 3)
        counts = Reconciled(3, 3, 0)
        return publish_dataset(connection, settings, "staging.keyed", changes, day, counts=counts, inputs=[])


def test_changes_are_read_as_the_rows_that_they_make(settings: Settings) -> None:
    with registry_session(settings) as connection:
        counts = Reconciled(3, 3, 0)
        whole = publish_dataset(
            connection,
            settings,
            "staging.keyed",
            keyed([("a", 1), ("b", 2), (None, 3)]),
            MONDAY,
            counts=counts,
            inputs=[],
        )
    second = change(settings, whole, [("b", 2)], [("b", 9), ("c", 8)], TUESDAY)
    third = change(settings, second, [("a", 1), ("b", 9)], [("a", 7)], TUESDAY)
    expected: dict[DatasetVersion, list[Pair]] = {
        whole: [("a", 1), ("b", 2), (None, 3)],
        second: [("a", 1), (None, 3), ("b", 9), ("c", 8)],
        third: [(None, 3), ("a", 7), ("c", 8)],
    }
    for version, rows in expected.items():
        read = read_dataset(settings, version)
        found = [(row["key"], row["value"]) for row in read.to_pylist()]
        assert sorted(found, key=str) == sorted(rows, key=str)
        values = sorted(value for _, value in rows)
        assert sorted(read_dataset(settings, version, ["value"]).column(0).to_pylist()) == values
        engine = run_sql(settings, "SELECT value FROM version ORDER BY value", {"version": version})
        assert engine.column(0).to_pylist() == values
    # There is one layer at most, equal changes are one version, and none at all are the version itself.
    assert held_by(table_path(settings, "staging.keyed"), third.version).whole == whole.version
    assert change(settings, second, [("a", 1), ("b", 9)], [("a", 7)], MONDAY) == third
    assert change(settings, second, [], [], MONDAY) == second
    assert change(settings, whole, [], [], TUESDAY) == whole
    # What comes back as it was is no change.
    assert change(settings, second, [("b", 9), ("c", 8)], [("b", 2)], TUESDAY) == whole
    assert change(settings, third, [("a", 7), ("c", 8)], [("a", 1), ("b", 9), ("c", 8)], TUESDAY) == second


def test_every_version_is_read_after_more_nights_than_a_log_is_usually_kept(settings: Settings) -> None:
    """Delta forgets a log after thirty days, every hundred versions, unless it is told not to."""
    long_ago = time.time() - 90 * 86_400
    versions = []
    for number in range(105):
        versions.append(publish(settings, [number, -1], MONDAY))
        for entry in (table_path(settings, "staging.sample") / "_delta_log").iterdir():
            os.utime(entry, (long_ago, long_ago))
    assert len(set(versions)) == len(versions)
    last = json.loads(
        (table_path(settings, "staging.sample") / "_delta_log" / "_last_checkpoint").read_bytes()
    )
    assert versions[-1].version - last["version"] < 10
    for number in (0, 1, 50, 90, 99, 100, 104):
        assert read_dataset(settings, versions[number]).column("value").to_pylist() == [number, -1]


def test_rows_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(Refusal, match="rows_vanished"):
        Reconciled(received=3, accepted=1, quarantined=1)
