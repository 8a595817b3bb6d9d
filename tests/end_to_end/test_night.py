"""A small city through the whole pipeline, by the real Airflow scheduler; then the same night again."""

import hashlib
import json
import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from connectors.postgres import create_databases, postgres_for_command
from connectors.registry import migrate_registry, registry_engine, registry_session
from connectors.settings import Settings
from sandbox.city.create import create_city
from sandbox.partners.keys import partner_root, prepare_partners
from sandbox.truth.store import read_canaries
from schemas.contract import DATASETS
from schemas.drop_source import DROP_SOURCES
from schemas.registry import METADATA, STEP_RUN
from tests.support.canary_scan import CanaryScan
from tests.support.local_installation import free_port, left_processes, padis

PERSONS, SEED, BUSINESS_DATE = 2_000, 7, date(2026, 6, 1)
STEPS = {
    "pull_population",
    "conform_population",
    "follow_divisions",
    "gate_population",
    *(step for source in DROP_SOURCES for step in source.steps),
    "replay_returned",
    "reconcile_births",
    "write_letters",
    "send_letters",
    "collect_answers",
    "decide_subsidies",
    "build_batches",
    "approve_batches",
    "send_batches",
    "collect_receipts",
    "publish_statistics",
    "import_cases",
    "take_over_cases",
    "review_cases",
}


@dataclass(frozen=True)
class Night:
    """What one night printed, and what the world looked like after it."""

    told: str
    status: int
    summary: dict[str, Any]
    registry: dict[str, list[str]]
    outputs: dict[str, str]
    taken: list[str]


@dataclass(frozen=True)
class City:
    """An installation that is up, and the two nights that it ran."""

    settings: Settings
    first: Night
    second: Night


@pytest.fixture(scope="module")
def city():
    """Bring a city with canaries up, run the same night twice, and stop everything."""
    var, port = Path(tempfile.mkdtemp(prefix="padis-night-")), free_port()
    settings = Settings(var=var)
    invent(settings)
    try:
        command(var, port, "up")
        yield City(settings, night(settings, port), night(settings, port))
    finally:
        command(var, port, "down")
        left = left_processes(var)
        registry_engine(settings).dispose()
        shutil.rmtree(var, ignore_errors=True)
    assert left == []


def invent(settings):
    with postgres_for_command(settings):
        create_databases(settings)
        migrate_registry(settings)
        prepare_partners(settings)
        create_city(settings, persons=PERSONS, seed=SEED, business_date=BUSINESS_DATE, canaries=True)


def command(var, port, word):
    process = padis(var, port, "local", word, persons=PERSONS)
    told, _ = process.communicate(timeout=900)
    assert word == "run" or process.returncode == 0, told
    return told, process.returncode


def night(settings, port):
    told, status = command(settings.var, port, "run")
    assert status == 0, told
    return Night(
        told=told,
        status=status,
        summary=json.loads((settings.run / "summary.json").read_text(encoding="utf-8")),
        registry=rows_of_registry(settings),
        outputs=digests_below(settings.mart) | digests_below(settings.landing),
        taken=[line for line in ledger_of(settings) if '"taken"' in line],
    )


def rows_of_registry(settings):
    with registry_session(settings) as connection:
        return {
            table.fullname: sorted(str(row) for row in connection.execute(sa.select(table)))
            for table in METADATA.sorted_tables
            if table is not STEP_RUN
        }


def digests_below(folder):
    return {
        f"{folder.name}/{path.relative_to(folder)}": hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def ledger_of(settings):
    path = partner_root(settings, "padis") / "ledger.jsonl"
    return path.read_text(encoding="utf-8").splitlines()


def airflow_connection(settings):
    return sa.create_engine(settings.database_url("airflow"), poolclass=sa.NullPool).connect()


def scan_of(settings):
    return CanaryScan({canary["value"] for canary in read_canaries(settings)})


def outside(settings):
    return (settings.logs, settings.quality, settings.mart, settings.run)


def test_the_night_ends_well_and_says_so(city):
    assert city.first.status == 0
    assert "✓ 一夜完成 · the night held" in city.first.told


def test_every_step_of_the_night_ran(city):
    assert set(city.first.summary["seconds"]) == STEPS


def test_no_row_vanishes_between_the_city_and_the_summary(city):
    datasets = {row["name"]: row for row in city.first.summary["datasets"]}
    assert set(datasets) == set(DATASETS)
    assert datasets["population_person"]["received"] == PERSONS
    for row in datasets.values():
        assert row["received"] == row["accepted"] + row["quarantined"] > 0


def test_births_are_reconciled_and_persons_decided(city):
    summary = city.first.summary
    assert summary["births"]["linked"] > 0
    accepted = next(row["accepted"] for row in summary["datasets"] if row["name"] == "population_person")
    assert all(sum(found.values()) == accepted for found in summary["subsidy"].values())


def test_both_batches_were_approved_by_the_operator_and_sent(city):
    assert {batch["subsystem"]: batch["state"] for batch in city.first.summary["submissions"]} == {
        "J": "sent",
        "T": "sent",
    }
    with registry_session(city.settings) as connection:
        asked = sa.text("SELECT DISTINCT approved_by FROM exchange.batch WHERE receiver = 'national'")
        approvers = connection.scalars(asked).all()
    assert approvers == ["operator"]


def test_every_record_sent_is_accepted_rejected_or_still_waited_for(city):
    summary = city.first.summary
    sent = sum(batch["records"] for batch in summary["submissions"])
    assert sum(summary["receipts"].values()) == sent > 0
    assert summary["receipts"]["accepted"] > 0


def test_the_same_night_again_changes_no_row_of_the_registry(city):
    changed = [name for name, rows in city.first.registry.items() if city.second.registry[name] != rows]
    assert changed == []


def test_the_same_night_again_sends_nothing(city):
    assert city.second.status == 0
    assert city.second.taken == city.first.taken
    assert len(city.first.taken) == 2


def test_the_same_night_again_leaves_the_same_bytes(city):
    assert city.second.outputs == city.first.outputs
    assert any(name.endswith(".xlsx") for name in city.first.outputs)


def test_no_personal_value_is_outside_the_personal_zones(city):
    scan = scan_of(city.settings)
    assert [leak for folder in outside(city.settings) for leak in scan.in_folder(folder)] == []
    with airflow_connection(city.settings) as connection:
        assert scan.in_database(connection) == []


@pytest.mark.parametrize("kind", ["text", "escaped", "name", "workbook", "parquet"])
def test_a_seeded_leak_into_a_file_is_found(city, kind):
    value = read_canaries(city.settings)[0]["value"]
    folder = city.settings.mart / "seeded"
    folder.mkdir()
    try:
        if kind == "text":
            (folder / "a.log").write_text(f"row of {value}", encoding="utf-8")
        elif kind == "escaped":
            (folder / "a.json").write_text(json.dumps({"name": value}), encoding="ascii")
        elif kind == "name":
            (folder / f"{value}.txt").touch()
        elif kind == "workbook":
            with zipfile.ZipFile(folder / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("sheet.xml", f"<t>{value}</t>" * 9)
        else:
            pq.write_table(pa.table({"name": [value] * 9}), folder / "a.parquet", compression="zstd")
        assert scan_of(city.settings).in_folder(city.settings.mart) != []
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("table", "column", "value_of"),
    [
        ("xcom", "value", lambda value: sa.func.to_jsonb(sa.literal(value))),
        ("log", "extra", lambda value: json.dumps({"conf": value})),
        ("dag_run", "conf", lambda value: sa.func.to_jsonb(sa.literal(value))),
    ],
)
def test_a_seeded_leak_into_airflow_s_database_is_found(city, table, column, value_of):
    value = read_canaries(city.settings)[0]["value"]
    with airflow_connection(city.settings) as connection:
        seeded = sa.Table(table, sa.MetaData(), autoload_with=connection)
        connection.execute(sa.update(seeded).values({column: value_of(value)}))
        assert f"{table}.{column}" in scan_of(city.settings).in_database(connection)
        connection.rollback()


def test_the_question_to_the_operator_was_answered_by_the_operator(city):
    with airflow_connection(city.settings) as connection:
        answers = connection.execute(sa.text("SELECT assignees, responded_by FROM hitl_detail")).all()
    assert len(answers) == 1
    assigned, answered = answers[0]
    assert [user["name"] for user in assigned] == ["operator"]
    assert answered["name"] == "operator"
