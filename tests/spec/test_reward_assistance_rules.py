"""奖励扶助: situations and what must be decided. Today is 1 June 2026; the couple are W and M."""

from datetime import date
from pathlib import Path

import pytest

from tests.support.families import child, dead_child, disabled_child, man, marriage, woman
from tests.support.rule_tables import Case, clause_ids, outcomes, policy_without

GIRL = {"child_sex_code": "2"}
SECOND = {"relation_id": 2, "child_birth_date": date(1990, 7, 1)}
THIRD = {"relation_id": 3, "child_birth_date": date(1992, 7, 1)}
OUTSIDE = {"policy_attribute_code": "2"}
ADOPTED = {"adopted_date": date(1995, 1, 1)}
ALONE = {"husband": None, "marriages": ()}

CHILDREN = [
    Case("one living son", "eligible one_child"),
    Case("one living girl", "eligible one_child", children=(child(**GIRL),)),
    Case("one adopted child", "eligible one_child", children=(child(**ADOPTED),)),
    Case("two girls", "eligible two_girls", children=(child(**GIRL), child(**GIRL | SECOND))),
    Case("twin girls", "eligible two_girls", children=(child(**GIRL), child(relation_id=2, **GIRL))),
    Case(
        "a girl born and a girl adopted",
        "eligible two_girls",
        children=(child(**GIRL), child(**GIRL | SECOND | ADOPTED)),
    ),
    Case("a girl and a boy", "ineligible: children_now", children=(child(**GIRL), child(**SECOND))),
    Case("two boys", "ineligible: children_now", children=(child(), child(**SECOND))),
    Case(
        "three girls",
        "ineligible: children_now",
        children=(child(**GIRL), child(**GIRL | SECOND), child(**GIRL | THIRD)),
    ),
    Case(
        "two girls and a boy who died",
        "eligible two_girls",
        children=(child(**GIRL), child(**GIRL | SECOND), dead_child(**THIRD)),
    ),
    Case(
        "two living girls and a girl who died",
        "eligible two_girls",
        children=(child(**GIRL), child(**GIRL | SECOND), dead_child(**GIRL | THIRD)),
    ),
    Case("two children, one died", "eligible one_child", children=(child(), dead_child(**SECOND))),
    Case(
        "two children, both died", "eligible no_living_child", children=(dead_child(), dead_child(**SECOND))
    ),
    Case("never had a child", "ineligible: children_now", children=()),
    Case(
        "two children, the sex of one not on record",
        "unknown: birth_certificate",
        children=(child(**GIRL), child(**SECOND | {"child_sex_code": None})),
    ),
    Case(
        "a boy, and the sex of the other not on record",
        "ineligible: children_now",
        children=(child(), child(**SECOND | {"child_sex_code": None})),
    ),
]

BIRTHS = [
    Case(
        f"born outside policy on {day}",
        outcome,
        children=(child(child_birth_date=day, **OUTSIDE),),
        wife=woman(birth_date=date(1945, 1, 1)),
    )
    for day, outcome in [
        (date(1972, 12, 31), "eligible one_child"),
        (date(1973, 1, 1), "ineligible: lawful_births"),
        (date(2001, 12, 31), "ineligible: lawful_births"),
        (date(2002, 1, 1), "eligible one_child"),
    ]
] + [
    Case(
        "not recorded whether the birth was within policy",
        "unknown: birth_policy_proof",
        children=(child(policy_attribute_code=None),),
    ),
    Case(
        "not recorded, but born after the examined period",
        "eligible one_child",
        children=(child(policy_attribute_code=None, child_birth_date=date(2002, 1, 1)),),
    ),
    Case(
        "one birth not recorded, the other outside policy",
        "ineligible: lawful_births",
        children=(child(policy_attribute_code=None, **GIRL), child(**GIRL | SECOND | OUTSIDE)),
    ),
    Case(
        "an adopted child is no own birth outside policy",
        "eligible two_girls",
        children=(child(**GIRL), child(**GIRL | SECOND | ADOPTED | OUTSIDE)),
    ),
    Case(
        "a birth outside policy counts though the child died",
        "ineligible: lawful_births",
        children=(child(), dead_child(**SECOND | OUTSIDE)),
    ),
]

HUKOU = [
    Case("urban now, rural before the reform", "eligible one_child"),
    Case(
        "rural now, before the reform not recorded",
        "eligible one_child",
        wife=woman(hukou_nature_code="2", hukou_nature_before_reform_code=None),
    ),
    Case(
        "rural now, urban before the reform",
        "ineligible: rural_hukou",
        wife=woman(hukou_nature_code="2", hukou_nature_before_reform_code="1"),
    ),
    Case(
        "urban, before the reform not recorded",
        "ineligible: rural_hukou",
        wife=woman(hukou_nature_code="1", hukou_nature_before_reform_code=None),
    ),
    Case("other nature", "ineligible: rural_hukou", wife=woman(hukou_nature_before_reform_code="9")),
    Case(
        "nature not recorded at all",
        "unknown: hukou_nature_proof",
        wife=woman(hukou_nature_code=None, hukou_nature_before_reform_code=None),
    ),
    Case("spouse urban", "ineligible: rural_hukou", husband=man(hukou_nature_before_reform_code="1")),
    Case(
        "spouse's nature not recorded",
        "unknown: spouse_hukou_nature_proof",
        husband=man(hukou_nature_code=None, hukou_nature_before_reform_code=None),
    ),
    Case("spouse not on record", "unknown: spouse_hukou_nature_proof", husband=None),
    Case(
        "widow of an urban man: her own nature decides",
        "eligible one_child",
        wife=woman(marital_status_code="30"),
        husband=man(hukou_nature_before_reform_code="1", life_status_code="2"),
        marriages=(marriage(end_date=date(2015, 1, 1), end_reason_code="4"),),
    ),
    Case(
        "said to be married without a marriage on record",
        "unknown: marriage_certificate",
        **ALONE,
    ),
    Case(
        "urban, said to be married without a marriage on record",
        "ineligible: rural_hukou",
        wife=woman(hukou_nature_before_reform_code="1"),
        **ALONE,
    ),
]

PERSONS = [
    Case("the person died", "ineligible: alive", wife=woman(life_status_code="2")),
    Case("not recorded whether alive", "unknown: life_certificate", wife=woman(life_status_code=None)),
    Case("hukou in Hebei", "ineligible: beijing_hukou", wife=woman(hukou_division_code="130102000000")),
    Case("no hukou on record", "unknown: hukou_booklet", wife=woman(hukou_division_code=None)),
    Case(
        "born on the last day of 1932",
        "ineligible: born_from_1933",
        wife=woman(birth_date=date(1932, 12, 31)),
    ),
    Case("born on the first day of 1933", "eligible one_child", wife=woman(birth_date=date(1933, 1, 1))),
    Case("no birth date on record", "unknown: birth_date_proof", wife=woman(birth_date=None)),
    Case("60 today", "eligible one_child", wife=woman(birth_date=date(1966, 6, 1))),
    Case("60 tomorrow", "ineligible: age_60", wife=woman(birth_date=date(1966, 6, 2))),
    Case("husband of 60, wife of 50", "eligible one_child", who="M", wife=woman(birth_date=date(1976, 1, 1))),
]

BESIDE_SPECIAL_ASSISTANCE = [
    Case("only child died: in T, so not in J", "ineligible: not_in_t", children=(dead_child(),)),
    Case("only child disabled: in T, so not in J", "ineligible: not_in_t", children=(disabled_child(),)),
    Case(
        "only child died, T undecided",
        "unknown: special_assistance_decision",
        children=(dead_child(death_proof_code=None),),
    ),
    Case(
        "only child disabled at level 4: not in T",
        "eligible one_child",
        children=(disabled_child(disability_level_code="4"),),
    ),
    Case(
        "only child died, wife of 48: her husband of 64 is not in T yet",
        "eligible no_living_child",
        children=(dead_child(),),
        who="M",
        wife=woman(birth_date=date(1977, 6, 2)),
    ),
]

CASES = [*CHILDREN, *BIRTHS, *HUKOU, *PERSONS, *BESIDE_SPECIAL_ASSISTANCE]


@pytest.fixture(scope="module")
def decided() -> dict[str, str]:
    return outcomes("reward_assistance", CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.situation)
def test_the_situation_is_decided_as_the_table_says(case: Case, decided: dict[str, str]) -> None:
    assert decided[case.situation] == case.outcome


@pytest.mark.parametrize("clause_id", clause_ids("reward_assistance"))
def test_the_table_notices_a_clause_that_is_switched_off(clause_id: str, tmp_path: Path) -> None:
    without = outcomes("reward_assistance", CASES, policy_without(clause_id, "reward_assistance", tmp_path))
    assert any(without[case.situation] != case.outcome for case in CASES)
