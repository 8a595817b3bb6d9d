"""Every planted defect is caught, and no clean row is rejected: conforming against the truth of a city."""

from collections import Counter
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.lake import candidate_on, read_dataset
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.conform.drop import conform_drop
from etl.conform.population import conform_population
from etl.pull.population import pull_population
from quality.tickets import record_tickets
from sandbox.city.create import create_city
from sandbox.city.day_book import KEYS
from sandbox.partners.wire import WIRE_DEFECT
from sandbox.truth.store import read_truth
from schemas.contract import load_contract
from schemas.drop_source import DROP_SOURCES, DropSource
from schemas.registry import TICKET
from tests.support.defects import RULES, rule_of
from tests.support.landed import land_left

TODAY = date(2026, 6, 1)
PERSONS, SEED, DEFECTS = 12_000, 31, 6.0
OF_ANY_FILE = {"malformed_row", "key_missing"}
POPULATION = ("population_person", "family_child", "marriage")
DROPPED = tuple(source.dataset for source in DROP_SOURCES)
# Counted under another name, or found in rows that carry it beside another defect (a stillborn has no name).
COUNTED_OTHERWISE = {"mother_id_transposed", "late_report_30d", "late_report_365d", "unnamed"}


@pytest.fixture(scope="module")
def conformed(settings: Settings) -> dict[str, dict[str, Any]]:
    """Conform the city and tell what each dataset came to."""
    create_city(settings, persons=PERSONS, seed=SEED, business_date=TODAY, defect_multiplier=DEFECTS)
    pull_population(settings, TODAY)
    population = conform_population(settings, TODAY)
    dropped = [told for source in DROP_SOURCES for told in conformed_drop(settings, source)]
    return {row["name"]: row for row in [*population["datasets"], *dropped]}


def conformed_drop(settings: Settings, source: DropSource) -> list[dict[str, Any]]:
    """Land a partner's drop as its manifest describes it, and conform it."""
    landing = land_left(settings, source, TODAY)
    datasets: list[dict[str, Any]] = conform_drop(settings, source, TODAY)["datasets"]
    assert datasets[0]["received"] == landing.row_count
    return datasets


def sent(settings: Settings, dataset: str) -> list[dict[str, Any]]:
    """List the rows of a partner's first drop in their order on the wire."""
    rows = read_truth(settings, dataset).to_pylist()
    delivered = [row for row in rows if row["delivered_on"] <= TODAY]
    return sorted(delivered, key=lambda row: str(row[KEYS[dataset]]))


def planted(settings: Settings, dataset: str, severity: str) -> dict[str, str]:
    rows = read_truth(settings, "defects").to_pylist()
    return {r["key"]: r["defect"] for r in rows if (r["dataset"], r["severity"]) == (dataset, severity)}


def in_quarantine(settings: Settings, dataset: str) -> list[dict[str, Any]]:
    with registry_session(settings) as connection:
        quarantine = candidate_on(connection, f"quarantine.{dataset}", TODAY)
    rows: list[dict[str, Any]] = read_dataset(settings, quarantine).to_pylist()
    return rows


@pytest.mark.parametrize("dataset", KEYS)
def test_received_is_accepted_and_quarantined(conformed: dict[str, dict[str, Any]], dataset: str) -> None:
    told = conformed[dataset]
    assert told["received"] == told["accepted"] + told["quarantined"] > 0


@pytest.mark.parametrize("dataset", KEYS)
def test_rejected_are_those_rows_that_were_planted_and_for_that_reason(
    settings: Settings, conformed: dict[str, dict[str, Any]], dataset: str
) -> None:
    rejected = in_quarantine(settings, dataset)
    expected = planted(settings, dataset, "reject")
    assert len(rejected) == len(expected) == conformed[dataset]["quarantined"]
    reasons = Counter(rule_of(dataset, defect).id for defect in expected.values())
    assert reasons == Counter(rule for row in rejected for rule in row["failed_rules"])
    if dataset in POPULATION:
        assert {str(row[KEYS[dataset]]) for row in rejected} == expected.keys()
        return
    # A row that was cut on its way has lost its key perhaps, but not its place.
    places = {
        number: row for number, row in enumerate(sent(settings, dataset), 1) if row[KEYS[dataset]] in expected
    }
    assert {row["landing_row"] for row in rejected} == places.keys()
    kept = {row[KEYS[dataset]] for row in places.values() if row.get(WIRE_DEFECT) is None}
    assert {row[KEYS[dataset]] for row in rejected if row[KEYS[dataset]]} == kept


@pytest.mark.parametrize("dataset", KEYS)
def test_every_planted_row_goes_back_with_a_ticket_that_names_its_rule(
    settings: Settings, conformed: dict[str, dict[str, Any]], dataset: str
) -> None:
    with registry_session(settings) as connection:
        returned = candidate_on(connection, f"returned.{dataset}", TODAY)
        record_tickets(connection, settings, load_contract(dataset), returned, TODAY)
    with registry_session(settings) as connection:
        tickets = connection.execute(
            sa.select(TICKET).where(TICKET.c.dataset_name == dataset, TICKET.c.recorded_to.is_(None))
        ).mappings()
        found = [(rule, row["row_count"]) for row in tickets for rule in row["rule_ids"]]
    expected = planted(settings, dataset, "reject")
    assert Counter(rule for rule, _ in found) == Counter(
        rule_of(dataset, defect).id for defect in expected.values()
    )
    # Every quarantined row belongs to a ticket, and none to two.
    assert sum(rows for _, rows in found) == conformed[dataset]["quarantined"]


@pytest.mark.parametrize("dataset", KEYS)
def test_every_kind_of_rejected_defect_was_planted(
    settings: Settings, conformed: dict[str, dict[str, Any]], dataset: str
) -> None:
    wanted = {
        defect for name, defect in RULES if name == dataset and rule_of(name, defect).severity == "reject"
    }
    assert set(planted(settings, dataset, "reject").values()) - OF_ANY_FILE == wanted


def test_rows_were_cut_on_their_way(settings: Settings, conformed: dict[str, dict[str, Any]]) -> None:
    found = {defect for name in DROPPED for defect in planted(settings, name, "reject").values()}
    assert found >= OF_ANY_FILE


@pytest.mark.parametrize("dataset", sorted(KEYS.keys() - {"marriage"}))
def test_rows_that_are_kept_are_counted_with_their_fault(
    settings: Settings, conformed: dict[str, dict[str, Any]], dataset: str
) -> None:
    warned = planted(settings, dataset, "warn")
    if dataset in DROPPED:
        delivered = {row[KEYS[dataset]] for row in sent(settings, dataset)}
        warned = {key: defect for key, defect in warned.items() if key in delivered}
    assert warned
    expected = Counter(
        rule_of(dataset, defect).id for defect in warned.values() if defect not in COUNTED_OTHERWISE
    )
    found = conformed[dataset]["broken_rules"]
    assert {rule: found.get(rule, 0) for rule in expected} == expected
