"""A month with every fault holds to every law (test_simulation_laws.py has four days, and breaks each)."""

import shutil
import tempfile
from datetime import date
from pathlib import Path

import pytest

from connectors.settings import Settings
from sandbox.simulation.simulate import simulate
from tests.support.evidence import write_evidence
from tests.support.local_installation import left_processes

FIRST, SEED = date(2026, 6, 1), 20260601


@pytest.mark.deep
def test_a_month_with_every_fault_holds():
    folder = Path(tempfile.mkdtemp(prefix="padis-month-"))
    try:
        told = simulate(
            Settings(var=folder), days=30, faults="all", persons=2_000, seed=SEED, first=FIRST, tell=print
        )
        write_evidence("simulation", told)
        assert left_processes(folder / "simulation") == []
        assert [law for law in told["laws"] if not law["holds"]] == []
        assert told["holds"]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
