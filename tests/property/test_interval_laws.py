"""Intervals of our DAGs: no gap, no overlap, none empty, each of one Beijing date, also in summer time."""

import warnings
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors.settings import PROJECT
from schemas.business_date import BEIJING
from schemas.refusal import Refusal
from tests.support.airflow_settings import use_airflow_settings

use_airflow_settings()

FIRST, LAST = date(1985, 1, 1), date(2045, 12, 31)
DAYS = st.dates(FIRST, LAST)
WINDOW = timedelta(days=4)
# Beijing's clocks went forward and back in these years; before and after them they did not.
SUMMER_TIME = range(1986, 1992)


@pytest.fixture(scope="module")
def timetables():
    """The timetables of our DAGs as the scheduler has them, each once."""
    from airflow.dag_processing.dagbag import BundleDagBag
    from airflow.serialization.encoders import coerce_to_core_timetable, encode_timetable

    folder = PROJECT / "dags"
    with warnings.catch_warnings():
        # Airflow reads .airflowignore by a deprecated way of its library.
        warnings.simplefilter("ignore")
        bag = BundleDagBag(dag_folder=folder, bundle_path=folder, bundle_name="dags", load_op_links=False)
    declared = [dag.timetable for dag in bag.dags.values() if dag.timetable.can_be_scheduled]
    timed = [coerce_to_core_timetable(timetable) for timetable in declared]
    found = {str(encode_timetable(timetable)): timetable for timetable in timed}
    assert len(found) > 3
    return found


def intervals(timetable, first, last):
    """Iterate as a backfill does: logical dates from a midnight in Beijing to another, both included."""
    from airflow.timetables.base import TimeRestriction
    from pendulum import instance

    begin, end = (instance(datetime(day.year, day.month, day.day, tzinfo=BEIJING)) for day in (first, last))
    restriction = TimeRestriction(begin, end, catchup=True)
    info, found = None, []
    while info := timetable.next_dagrun_info_v2(last_dagrun_info=info, restriction=restriction):
        found.append(info.data_interval)
    return found


def context(kind, **told):
    run = SimpleNamespace(run_type=kind, dag_id="d", run_id="r")
    nothing = {"triggering_asset_events": {}, "data_interval_start": None, "data_interval_end": None}
    return {"dag_run": run, "params": {}, **nothing, **told}


def of_interval(kind, start, end):
    return context(kind, data_interval_start=start, data_interval_end=end)


@pytest.mark.parametrize("examples", [1, pytest.param(40, marks=pytest.mark.deep)])
def test_a_range_of_dates_becomes_intervals_that_abut_and_are_of_each_date(timetables, examples):
    @settings(max_examples=examples, deadline=None)
    @given(DAYS)
    @example(date(1986, 5, 2))
    @example(date(1986, 9, 12))
    @example(date(1991, 9, 13))
    @example(date(2000, 2, 27))
    @example(date(2024, 2, 27))
    @example(date(2100, 2, 26))
    @example(date(2026, 12, 30))
    def holds(first):
        check_range(timetables, first)

    holds()


def check_range(timetables, first):
    from connectors.airflow import business_date_of_rebuild

    wanted = [first + timedelta(days=number) for number in range(WINDOW.days)]
    for timetable in timetables.values():
        found = intervals(timetable, first, first + WINDOW)
        assert all(interval.start < interval.end for interval in found)
        assert all(before.end == after.start for before, after in pairwise(found))
        runs = [of_interval("backfill", interval.start, interval.end) for interval in found]
        dates = [business_date_of_rebuild(run) for run in runs]
        assert sorted(dates) == dates
        # The last midnight begins an interval of a timetable that runs at midnight.
        assert sorted(set(dates) - {first + WINDOW}) == wanted


@dataclass
class Event:
    extra: dict[str, str] = field(default_factory=dict)


HOURS = st.sampled_from([(0, 0), (1, 0), (5, 0), (8, 0), (9, 30), (18, 30), (23, 59)])


def told_by_interval(kind: str, day: date, hour: tuple[int, int], length: int) -> dict[str, Any]:
    start = datetime(day.year, day.month, day.day, *hour, tzinfo=BEIJING).astimezone(UTC)
    return of_interval(kind, start, start + timedelta(minutes=length))


def told_by_assets(day: date, earlier: int) -> dict[str, Any]:
    """Two inputs: one has reached the date, the other a later one too."""
    before, after = (day - timedelta(days=earlier)).isoformat(), (day + timedelta(days=earlier)).isoformat()
    first = [Event({"business_date": before}), Event({"business_date": day.isoformat()})]
    second = [Event({"business_date": after}), Event()]
    return context("asset_triggered", triggering_asset_events={"a": first, "b": second})


def told_by_param(day: date) -> dict[str, Any]:
    return context("manual", params={"business_date": day.isoformat()})


# 250 examples of 40 dates in each of four kinds, and as many that can tell none.
@settings(max_examples=250, deadline=None)
@given(DAYS, HOURS, st.integers(1, 1500), st.integers(0, 400))
@example(date(1986, 5, 1), (0, 0), 60, 1)
@example(date(2026, 12, 25), (23, 59), 1, 1)
def test_a_run_of_any_kind_is_of_its_beijing_date_and_of_none_is_refused(first, hour, length, earlier):
    from connectors.airflow import business_date_of_rebuild, business_date_of_run

    for number in range(40):
        day = first + timedelta(days=number)
        assert business_date_of_run(told_by_interval("scheduled", day, hour, length)) == day
        assert business_date_of_rebuild(told_by_interval("backfill", day, hour, length)) == day
        assert business_date_of_run(told_by_assets(day, earlier)) == day
        assert business_date_of_run(told_by_param(day)) == business_date_of_rebuild(told_by_param(day)) == day
    for kind, way in (("scheduled", business_date_of_run), ("backfill", business_date_of_rebuild)):
        for empty in (context(kind), told_by_interval(kind, first, hour, 0)):
            with pytest.raises(Refusal, match="business_date_unknown"):
                way(empty)


def test_a_backfill_of_the_night_is_refused_and_one_of_rebuilds_takes_no_single_date():
    from connectors.airflow import business_date_of_rebuild, business_date_of_run

    with pytest.raises(Refusal, match="backfill_in_shadow_only"):
        business_date_of_run(told_by_interval("backfill", FIRST, (1, 0), 60))
    with pytest.raises(Refusal, match="backfill_of_one_date"):
        business_date_of_rebuild(context("backfill", params={"business_date": "2026-06-01"}))


@pytest.mark.parametrize("year", range(1984, 1994))
def test_whoever_adds_eight_hours_falls_into_the_trap_of_summer_time(year):
    """The trap is real: a fixed offset gets summer midnights of these years wrong, and no others."""
    midnight = datetime(year, 7, 1, tzinfo=BEIJING).astimezone(UTC)
    by_fixed_offset = (midnight + timedelta(hours=8)).date()
    assert (by_fixed_offset != date(year, 7, 1)) == (year in SUMMER_TIME)
