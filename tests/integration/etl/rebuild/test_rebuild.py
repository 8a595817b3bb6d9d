"""Nights of a small city rebuilt in shadow: the same finds nothing, another policy exactly its difference."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from connectors import crypto
from connectors.lake import DatasetVersion, version_on
from connectors.lake_room import lake_room, rows_of
from connectors.population_db import open_population
from connectors.registry import registry_session
from connectors.settings import PROJECT
from connectors.sftp import load_partner
from etl.night import STEPS
from etl.rebuild.branch import branches
from etl.rebuild.given import take_versions
from etl.rebuild.history import find_rebuild
from etl.rebuild.leftovers import drop_kept, sweep_branches
from etl.rebuild.rebuild import rebuild_date
from etl.shadow import run_steps
from etl.subsidy.judge import judge_everyone
from schemas.policy import POLICY
from schemas.refusal import Refusal
from schemas.registry import METADATA, REBUILD, STATE_DATE
from tests.support.nights import live_nights, sent_files

FIRST, SECOND = date(2026, 6, 1), date(2026, 6, 2)
SOURCES = ("population_person", "family_child", "marriage")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


@pytest.fixture(scope="module")
def lived(settings):
    """Two nights, approved and sent; the partners are gone afterwards, so nobody could be asked."""
    crypto.make_keys(settings)
    live_nights(settings, FIRST, 2, persons=1_000, seed=7)
    return settings


@pytest.fixture
def given(lived):
    """The staging versions of the second night: taken as they are, a rebuild need not conform."""
    return versions_of(lived, SECOND)


def versions_of(settings, day):
    with registry_session(settings) as connection:
        return [version_on(connection, f"staging.{name}", day) for name in (*SOURCES, "mch_birth")]


def rebuild(settings, day, purpose="drill", using=(), **options):
    def run(branch, day):
        return run_steps(branch, day, using=using)

    return rebuild_date(settings, day, purpose, run, using=using, **options)


def rebuild_given(settings, day, given, **options):
    """Rebuild a date of which nothing is known but the versions that are given: no step takes its time."""

    def run(branch, day):
        take_versions(branch, given, day)
        return {}

    return rebuild_date(settings, day, "drill", run, using=given, **options)


def trunk(settings):
    """Everything that must not change: all rows but those of audit, the figures, what the receiver took."""
    with registry_session(settings) as connection:
        rows = {
            table.fullname: sorted(map(str, connection.execute(sa.select(table))))
            for table in METADATA.sorted_tables
            if table.schema != "audit"
        }
    figures = {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in (settings.mart, settings.landing, settings.quality)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    return rows, figures, sent_files(settings)


def shadows(settings):
    with registry_session(settings) as connection:
        return branches(connection)


def test_the_same_code_and_policy_find_nothing_and_leave_nothing(lived):
    before = trunk(lived)
    assert any('"taken"' in line for line in before[2])
    rebuilt = rebuild(lived, SECOND)
    assert rebuilt.verdict == "empty", rebuilt.radius
    assert trunk(lived) == before
    assert shadows(lived) == set()
    assert not (lived.var / "shadow" / rebuilt.rebuild_id).exists()
    with registry_session(lived) as connection:
        row = find_rebuild(connection, rebuilt.rebuild_id)
    assert (row["state"], row["verdict"], row["basis"]) == ("done", "empty", rebuilt.basis)
    assert row["seconds"] > 0


def test_every_state_on_record_is_declared_by_the_step_that_writes_it(lived):
    with registry_session(lived) as connection:
        on_record = connection.execute(sa.select(STATE_DATE.c.table_name, STATE_DATE.c.part)).all()
    states = {":".join([table, *json.loads(part).values()]) for table, part in on_record}
    assert len(states) > 10
    assert states <= {state for step in STEPS for state in step.states}


def test_given_versions_stand_for_what_would_be_conformed(lived, given):
    rebuilt = rebuild(lived, SECOND, using=given)
    assert rebuilt.verdict == "empty", rebuilt.radius
    # With the children of the night before, what was found about births differs.
    (older,) = [version for version in versions_of(lived, FIRST) if version.name == "staging.family_child"]
    others = [version for version in given if version.name != older.name]
    rebuilt = rebuild(lived, SECOND, using=[*others, older])
    assert rebuilt.verdict == "differs"
    assert set(rebuilt.radius["datasets"]) >= {older.name, "core.birth_match"}
    with pytest.raises(Refusal, match="version_unknown"):
        rebuild(lived, SECOND, using=[*others, DatasetVersion(older.name, 99)])


def padis(settings, *words, policy=POLICY):
    environment = {**os.environ, "PADIS_VAR": str(settings.var), "PADIS_POLICY": str(policy)}
    command = [sys.executable, "-m", "etl.cli", *words]
    return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)


def using(versions):
    return [word for version in versions for word in ("--using", str(version))]


@pytest.mark.parametrize(
    ("given", "code"),
    [("staging.marriage@0", "using_incomplete"), ("staging.mch_births@0", "using_unknown")],
)
def test_versions_that_fit_no_date_are_refused_once_and_leave_no_record(lived, given, code):
    with registry_session(lived) as connection:
        before = connection.execute(sa.select(REBUILD)).all()
    done = padis(lived, "preview", "--from", str(FIRST), "--to", str(SECOND), "--using", given, "--json")
    assert done.returncode != 0
    assert done.stdout == ""
    assert done.stderr.count(f"refused: {code}") == 1, done.stderr
    with registry_session(lived) as connection:
        assert connection.execute(sa.select(REBUILD)).all() == before


# What is changed in the policy: file, value before, value after.
CHANGES = [
    ("reward_assistance/annual_amount", 144_000, 150_000),
    ("reward_assistance/age", 60, 57),
    ("special_assistance/monthly_amount_death", 50_000, 40_000),
]


@pytest.fixture
def changed_policy(tmp_path):
    folder = tmp_path / "policy"
    shutil.copytree(POLICY, folder)
    for name, before, after in CHANGES:
        path = folder / f"{name}.yaml"
        text = path.read_text(encoding="utf-8")
        assert f"value: {before}\n" in text
        path.write_text(text.replace(f"value: {before}\n", f"value: {after}\n"), encoding="utf-8")
    return folder


def plain_difference(settings, given, policy):
    """Decide by both policies, and count person by person."""
    versions = {version.name.removeprefix("staging."): version for version in given}
    sources = {name: versions[name] for name in SOURCES}
    sides = []
    for folder in (POLICY, policy):
        with lake_room(settings) as room:
            judged = judge_everyone(settings, room, sources, SECOND, folder)
            sides.append({name: rows_of(decisions).to_pylist() for name, decisions in judged.items()})
    before, after = sides
    return {
        code: count_by_hand(before[name], after[name])
        for code, name in (("J", "reward_assistance"), ("T", "special_assistance"))
    }


def count_by_hand(before, after):
    told = ("decision_code", "category_code", "amount_fen", "missing_document_codes")
    then, counts = {row["person_id"]: row for row in before}, Counter()
    for now in after:
        was = then[now["person_id"]]
        is_open = {was["decision_code"], now["decision_code"]} != {"ineligible"}
        if not is_open or all(was[name] == now[name] for name in told):
            continue
        ways = {(False, True): "gained", (True, False): "lost", (True, True): "changed"}
        way = tuple(row["decision_code"] == "eligible" for row in (was, now))
        counts[ways.get(way, "undecided")] += 1
        fen_then, fen = (
            row["amount_fen"] or 0 if paid else 0 for row, paid in zip((was, now), way, strict=True)
        )
        counts["gained_fen"] += max(fen - fen_then, 0)
        counts["lost_fen"] += max(fen_then - fen, 0)
    return counts


def test_another_policy_shows_exactly_its_differences_and_a_date_never_landed_is_refused_alone(
    lived, given, changed_policy
):
    before = trunk(lived)
    never = SECOND + timedelta(days=1)
    words = ("preview", "--from", str(SECOND), "--to", str(never), *using(given), "--json")
    done = padis(lived, *words, policy=changed_policy)
    assert done.returncode == 1, done.stderr
    shown, refused = json.loads(done.stdout)
    assert (refused["business_date"], refused["refused"]) == (str(never), "date_never_landed")
    expected = plain_difference(lived, given, changed_policy)
    assert all(expected.values())
    radius = shown["radius"]
    for code, counts in expected.items():
        told = {name: value for name, value in radius["decisions"][code].items() if name != "unit"}
        assert told == {name: counts[name] for name in told}
    assert radius["persons"] > 0
    assert radius["datasets"] == {}
    assert trunk(lived) == before
    # The policy is as before when the date is rebuilt: the outcome is not what was shown, and that is said.
    done = padis(lived, "rebuild", "--from", str(SECOND), "--to", str(SECOND), *using(given), "--json")
    (outcome,) = json.loads(done.stdout)
    assert (done.returncode, outcome["verdict"]) == (1, "differs")
    assert {"decisions", "persons", "basis"} <= set(outcome["differences"])
    assert outcome["preview_id"] == shown["rebuild_id"]


def test_a_rebuild_is_what_its_preview_showed(lived, given):
    preview = rebuild(lived, FIRST, "preview", using=versions_of(lived, FIRST))
    assert preview.verdict is None
    rebuilt = rebuild(lived, FIRST, "rebuild", using=versions_of(lived, FIRST))
    assert (rebuilt.verdict, rebuilt.preview_id) == ("as_previewed", preview.rebuild_id)
    assert (rebuilt.basis, rebuilt.radius) == (preview.basis, preview.radius)


KILLED = """
import sys
from datetime import date
from pathlib import Path
from connectors.settings import Settings
from etl.rebuild.rebuild import rebuild_date
def work(branch, day):
    print(branch.shadow, flush=True)
    sys.stdin.read()
rebuild_date(Settings(var=Path(sys.argv[1])), date.fromisoformat(sys.argv[2]), "preview", work)
"""


def test_what_a_killed_rebuild_left_is_swept_by_the_next_one_of_any_date(lived, given):
    killed = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(lived.var), str(FIRST)],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    rebuild_id = killed.stdout.readline().strip()
    # While it works nobody sweeps it.
    assert sweep_branches(lived) == []
    assert shadows(lived) == {rebuild_id}
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    rebuild_given(lived, SECOND, given)
    assert shadows(lived) == set()
    with registry_session(lived) as connection:
        assert find_rebuild(connection, rebuild_id)["state"] == "failed"


def test_a_rebuild_that_fails_leaves_nothing_but_its_record(lived):
    def fail(branch, day):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        rebuild_date(lived, SECOND, "preview", fail)
    assert shadows(lived) == set()
    with registry_session(lived) as connection:
        newest = connection.scalar(sa.select(REBUILD.c.state).order_by(REBUILD.c.started_at.desc()).limit(1))
    assert newest == "failed"


def test_a_kept_shadow_stays_until_it_is_dropped_and_reaches_nobody(lived, given):
    kept = rebuild_given(lived, SECOND, given, is_kept=True)
    assert sweep_branches(lived) == []
    assert shadows(lived) == {kept.rebuild_id}
    branch = replace(lived, shadow=kept.rebuild_id)
    with pytest.raises(Refusal, match="shadow_never_sends"):
        load_partner(branch, "padis")
    with pytest.raises(Refusal, match="shadow_never_sends"), open_population(branch):
        pass
    drop_kept(lived, kept.rebuild_id)
    assert shadows(lived) == set()
