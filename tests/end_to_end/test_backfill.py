"""Ten past days of a city backfilled through the real Airflow under another policy: shown, done, unsent.

By command, and in the form of Airflow's own page, which Chromium fills in.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors import crypto
from connectors.postgres import create_databases, postgres_for_command
from connectors.registry import migrate_registry, registry_engine, registry_session
from connectors.settings import PROJECT, Settings
from sandbox.local.environment import airflow_environment
from sandbox.local.installation import signed_in_admin
from sandbox.local.rest import Airflow
from sandbox.partners.keys import partner_root
from sandbox.truth.store import read_canaries
from schemas.business_date import BEIJING
from schemas.policy import POLICY
from schemas.registry import BATCH, REBUILD
from tests.support.browser import backfill_in_form, picture_of_runs, signed_in_page
from tests.support.canary_scan import CanaryScan
from tests.support.evidence import write_evidence
from tests.support.local_installation import free_port, left_processes, padis
from tests.support.nights import live_nights, sent_files
from tests.support.trunk import Trunk, trunk_of

# Ten nights, and each date rebuilt four times.
pytestmark = [
    pytest.mark.deep,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
]
WHOLE = 10
# Fewer while the test itself is worked on; evidence is written of the whole alone.
NIGHTS = int(os.environ.get("BACKFILL_NIGHTS", WHOLE))
FIRST, PERSONS, SEED = date(2026, 6, 1), 2_000, 7
LAST = FIRST + timedelta(days=NIGHTS - 1)
DAG = "rebuild_days"
# The years of age from which both programmes pay, so that each has somebody newly eligible.
CHANGES = [
    ("reward_assistance/age.yaml", "value: 60\n", "value: 57\n"),
    ("special_assistance/wife_age.yaml", "value: 49\n", "value: 40\n"),
]
BACKFILL_SECONDS = 3600.0
# What a radius says beside numbers: a date, the id of a rebuild, a unit, a verdict, a digest.
CODE = re.compile(r"2026-[0-9]{2}-[0-9]{2}|r2026[0-9]{4}_[0-9a-f]{8}|year|month|as_previewed|[0-9a-f]{16}")


@dataclass(frozen=True)
class Installation:
    """An installation with its nights behind it, whose Airflow runs under another policy."""

    settings: Settings
    port: int
    admin: Airflow
    before: Trunk
    pictures: Path
    # What was found, test by test.
    told: dict[str, Any] = field(default_factory=dict)


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
            live_nights(settings, FIRST, NIGHTS, persons=PERSONS, seed=SEED, canaries=True)
            before = trunk_of(settings)
            registry_engine(settings).dispose()
        change_policy(policy)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PADIS_POLICY", str(policy))
            run_local(var, port, "up")
        pictures = var / "pictures"
        pictures.mkdir()
        found = Installation(settings, port, signed_in_admin(settings, port), before, pictures)
        yield found
        keep_evidence(found)
    finally:
        run_local(var, port, "down")
        left = left_processes(var)
        registry_engine(settings).dispose()
        shutil.rmtree(var, ignore_errors=True)
    assert left == []


def change_policy(folder):
    shutil.copytree(POLICY, folder)
    for name, before, after in CHANGES:
        text = (folder / name).read_text(encoding="utf-8")
        assert before in text
        (folder / name).write_text(text.replace(before, after), encoding="utf-8")


def run_local(var, port, word):
    process = padis(var, port, "local", word, persons=PERSONS)
    told, _ = process.communicate(timeout=900)
    assert process.returncode == 0, told


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
        assert all(row["radius"]["decisions"][name]["gained"] for row in of_purpose for name in "JT")
    verdicts = Counter(row["verdict"] for row in rows if row["purpose"] == "rebuild")
    assert set(verdicts) == {"as_previewed"}
    now = trunk_of(found.settings)
    assert found.before.stays_in(now)
    return {
        "verdicts": dict(verdicts),
        "gained": {
            name: sorted({row["radius"]["decisions"][name]["gained"] for row in rows if row["radius"]})
            for name in "JT"
        },
        "rows_unchanged": sum(map(len, now.rows.values())),
        "files_unchanged": len(found.before.files),
        "lines_of_the_receiver_unchanged": len(now.received),
    }


def keep_evidence(found):
    """Keep what was found and what it looked like, if all of it was."""
    if NIGHTS < WHOLE or not {"by_command", "by_form", "xcom", "clearing"} <= set(found.told):
        return
    head = {
        "command": "python -m pytest -m deep tests/end_to_end/test_backfill.py",
        "persons": PERSONS,
        "seed": SEED,
        "dates": [FIRST.isoformat(), LAST.isoformat()],
        "policy": [f"{name}: {before.strip()} -> {after.strip()}" for name, before, after in CHANGES],
    }
    write_evidence("backfill", head | found.told)
    shutil.copytree(found.pictures, PROJECT / "docs" / "pictures", dirs_exist_ok=True)


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
    assert any('"taken"' in line for line in installation.before.received)
    since, _, states = by_command
    told = check_outcome(installation, since, "backfill")
    installation.told["by_command"] = {"runs": dict(Counter(states.values())), **told}


def test_ten_days_by_the_form_too_and_a_date_never_landed_fails_alone(installation, by_command):
    since = datetime.now(BEIJING)
    never = FIRST - timedelta(days=1)
    with signed_in_page(installation.port, "admin", installation.settings.secret("admin.password")) as page:
        sent = backfill_in_form(
            page, DAG, never, LAST, runs=NIGHTS + 1, picture=installation.pictures / "backfill_form.png"
        )
        states = states_when_over(installation.admin, NIGHTS + 1)
        picture_of_runs(page, DAG, NIGHTS + 1, installation.pictures / "backfill.png")
    installation.told["by_form"] = {
        "sent": sent,
        "runs": dict(Counter(states.values())),
        "never_landed": never.isoformat(),
    }
    assert states.pop(never) == "failed"
    assert set(states.values()) == {"success"}
    installation.told["by_form"] |= check_outcome(installation, since, "backfill")


def leaves(value):
    if isinstance(value, Mapping):
        return [leaf for part in value.values() for leaf in leaves(part)]
    return [leaf for part in value for leaf in leaves(part)] if isinstance(value, list) else [value]


def test_the_radius_is_told_in_airflow_in_counts_alone(installation, by_command):
    scan = CanaryScan({canary["value"] for canary in read_canaries(installation.settings)})
    engine = sa.create_engine(installation.settings.database_url("airflow"), poolclass=sa.NullPool)
    with engine.connect() as connection:
        rows = connection.execute(
            sa.text("SELECT key, value FROM xcom WHERE dag_id = :dag"), {"dag": DAG}
        ).all()
        leaking = scan.in_database(connection)
    values = [json.loads(value) if isinstance(value, str) else value for key, value in rows]
    assert {key for key, _ in rows} == {"return_value"}
    assert len(values) >= 2 * NIGHTS
    assert all(set(value) == {"business_date", "rebuild_id", "verdict", "radius"} for value in values)
    words = [leaf for leaf in leaves(values) if isinstance(leaf, str)]
    assert [word for word in words if not CODE.fullmatch(word)] == []
    assert {type(leaf) for leaf in leaves(values)} <= {int, str, type(None)}
    assert (leaking, scan.in_folder(installation.settings.logs)) == ([], [])
    installation.told["xcom"] = {"values": len(values), "numbers": len(leaves(values)) - len(words)}


def built_and_approved(found):
    """Let the city live a further day, up to batches that were approved and wait to be sent; list them."""
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
    with registry_session(found.settings) as connection:
        of_day = sa.and_(BATCH.c.business_date == day, BATCH.c.state == "approved")
        return day, sorted(connection.scalars(sa.select(BATCH.c.batch_id).where(of_day)))


def taken(settings):
    """List what the receiver took, once nothing waits in its inbox: batch and how often it came."""
    root, deadline = partner_root(settings, "padis"), time.monotonic() + 60
    while True:
        waiting = list((root / "inbox").glob("*.zip"))
        lines = [json.loads(line) for line in sent_files(settings)]
        noted = {line["take_id"] for line in lines if line["event"] == "taken"}
        if not waiting and noted == {path.stem for path in (root / "taken").glob("*.zip")}:
            return noted
        assert time.monotonic() < deadline, waiting
        time.sleep(0.5)


def run_over(admin, run_id):
    """Wait until a run is over; give its state, and how often each of its tasks that was not skipped ran."""
    deadline = time.monotonic() + BACKFILL_SECONDS
    while True:
        (run,) = [run for run in admin.runs_of("submit_padis") if run["dag_run_id"] == run_id]
        if run["state"] in {"success", "failed"}:
            tasks = [task for task in admin.tasks_since(run["run_after"]) if task["dag_run_id"] == run_id]
            tries = {task["task_id"]: task["try_number"] for task in tasks if task["state"] != "skipped"}
            return run["state"], tries
        assert time.monotonic() < deadline, run["state"]
        time.sleep(1)


def test_clearing_a_failed_task_goes_on_and_clearing_all_of_them_does_nothing_twice(installation):
    settings, admin = installation.settings, installation.admin
    before = taken(settings)
    day, (first, second) = built_and_approved(installation)
    # Somebody else's file has the name of the second one's digest: only the first one can go.
    obstacle = partner_root(settings, "padis") / "inbox" / f"{second}.zip.sha256"
    obstacle.write_bytes(b"0" * 64)
    run_id = admin.trigger("submit_padis", day.isoformat())
    assert run_over(admin, run_id) == (
        "failed",
        {"build_batches": 1, "preview_batches": 1, "send_batches": 1},
    )
    assert taken(settings) - before == {f"{first}.1"}
    obstacle.unlink()
    admin.clear("submit_padis", run_id, only_failed=True)
    assert run_over(admin, run_id) == (
        "success",
        {"build_batches": 1, "preview_batches": 1, "send_batches": 2},
    )
    assert taken(settings) - before == {f"{first}.1", f"{second}.1"}
    admin.clear("submit_padis", run_id, only_failed=False)
    assert run_over(admin, run_id) == (
        "success",
        {"build_batches": 2, "preview_batches": 2, "send_batches": 3},
    )
    assert taken(settings) - before == {f"{first}.1", f"{second}.1"}
    installation.told["clearing"] = {
        "sent_before_the_failure": 1,
        "sent_after_clearing_it": 1,
        "sent_after_clearing_all": 0,
    }
