"""The golden cases of `policy/golden/`: decided by the query and by hand as they say, able to notice changes.

A clause that is switched off and a limit that is moved by one step must each break some case: whoever
changes the law by accident is told, and whoever changes it by intent changes cases that a lawyer can read.
"""

import shutil
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from etl.subsidy.golden import GoldenCase, broken_cases, golden_cases, in_words
from etl.subsidy.judge import EVERY_PROGRAMME, PROGRAMMES
from schemas.policy import POLICY
from schemas.policy_check import asked_limits
from schemas.programme_file import load_programme
from schemas.refusal import Refusal
from tests.support.subsidy_by_hand import City, decide_by_hand

CASES = golden_cases()
HAND_WORDS = {"eligible": "符合", "ineligible": "不符合", "unknown": "待定"}
Content = dict[str, Any]


@pytest.fixture(scope="module")
def broken() -> set[tuple[str, str]]:
    return {(case.programme, case.situation) for case in broken_cases(CASES)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.programme}: {case.situation}")
def test_the_query_decides_as_the_case_says(case: GoldenCase, broken: set[tuple[str, str]]) -> None:
    assert (case.programme, case.situation) not in broken


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.programme}: {case.situation}")
def test_deciding_by_hand_says_the_same(case: GoldenCase) -> None:
    family = case.family
    city = City(family.persons, family.children, family.marriages, case.day, family.complications)
    decision, category = decide_by_hand(city)[case.programme, case.who]
    said = case.decision.split(" ")
    assert said[0] == HAND_WORDS[decision]
    if category is not None:
        assert said == [said[0], category]


def test_there_are_enough_of_them_for_every_programme() -> None:
    counted = Counter(case.programme for case in CASES)
    assert set(counted) == set(EVERY_PROGRAMME)
    assert counted.total() >= 150
    assert min(counted.values()) >= 15


def in_copy(folder: Path, file: str, edit: Callable[[Content], object]) -> Path:
    copy = Path(shutil.copytree(POLICY, folder / "policy"))
    content = yaml.safe_load((copy / file).read_text(encoding="utf-8"))
    edit(content)
    (copy / file).write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return copy


def cases_of(name: str) -> list[GoldenCase]:
    return [case for case in CASES if case.programme == name]


def is_noticed(name: str, policy: Path) -> bool:
    """Tell whether some case is broken; the day of most cases first."""
    days = Counter(case.day for case in cases_of(name)).most_common()
    return any(broken_cases([case for case in cases_of(name) if case.day == day], policy) for day, _ in days)


CLAUSES = [(name, clause.clause_id) for name in EVERY_PROGRAMME for clause in load_programme(name).clauses]


@pytest.mark.parametrize(("name", "clause_id"), CLAUSES)
def test_a_clause_that_is_switched_off_is_noticed(name: str, clause_id: str, tmp_path: Path) -> None:
    def switch_off(content: Content) -> None:
        for clause in content["clauses"]:
            if clause["id"] == clause_id:
                clause["holds"] = "TRUE"

    policy = in_copy(tmp_path, f"{name}/programme.yaml", switch_off)
    assert is_noticed(name, policy)


@pytest.mark.parametrize(("name", "clause_id"), CLAUSES)
def test_a_clause_that_never_holds_is_noticed(name: str, clause_id: str, tmp_path: Path) -> None:
    def refuse(content: Content) -> None:
        for clause in content["clauses"]:
            if clause["id"] == clause_id:
                clause["holds"] = "FALSE"

    policy = in_copy(tmp_path, f"{name}/programme.yaml", refuse)
    assert is_noticed(name, policy)


# There is no fourth level of complications that a case could tell of.
MOVES = [
    (name, limit.name, step)
    for name in EVERY_PROGRAMME
    for limit in asked_limits(load_programme(name))
    for step in (-1, 1)
    if limit.name != "age/leap_birthday" and (limit.name, step) != ("surgical_complication/mildest_level", 1)
]


@pytest.mark.parametrize(("name", "limit", "step"), MOVES)
def test_a_limit_that_is_moved_by_one_step_is_noticed(
    name: str, limit: str, step: int, tmp_path: Path
) -> None:
    def move(content: Content) -> None:
        for entry in content["values"].values():
            value = entry["value"]
            entry["value"] = value + (timedelta(days=step) if isinstance(value, date) else step)

    assert is_noticed(name, in_copy(tmp_path, f"{limit}.yaml", move))


@pytest.mark.parametrize("name", [*PROGRAMMES, "single_child_reward", "single_child_bonus"])
def test_the_other_reading_of_leap_birthdays_is_noticed(name: str, tmp_path: Path) -> None:
    policy = in_copy(
        tmp_path,
        "age/leap_birthday.yaml",
        lambda content: [entry.update(value="02-28") for entry in content["values"].values()],
    )
    broken = broken_cases(cases_of(name), policy)
    # 60 years after a leap day is a leap year: there both readings agree.
    assert bool(broken) is (name != "reward_assistance")


@pytest.mark.parametrize(
    ("code", "edit"),
    [
        ("golden_word_unknown", lambda case: case.update(妻={"出生": "1964"})),
        ("golden_word_unknown", lambda case: case.update(妻={"户籍": "火星"})),
        ("key_unknown", lambda case: case.update(妻={"身高": 170})),
        ("key_unknown", lambda case: case.update(邻居={})),
        ("golden_person_unknown", lambda case: case.update(对象="夫", 夫="无")),
        ("golden_case_twice", lambda case: case.update(情形=CASES[1].situation)),
        ("key_missing", lambda case: case.pop("结论")),
    ],
)
def test_a_case_that_cannot_be_read_is_refused(
    code: str, edit: Callable[[Content], object], tmp_path: Path
) -> None:
    policy = in_copy(tmp_path, "golden/special_assistance.yaml", lambda content: edit(content["判例"][0]))
    with pytest.raises(Refusal) as caught:
        golden_cases(policy)
    assert caught.value.code == code


def test_what_is_broken_says_how_it_is_decided_now(tmp_path: Path) -> None:
    policy = in_copy(
        tmp_path,
        "special_assistance/wife_age.yaml",
        lambda content: [entry.update(value=50) for entry in content["values"].values()],
    )
    told = {
        case.situation: (case.expected, case.found)
        for case in broken_cases(cases_of("special_assistance"), policy)
    }
    assert told["当日满49周岁 · 49 today"] == ("符合 death", "不符合 age_49")


def test_a_decision_is_written_as_people_say_it() -> None:
    row = {"decision_code": "ineligible", "clause_alive": False, "clause_age_49": None, "category_code": None}
    assert in_words(row) == "不符合 alive"
