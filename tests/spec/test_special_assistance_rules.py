"""特别扶助: situations and what must be decided. Today is 1 June 2026; the couple are W and M."""

from datetime import date
from pathlib import Path

import pytest

from tests.support.families import child, dead_child, disabled_child, man, marriage, woman
from tests.support.rule_tables import TODAY, Case, clause_ids, outcomes, policy_without

BEREAVED = (dead_child(),)
ENDED = {"end_date": date(2015, 1, 1), "end_reason_code": "2"}
ADOPTED = {"adopted_date": date(1990, 1, 1)}
NOT_MARRIED = {"husband": None, "marriages": ()}

CHILDREN = [
    Case("the only child died, with date and proof", "eligible death", children=BEREAVED),
    Case("the only child died: the husband too", "eligible death", children=BEREAVED, who="M"),
    Case(
        "a row that names the person as both parents is one child",
        "eligible death",
        children=(dead_child(father_person_id="W"),),
    ),
    Case("adopted only child died", "eligible death", children=(dead_child(**ADOPTED),)),
    Case("died, no proof of death", "unknown: death_proof", children=(dead_child(death_proof_code=None),)),
    Case("died, no date of death", "unknown: death_proof", children=(dead_child(death_date=None),)),
    Case("disabled at level 1", "eligible disability", children=(disabled_child(disability_level_code="1"),)),
    Case("disabled at level 3", "eligible disability", children=(disabled_child(disability_level_code="3"),)),
    Case(
        "disabled at level 4",
        "ineligible: child_condition",
        children=(disabled_child(disability_level_code="4"),),
    ),
    Case(
        "disabled at level 3, no certificate",
        "unknown: disability_certificate",
        children=(disabled_child(disability_level_code="3", disability_certificate_number=None),),
    ),
    Case(
        "disabled child who has died: death counts",
        "eligible death",
        children=(dead_child(disability_level_code="2", disability_certificate_number="CJ-1"),),
    ),
    Case("healthy only child", "ineligible: child_condition"),
    Case("never had a child", "ineligible: one_child, child_condition", children=()),
    Case(
        "one of two children died",
        "ineligible: one_child, child_condition",
        children=(dead_child(), child(relation_id=2)),
    ),
    Case(
        "both children died",
        "ineligible: one_child, child_condition",
        children=(dead_child(), dead_child(relation_id=2)),
    ),
    Case(
        "twin girls, both disabled",
        "ineligible: one_child, child_condition",
        children=(disabled_child(child_sex_code="2"), disabled_child(relation_id=2, child_sex_code="2")),
    ),
    Case(
        "one born and one adopted",
        "ineligible: one_child, child_condition",
        children=(dead_child(), child(relation_id=2, **ADOPTED)),
    ),
]

PERSONS = [
    Case("the person died", "ineligible: alive", children=BEREAVED, wife=woman(life_status_code="2")),
    Case("the person is missing", "ineligible: alive", children=BEREAVED, wife=woman(life_status_code="3")),
    Case(
        "not recorded whether alive",
        "unknown: life_certificate",
        children=BEREAVED,
        wife=woman(life_status_code=None),
    ),
    Case(
        "hukou in Hebei",
        "ineligible: beijing_hukou",
        children=BEREAVED,
        wife=woman(hukou_division_code="130102000000"),
    ),
    Case(
        "no hukou on record",
        "unknown: hukou_booklet",
        children=BEREAVED,
        wife=woman(hukou_division_code=None),
    ),
    Case(
        "born on the last day of 1932",
        "ineligible: born_from_1933",
        children=BEREAVED,
        wife=woman(birth_date=date(1932, 12, 31)),
    ),
    Case(
        "born on the first day of 1933",
        "eligible death",
        children=BEREAVED,
        wife=woman(birth_date=date(1933, 1, 1)),
    ),
    Case(
        "no birth date on record", "unknown: birth_date_proof", children=BEREAVED, wife=woman(birth_date=None)
    ),
    Case(
        "no only-child certificate on record",
        "unknown: only_child_certificate",
        children=BEREAVED,
        wife=woman(only_child_certificate_number=None),
    ),
    Case(
        "two documents missing",
        "unknown: death_proof, only_child_certificate",
        children=(dead_child(death_proof_code=None),),
        wife=woman(only_child_certificate_number=None),
    ),
    Case(
        "a missing document decides nothing when another clause fails",
        "ineligible: child_condition",
        wife=woman(only_child_certificate_number=None),
    ),
]

AGES = [
    Case("49 today", "eligible death", children=BEREAVED, wife=woman(birth_date=date(1977, 6, 1))),
    Case("49 tomorrow", "ineligible: age_49", children=BEREAVED, wife=woman(birth_date=date(1977, 6, 2))),
    Case(
        "husband of 45, wife of 49",
        "eligible death",
        children=BEREAVED,
        who="M",
        husband=man(birth_date=date(1981, 1, 1)),
        wife=woman(birth_date=date(1977, 6, 1)),
    ),
    Case(
        "husband of 64, wife of 48",
        "ineligible: age_49",
        children=BEREAVED,
        who="M",
        wife=woman(birth_date=date(1977, 6, 2)),
    ),
    Case(
        "husband, the wife's birth date unknown",
        "unknown: spouse_birth_date_proof",
        children=BEREAVED,
        who="M",
        wife=woman(birth_date=None),
    ),
    Case(
        "husband, the wife is not on record",
        "unknown: spouse_birth_date_proof",
        children=BEREAVED,
        who="M",
        wife=None,
    ),
    Case(
        "wife, the husband is not on record: her own age decides",
        "eligible death",
        children=BEREAVED,
        husband=None,
    ),
]

MARRIAGES = [
    Case(
        "widower of 49: his own age decides",
        "eligible death",
        children=BEREAVED,
        who="M",
        husband=man(birth_date=date(1977, 6, 1), marital_status_code="30"),
        wife=woman(birth_date=date(1980, 1, 1), life_status_code="2"),
        marriages=(marriage(end_date=date(2015, 1, 1), end_reason_code="4"),),
    ),
    Case(
        "divorced man of 48, former wife of 62",
        "ineligible: age_49",
        children=BEREAVED,
        who="M",
        husband=man(birth_date=date(1977, 6, 2), marital_status_code="40"),
        marriages=(marriage(**ENDED),),
    ),
    Case(
        "remarried man: the age of the wife of today decides",
        "ineligible: age_49",
        children=BEREAVED,
        who="M",
        others=(woman(person_id="N", birth_date=date(1985, 1, 1)),),
        marriages=(
            marriage(**ENDED),
            marriage(marriage_id=2, wife_person_id="N", event_date=date(2016, 1, 1)),
        ),
    ),
    Case(
        "remarried mother: her new husband's child is not hers",
        "eligible death",
        children=(dead_child(), child(relation_id=2, mother_person_id="X", father_person_id="N")),
        others=(man(person_id="N"),),
        marriages=(
            marriage(**ENDED),
            marriage(marriage_id=2, husband_person_id="N", event_date=date(2016, 1, 1)),
        ),
    ),
    Case(
        "remarried man with a child of the second marriage",
        "ineligible: one_child, child_condition",
        children=(dead_child(), child(relation_id=2, mother_person_id="N")),
        who="M",
        others=(woman(person_id="N"),),
        marriages=(
            marriage(**ENDED),
            marriage(marriage_id=2, wife_person_id="N", event_date=date(2016, 1, 1)),
        ),
    ),
    Case(
        "two marriages in force: the later one counts",
        "ineligible: age_49",
        children=BEREAVED,
        who="M",
        others=(woman(person_id="N", birth_date=date(1985, 1, 1)),),
        marriages=(
            marriage(marriage_id=2),
            marriage(marriage_id=1, wife_person_id="N", event_date=date(2016, 1, 1)),
        ),
    ),
    Case(
        "two marriages of one day: the higher number counts",
        "ineligible: age_49",
        children=BEREAVED,
        who="M",
        others=(woman(person_id="N", birth_date=date(1985, 1, 1)),),
        marriages=(marriage(), marriage(marriage_id=2, wife_person_id="N")),
    ),
    Case(
        "a divorce of today is in force today",
        "ineligible: age_49",
        children=BEREAVED,
        who="M",
        husband=man(birth_date=date(1980, 1, 1), marital_status_code="40"),
        marriages=(marriage(end_date=TODAY, end_reason_code="2"),),
    ),
    Case(
        "a divorce of tomorrow is not in force today",
        "eligible death",
        children=BEREAVED,
        who="M",
        husband=man(birth_date=date(1980, 1, 1), marital_status_code="40"),
        marriages=(marriage(end_date=date(2026, 6, 2), end_reason_code="2"),),
    ),
    Case(
        "a wedding of tomorrow does not count today",
        "ineligible: age_49",
        children=BEREAVED,
        who="M",
        husband=man(birth_date=date(1980, 1, 1), marital_status_code="10"),
        marriages=(marriage(event_date=date(2026, 6, 2)),),
    ),
    Case(
        "a wedding of today counts today",
        "eligible death",
        children=BEREAVED,
        who="M",
        husband=man(birth_date=date(1980, 1, 1), marital_status_code="10"),
        marriages=(marriage(event_date=TODAY),),
    ),
    Case("mother never married", "eligible death", children=BEREAVED, **NOT_MARRIED),
    *(
        Case(
            f"man of marital status {status} without a marriage on record",
            "unknown: marriage_certificate",
            children=BEREAVED,
            who="M",
            husband=man(marital_status_code=status),
            wife=None,
            marriages=(),
        )
        for status in ("20", "21", "22", "23", "90", None)
    ),
    *(
        Case(
            f"man of marital status {status} without a marriage on record: his own age decides",
            "eligible death",
            children=BEREAVED,
            who="M",
            husband=man(marital_status_code=status),
            wife=None,
            marriages=(),
        )
        for status in ("10", "30", "40")
    ),
    Case(
        "woman said to be married without a marriage on record: her own age decides",
        "eligible death",
        children=BEREAVED,
        **NOT_MARRIED,
        wife=woman(marital_status_code="21"),
    ),
]

CASES = [*CHILDREN, *PERSONS, *AGES, *MARRIAGES]


@pytest.fixture(scope="module")
def decided() -> dict[str, str]:
    return outcomes("special_assistance", CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.situation)
def test_the_situation_is_decided_as_the_table_says(case: Case, decided: dict[str, str]) -> None:
    assert decided[case.situation] == case.outcome


@pytest.mark.parametrize("clause_id", clause_ids("special_assistance"))
def test_the_table_notices_a_clause_that_is_switched_off(clause_id: str, tmp_path: Path) -> None:
    without = outcomes("special_assistance", CASES, policy_without(clause_id, "special_assistance", tmp_path))
    assert any(without[case.situation] != case.outcome for case in CASES)
