"""Connections of our own types: how Airflow lists them, what they lead to, and how they fail."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.airflow_hooks import PartnerHook, PopulationHook, ReceiverHook, settings_of_task
from connectors.airflow_provider import PARTNER, POPULATION, RECEIVER, get_provider_info
from connectors.postgres import POPULATION_READER
from connectors.settings import PROJECT, Settings
from sandbox.local.environment import airflow_environment, make_keys
from sandbox.partners.keys import DOORS, prepare_partners
from schemas.refusal import Refusal
from tests.support.population_source import create_source
from tests.support.sides import KINDS, Side, side_alone


@pytest.fixture(scope="module", params=KINDS)
def side(request: pytest.FixtureRequest) -> Iterator[Side]:
    with side_alone(request.param) as side:
        make_keys(side.settings)
        yield side


def connect(monkeypatch: pytest.MonkeyPatch, settings: Settings, **changed: object) -> None:
    """Give the Connections of an installation, as its Airflow has them."""
    for name, value in airflow_environment(settings, 8080).items():
        if name.startswith("AIRFLOW_CONN_"):
            monkeypatch.setenv(name, json.dumps(json.loads(value) | changed))


def test_every_type_has_a_hook_of_its_name_and_a_form_in_two_languages() -> None:
    hooks = {hook.conn_type: hook for hook in (PartnerHook, PopulationHook, ReceiverHook)}
    info = get_provider_info()
    for declared in info["connection-types"]:
        hook = hooks.pop(declared["connection-type"])
        assert declared["hook-class-name"] == f"{hook.__module__}.{hook.__name__}"
        assert declared["hook-name"] == hook.hook_name
        labels = [*declared["ui-field-behaviour"]["relabeling"].values(), *labels_of(declared)]
        assert all(" · " in label for label in labels)
    assert not hooks


def labels_of(declared: dict) -> list[str]:
    return [field[part] for field in declared["conn-fields"].values() for part in ("label", "description")]


def test_airflow_finds_the_provider_by_its_entry_point() -> None:
    listed = airflow("providers", "hooks", "--output", "json")
    found = {hook["connection_type"]: hook["class"] for hook in json.loads(listed.stdout)}
    assert {PARTNER, POPULATION, RECEIVER} <= set(found)
    assert found[PARTNER] == "connectors.airflow_hooks.PartnerHook"


def airflow(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "airflow", *words],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "COLUMNS": "400"},
        capture_output=True,
        text=True,
        check=True,
    )


def test_a_partner_and_the_receiver_are_reached(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    (side.outgoing / "drop.csv").write_bytes(b"x")
    connect(monkeypatch, side.settings)
    assert PartnerHook("sftp_mch").partner() == side.partners["mch"]
    assert PartnerHook("sftp_mch").test_connection() == (
        True,
        "已连接,文件数 · connected; files in /outgoing: 1",
    )
    is_reached, told = ReceiverHook("sftp_padis").test_connection()
    assert is_reached
    assert told.endswith("files in /inbox: 0, /receipts: 0")


def test_another_host_key_is_told_and_no_credential_sent(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, side.settings)
    own = json.loads(os.environ["AIRFLOW_CONN_SFTP_MCH"])
    own["extra"]["host_key"] = side.partners["padis"].host_key
    monkeypatch.setenv("AIRFLOW_CONN_SFTP_MCH", json.dumps(own))
    before = side.seen("mch", "authentication")
    is_reached, told = PartnerHook("sftp_mch").test_connection()
    assert not is_reached
    assert told.startswith("host_key_changed;")
    assert side.seen("mch", "authentication") == before


@pytest.mark.parametrize("missing", ["host", "login", "extra"])
def test_a_connection_that_lacks_something_is_told(tmp_path: Path, monkeypatch, missing: str) -> None:
    settings = Settings(var=tmp_path)
    prepare_partners(settings)
    make_keys(settings)
    connect(monkeypatch, settings, **{missing: {} if missing == "extra" else None})
    for door in DOORS:
        with pytest.raises(Refusal, match="connection_incomplete"):
            PartnerHook(f"sftp_{door.name}").partner()


def test_the_population_database_is_read_by_the_account_of_its_connection(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare_partners(settings)
    make_keys(settings)
    create_source(settings, {})
    connect(monkeypatch, settings)
    monkeypatch.setenv("PADIS_VAR", str(settings.var))
    found = settings_of_task()
    assert replace(found, population_source=None) == settings
    assert found.database_url("population", user=POPULATION_READER).username == POPULATION_READER
    is_reached, told = PopulationHook().test_connection()
    assert is_reached, told
    assert told.endswith("as promised: population_person, family_child, marriage")


def test_a_connection_that_is_missing_fails_at_once_and_says_how_to_make_it() -> None:
    for hook, kind in ((PartnerHook("sftp_nobody"), PARTNER), (PopulationHook("nobody"), POPULATION)):
        is_reached, told = hook.test_connection()
        assert not is_reached
        assert told.startswith("connection_missing;")
        assert f"--conn-type {kind}" in told
