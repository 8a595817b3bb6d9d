"""The `padis` command as a person meets it: a program of its own, with texts and exit statuses."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest

from connectors.registry import registry_session
from connectors.settings import PROJECT, Settings
from etl.night import STEPS
from etl.pull.drop_state import DropState, record_drop
from etl.steps import run_step
from schemas.business_date import BEIJING
from schemas.refusal import Refusal
from tests.support.installation import running_installation
from tests.support.population_source import create_source, run_in_population

DAY = date(2026, 6, 1)
NEVER_NEEDED_FOR_HELP = ("pandas", "pyarrow", "sqlalchemy", "great_expectations", "paramiko", "duckdb")


def padis(var: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **{name: value for name, value in os.environ.items() if name not in {"DATABASE_URL"}},
        "PADIS_VAR": str(var),
        "COLUMNS": "200",
    }
    return subprocess.run(
        [sys.executable, "-m", "etl.cli", *arguments],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def empty() -> Iterator[Settings]:
    """An installation whose server runs, before `padis init`."""
    with running_installation(migrated=False) as settings:
        yield settings


def test_help_lists_every_step(tmp_path: Path) -> None:
    shown = padis(tmp_path, "run", "--help").stdout
    assert [step.name for step in STEPS if step.name.replace("_", "-") not in shown] == []
    top = padis(tmp_path, "--help").stdout
    for command in ("init", "doctor", "status", "trace", "docs", "run", "sandbox", "local"):
        assert command in top


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    program = (
        f"import sys, etl.cli\nprint([name for name in {NEVER_NEEDED_FOR_HELP!r} if name in sys.modules])"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["run", "night"], "business_date_missing"),
        (["run", "pull-population", "--date", "20260601"], "business_date_unreadable"),
        (["run", "pull-population", "--date", "2026-02-30"], "business_date_unreadable"),
    ],
)
def test_a_refusal_says_what_was_found_expected_and_to_do_and_ends_with_2(
    tmp_path: Path, arguments: list[str], code: str
) -> None:
    ended = padis(tmp_path, *arguments)
    assert ended.returncode == 2
    for word in (code, "发现 · found", "应为 · expected", "处理 · to do"):
        assert word in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_dry_night_lists_its_steps_and_touches_nothing(tmp_path: Path) -> None:
    ended = padis(tmp_path / "var", "run", "night", "--date", "2026-06-01", "--dry-run")
    assert ended.returncode == 0
    assert [line.split()[0] for line in ended.stdout.splitlines()] == [step.name for step in STEPS]
    assert not (tmp_path / "var").exists()


def test_before_init_every_command_says_so_and_init_makes_what_is_missing(empty: Settings) -> None:
    ended = padis(empty.var, "status", "--date", "2026-06-01")
    assert ended.returncode == 2
    assert "not_initialised" in ended.stderr
    assert padis(empty.var, "doctor").returncode == 1
    for _ in range(2):
        assert padis(empty.var, "init").returncode == 0
    assert (empty.keys / "sealing.key").exists()
    assert padis(empty.var, "status", "--date", "2026-06-01").returncode == 0
    nothing_yet = padis(empty.var, "status")
    assert nothing_yet.returncode == 2
    assert "no_night_yet" in nothing_yet.stderr


@pytest.mark.parametrize("command", [("status",), ("drops", "show")])
def test_a_drop_that_has_not_arrived_whole_explains_itself(
    settings: Settings, command: tuple[str, ...]
) -> None:
    refusal = Refusal("drop_rows_differ", found="2 rows", expected="3 rows", to_do="ask the partner")
    with registry_session(settings) as connection:
        due = datetime(2026, 6, 2, 6, tzinfo=BEIJING)
        record_drop(connection, "mch", DAY, DropState("refused", due), refusal)
        record_drop(connection, "service", DAY, DropState("overdue", due))
    shown = padis(settings.var, *command, "--date", "2026-06-01").stdout
    for words in (
        ("拒收 refused", "mch 2026-06-01", "drop_rows_differ"),
        ("发现 found", "2 rows"),
        ("应为 expected", "3 rows"),
        ("处理 to do", "ask the partner"),
        ("责任方 who must act", "妇幼保健网络信息系统"),
        ("自 since", f"{datetime.now(BEIJING):%Y-%m-%d}"),
        ("何以替代 replaced by", "/outgoing/2026-06-01", "manifest.json"),
        ("其间 meanwhile", "nothing of the dataset is published yet"),
        ("service", "逾期 overdue", "2026-06-02 06:00", "网上办证平台"),
    ):
        assert any(all(word in line for word in words) for line in shown.splitlines()), words


def test_status_as_json_is_the_summary(settings: Settings) -> None:
    run_step(settings, DAY, "pull_population", lambda: {"rows": 1})
    summary = json.loads(padis(settings.var, "status", "--date", "2026-06-01", "--json").stdout)
    assert summary["business_date"] == "2026-06-01"
    assert "pull_population" in summary["seconds"]


def test_a_step_alone_prints_its_counts_or_its_refusal(settings: Settings) -> None:
    ended = padis(settings.var, "run", "pull-population", "--date", "2026-06-01")
    assert ended.returncode == 2
    assert "source_differs_from_contract" in ended.stderr


def test_doctor_finds_a_key_that_others_can_read(settings: Settings) -> None:
    padis(settings.var, "init")
    before = padis(settings.var, "doctor")
    key = settings.keys / "sealing.key"
    key.chmod(0o644)
    after = padis(settings.var, "doctor")
    key.chmod(0o600)
    assert before.stdout.count("✗") < after.stdout.count("✗")
    assert after.returncode == 1


def test_doctor_opens_the_population_database_as_the_night_does(settings: Settings) -> None:
    create_source(settings, {})
    shown = padis(settings.var, "doctor").stdout
    assert "3 tables as promised; postgresql by ADBC, REPEATABLE READ, READ ONLY" in shown
    run_in_population(settings, "DROP TABLE marriage")
    assert "marriage: no such table" in " ".join(padis(settings.var, "doctor").stdout.split())


def test_the_population_is_read_whole_when_asked_for(settings: Settings) -> None:
    create_source(settings, {"marriage": [{"marriage_id": number} for number in range(3)]})
    for day, options, kind in (("2026-06-02", (), "base"), ("2026-06-03", (), "increment")):
        told = padis(settings.var, "run", "pull-population", "--date", day, *options)
        assert json.loads(told.stdout)["kind"]["marriage"] == kind
    told = padis(settings.var, "run", "pull-population", "--date", "2026-06-03", "--full")
    assert json.loads(told.stdout)["kind"]["marriage"] == "base"
    assert "--full" in padis(settings.var, "run", "pull-population", "--help").stdout
    assert "--full" in padis(settings.var, "run", "conform-population", "--help").stdout
    assert "--full" not in padis(settings.var, "run", "gate-population", "--help").stdout
