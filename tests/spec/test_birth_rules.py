"""The rules of the births, drawn as tables: situation -> class, pass, task, division, days, winner."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from connectors.settings import PROJECT, Settings
from etl.births.classify import BENEFICIARIES, OnRecord
from etl.births.match import MatchedBirths, match_births
from etl.births.situations import SITUATIONS as DECLARED
from etl.births.tasks import date_tasks, days_to_act
from tests.support.births import (
    DISTRICT,
    DIVISIONS,
    OTHER_VILLAGE,
    PER_WORLD,
    TODAY,
    VILLAGE,
    apart,
    child,
    person,
    record,
    staged,
    together,
    world_of,
)

NOWHERE = Settings(var=Path("nowhere"))
MOTHER = person("P1")
ELSEWHERE = {
    "mother_id_number": "a mother from elsewhere",
    "mother_hukou_division_code": "130102000000",
    "mother_residence_division_code": None,
}
Row = Mapping[str, Any]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def matched(
    records: Sequence[Row], children: Sequence[Row], persons: Sequence[Row] = (MOTHER,)
) -> MatchedBirths:
    return match_births(NOWHERE, staged(records, children, persons), DIVISIONS, TODAY, None)


A, B = "certificate A", "certificate B"
LINKED = [
    # situation, MCH records, population children, findings
    (
        "the certificate agrees",
        [record("m1", birth_certificate_number=A, mother_id_number=None)],
        [child(1, birth_certificate_number=A)],
        [("linked", "certificate", "m1", 1)],
    ),
    (
        "no certificate in the population database, all of mother, date, sex and order agree",
        [record("m1")],
        [child(1)],
        [("linked", "mother_document", "m1", 1)],
    ),
    (
        "plural order not written is the first child",
        [record("m1", plural_order=None)],
        [child(1, plural_order=1)],
        [("linked", "mother_document", "m1", 1)],
    ),
    (
        "twin girls are told apart by their order",
        [record("m1", delivery_id="d"), record("m2", delivery_id="d", plural_order=2)],
        [child(1, plural_order=2), child(2, plural_order=1)],
        [("linked", "mother_document", "m1", 2), ("linked", "mother_document", "m2", 1)],
    ),
    (
        "the certificate decides before the order does",
        [
            record("m1", delivery_id="d", birth_certificate_number=A),
            record("m2", delivery_id="d", birth_certificate_number=B, plural_order=2),
        ],
        [child(1, birth_certificate_number=B), child(2, birth_certificate_number=A, plural_order=2)],
        [("linked", "certificate", "m1", 2), ("linked", "certificate", "m2", 1)],
    ),
    (
        "the population database still holds the replaced number",
        [
            record("m1", birth_certificate_number=A, status_code="3"),
            record(
                "m2", birth_certificate_number=B, previous_certificate_number=A, issue_date=date(2026, 5, 30)
            ),
        ],
        [child(1, birth_certificate_number=A, mother_person_id="P9")],
        [("linked", "certificate", "m2", 1)],
    ),
    (
        "the replaced certificate itself was never delivered to us",
        [record("m2", birth_certificate_number=B, previous_certificate_number=A)],
        [child(1, birth_certificate_number=A, mother_person_id="P9")],
        [("linked", "certificate", "m2", 1)],
    ),
    (
        "two organisations reported the same birth",
        [
            record("m1", birth_certificate_number=A),
            record("m2", birth_certificate_number=B, issue_date=TODAY),
        ],
        [child(1, birth_certificate_number=A)],
        [("linked", "certificate", "m2", 1)],
    ),
    (
        "two children of one delivery with the same order written are not one birth, and nobody guesses",
        [record("m1", delivery_id="d"), record("m2", delivery_id="d")],
        [child(1)],
        [("only_population", None, None, 1), ("only_mch", None, "m1", None), ("only_mch", None, "m2", None)],
    ),
    (
        "one certificate on two children links neither by certificate",
        [record("m1", birth_certificate_number=A, mother_id_number=None)],
        [child(1, birth_certificate_number=A), child(2, birth_certificate_number=A)],
        [
            ("only_population", None, None, 1),
            ("only_population", None, None, 2),
            ("only_mch", None, "m1", None),
        ],
    ),
    (
        "what the certificate leaves ambiguous the mother's document settles",
        [record("m1", birth_certificate_number=A)],
        [child(1, birth_certificate_number=A), child(2, birth_certificate_number=A, plural_order=2)],
        [("only_population", None, None, 2), ("linked", "mother_document", "m1", 1)],
    ),
    (
        "another birth date, sex and parity under the same certificate",
        [record("m1", birth_certificate_number=A, child_sex_code="1", parity=2)],
        [child(1, birth_certificate_number=A, child_birth_date=date(2026, 5, 21))],
        [("conflict", "certificate", "m1", 1, "birth_date", "sex", "parity")],
    ),
    (
        "a parity that one side does not state contradicts nothing",
        [record("m1", parity=None)],
        [child(1, parity=2)],
        [("linked", "mother_document", "m1", 1)],
    ),
    (
        "another date without a common certificate is not linked",
        [record("m1")],
        [child(1, child_birth_date=date(2026, 5, 21))],
        [("only_population", None, None, 1), ("only_mch", None, "m1", None)],
    ),
    (
        "a void certificate is no birth",
        [record("m1", status_code="2")],
        [],
        [],
    ),
    (
        "a stillbirth and a neonatal death are not linked",
        [record("m1", outcome_code="3"), record("m2", outcome_code="4", plural_order=2)],
        [],
        [],
    ),
    (
        "an adopted child is not born to this family",
        [record("m1")],
        [child(1, adopted_date=date(2026, 5, 25))],
        [("only_mch", None, "m1", None)],
    ),
    (
        "a child of an earlier year without a record is not asked about, the first of January is",
        [],
        [child(1, child_birth_date=date(2025, 12, 31)), child(2, child_birth_date=date(2026, 1, 1))],
        [("only_population", None, None, 2)],
    ),
]


@pytest.fixture(scope="module")
def linked() -> list[list[tuple[Any, ...]]]:
    """Match all situations at once and tell the findings of each."""
    births = match_births(
        NOWHERE, together(apart([(row[1], row[2], [MOTHER]) for row in LINKED])), DIVISIONS, TODAY, None
    )
    found: list[list[tuple[Any, ...]]] = [[] for _ in LINKED]
    for row in births.matches.to_pylist():
        record_id = row["mch_record_id"] and row["mch_record_id"].partition("/")[2]
        relation_id = None if row["relation_id"] is None else row["relation_id"] % PER_WORLD
        finding = (row["class_code"], row["pass_name"], record_id, relation_id, *row["conflict_fields"])
        found[world_of(row)].append(finding)
    return found


@pytest.mark.parametrize("number", range(len(LINKED)), ids=[row[0] for row in LINKED])
def test_a_birth_is_found_to_be(linked: list[list[tuple[Any, ...]]], number: int) -> None:
    assert sorted(linked[number], key=str) == sorted(LINKED[number][3], key=str)


MISSING, FROM_ELSEWHERE = "birth_missing_in_population", "birth_of_mother_from_elsewhere"
TOWN, CITY = "110101001000", "110000000000"
LIVES_ELSEWHERE_IN_TOWN = person("P1", residence_division_code=OTHER_VILLAGE)
TASKS = [
    # situation, MCH records, children, persons, tasks: kind, division, level, days, details
    (
        "linked and agreed: nobody has to act",
        [record("m1")], [child(1)], [MOTHER],
        [],
    ),
    (
        "mother known: where the population database says that she lives",
        [record("m1")], [], [LIVES_ELSEWHERE_IN_TOWN],
        [(MISSING, OTHER_VILLAGE, "4", 15)],
    ),
    (
        "mother unknown, lives in Beijing: her residence as MCH has it",
        [record("m1", **{**ELSEWHERE, "mother_residence_division_code": OTHER_VILLAGE})], [], [],
        [(MISSING, OTHER_VILLAGE, "4", 15)],
    ),
    (
        "mother unknown, Beijing hukou, residence not in Beijing: her hukou",
        [record("m1", mother_residence_division_code="130102001001")], [], [],
        [(MISSING, VILLAGE, "4", 15)],
    ),
    (
        "a residence that is only a town is the town's task",
        [record("m1", mother_residence_division_code=TOWN)], [], [],
        [(MISSING, TOWN, "3", 15)],
    ),
    (
        "a village that is not on today's list is answered for by its town",
        [record("m1", mother_residence_division_code="110101001999")], [], [],
        [(MISSING, TOWN, "3", 15)],
    ),
    (
        "mother from elsewhere: the district where she gave birth",
        [record("m1", **ELSEWHERE)], [], [],
        [(FROM_ELSEWHERE, DISTRICT, "2", 30)],
    ),
    (
        "mother from elsewhere, place of birth not in Beijing: the city",
        [record("m1", **ELSEWHERE, birth_division_code="130102")], [], [],
        [(FROM_ELSEWHERE, CITY, "1", 30)],
    ),
    (
        "mother from elsewhere by hukou, but known to the population database",
        [record("m1", **{**ELSEWHERE, "mother_id_number": "mother one"})], [], [MOTHER],
        [(MISSING, VILLAGE, "4", 15)],
    ),
    (
        "no MCH record: the mother's village",
        [], [child(1)], [LIVES_ELSEWHERE_IN_TOWN],
        [("birth_missing_in_mch", OTHER_VILLAGE, "4", 30, "uncertified")],
    ),
    (
        "no MCH record and the mother is in quarantine: where the father lives",
        [], [child(1, father_person_id="P2")], [person("P2", residence_division_code=OTHER_VILLAGE)],
        [("birth_missing_in_mch", OTHER_VILLAGE, "4", 30, "uncertified")],
    ),
    (
        "no MCH record and no parent known: the city",
        [], [child(1)], [],
        [("birth_missing_in_mch", CITY, "1", 30, "uncertified")],
    ),
    (
        "conflict: the mother's village, with the fields in question",
        [record("m1")], [child(1, parity=3)], [MOTHER],
        [("birth_review", VILLAGE, "4", 15, "parity")],
    ),
    (
        "several candidates: each task says so",
        [record("m1", delivery_id="d"), record("m2", delivery_id="d")], [child(1)], [MOTHER],
        [
            ("birth_missing_in_mch", VILLAGE, "4", 30, "uncertified", "several_candidates"),
            (MISSING, VILLAGE, "4", 15, "several_candidates"),
            (MISSING, VILLAGE, "4", 15, "several_candidates"),
        ],
    ),
    (
        "a stillbirth is nobody's task",
        [record("m1", outcome_code="2")], [], [MOTHER],
        [],
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def tasks() -> list[list[tuple[Any, ...]]]:
    """Match all situations at once and tell the tasks of each."""
    births = match_births(
        NOWHERE, together(apart([(row[1], row[2], row[3]) for row in TASKS])), DIVISIONS, TODAY, None
    )
    world = {row["match_id"]: world_of(row) for row in births.matches.to_pylist()}
    opened: list[list[tuple[Any, ...]]] = [[] for _ in TASKS]
    for task in date_tasks(births.tasks, {}, TODAY):
        days = (task["due_date"] - TODAY).days
        drawn = (task["kind_code"], task["division_code"], task["level_code"], days, *task["detail_codes"])
        opened[world[task["subject_id"]]].append(drawn)
    return opened


@pytest.mark.parametrize("number", range(len(TASKS)), ids=[row[0] for row in TASKS])
def test_who_has_to_act_until_when(tasks: list[list[tuple[Any, ...]]], number: int) -> None:
    assert sorted(tasks[number]) == sorted(TASKS[number][4])


FATHER = person("P2", residence_division_code=OTHER_VILLAGE)
MISSING_THERE, CONFLICT, REVIEW = "birth_missing_in_mch", "birth_conflict", "birth_review"
PAID = {"person_id": "P1", "programme_code": "T", "division_code": OTHER_VILLAGE}
SITUATIONS = [
    # situation, MCH records, children, persons, who is paid
    # -> class, situations, tasks: kind, division, days, details; winners of what differs
    (
        "missing in the population database",
        [record("m1")], [], [MOTHER], [],
        "only_mch", ["missing_in_population"], [(MISSING, VILLAGE, 15)], {},
    ),
    (
        "mother from elsewhere: handed on by the district of birth",
        [record("m1", **ELSEWHERE)], [], [], [],
        "only_mch", ["mother_from_elsewhere"], [(FROM_ELSEWHERE, DISTRICT, 30)], {},
    ),
    (
        "missing in MCH, no certificate: born at home, abroad, or still to be entered",
        [], [child(1)], [MOTHER], [],
        "only_population", ["missing_in_mch"], [(MISSING_THERE, VILLAGE, 30, "uncertified")], {},
    ),
    (
        "missing in MCH, though its certificate is of Beijing",
        [], [child(1, birth_certificate_number="Z110000001")], [MOTHER], [],
        "only_population", ["missing_in_mch"], [(MISSING_THERE, VILLAGE, 30, "certified_here")], {},
    ),
    (
        "missing in MCH, the child's papers are of abroad",
        [], [child(1, child_id_type_code="03")], [MOTHER], [],
        "only_population", ["missing_in_mch"], [(MISSING_THERE, VILLAGE, 30, "documented_abroad")], {},
    ),
    (
        "Beijing mother, certificate of Hebei: the district waits until other data arrive",
        [], [child(1, birth_certificate_number="Z130000001")], [MOTHER], [],
        "only_population", ["born_elsewhere"], [("birth_elsewhere_awaited", "110101000000", 180)], {},
    ),
    (
        "the child is of an earlier year: nobody is asked",
        [], [child(1, child_birth_date=date(2025, 12, 31))], [MOTHER], [],
        None, [], [], {},
    ),
    (
        "MCH says stillborn, the population database has a living child",
        [record("m1", outcome_code="3")], [child(1)], [MOTHER], [],
        "only_population", ["not_living"], [("birth_not_living", VILLAGE, 15)], {},
    ),
    (
        "MCH says died as a newborn, and so does the population database",
        [record("m1", outcome_code="4")], [child(1, is_alive=False)], [MOTHER], [],
        "only_population", [], [], {},
    ),
    (
        "a stillborn twin is not the living one",
        [record("m1", outcome_code="3", plural_order=2), record("m2")], [child(1)], [MOTHER], [],
        "linked", [], [], {},
    ),
    (
        "reported after 31 days: counted, nobody's task",
        [record("m1", reported_at=at("2026-06-20 09:00"))], [child(1)], [MOTHER], [],
        "linked", ["late"], [], {},
    ),
    (
        "reported after a year: the district of birth looks into it",
        [record("m1", reported_at=at("2027-06-20 09:00"))], [child(1)], [MOTHER], [],
        "linked", ["very_late"], [("birth_reported_very_late", DISTRICT, 30)], {},
    ),
    (
        "two organisations reported it: one certificate has to be withdrawn",
        [record("m1"), record("m2", issue_date=TODAY)], [child(1)], [MOTHER], [],
        "linked", ["reported_twice"], [("birth_reported_twice", DISTRICT, 30)], {},
    ),
    (
        "the second report was made void: nothing is left to do",
        [record("m1"), record("m2", status_code="2")], [child(1)], [MOTHER], [],
        "linked", [], [], {},
    ),
    (
        "a certificate issued again is the same birth",
        [
            record("m1", birth_certificate_number=A, status_code="3"),
            record("m2", birth_certificate_number=B, previous_certificate_number=A, issue_kind_code="2"),
        ],
        [child(1, birth_certificate_number=B)], [MOTHER], [],
        "linked", ["reissued"], [], {},
    ),
    (
        "the population database has the replaced number: the newest prevails, no task",
        [
            record("m1", birth_certificate_number=A, status_code="3"),
            record("m2", birth_certificate_number=B, previous_certificate_number=A, issue_date=TODAY),
        ],
        [child(1, birth_certificate_number=A)], [MOTHER], [],
        "linked", ["reissued"], [], {"certificate": "mch"},
    ),
    (
        "twins are two births, no duplicates",
        [record("m1", plural_count=2, delivery_id="d")], [child(1, plural_count=2)], [MOTHER], [],
        "linked", ["multiple"], [], {},
    ),
    (
        "unnamed on both sides, within the days for naming",
        [record("m1", child_name=None)], [child(1, child_name="王芳之女")], [MOTHER], [],
        "linked", [], [], {},
    ),
    (
        "unnamed on both sides, 31 days after birth",
        [record("m1", child_name=None, born_at=at("2026-05-01 08:00"))],
        [child(1, child_name="王芳之女", child_birth_date=date(2026, 5, 1))], [MOTHER], [],
        "linked", ["unnamed"], [("birth_unnamed", VILLAGE, 30)], {},
    ),
    (
        "unnamed in MCH alone: the registered name stays",
        [record("m1", child_name="王芳之女", born_at=at("2026-05-01 08:00"))],
        [child(1, child_birth_date=date(2026, 5, 1))], [MOTHER], [],
        "linked", [], [], {"child_name": "population"},
    ),
    (
        "birth dates a day apart: MCH prevails",
        [record("m1", birth_certificate_number=A)],
        [child(1, birth_certificate_number=A, child_birth_date=date(2026, 5, 21))], [MOTHER], [],
        "conflict", ["conflict"], [(CONFLICT, VILLAGE, 15, "birth_date")], {"birth_date": "mch"},
    ),
    (
        "birth dates two days apart are no slip: a person looks",
        [record("m1", birth_certificate_number=A)],
        [child(1, birth_certificate_number=A, child_birth_date=date(2026, 5, 22))], [MOTHER], [],
        "conflict", ["review"], [(REVIEW, VILLAGE, 15, "birth_date")], {"birth_date": "review"},
    ),
    (
        "sex and parity differ: MCH prevails about one, a person about the other",
        [record("m1", birth_certificate_number=A)],
        [child(1, birth_certificate_number=A, child_sex_code="1", parity=2)], [MOTHER], [],
        "conflict", ["conflict", "review"],
        [(CONFLICT, VILLAGE, 15, "sex"), (REVIEW, VILLAGE, 15, "parity")],
        {"sex": "mch", "parity": "review"},
    ),
    (
        "the mother's document links, but the certificate is of another chain",
        [record("m1", birth_certificate_number=A)], [child(1, birth_certificate_number=B)], [MOTHER], [],
        "conflict", ["review"], [(REVIEW, VILLAGE, 15, "certificate")], {"certificate": "review"},
    ),
    (
        "a birth to a mother who is paid T, unknown to the population database",
        [record("m1")], [], [MOTHER], [PAID],
        "only_mch", ["missing_in_population", "of_beneficiary"],
        [(MISSING, VILLAGE, 15), ("birth_to_beneficiary", OTHER_VILLAGE, 15, "T")], {},
    ),
    (
        "the same, once the population database has the child: the clauses speak, nobody twice",
        [record("m1")], [child(1)], [MOTHER], [PAID],
        "linked", [], [], {},
    ),
    (
        "a father who is paid, and whom the population database does not call the father",
        [record("m1", father_id_number="document of P2")], [child(1)], [MOTHER, FATHER],
        [PAID | {"person_id": "P2"}],
        "linked", ["of_beneficiary"], [("birth_to_beneficiary", OTHER_VILLAGE, 15, "T")], {},
    ),
    (
        "a stillbirth to somebody who is paid is no living child: no alarm",
        [record("m1", outcome_code="3")], [], [MOTHER], [PAID],
        None, [], [], {},
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def situated() -> tuple[list[list[Any]], list[list[tuple[Any, ...]]], list[dict[str, str]]]:
    """Match all situations at once: per world its findings, its tasks, the winners of what differs."""
    staging = together(apart([(row[1], row[2], row[3]) for row in SITUATIONS]))
    paid = [
        each | {"person_id": f"{world}/{each['person_id']}"}
        for world, row in enumerate(SITUATIONS)
        for each in row[4]
    ]
    on_record = OnRecord(pa.Table.from_pylist(paid, schema=BENEFICIARIES))
    births = match_births(NOWHERE, staging, DIVISIONS, TODAY, None, on_record)
    matches = births.matches.to_pylist()
    world = {row["match_id"]: world_of(row) for row in matches}
    findings: list[list[Any]] = [[] for _ in SITUATIONS]
    tasks: list[list[tuple[Any, ...]]] = [[] for _ in SITUATIONS]
    winners: list[dict[str, str]] = [{} for _ in SITUATIONS]
    for row in matches:
        findings[world_of(row)].append((row["class_code"], row["situation_codes"]))
    for task in date_tasks(births.tasks, {}, TODAY):
        days = (task["due_date"] - TODAY).days
        tasks[world[task["subject_id"]]].append(
            (task["kind_code"], task["division_code"], days, *task["detail_codes"])
        )
    for field in births.fields.to_pylist():
        stated = [field["mch_value"], field["population_value"]]
        if None not in stated and stated[0] != stated[1]:
            winners[world[field["match_id"]]][field["field_name"]] = field["winner_code"]
    return findings, tasks, winners


@pytest.mark.parametrize("number", range(len(SITUATIONS)), ids=[row[0] for row in SITUATIONS])
def test_what_follows_from_a_situation(situated: Any, number: int) -> None:
    findings, tasks, winners = situated
    _, _, _, _, _, class_code, situations, expected_tasks, expected_winners = SITUATIONS[number]
    assert findings[number] == ([] if class_code is None else [(class_code, situations)])
    assert sorted(tasks[number]) == sorted(expected_tasks)
    assert winners[number] == expected_winners


def test_every_situation_is_drawn_and_every_kind_of_task_has_its_days_and_words() -> None:
    # What people are asked about pairs is drawn in test_words_on_pairs.py.
    drawn = {code for row in SITUATIONS for code in row[6]} | {"same_child"}
    assert drawn == {situation.code for situation in DECLARED}
    glossary = (PROJECT / "docs" / "glossary.md").read_text(encoding="utf-8")
    for situation in DECLARED:
        assert f"`{situation.code}`" in glossary
        if situation.kind_code:
            assert days_to_act(situation.kind_code, TODAY) > 0
            assert f"| `{situation.kind_code}` |" in glossary


DELAYS = [
    ("2026-05-20 08:30", "2026-05-20 08:30", "on_time"),
    ("2026-05-20 08:30", "2026-05-21 08:30", "on_time"),
    ("2026-05-20 08:30", "2026-05-21 08:31", "within_days"),
    ("2026-04-20 08:30", "2026-05-20 23:59", "within_days"),
    ("2026-04-20 08:30", "2026-05-21 00:00", "late"),
    ("2025-05-20 08:30", "2026-05-19 12:00", "late"),
    ("2025-05-20 08:30", "2026-05-20 00:00", "very_late"),
    ("2026-05-20 08:30", "2026-05-19 08:30", "unknown"),
]


def test_how_late_a_birth_was_reported() -> None:
    drawn = [
        record(f"m{i:02}", delivery_id=f"d{i}", plural_order=i, born_at=at(born), reported_at=at(reported))
        for i, (born, reported, _) in enumerate(DELAYS)
    ]
    births = matched(drawn, []).births
    assert births["report_delay_code"].to_pylist() == [expected for _, _, expected in DELAYS]


def test_a_reissue_tomorrow_does_not_make_yesterdays_finding_another_one() -> None:
    first = record("m1", birth_certificate_number=A, **ELSEWHERE)
    reissue = record(
        "a2", birth_certificate_number=B, previous_certificate_number=A, reported_at=at("2026-06-01 10:00"),
        issue_date=TODAY, **ELSEWHERE,
    )  # fmt: skip
    before = matched([first], [])
    after = matched([first | {"status_code": "3"}, reissue], [])
    assert before.matches["match_id"] == after.matches["match_id"]
    assert before.tasks["task_id"] == after.tasks["task_id"]
    assert after.matches["mch_record_id"].to_pylist() == ["a2"]
    assert after.matches["folded_record_ids"].to_pylist() == [["m1"]]


def test_a_task_keeps_the_due_date_it_was_opened_with() -> None:
    births = matched([record("m1")], [])
    (task_id,) = births.tasks["task_id"].to_pylist()
    opened_before = TODAY + timedelta(days=3)
    assert [task["due_date"] for task in date_tasks(births.tasks, {task_id: opened_before}, TODAY)] == [
        opened_before
    ]
