"""Births of a whole invented city, against who is who in its truth."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import pytest

from connectors.lake import candidate_on, point_dataset, read_dataset, version_on
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.births.reconcile import INPUTS, reconcile_births
from etl.conform.drop import conform_drop
from etl.conform.population import conform_population
from etl.pull.population import pull_population
from sandbox.city.create import create_city
from sandbox.partners.drops import outgoing_folder
from sandbox.truth.situations import OF_BOTH_SIDES, expected_situations
from sandbox.truth.store import read_truth
from schemas.business_date import BEIJING
from schemas.drop_source import drop_source
from tests.support.landed import land_drop

# The last day of a year, so that its births are many.
TODAY = date(2026, 12, 31)
# Enough births for twins and every defect, which are planted three times as often as by default.
PERSONS, SEED, DEFECTS = 60_000, 20260601, 3.0
LIVING = "1"
# What makes a record useless for the passes by document, and what makes a linked one a conflict.
HIDES_THE_MOTHER = {"mother_id_missing", "mother_id_transposed", "mother_other_document"}
CHANGES_THE_KEY = {"birth_date_off", "month_day_swapped", "sex_wrong"}
CONTRADICTS = CHANGES_THE_KEY | {"parity_wrong"}
Row = dict[str, Any]


@dataclass
class Truth:
    """Who is who: births by number, with what the exact passes can know of them."""

    records: dict[str, Row]
    relations: dict[int, Row]
    living: set[int]
    not_living: set[int]
    known_to_population: set[int]
    this_year: set[int]
    within_reach: set[int]
    contradicted: set[int]
    folded: int


@dataclass
class Found:
    """What the night found, and its counts."""

    counts: Row
    matches: list[Row]

    def of(self, *classes: str) -> list[Row]:
        return [match for match in self.matches if match["class_code"] in classes]


@pytest.fixture(scope="module")
def found(settings: Settings) -> Found:
    """Reconcile the city through the steps of the night; only the wire is left out."""
    create_city(settings, persons=PERSONS, seed=SEED, business_date=TODAY, defect_multiplier=DEFECTS)
    pull_population(settings, TODAY, now=lambda: datetime.combine(TODAY, time(23), BEIJING))
    conform_population(settings, TODAY)
    land_drop(settings, TODAY, next(outgoing_folder(settings).glob("*/*.csv")).read_bytes())
    conform_drop(settings, drop_source("mch_birth"), TODAY)
    with registry_session(settings) as connection:
        for name in INPUTS:
            point_dataset(connection, candidate_on(connection, f"staging.{name}", TODAY), TODAY)
    counts = reconcile_births(settings, TODAY)
    with registry_session(settings) as connection:
        version = version_on(connection, "core.birth_match", TODAY)
    return Found(counts, read_dataset(settings, version).to_pylist())


@pytest.fixture(scope="module")
def truth(settings: Settings, found: Found) -> Truth:
    defects: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    rejected: dict[str, set[str]] = defaultdict(set)
    for row in read_truth(settings, "defects").to_pylist():
        defects[row["dataset"]][row["key"]].add(row["defect"])
        if row["severity"] == "reject":
            rejected[row["dataset"]].add(row["key"])
    births = read_truth(settings, "births").to_pylist()
    children = {row["relation_id"]: row for row in read_truth(settings, "family_child").to_pylist()}
    # Records that are still to come belong to births that the population database may know already.
    records = {row["record_id"]: row for row in births if row["record_id"] and row["delivered_on"] <= TODAY}
    relations = {
        row["relation_id"]: row
        for row in births
        if row["relation_id"] and str(row["relation_id"]) not in rejected["family_child"]
    }
    living = {row["birth_number"] for row in records.values() if row["outcome"] == LIVING}
    known = {row["birth_number"] for row in relations.values()}
    faults: dict[int, set[str]] = defaultdict(set)
    for row in records.values():
        faults[row["birth_number"]] |= defects["mch_birth"][row["record_id"]]

    def is_within_reach(row: Row) -> bool:
        has_certificate = bool(children[row["relation_id"]]["birth_cert_no"])
        mother_is_known = row["mother_person_id"] not in rejected["population_person"]
        is_spoiled = faults[row["birth_number"]] & (HIDES_THE_MOTHER | CHANGES_THE_KEY)
        return has_certificate or (mother_is_known and not is_spoiled)

    return Truth(
        records=records,
        relations=relations,
        living=living,
        not_living={row["birth_number"] for row in records.values()} - living,
        known_to_population=known,
        this_year={
            row["birth_number"] for row in relations.values() if row["born_on"] >= date(TODAY.year, 1, 1)
        },
        within_reach={
            row["birth_number"]
            for row in relations.values()
            if row["birth_number"] in living and is_within_reach(row)
        },
        contradicted={number for number, found_faults in faults.items() if found_faults & CONTRADICTS},
        folded=len(records) - len({row["birth_number"] for row in records.values()}),
    )


def numbers(truth: Truth, matches: Iterable[Row]) -> set[int]:
    """Tell whose births the findings are."""
    return {
        (
            truth.records[match["mch_record_id"]]
            if match["mch_record_id"]
            else truth.relations[match["relation_id"]]
        )["birth_number"]
        for match in matches
    }


def test_no_link_is_wrong_and_no_twins_are_crossed(found: Found, truth: Truth) -> None:
    links = found.of("linked", "conflict")
    wrong = [
        link
        for link in links
        if truth.records[link["mch_record_id"]]["birth_number"]
        != truth.relations[link["relation_id"]]["birth_number"]
    ]
    assert len(wrong) / len(links) <= 0.0005
    mothers = Counter(truth.records[link["mch_record_id"]]["mother_person_id"] for link in links)
    assert sum(count > 1 for count in mothers.values()) >= 3, "the city has too few twins to cross"
    assert wrong == []


def test_what_exact_passes_can_reach_is_linked_and_nearly_all_else(
    found: Found, truth: Truth, record_property: Callable[[str, object], None]
) -> None:
    linked = numbers(truth, found.of("linked", "conflict"))
    on_both_sides = truth.living & truth.known_to_population
    recall = len(linked) / len(on_both_sides)
    record_property("recall", recall)
    assert truth.within_reach < linked, "the model links nothing beyond the exact passes"
    assert recall >= 0.985


def test_conflicts_are_those_that_were_planted(found: Found, truth: Truth) -> None:
    linked = numbers(truth, found.of("linked", "conflict"))
    assert numbers(truth, found.of("conflict")) == linked & truth.contradicted


def test_what_one_side_lacks_is_told(found: Found, truth: Truth) -> None:
    linked = numbers(truth, found.of("linked", "conflict"))
    assert numbers(truth, found.of("only_mch")) == truth.living - linked
    assert numbers(truth, found.of("only_population")) == truth.this_year - linked


def test_every_duplicate_and_reissue_is_folded_and_every_record_counted(found: Found, truth: Truth) -> None:
    assert found.counts["folded"] == truth.folded > 0
    assert found.counts["not_living"] == len(truth.not_living) > 0
    assert found.counts["records"] == len(truth.records)
    of_mch = found.of("linked", "conflict", "only_mch")
    assert {truth.records[match["mch_record_id"]]["birth_number"] for match in of_mch} == truth.living
    for match in of_mch:
        folded = {truth.records[record]["birth_number"] for record in match["folded_record_ids"]}
        assert folded <= {truth.records[match["mch_record_id"]]["birth_number"]}


MISSING = {"missing_in_population", "missing_in_mch"}


@pytest.fixture(scope="module")
def expected(settings: Settings, found: Found) -> dict[int, set[str]]:
    names = ("births", "mch_birth", "family_child", "defects")
    return expected_situations({name: read_truth(settings, name) for name in names}, TODAY)


@pytest.fixture(scope="module")
def situated(found: Found, truth: Truth) -> dict[str, set[int]]:
    """Tell the births found in each situation."""
    by_situation: dict[str, set[int]] = defaultdict(set)
    for match in found.matches:
        for code in match["situation_codes"]:
            by_situation[code] |= numbers(truth, [match])
    return by_situation


@pytest.mark.parametrize(
    "code",
    [
        "late",
        "very_late",
        "reported_twice",
        "reissued",
        "mother_from_elsewhere",
        "conflict",
        "review",
        "unnamed",
    ],
)
def test_the_births_in_a_situation_are_those_of_the_truth(
    situated: dict[str, set[int]], expected: dict[int, set[str]], found: Found, truth: Truth, code: str
) -> None:
    true = {number for number, situations in expected.items() if code in situations}
    unlinked = (truth.living & truth.known_to_population) - numbers(truth, found.of("linked", "conflict"))
    # Only who has both sides can tell; a birth that was not linked is found missing on each, unless a person
    # is asked about it.
    untold = unlinked if code in OF_BOTH_SIDES else set()
    if code == "mother_from_elsewhere":
        untold = situated["same_child"]
    assert situated[code] - untold == true - untold
    assert true, f"the city has nobody in {code}"


@pytest.mark.parametrize("code", sorted(MISSING))
def test_what_is_missing_is_what_the_truth_lacks_or_could_not_be_linked(
    situated: dict[str, set[int]], expected: dict[int, set[str]], found: Found, truth: Truth, code: str
) -> None:
    true = {number for number, situations in expected.items() if code in situations}
    unlinked = (truth.living & truth.known_to_population) - numbers(truth, found.of("linked", "conflict"))
    assert true
    assert situated[code] - unlinked == true - situated["same_child"]
    assert situated[code] <= true | unlinked


def test_nothing_that_is_not_a_living_child_is_asked_about(found: Found, truth: Truth) -> None:
    assert not numbers(truth, found.matches) & truth.not_living
    assert not [match for match in found.matches if match["not_living_record_id"]]
