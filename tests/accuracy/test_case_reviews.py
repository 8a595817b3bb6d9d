"""The review of the cases in payment before us, against what is true of every case: no difference."""

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.lake import candidate_on, point_dataset
from connectors.registry import registry_session, state_on
from connectors.settings import Settings
from etl.conform.drop import conform_drop
from etl.conform.population import conform_population
from etl.pull.population import pull_population
from etl.submission.difference import find_decided
from etl.subsidy.case_review import review_cases
from etl.subsidy.cases import import_cases
from etl.subsidy.decide import decide_subsidies
from sandbox.city.advance import advance_city
from sandbox.city.create import create_city
from sandbox.truth.store import read_truth
from schemas.drop_source import drop_source
from schemas.padis_profile_file import profile_on
from schemas.registry import ACCEPTED, CASE_REVIEW, TASK
from tests.support.landed import land_left

TODAY = date(2026, 6, 1)
DAYS = [TODAY + timedelta(days=number) for number in range(3)]
# With this seed somebody in payment dies within these days.
PERSONS, SEED = 8_000, 1
COLUMNS = ("case_number", "programme_code", "finding_code", "decision_code", "reason_codes")
CASES = drop_source("beneficiary_case")
POPULATION = ("population_person", "family_child", "marriage")
Reviews = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def lived(settings: Settings) -> dict[date, tuple[dict[str, Any], Reviews, Reviews]]:
    """Let a city live three days through the steps that end in the review; keep what was found and true."""
    create_city(settings, persons=PERSONS, seed=SEED, business_date=TODAY, defect_multiplier=2.0)
    found = {}
    for day in DAYS:
        if day != TODAY:
            advance_city(settings)
        pull_population(settings, day)
        conform_population(settings, day)
        if day == TODAY:
            land_left(settings, CASES, day)
            conform_drop(settings, CASES, day)
        with registry_session(settings) as connection:
            for name in (*POPULATION, *([CASES.dataset] if day == TODAY else [])):
                point_dataset(connection, candidate_on(connection, f"staging.{name}", day), day)
        told = import_cases(settings, day)
        decide_subsidies(settings, day)
        reviewed = review_cases(settings, day)
        found[day] = (told | reviewed, reviews_on(settings, day), true_reviews(settings, day))
    return found


def reviews_on(settings: Settings, day: date) -> Reviews:
    chosen = sa.select(*(CASE_REVIEW.c[name] for name in COLUMNS)).where(state_on(CASE_REVIEW, day))
    with registry_session(settings) as connection:
        return {row["case_number"]: dict(row) for row in connection.execute(chosen).mappings()}


def true_reviews(settings: Settings, day: date) -> Reviews:
    rows = read_truth(settings, "cases", day).select(COLUMNS).to_pylist()
    return {row["case_number"]: row for row in rows}


@pytest.mark.parametrize("day", DAYS)
def test_every_review_is_the_true_one(lived: dict[date, Any], day: date) -> None:
    _, found, true = lived[day]
    differing = {number for number in found.keys() | true.keys() if found.get(number) != true.get(number)}
    assert differing == set()
    assert len(found) > 100


def test_received_is_imported_and_questioned_and_refused(settings: Settings, lived: dict[date, Any]) -> None:
    told, _, true = lived[TODAY]
    refused = told["refused"]
    assert told["received"] == told["imported"] + told["questioned"] + refused == len(true) + refused
    assert told["received"] == read_truth(settings, "beneficiary_case").num_rows
    assert refused > 0


def test_the_city_shows_every_fate_and_most_cases_go_on(lived: dict[date, Any]) -> None:
    _, _, true = lived[TODAY]
    reasons = {reason for review in true.values() for reason in review["reason_codes"]}
    assert reasons >= {
        "person_unknown", "id_number_differs", "several_cases", "end_before_start", "programme_changed",
        "category_not_decided", "undecided", "category_changed", "suspended_but_eligible",
        "exited_but_eligible", "clause_fails:alive", "clause_fails:beijing_hukou", "clause_fails:one_child",
    }  # fmt: skip
    findings = [review["finding_code"] for review in true.values()]
    assert {"continue", "closed", "exception"} == set(findings)
    assert findings.count("continue") > len(findings) / 2


def test_a_day_in_the_city_changes_reviews(settings: Settings, lived: dict[date, Any]) -> None:
    first, last = lived[TODAY][2], lived[DAYS[-1]][2]
    assert first != last
    with registry_session(settings) as connection:
        open_tasks = connection.scalar(
            sa.select(sa.func.count())
            .select_from(TASK)
            .where(TASK.c.process_name == "cases", state_on(TASK, DAYS[-1]))
        )
    assert open_tasks == sum(review["finding_code"] == "exception" for review in last.values())


def test_nobody_whom_padis_has_is_a_candidate(settings: Settings, lived: dict[date, Any]) -> None:
    rows = read_truth(settings, "cases", TODAY).to_pylist()
    held = {(row["programme_code"], row["person_id"]) for row in rows if row["is_held"]}
    # Whoever has cases and none in payment was stopped by people: that is in question, and not new.
    states = {row["case_no"]: row["state"] for row in read_truth(settings, "beneficiary_case").to_pylist()}
    paid = {(row["programme_code"], row["person_id"]) for row in rows if states[row["case_number"]] == "1"}
    stopped = {(row["programme_code"], row["person_id"]) for row in rows} - paid
    entitled = {
        (row["programme_code"], row["person_id"])
        for row in read_truth(settings, "decisions", DAYS[-1]).to_pylist()
        if row["decision_code"] == "eligible"
    }
    with registry_session(settings) as connection:
        on_record = set(connection.execute(sa.select(ACCEPTED.c.subsystem_code, ACCEPTED.c.person_id)))
        candidates = {
            (programme, person_id)
            for programme in "JT"
            for person_id in find_decided(connection, profile_on("national", DAYS[-1]), programme, DAYS[-1])[
                0
            ]["person_id"].to_pylist()
        }
    assert {tuple(row) for row in on_record} == held
    assert candidates == entitled - held - stopped
    assert candidates
