"""The invented city is possible, real where it says so, and always the same."""

import csv
from collections import Counter
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from connectors.settings import PROJECT
from sandbox.city.create import City, invented_city
from sandbox.city.statistics import published_figures
from tests.support.gb_11643 import check_character

BUSINESS_DATE = date(2026, 6, 1)
DIVISIONS = PROJECT / "schemas" / "divisions"


def clean(city: City, dataset: str, table: pa.Table) -> list[dict[str, Any]]:
    key = table.column_names[0]
    of_dataset = city.defects.filter(pc.equal(city.defects["dataset"], dataset))["key"].combine_chunks()
    return table.filter(pc.invert(pc.is_in(table[key].cast(pa.string()), of_dataset))).to_pylist()


@pytest.fixture(scope="module")
def persons(city):
    return clean(city, "population_person", city.persons)


@pytest.fixture(scope="module")
def children(city):
    return clean(city, "family_child", city.children)


def codes_of(name: str, column: str) -> set[str]:
    with (DIVISIONS / name).open(encoding="utf-8", newline="") as file:
        return {row[column] for row in csv.DictReader(file)}


def test_the_check_used_here_accepts_the_example_of_the_standard():
    assert check_character("11010519491231002X") == "X"
    assert check_character("110105194912310021") == "X"


def test_the_register_has_exactly_as_many_persons_as_asked(city):
    assert city.persons.num_rows == 20_000


def test_every_identity_number_without_defect_is_valid_and_tells_birth_date_and_sex(persons):
    numbered = [person for person in persons if person["id_type"] == "01"]
    assert len(numbered) > 19_000
    for person in numbered:
        number = person["id_number"]
        assert len(number) == 18
        assert number[17] == check_character(number)
        assert number[6:14] == f"{person['birth_date']:%Y%m%d}"
        assert ("1" if int(number[16]) % 2 else "2") == person["sex"]


def test_no_two_persons_without_defect_share_a_number(persons):
    assert max(Counter(person["id_number"] for person in persons if person["id_number"]).values()) == 1
    assert max(Counter(person["person_id"] for person in persons).values()) == 1
    assert {len(person["person_id"]) for person in persons} == {20}


def test_numbers_carry_the_county_code_of_their_time(persons):
    in_force = codes_of("gbt2260_county_code_timeline.csv", "code6")
    prefixes = Counter(person["id_number"][:6] for person in persons if person["id_type"] == "01")
    assert all(prefix in in_force for prefix in prefixes)
    for old in ("110103", "110104", "110228", "110229"):
        assert prefixes[old] > 10, old
    after_merger = [p for p in persons if p["id_number"] and p["id_number"][:6] in ("110103", "110104")]
    assert all(person["birth_date"].year <= 2009 for person in after_merger)


def test_check_characters_x_and_leap_day_births_occur(persons):
    assert sum(person["id_number"][-1:] == "X" for person in persons if person["id_number"]) > 1_000
    assert sum((p["birth_date"].month, p["birth_date"].day) == (2, 29) for p in persons) >= 3


def test_divisions_are_real(persons):
    today = codes_of("beijing_divisions_2023.csv", "code12")
    counties = codes_of("china_counties_2023.csv", "code6")
    for person in persons:
        hukou = person["hukou_division"]
        assert person["residence_division"] in today
        assert hukou in today or (hukou[:6] in counties and hukou[:2] != "11" and hukou[6:] == "000000")
        assert person["separated_flag"] == (hukou != person["residence_division"])
        assert person["household_code"][:12] in today


def test_parents_are_of_an_age_to_be_parents(city, persons, children):
    births = {person["person_id"]: person["birth_date"] for person in persons}
    sexes = {person["person_id"]: person["sex"] for person in persons}
    seen = 0
    for child in children:
        if child["adopted_date"] is None and child["mother_person_id"] in births:
            age = (child["child_birth_date"] - births[child["mother_person_id"]]).days / 365.25
            assert 18 <= age <= 46
            assert sexes[child["mother_person_id"]] == "2"
            seen += 1
        if child["father_person_id"] in births:
            assert child["child_birth_date"] > births[child["father_person_id"]]
            assert sexes[child["father_person_id"]] == "1"
    assert seen > 5_000


def test_children_are_persons_of_the_same_sex_and_birth_date(persons, children):
    by_id = {person["person_id"]: person for person in persons}
    seen = 0
    for child in children:
        person = by_id.get(child["child_person_id"])
        if person is not None:
            assert (person["sex"], person["birth_date"]) == (child["child_sex"], child["child_birth_date"])
            assert (person["life_status"] == "2") == (not child["alive"])
            seen += 1
    assert seen > 5_000


def test_each_mother_counts_her_children_from_one(city):
    parities: dict[str, list[int]] = {}
    for child in city.children.to_pylist():
        parities.setdefault(child["mother_person_id"], []).append(child["parity_child"])
    gaps = [
        sorted(numbers)
        for numbers in parities.values()
        if sorted(numbers) != list(range(1, len(numbers) + 1))
    ]
    # Only mothers of a child that no register knows skip a number.
    assert len(gaps) < 20


def test_twins_share_mother_and_birth_date(children):
    twins: dict[tuple[str, date], list[int]] = {}
    for child in children:
        if child["plural"] > 1:
            twins.setdefault((child["mother_person_id"], child["child_birth_date"]), []).append(
                child["plural_order"]
            )
    whole = [orders for orders in twins.values() if sorted(orders) == list(range(1, len(orders) + 1))]
    assert len(whole) > 20
    assert len(whole) / len(twins) > 0.9


def test_marriages_join_a_man_and_a_woman_of_age_and_end_after_they_began(city, persons):
    by_id = {person["person_id"]: person for person in persons}
    for marriage in city.marriages.to_pylist():
        assert marriage["end_date"] is None or marriage["end_date"] >= marriage["event_date"]
        assert (marriage["end_date"] is None) == (marriage["end_reason"] is None)
        for party, sex in (("husband", "1"), ("wife", "2")):
            person = by_id.get(marriage[f"{party}_person_id"])
            if person is not None:
                assert person["sex"] == sex
                assert (marriage["event_date"] - person["birth_date"]).days > 19.9 * 365.25


def test_marital_status_agrees_with_the_marriages(city, persons):
    lasting = {
        marriage[party]
        for marriage in city.marriages.to_pylist()
        if marriage["end_date"] is None
        for party in ("husband_person_id", "wife_person_id")
    }
    living = [p for p in persons if p["life_status"] == "1" and p["marital_status"] != "90"]
    single = [p for p in living if p["marital_status"] in ("10", "30", "40")]
    assert not [p for p in single if p["person_id"] in lasting]
    married = [p for p in living if p["marital_status"] in ("20", "21", "22", "23")]
    # Some marriages are on nobody's record, by a share of the parameters.
    assert 0.94 < sum(p["person_id"] in lasting for p in married) / len(married) < 0.995


def test_nothing_has_happened_after_the_business_date(city):
    for table in (city.persons, city.children, city.marriages):
        assert pc.max(table["source_updated_at"]).as_py().date() <= BUSINESS_DATE
    for table, column in ((city.persons, "death_date"), (city.children, "child_birth_date")):
        assert pc.max(table[column]).as_py() <= BUSINESS_DATE


@pytest.mark.parametrize("year", [2017])
def test_the_city_is_calibrated_on_the_figures(city, year):
    figures = published_figures()
    middle = date(year, 7, 1)
    here = [p for p in city.persons.to_pylist() if p["hukou_division"].startswith("11")]
    alive = [
        p for p in here if p["birth_date"] <= middle and (p["death_date"] is None or p["death_date"] > middle)
    ]
    old = sum((middle - p["birth_date"]).days / 365.25 >= 60 for p in alive) / len(alive) * 100
    deaths = (
        sum(p["death_date"] is not None and p["death_date"].year == year for p in here) / len(alive) * 1000
    )
    births = sum(p["birth_date"].year == year for p in here) / len(alive) * 1000
    assert old == pytest.approx(figures["share aged 60+", year], abs=5)
    assert deaths == pytest.approx(figures["death rate", year], rel=0.25)
    assert births == pytest.approx(figures["birth rate", year], rel=0.25)


def test_more_boys_than_girls_are_born(city):
    recent = [c["child_sex"] for c in city.children.to_pylist() if c["child_birth_date"].year >= 2005]
    ratio = recent.count("1") / recent.count("2") * 100
    assert 103 < ratio < 117


def test_the_same_seed_gives_the_same_city():
    first, second, other = (invented_city(2_000, seed, BUSINESS_DATE) for seed in (11, 11, 12))
    for name, table in first.tables().items():
        assert table.equals(second.tables()[name]), name
    assert first.serials == second.serials
    assert not first.persons.equals(other.persons)


@pytest.mark.parametrize("persons", [1, 2, 50, 313])
def test_a_tiny_city_is_a_city(persons):
    assert invented_city(persons, 3, BUSINESS_DATE).persons.num_rows == persons


def test_hospital_records_are_of_this_year_and_their_numbers_unique(city):
    records = city.reports.to_pylist()
    assert max(Counter(record["record_id"] for record in records).values()) == 1
    certificates = [record["birth_cert_no"] for record in records if record["birth_cert_no"]]
    assert max(Counter(certificates).values()) == 1
    for record in records:
        assert record["reported_at"][:4] >= "2026"
        assert record["reported_at"] > record["birth_datetime"]
        assert int(record["plural_order"]) <= int(record["plural"])


def test_names_can_be_written_in_gbk_unless_planted_otherwise(persons, children):
    for name in {person["name"] for person in persons} | {
        c["child_name"] for c in children if c["child_name"]
    }:
        name.encode("gbk")
