"""Defects are planted as often as the reference says, at most one per row, and every one is on record."""

from collections import Counter
from datetime import date

import pyarrow.compute as pc
import pytest

from sandbox.city.create import invented_city
from sandbox.city.statistics import defect_rates
from tests.support.gb_11643 import check_character

BUSINESS_DATE = date(2026, 6, 1)
# Each with the rows that the rate applies to, as the reference names them.
OF_PERSONS = {
    "id_check_digit_wrong": lambda p: p["id_type"] == "01",
    "id_15_digits": lambda p: p["birth_date"].year < 1970,
    "id_duplicate": lambda p: True,
    "birth_date_not_in_id": lambda p: True,
    "sex_not_in_id": lambda p: True,
    "division_unknown": lambda p: True,
    "division_retired": lambda p: True,
    "name_rare_character": lambda p: True,
    "full_width_or_spaces": lambda p: True,
    "future_birth_date": lambda p: True,
}


@pytest.fixture(scope="module")
def planted(city):
    return Counter((row["dataset"], row["defect"]) for row in city.defects.to_pylist())


@pytest.mark.parametrize("defect", OF_PERSONS)
def test_defects_of_persons_are_as_frequent_as_the_reference_says(city, planted, defect):
    population = sum(OF_PERSONS[defect](person) for person in city.persons.to_pylist())
    expected = defect_rates()["population_person", defect] * population
    assert planted["population_person", defect] == pytest.approx(expected, rel=0.05, abs=1)


def test_defects_of_children_are_as_frequent_as_the_reference_says(city, planted):
    under_10 = sum(c["child_birth_date"] > date(2016, 6, 1) for c in city.children.to_pylist())
    assert planted["family_child", "missing_birth_cert_no"] == pytest.approx(0.08 * under_10, rel=0.05, abs=1)
    assert planted["family_child", "orphan_mother_id"] == pytest.approx(0.001 * city.children.num_rows, abs=1)


def test_defects_of_records_are_as_frequent_as_the_reference_says():
    city = invented_city(80_000, 5, BUSINESS_DATE)
    planted = Counter(row["defect"] for row in city.defects.to_pylist() if row["dataset"] == "mch_birth")
    first = [row for row in city.births.to_pylist() if row["role"] == "first"]
    for defect in (
        "unnamed",
        "parity_wrong",
        "mother_id_missing",
        "name_changed",
        "sex_wrong",
        "duplicate_report",
    ):
        expected = defect_rates()["mch_birth", defect] * len(first)
        assert planted[defect] == pytest.approx(expected, rel=0.1, abs=2), defect
    elsewhere = sum(row["mother_person_id"] is None for row in first) / len(first)
    assert elsewhere == pytest.approx(0.25, abs=0.06)


def test_a_row_carries_one_defect_at_most(city):
    keys = Counter((row["dataset"], row["key"]) for row in city.defects.to_pylist())
    assert max(keys.values()) == 1


def test_a_multiplier_of_zero_plants_nothing():
    city = invented_city(3_000, 1, BUSINESS_DATE, defect_multiplier=0)
    assert city.defects.num_rows == 0


def test_defects_look_as_their_names_say(city):
    persons = {person["person_id"]: person for person in city.persons.to_pylist()}
    holders: dict[str, list[dict]] = {}
    for person in persons.values():
        holders.setdefault(person["id_number"], []).append(person)
    for row in city.defects.filter(pc.equal(city.defects["dataset"], "population_person")).to_pylist():
        person = persons[row["key"]]
        number = person["id_number"]
        match row["defect"]:
            case "id_check_digit_wrong":
                assert check_character(number) != number[-1]
            case "id_15_digits":
                assert len(number) == 15
                assert number[6:12] == f"{person['birth_date']:%y%m%d}"
            case "id_duplicate":
                (owner,) = [p for p in holders[number] if p is not person]
                assert number[6:14] == f"{owner['birth_date']:%Y%m%d}" != f"{person['birth_date']:%Y%m%d}"
                assert owner["sex"] == person["sex"]
            case "birth_date_not_in_id":
                assert number[6:14] != f"{person['birth_date']:%Y%m%d}"
                assert len(holders[number]) == 1
            case "future_birth_date":
                assert person["birth_date"] > BUSINESS_DATE
            case "name_rare_character":
                with pytest.raises(UnicodeEncodeError):
                    person["name"].encode("gbk")
            case "death_not_recorded":
                assert person["life_status"] == "1"
                assert person["death_date"] is None


def test_orphans_have_a_mother_whom_nobody_knows(city):
    known = set(city.persons["person_id"].to_pylist())
    orphans = {row["key"] for row in city.defects.to_pylist() if row["defect"] == "orphan_mother_id"}
    assert orphans
    for child in city.children.to_pylist():
        assert (child["mother_person_id"] not in known) == (str(child["relation_id"]) in orphans)
