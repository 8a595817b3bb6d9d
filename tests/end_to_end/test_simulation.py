"""Five days with every fault, then the laws, and proof that each of them can break."""

import json
import shutil
import tempfile
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from connectors.postgres import postgres_for_command
from connectors.registry import registry_engine, registry_session
from connectors.settings import Settings
from sandbox.partners.keys import partner_root
from sandbox.simulation.laws import judge
from sandbox.simulation.simulate import simulate
from schemas.registry import (
    ACCEPTED,
    BIRTH_MATCH,
    CASE_REVIEW,
    DATASET_VERSION,
    DECISION,
    DROP,
    STEP_RUN,
    TASK_CLOSING,
    TICKET,
)
from tests.support.local_installation import left_processes

# Fourteen nights: with the long sweeps until they fit beside the rest.
pytestmark = pytest.mark.deep

FIRST, LAST = date(2026, 6, 1), date(2026, 6, 5)
PERSONS, SEED = 1_000, 20260601


@pytest.fixture(scope="module")
def var():
    folder = Path(tempfile.mkdtemp(prefix="padis-sim-"))
    yield folder
    registry_engine(own(folder)).dispose()
    shutil.rmtree(folder, ignore_errors=True)


def own(var):
    return Settings(var=var / "simulation")


@pytest.fixture(scope="module")
def result(var):
    """Live through the days."""
    told = simulate(
        Settings(var=var), days=5, faults="all", persons=PERSONS, seed=SEED, first=FIRST, tell=print
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


@pytest.fixture(scope="module")
def registry(var, result):
    """The database of the days, running again."""
    with postgres_for_command(own(var)):
        yield own(var)
        registry_engine(own(var)).dispose()


FORGERIES = {
    "files_add_up": sa.update(DATASET_VERSION)
    .where(DATASET_VERSION.c.dataset_name == "staging.mch_birth")
    .values(received=DATASET_VERSION.c.received + 1, accepted=DATASET_VERSION.c.accepted + 1),
    "drops_explained": sa.update(DROP).where(DROP.c.business_date == FIRST).values(state="overdue"),
    "tasks_explained": sa.delete(TASK_CLOSING),
    "rows_true": sa.update(DATASET_VERSION)
    .where(DATASET_VERSION.c.dataset_name == "staging.marriage")
    .values(row_count=DATASET_VERSION.c.row_count - 1),
    "tickets_true": sa.delete(TICKET).where(TICKET.c.dataset_name == "population_person"),
    "cases_true": sa.delete(CASE_REVIEW).where(CASE_REVIEW.c.finding_code == "continue"),
    "nobody_again": sa.delete(ACCEPTED),
    "decisions_true": sa.delete(DECISION).where(DECISION.c.decision_code == "eligible"),
    "births_true": sa.delete(BIRTH_MATCH).where(BIRTH_MATCH.c.mch_record_id.is_not(None)),
    "steps_ended": sa.update(STEP_RUN).where(STEP_RUN.c.business_date == LAST).values(state="failed"),
}


@pytest.mark.parametrize("law", FORGERIES)
def test_a_forged_registry_breaks_its_law(registry, result, law, monkeypatch):
    with registry_session(registry) as connection:
        connection.execute(FORGERIES[law])
        monkeypatch.setattr("sandbox.simulation.laws.registry_session", lambda _: _open(connection))
        found = {finding.name: finding for finding in judge(registry, LAST)}
        connection.rollback()
    assert not found[law].holds


class _open:  # noqa: N801 - stands for the function of that name
    """The session of the forgery, not committed."""

    def __init__(self, connection):
        self.connection = connection

    def __enter__(self):
        return self.connection

    def __exit__(self, *error):
        return False


def test_a_file_taken_twice_breaks_its_law(registry, result):
    ledger = partner_root(registry, "padis") / "ledger.jsonl"
    kept = ledger.read_bytes()
    taken = next(line for line in kept.splitlines() if b'"taken"' in line)
    try:
        ledger.write_bytes(kept + taken + b"\n")
        found = {finding.name: finding for finding in judge(registry, LAST)}
        assert found["nothing_twice"].broken == 1
    finally:
        ledger.write_bytes(kept)


@pytest.mark.deep
def test_a_month_with_every_fault_holds():
    folder = Path(tempfile.mkdtemp(prefix="padis-month-"))
    try:
        told = simulate(
            Settings(var=folder), days=30, faults="all", persons=2_000, seed=SEED, first=FIRST, tell=print
        )
        evidence = Path("docs/evidence/simulation.json")
        evidence.parent.mkdir(exist_ok=True)
        evidence.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        assert broken(told) == {}
        assert told["holds"]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
