"""Ten past days of a city backfilled through the real Airflow under another policy: shown, done, unsent."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from connectors import crypto
from connectors.postgres import create_databases, postgres_for_command
from connectors.registry import migrate_registry, registry_engine, registry_session
from connectors.settings import PROJECT, Settings
from connectors.ssh import load_partner
from sandbox.local.environment import airflow_environment
from sandbox.local.installation import signed_in_admin
from sandbox.local.rest import Airflow
from schemas.business_date import BEIJING
from schemas.policy import POLICY
from schemas.registry import METADATA, REBUILD
from tests.support.local_installation import free_port, left_processes, padis
from tests.support.nights import live_nights, sent_files

# Ten nights, and each date rebuilt four times.
pytestmark = [
    pytest.mark.deep,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
]
FIRST, NIGHTS, PERSONS, SEED = date(2026, 6, 1), 10, 1_000, 7
LAST = FIRST + timedelta(days=NIGHTS - 1)
DAG = "rebuild_days"
# From 60 years of age to 57.
CHANGE = ("reward_assistance/age.yaml", "value: 60\n", "value: 57\n")
BACKFILL_SECONDS = 1500.0


@dataclass(frozen=True)
class Installation:
    """An installation with its nights behind it, whose Airflow runs under another policy."""

    settings: Settings
    port: int
    admin: Airflow
    before: tuple[dict[str, list[str]], list[str]]


@pytest.fixture(scope="module")
def installation():
    """Live ten nights, change the policy, bring Airflow up, and stop everything at the end."""
    var, port = Path(tempfile.mkdtemp(prefix="padis-days-")), free_port()
    settings = Settings(var=var)
    policy = var / "policy"
    try:
        with postgres_for_command(settings):
            create_databases(settings)
            migrate_registry(settings)
            crypto.make_keys(settings)
            live_nights(settings, FIRST, NIGHTS, persons=PERSONS, seed=SEED)
            before = trunk(settings)
            registry_engine(settings).dispose()
        change_policy(policy)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PADIS_POLICY", str(policy))
            run_local(var, port, "up")
        yield Installation(settings, port, signed_in_admin(settings, port), before)
    finally:
        run_local(var, port, "down")
        left = left_processes(var)
        registry_engine(settings).dispose()
        shutil.rmtree(var, ignore_errors=True)
    assert left == []


def change_policy(folder):
    shutil.copytree(POLICY, folder)
    name, before, after = CHANGE
    text = (folder / name).read_text(encoding="utf-8")
    assert before in text
    (folder / name).write_text(text.replace(before, after), encoding="utf-8")


def run_local(var, port, word):
    process = padis(var, port, "local", word, persons=PERSONS)
    told, _ = process.communicate(timeout=900)
    assert process.returncode == 0, told


def trunk(settings):
    """What must stay as it is: all rows but those of audit, and the receiver's own history."""
    with registry_session(settings) as connection:
        rows = {
            table.fullname: sorted(map(str, connection.execute(sa.select(table))))
            for table in METADATA.sorted_tables
            if table.schema != "audit"
        }
    return rows, sent_files(settings)


def backfill_by_command(found):
    """Backfill all dates as an operator does at a terminal, dry run first; give what that one said."""
    command = [
        *(sys.executable, "-m", "airflow", "backfill", "create", "--dag-id", DAG),
        *("--from-date", FIRST.isoformat(), "--to-date", LAST.isoformat()),
        *("--max-active-runs", "2"),
    ]
    environment = airflow_environment(found.settings, found.port)
    environment = {**environment, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    tried = [
        subprocess.run(words, cwd=PROJECT, env=environment, capture_output=True, text=True, check=True).stdout
        for words in ([*command, "--dry-run"], command)
    ]
    return tried[0]


def backfill_by_form(found, first, last):
    """Backfill as the UI's form does: it asks the same endpoint, with instants."""
    instants = (datetime(day.year, day.month, day.day, tzinfo=BEIJING).isoformat() for day in (first, last))
    found.admin.backfill(DAG, *instants)


def states_when_over(admin, count):
    """Wait until as many runs are there and all are over; give their states by Beijing date.

    Airflow takes a backfill for completed some time after its last run, and allows one at a time.
    """
    deadline = time.monotonic() + BACKFILL_SECONDS
    while True:
        runs = admin.runs_of(DAG)
        is_over = len(runs) >= count and all(run["state"] in {"success", "failed"} for run in runs)
        if is_over and not admin.open_backfills(DAG):
            return {beijing_date(run["logical_date"]): run["state"] for run in runs}
        assert time.monotonic() < deadline, [(run["logical_date"], run["state"]) for run in runs]
        time.sleep(2)


def beijing_date(instant):
    return datetime.fromisoformat(instant).astimezone(BEIJING).date()


def rebuilds_since(settings, since):
    with registry_session(settings) as connection:
        chosen = sa.select(REBUILD).where(REBUILD.c.started_at >= since).order_by(REBUILD.c.started_at)
        return connection.execute(chosen).mappings().all()


def check_outcome(found, since, kind):
    """Every date was previewed and rebuilt; each outcome is what was shown; nothing else changed."""
    rows = rebuilds_since(found.settings, since)
    days = {FIRST + timedelta(days=number) for number in range(NIGHTS)}
    for purpose in ("preview", "rebuild"):
        of_purpose = [row for row in rows if row["purpose"] == purpose]
        assert {row["business_date"] for row in of_purpose} == days
        assert {(row["state"], row["kind"]) for row in of_purpose} == {("done", kind)}
        assert all(row["radius"]["decisions"]["J"]["gained"] for row in of_purpose)
    assert {row["verdict"] for row in rows if row["purpose"] == "rebuild"} == {"as_previewed"}
    assert trunk(found.settings) == found.before


@pytest.fixture(scope="module")
def by_command(installation):
    """What the command said, how the runs ended, and since when."""
    since = datetime.now(BEIJING)
    said = backfill_by_command(installation)
    return since, said, states_when_over(installation.admin, NIGHTS)


def test_nobody_starts_it_but_people(installation, by_command):
    runs = installation.admin.runs_of(DAG)
    assert {run["run_type"] for run in runs} == {"backfill"}


def test_the_command_takes_the_last_date_too(by_command):
    _, said, states = by_command
    # A date begins at 16:00 of the day before in UTC.
    assert f"{FIRST - timedelta(days=1)} 16:00" in said or FIRST.isoformat() in said
    assert sorted(states) == [FIRST + timedelta(days=number) for number in range(NIGHTS)]
    assert set(states.values()) == {"success"}


def test_ten_days_by_command_are_as_previewed_and_nothing_was_sent(installation, by_command):
    assert any('"taken"' in line for line in installation.before[1])
    check_outcome(installation, by_command[0], "backfill")


def test_ten_days_by_the_form_too_and_a_date_never_landed_fails_alone(installation, by_command):
    since = datetime.now(BEIJING)
    never = FIRST - timedelta(days=1)
    backfill_by_form(installation, never, LAST)
    states = states_when_over(installation.admin, NIGHTS + 1)
    assert states.pop(never) == "failed"
    assert set(states.values()) == {"success"}
    check_outcome(installation, since, "backfill")


def test_the_radius_is_told_in_airflow_in_counts_alone(installation, by_command):
    engine = sa.create_engine(installation.settings.database_url("airflow"), poolclass=sa.NullPool)
    with engine.connect() as connection:
        told = connection.scalars(
            sa.text("SELECT value FROM xcom WHERE dag_id = :dag AND key = 'return_value'"), {"dag": DAG}
        ).all()
    values = [json.loads(value) if isinstance(value, str) else value for value in told]
    assert len(values) >= 2 * NIGHTS
    assert all(set(value) == {"business_date", "rebuild_id", "verdict", "radius"} for value in values)


def built_and_approved(found):
    """Let the city live a further day, up to batches that were approved and wait to be sent."""
    day = LAST + timedelta(days=1)
    for words in (
        ("sandbox", "advance"),
        ("run", "night", "--date", day.isoformat(), "--patience", "0"),
        ("run", "approve-batches", "--date", day.isoformat(), "--approve-as", "tester"),
    ):
        # Under the other policy, so that somebody is newly eligible.
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PADIS_POLICY", str(found.settings.var / "policy"))
            process = padis(found.settings.var, found.port, *words, persons=PERSONS)
        told, _ = process.communicate(timeout=900)
        assert process.returncode == 0, told
    return day


def taken(settings):
    return [json.loads(line)["take_id"] for line in sent_files(settings) if '"taken"' in line]


def state_of(admin, run_id):
    deadline = time.monotonic() + BACKFILL_SECONDS
    while True:
        (run,) = [run for run in admin.runs_of("submit_padis") if run["dag_run_id"] == run_id]
        if run["state"] in {"success", "failed"}:
            return run["state"]
        assert time.monotonic() < deadline, run["state"]
        time.sleep(1)


def test_clearing_a_failed_task_sends_once_and_clearing_all_of_them_sends_nothing_more(installation):
    day, before = built_and_approved(installation), taken(installation.settings)
    key = load_partner(installation.settings, "padis").private_key_path
    hidden = key.rename(key.with_suffix(".hidden"))
    run_id = installation.admin.trigger("submit_padis", day.isoformat())
    assert state_of(installation.admin, run_id) == "failed"
    assert taken(installation.settings) == before
    hidden.rename(key)
    installation.admin.clear("submit_padis", run_id, only_failed=True)
    assert state_of(installation.admin, run_id) == "success"
    sent = taken(installation.settings)
    assert len(sent) > len(before)
    installation.admin.clear("submit_padis", run_id, only_failed=False)
    assert state_of(installation.admin, run_id) == "success"
    assert taken(installation.settings) == sent
    assert len(set(sent)) == len(sent)
    assert all(take_id.endswith(".1") for take_id in sent)
