"""Dataset versions: equal rows get no second version, and every version stays readable."""

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
    version_on,
)
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


def test_rows_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(Refusal, match="rows_vanished"):
        Reconciled(received=3, accepted=1, quarantined=1)
