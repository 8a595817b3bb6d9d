"""Every planted defect is caught, and no clean row is rejected: conforming against the truth of a city."""

from collections import Counter
from datetime import date
from typing import Any

import pytest

from connectors.lake import candidate_on, read_dataset
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.conform.drop import conform_drop
from etl.conform.population import conform_population
from etl.pull.population import pull_population
from sandbox.city.create import create_city
from sandbox.partners.drops import outgoing_folder
from sandbox.truth.store import read_truth
from schemas.drop_source import drop_source
from tests.support.landed import land_drop

MCH = drop_source("mch_birth")
TODAY = date(2026, 6, 1)
PERSONS, SEED, DEFECTS = 6_000, 31, 3.0
KEYS = {
    "population_person": "person_id",
    "family_child": "relation_id",
    "marriage": "marriage_id",
    "mch_birth": "record_id",
}
# Counted under another name, or found in rows that carry it beside another defect (a stillborn has no name).
COUNTED_OTHERWISE = {"mother_id_transposed", "late_report_30d", "late_report_365d", "unnamed"}


@pytest.fixture(scope="module")
def conformed(settings: Settings) -> dict[str, dict[str, Any]]:
    """Conform the city and tell what each dataset came to."""
    create_city(settings, persons=PERSONS, seed=SEED, business_date=TODAY, defect_multiplier=DEFECTS)
    pull_population(settings, TODAY)
    population = conform_population(settings, TODAY)
    land_drop(settings, TODAY, next(outgoing_folder(settings).glob("*/*.csv")).read_bytes())
    births = conform_drop(settings, MCH, TODAY)
    return {row["name"]: row for row in [*population["datasets"], *births["datasets"]]}


def planted(settings: Settings, dataset: str, severity: str) -> dict[str, str]:
    rows = read_truth(settings, "defects").to_pylist()
    return {r["key"]: r["defect"] for r in rows if (r["dataset"], r["severity"]) == (dataset, severity)}


@pytest.mark.parametrize("dataset", KEYS)
def test_rejected_are_those_rows_that_were_planted_and_for_that_reason(
    settings: Settings, conformed: dict[str, dict[str, Any]], dataset: str
) -> None:
    with registry_session(settings) as connection:
        quarantine = candidate_on(connection, f"quarantine.{dataset}", TODAY)
    rows = read_dataset(settings, quarantine).to_pylist()
    rejected = {str(row[KEYS[dataset]]): row["failed_rules"] for row in rows}
    expected = planted(settings, dataset, "reject")
    assert len(rejected) == conformed[dataset]["quarantined"]
    assert rejected.keys() ^ expected.keys() == set()
    assert Counter(expected.values()) == Counter(rule for rules in rejected.values() for rule in rules)


def test_every_kind_of_rejected_defect_was_planted(
    settings: Settings, conformed: dict[str, dict[str, Any]]
) -> None:
    kinds = set(planted(settings, "population_person", "reject").values())
    assert kinds == {"id_check_digit_wrong", "id_duplicate", "division_unknown", "future_birth_date"}
    assert set(planted(settings, "family_child", "reject").values()) == {"orphan_mother_id"}


@pytest.mark.parametrize("dataset", ["population_person", "family_child", "mch_birth"])
def test_rows_that_are_kept_are_counted_with_their_fault(
    settings: Settings, conformed: dict[str, dict[str, Any]], dataset: str
) -> None:
    expected = Counter(planted(settings, dataset, "warn").values())
    if dataset == "mch_birth":
        delivered = {
            row["record_id"]
            for row in read_truth(settings, "mch_birth").to_pylist()
            if row["delivered_on"] <= TODAY
        }
        warned = planted(settings, dataset, "warn")
        expected = Counter(defect for key, defect in warned.items() if key in delivered)
    found = conformed[dataset]["broken_rules"]
    counted = {defect: count for defect, count in expected.items() if defect not in COUNTED_OTHERWISE}
    assert {defect: found.get(defect, 0) for defect in counted} == counted
