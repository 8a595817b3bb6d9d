"""What a review of the cases must find: the office's rules once more, one case at a time, for comparison."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sandbox.truth.decisions import PARENTS, PARTIES, accepted, rows_as
from sandbox.truth.subsidy import (
    Answer,
    Child,
    Marriage,
    Person,
    all_of,
    category,
    clauses,
    in_words,
    partners,
    spouse_of,
)

DATASET = "beneficiary_case"
EXITED = "3"
IN_PAYMENT = "1"
# The file number is that of somebody with another identity number.
OF_SOMEBODY_ELSE = frozenset({"id_of_another", "id_check_digit_wrong"})
DECIDED = {
    "J": frozenset({"one_child", "two_girls", "no_living_child"}),
    "T": frozenset({"death", "disability"}),
}
# What PADIS has and must not be told again.
HELD_STATES = frozenset({"11", "20", "30", "40", "50", "60"})
REVIEWS = pa.schema(
    [
        ("case_number", pa.string()),
        ("programme_code", pa.string()),
        ("person_id", pa.string()),
        ("finding_code", pa.string()),
        ("decision_code", pa.string()),
        ("reason_codes", pa.list_(pa.string())),
        ("is_held", pa.bool_()),  # by PADIS, before the first submission
    ]
)
Row = Mapping[str, Any]


def expected_reviews(truth: Mapping[str, pa.Table], on: date) -> pa.Table:
    """Tell of every case whose row is accepted what its review finds on a day, and why.

    `truth` has the tables of the population, the cases and the defects by their names.
    """
    cases, defects = truth[DATASET], truth["defects"]
    if not cases.num_rows:
        return REVIEWS.empty_table()
    rows = accepted(cases, DATASET, defects)
    verdicts = _verdicts(rows, truth, on)
    own = defects.filter(pc.equal(defects["dataset"], DATASET))
    defect_of = dict(zip(own["key"].to_pylist(), own["defect"].to_pylist(), strict=True))
    of_wire = [
        "case_no",
        "scheme",
        "category",
        "person_id",
        "state",
        "start_month",
        "end_month",
        "padis_state",
    ]
    listed = rows.select(of_wire).sort_by("case_no").to_pylist()
    open_cases: dict[str, int] = {}
    for case in listed:
        if case["state"] != EXITED:
            open_cases[case["person_id"]] = open_cases.get(case["person_id"], 0) + 1
    reviews = []
    for case in listed:
        verdict = verdicts.get(case["person_id"])
        doubts = _doubts(case, verdict is not None, defect_of.get(case["case_no"]), open_cases)
        reviews.append(_review(case, verdict, doubts))
    return pa.Table.from_pylist(reviews, REVIEWS)


class Verdict:
    """What is true of one person's entitlement."""

    def __init__(self, answers: Mapping[str, Mapping[str, Answer]], children: list[Child]) -> None:
        self.answers = answers
        self.decided = {programme: in_words(all_of(*each.values())) for programme, each in answers.items()}
        self.category = {
            programme: category(programme, children)
            for programme, decided in self.decided.items()
            if decided == "eligible"
        }


def _verdicts(cases: pa.Table, truth: Mapping[str, pa.Table], on: date) -> dict[str, Verdict]:
    """Judge everybody who has a case and whose own row is accepted."""
    people, defects, marriages = pc.unique(cases["person_id"]), truth["defects"], truth["marriage"]
    everybody = accepted(truth["population_person"], "population_person", defects)
    marriages = marriages.filter(pc.or_(*(pc.is_in(marriages[party], people) for party in PARTIES)))
    needed = pa.chunked_array([people, *(chunk for party in PARTIES for chunk in marriages[party].chunks)])
    known = {
        person.person_id: person
        for person in rows_as(Person, everybody.filter(pc.is_in(everybody["person_id"], needed)))
    }
    partner_of = partners(rows_as(Marriage, marriages), on)
    children_of = _children_of(accepted(truth["family_child"], "family_child", defects), people)
    verdicts = {}
    for person_id in people.to_pylist():
        if person_id in known:
            person, own = known[person_id], children_of.get(person_id, [])
            spouse = spouse_of(person, partner_of, known)
            verdicts[person_id] = Verdict(clauses(person, spouse, own, on), own)
    return verdicts


def _children_of(children: pa.Table, people: pa.Array) -> dict[str, list[Child]]:
    asked = set(people.to_pylist())
    chosen = pc.or_(*(pc.is_in(children[parent], people) for parent in PARENTS))
    found: dict[str, list[Child]] = {}
    for child in rows_as(Child, children.filter(chosen)):
        for parent in {child.mother_person_id, child.father_person_id} & asked:
            found.setdefault(str(parent), []).append(child)
    return found


def _doubts(case: Row, is_known: bool, defect: str | None, open_cases: Mapping[str, int]) -> set[str]:
    """Tell what is in question about a case before anything is decided; nothing, once it has ended."""
    if case["state"] == EXITED:
        return set()
    found = {
        "person_unknown": not is_known,
        "id_number_differs": is_known and defect in OF_SOMEBODY_ELSE,
        "several_cases": open_cases[case["person_id"]] > 1,
        "end_before_start": defect == "end_before_start",
    }
    return {reason for reason, holds in found.items() if holds}


def _review(case: Row, verdict: Verdict | None, doubts: Iterable[str]) -> Row:
    programme = case["scheme"]
    decided = verdict.decided[programme] if verdict else None
    if case["state"] == EXITED:
        reasons = {"exited_but_eligible"} if decided == "eligible" else set()
    else:
        reasons = set(doubts) | (_objections(case, verdict) if verdict else {"person_unknown"})
    quiet = "closed" if case["state"] == EXITED else "continue"
    return {
        "case_number": case["case_no"],
        "programme_code": programme,
        "person_id": case["person_id"],
        "finding_code": "exception" if reasons else quiet,
        "decision_code": decided,
        "reason_codes": sorted(reasons),
        "is_held": case["padis_state"] in HELD_STATES,
    }


def _objections(case: Row, verdict: Verdict) -> set[str]:
    """Tell why an open case does not simply go on, by what is true of its person."""
    programme = case["scheme"]
    other = "T" if programme == "J" else "J"
    if verdict.decided[other] == "eligible":
        return {"programme_changed"}
    if case["category"] not in DECIDED[programme]:
        return {"category_not_decided"}
    if verdict.decided[programme] == "unknown":
        return {"undecided"}
    if verdict.decided[programme] == "ineligible":
        failing = (clause for clause, answer in verdict.answers[programme].items() if answer is False)
        return {f"clause_fails:{clause}" for clause in failing}
    if verdict.category[programme] != case["category"]:
        return {"category_changed"}
    return set() if case["state"] == IN_PAYMENT else {"suspended_but_eligible"}
