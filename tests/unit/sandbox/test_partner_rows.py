"""What partners write down agrees with the city, and carries the defects that the reference speaks of."""

from collections import Counter
from datetime import date

import pyarrow as pa
import pytest

from sandbox.city.as_it_is import rows_as_they_are
from sandbox.city.create import City, invented_city
from sandbox.city.day_book import KEYS
from sandbox.city.partner_defects import PLANTS
from sandbox.city.partner_rows import PartnerRows, partner_rows
from sandbox.city.statistics import defect_rates
from sandbox.truth.cases import expected_reviews
from sandbox.truth.decisions import expected_decisions

TODAY = date(2026, 6, 1)
# Planted by what happens to whom, not into a row.
OF_FATES = {"registration_without_birth", "birth_without_registration"}


def partners_of(city: City, seed: int = 7, multiplier: float = 1.0) -> PartnerRows:
    decisions = expected_decisions(city.persons, city.children, city.marriages, city.defects, TODAY)
    return partner_rows(seed, city.tables(), decisions, TODAY, multiplier)


@pytest.fixture(scope="module")
def partners(city):
    return partners_of(city)


@pytest.fixture(scope="module")
def clean(city):
    """What partners write down without any slip."""
    return partners_of(city, multiplier=0)


@pytest.fixture(scope="module")
def people(city):
    rows = rows_as_they_are(city.persons, "population_person", city.defects).to_pylist()
    return {row["person_id"]: row for row in rows}


@pytest.mark.parametrize("dataset", PLANTS)
def test_every_row_has_a_key_of_its_own_and_one_defect_at_most(partners, dataset):
    keys = partners.tables[dataset][KEYS[dataset]].to_pylist()
    assert len(set(keys)) == len(keys) > 0
    own = [row for row in partners.defects.to_pylist() if row["dataset"] == dataset]
    planted = [row["key"] for row in own if row["defect"] not in OF_FATES]
    assert len(set(planted)) == len(planted)
    assert set(planted) <= set(keys)


@pytest.mark.parametrize("dataset", PLANTS)
def test_defects_are_as_frequent_as_the_reference_says(partners, dataset):
    found = Counter(row["defect"] for row in partners.defects.to_pylist() if row["dataset"] == dataset)
    count = partners.tables[dataset].num_rows
    for plant in PLANTS[dataset]:
        # Some defects lend themselves to a part of the rows only.
        assert found[plant.defect] <= defect_rates()[dataset, plant.defect] * count + 1


def test_without_defects_everything_agrees_with_the_register(clean, people):
    assert clean.defects.num_rows == 0
    for row in clean.tables["migrant_registration"].to_pylist():
        person = people[row["person_id"]]
        assert (row["name"], row["id_number"]) == (person["name"], person["id_number"])
        assert row["birth_date"] == person["birth_date"].isoformat()
        assert person["sex"] == "2"
        assert not person["hukou_division"].startswith("11")
        assert 16 <= (TODAY - person["birth_date"]).days / 365.2425 < 50
        assert row["inflow_date"] <= (row["outflow_date"] or TODAY.isoformat())
    for row in clean.tables["birth_service"].to_pylist():
        wife = people[row["wife_person_id"]]
        assert (row["wife_name"], row["wife_id_number"]) == (wife["name"], wife["id_number"])
        assert row["applied_at"] <= (row["decided_at"] or row["applied_at"])


def test_a_registration_of_a_birth_is_that_of_its_mother(city, clean):
    mothers = {birth["birth_number"]: birth["mother_person_id"] for birth in city.births.to_pylist()}
    services = clean.tables["birth_service"].to_pylist()
    born = [row for row in services if row["birth_number"] is not None]
    assert len(born) > 20
    assert all(mothers[row["birth_number"]] == row["wife_person_id"] for row in born)
    assert {row["state"] for row in services} >= {"0", "1", "2", "9"}
    applied_later = [row for row in born if row["born_already"] == "true"]
    assert applied_later
    assert all(row["due_date"] is None for row in applied_later)


def test_births_without_registration_have_none(city, partners):
    registered = {row for row in partners.tables["birth_service"]["birth_number"].to_pylist() if row}
    without = {
        int(row["key"])
        for row in partners.defects.to_pylist()
        if row["defect"] == "birth_without_registration"
    }
    assert without
    assert not without & registered
    never = [row["birth_number"] for row in partners.tables["birth_service"].to_pylist() if row["is_never"]]
    assert never == [None] * len(never)
    assert never


@pytest.mark.parametrize("dataset", PLANTS)
def test_nothing_was_written_down_after_the_business_date(clean, dataset):
    for row in clean.tables[dataset].to_pylist():
        assert row["updated_at"][:10] <= TODAY.isoformat()


def test_payments_are_those_of_cases_that_were_open_last_year(clean):
    cases = {row["case_no"]: row for row in clean.tables["beneficiary_case"].to_pylist()}
    payments = clean.tables["bank_return"].to_pylist()
    assert Counter(row["bank_result"] for row in payments).most_common(1)[0][0] == "1"
    for row in payments:
        case = cases[row["case_no"]]
        assert (row["scheme"], row["account_holder"]) == (case["scheme"], case["name"])
        assert case["start_month"] < "2026-01-01" <= (case["end_month"] or "2026-01-01") or (
            case["end_month"] >= "2025-12-01"
        )
        assert int(row["amount_fen"]) > 0


def test_some_who_are_entitled_have_no_case_and_are_to_be_reported(city, clean):
    decisions = expected_decisions(city.persons, city.children, city.marriages, city.defects, TODAY)
    eligible = {
        (row["programme_code"], row["person_id"])
        for row in decisions.to_pylist()
        if row["decision_code"] == "eligible"
    }
    cases = {(row["scheme"], row["person_id"]) for row in clean.tables["beneficiary_case"].to_pylist()}
    for programme in "JT":
        new = {key for key in eligible - cases if key[0] == programme}
        assert 3 <= len(new) < len(eligible) / 3


def test_reviews_of_a_clean_baseline_doubt_only_what_has_happened(city, clean):
    truth = {**city.tables(), **clean.tables}
    truth["defects"] = pa.concat_tables([city.defects, clean.defects])
    reviews = expected_reviews(truth, TODAY).to_pylist()
    assert len(reviews) == clean.tables["beneficiary_case"].num_rows
    reasons = Counter(reason for row in reviews for reason in row["reason_codes"])
    assert "id_number_differs" not in reasons
    assert reasons["clause_fails:alive"] > 0
    assert reasons["several_cases"] > 1


def test_the_same_seed_gives_the_same_rows(city, partners):
    again, other = partners_of(city), partners_of(city, seed=8)
    for name, table in partners.tables.items():
        assert table.equals(again.tables[name]), name
        assert not table.equals(other.tables[name]), name
    assert partners.defects.equals(again.defects)


@pytest.mark.parametrize("persons", [1, 2, 50])
def test_a_tiny_city_has_partners(persons):
    tables = partners_of(invented_city(persons, 3, TODAY)).tables
    assert set(tables) == set(PLANTS)
