"""Contracts: valid by the standard, readable by us, and refused with a reason where they are not."""

from pathlib import Path

import pytest

from schemas.contract import CONTRACTS, DATASETS, load_contract
from schemas.contract_file import departures_from_standard
from schemas.contract_rule import GOALS
from schemas.county import load_counties
from schemas.dictionary import render_dictionary
from schemas.refusal import Refusal


@pytest.mark.parametrize("name", DATASETS)
def test_a_contract_keeps_to_the_standard(name: str) -> None:
    assert departures_from_standard(CONTRACTS / f"{name}.odcs.yaml") == []


def test_a_departure_from_the_standard_is_seen(tmp_path: Path) -> None:
    text = (CONTRACTS / "marriage.odcs.yaml").read_text(encoding="utf-8")
    path = tmp_path / "marriage.odcs.yaml"
    path.write_text(text.replace("dimension: consistency", "dimension: beauty"), encoding="utf-8")
    assert departures_from_standard(path)


@pytest.mark.parametrize("name", DATASETS)
def test_everything_is_told_in_both_languages(name: str) -> None:
    contract = load_contract(name)
    told = [entry.description for entry in contract.properties] + [rule.message for rule in contract.rules]
    assert all(" · " in text for text in told)


@pytest.mark.parametrize("name", DATASETS)
def test_a_rule_shares_its_name_with_no_column(name: str) -> None:
    contract = load_contract(name)
    assert {rule.id for rule in contract.rules}.isdisjoint(contract.staging_schema.names)
    assert {rule.dimension for rule in contract.rules} <= set(GOALS)


# fmt: off
SPOILED = [
    # said in the contract                  said instead                           refused as
    ("property: codeSet, value: marriage_event", "property: codeSet, value: no_such", "file_missing"),
    ('value: ["2", "4"]',                   'value: ["2", "9"]',                   "contract_unreadable"),
    ("logicalType: date",                   "logicalType: time",                   "contract_unreadable"),
    ("classification: personal",            "classification: secret",              "contract_unreadable"),
    ("id: party_repeated",                  "id: end_before_start",                "contract_unreadable"),
    ("severity: warn",                      "severity: cry",                       "contract_unreadable"),
    ("engine: row",                         "engine: soda",                        "contract_unreadable"),
    ("metric: rowCount",                    "metric: freshness",                   "contract_unreadable"),
    ("status: active",                      "status: active\nstatus: draft",       "yaml_key_repeated"),
    ("status: active",                      "state: active",                       "contract_unreadable"),
]
# fmt: on


@pytest.mark.parametrize(("said", "instead", "code"), SPOILED)
def test_a_spoiled_contract_is_refused(tmp_path: Path, said: str, instead: str, code: str) -> None:
    text = (CONTRACTS / "marriage.odcs.yaml").read_text(encoding="utf-8")
    assert said in text
    (tmp_path / "marriage.odcs.yaml").write_text(text.replace(said, instead), encoding="utf-8")
    with pytest.raises(Refusal, match=code):
        load_contract("marriage", tmp_path)


def test_counties_that_are_gone_are_known_for_ever() -> None:
    codes = set(load_counties().column("county_code").to_pylist())
    assert {"110101", "110103", "110228", "130102"} <= codes
    assert "999999" not in codes


def test_the_dictionary_names_every_column_and_rule() -> None:
    page = render_dictionary()
    for name in DATASETS:
        contract = load_contract(name)
        assert all(f"| `{entry.name}` |" in page for entry in contract.properties)
        assert all(f"| `{rule.id}` |" in page for rule in contract.rules)
    assert "`core.dataset_version`" in page
