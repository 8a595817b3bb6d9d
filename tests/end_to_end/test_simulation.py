"""Four days with most faults, a month with all, then the laws (test_simulation_laws.py breaks each)."""

import json
import shutil
import tempfile
from datetime import date
from pathlib import Path

import pytest

from connectors.settings import Settings
from sandbox.simulation.simulate import simulate
from tests.support.evidence import write_evidence
from tests.support.local_installation import left_processes

FIRST = date(2026, 6, 1)
PERSONS, SEED = 1_000, 20260601
# Every fault of a drop, and of a night those that end it where it stands; the month has them all.
FEW_FAULTS = (
    "late,missing,duplicate,half_uploaded,corrected,hostile,night_killed,postgres_restarted,gateway_cut_after"
)


@pytest.fixture(scope="module")
def var():
    folder = Path(tempfile.mkdtemp(prefix="padis-sim-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def result(var):
    """Live through the days."""
    told = simulate(
        Settings(var=var), days=4, faults=FEW_FAULTS, persons=PERSONS, seed=SEED, first=FIRST, tell=print
    )
    assert left_processes(var / "simulation") == []
    return told


def broken(result):
    return {law["name"]: law for law in result["laws"] if not law["holds"]}


def test_every_day_ended_well_with_two_reruns_at_most(result):
    assert [day["business_date"] for day in result["days"] if not day["ended_well"]] == []
    assert max(day["reruns"] for day in result["days"]) <= 2


def test_every_law_holds(result):
    assert broken(result) == {}
    assert result["holds"]


def test_the_result_is_written_for_other_programs(var, result):
    assert json.loads((var / "run" / "simulation.json").read_text(encoding="utf-8")) == result


@pytest.mark.deep
def test_a_month_with_every_fault_holds():
    folder = Path(tempfile.mkdtemp(prefix="padis-month-"))
    try:
        told = simulate(
            Settings(var=folder), days=30, faults="all", persons=2_000, seed=SEED, first=FIRST, tell=print
        )
        write_evidence("simulation", told)
        assert broken(told) == {}
        assert told["holds"]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
