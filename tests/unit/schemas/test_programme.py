"""Programmes are read strictly: clauses, facts, values and documents must fit together."""

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.policy import POLICY
from schemas.programme import policy_version
from schemas.programme_file import load_programme, programme_names
from schemas.refusal import Refusal

Content = dict[str, Any]
PROGRAMMES = programme_names()


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    shutil.copytree(POLICY, tmp_path / "policy")
    return tmp_path / "policy"


def change(
    policy: Path, edit: Callable[[Content], object], file: str = "special_assistance/programme.yaml"
) -> None:
    content = yaml.safe_load((policy / file).read_text(encoding="utf-8"))
    edit(content)
    (policy / file).write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")


def again(content: Content, **changes: object) -> None:
    """Write the first clause a second time."""
    content["clauses"].append({**content["clauses"][0], **changes})


@pytest.mark.parametrize(
    ("code", "edit"),
    [
        ("key_unknown", lambda c: c.update(claims=[])),
        ("key_unknown", lambda c: c["clauses"][0].update(hold="TRUE")),
        ("key_missing", lambda c: c["clauses"][0].pop("document")),
        ("key_missing", lambda c: c["clauses"][0]["document"].pop("number")),
        ("key_missing", lambda c: c["clauses"][0]["document"].pop("href")),
        ("policy_uncited", lambda c: c["clauses"][0].update(confidence="high")),
        ("policy_date_unreadable", lambda c: c["clauses"][0].update(effective_from="2008")),
        ("policy_known_before_announced", lambda c: c["clauses"][0].update(known_since=date(2000, 1, 1))),
        ("clause_repeated", again),
        ("clause_repeated", lambda c: again(c, effective_from=date(2020, 1, 1))),
        (
            "policy_dates_gap",
            lambda c: (
                c["clauses"][0].update(effective_to=date(2019, 12, 31)),
                again(c, effective_from=date(2020, 1, 1), effective_to=None),
            ),
        ),
        (
            "policy_dates_overlap",
            lambda c: (
                c["clauses"][0].update(effective_to=date(2020, 1, 2)),
                again(c, effective_from=date(2020, 1, 1), effective_to=None),
            ),
        ),
        ("fact_undeclared", lambda c: c["clauses"][0].update(holds="is_alve")),
        ("fact_undeclared", lambda c: c["categories"][0].update(when="is_child_alive")),
        (
            "fact_undeclared",
            lambda c: c["clauses"][0].update(missing_document={"life_certificate": "is_alve"}),
        ),
        ("parameter_undeclared", lambda c: c["clauses"][0].update(holds="age_years > $age")),
        ("predicate_unreadable", lambda c: c["clauses"][0].update(holds="is_alive AND (")),
        ("predicate_unreadable", lambda c: c["clauses"][0].update(holds="DROP TABLE facts")),
        ("predicate_unreadable", lambda c: c["clauses"][0].update(holds="EXISTS (SELECT 1 FROM facts)")),
        (
            "document_undeclared",
            lambda c: c["clauses"][0].update(missing_document={"paper": "is_alive IS NULL"}),
        ),
        ("amount_unit_unknown", lambda c: c.update(amount_unit="week")),
        ("amount_unit_differs", lambda c: c.update(amount_unit="year")),
        ("file_missing", lambda c: c["categories"][0].update(amounts=["special_assistance/none"])),
        ("file_missing", lambda c: c["parameters"].update(age="age/none")),
    ],
)
def test_a_programme_that_does_not_fit_is_refused(
    code: str, edit: Callable[[Content], object], policy: Path
) -> None:
    change(policy, edit)
    with pytest.raises(Refusal) as caught:
        load_programme("special_assistance", policy)
    assert caught.value.code == code
    assert ".yaml" in caught.value.found


def test_a_fact_of_an_unknown_type_is_refused(policy: Path) -> None:
    change(policy, lambda c: c["facts"]["is_alive"].update(type="float"), "facts.yaml")
    with pytest.raises(Refusal, match="fact_type_unknown"):
        load_programme("special_assistance", policy)


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("fact_changes_unknown", {"changes": "sideways"}),
        ("fact_rests_on_unknown", {"rests_on": ["neighbour"]}),
        ("fact_values_missing", {"values": {"yes": "是 · yes"}}),
        ("fact_values_missing", {"type": "text"}),
    ],
)
def test_a_fact_that_tells_too_little_of_itself_is_refused(
    code: str, changes: dict[str, object], policy: Path
) -> None:
    change(policy, lambda c: c["facts"]["is_alive"].update(changes), "facts.yaml")
    with pytest.raises(Refusal, match=code):
        load_programme("special_assistance", policy)


@pytest.mark.parametrize("name", PROGRAMMES)
def test_a_programme_did_not_exist_before_its_first_clause(name: str) -> None:
    with pytest.raises(Refusal, match=r"programme_not_in_force.*programme\.yaml.*2003-08-31"):
        load_programme(name).clauses_on(date(2003, 8, 31))


def versions_known(policy: Path, day: date) -> list[str]:
    clauses = load_programme("special_assistance", policy).clauses_on(day)
    return [clause.holds.sql() for clause in clauses if clause.clause_id == "alive"]


def test_a_changed_clause_is_applied_once_it_is_in_force_and_known(policy: Path) -> None:
    """Announced late: in force from 1 January 2020, known from 1 March 2020."""
    change(
        policy,
        lambda c: (
            c["clauses"][0].update(effective_to=date(2020, 1, 1)),
            again(
                c,
                effective_from=date(2020, 1, 1),
                effective_to=date(2024, 1, 1),
                announced=date(2020, 3, 1),
                known_since=date(2020, 3, 1),
                holds="TRUE",
            ),
        ),
    )
    assert versions_known(policy, date(2019, 12, 31)) == ["is_alive"]
    assert versions_known(policy, date(2020, 2, 29)) == ["is_alive"]
    assert versions_known(policy, date(2020, 3, 1)) == ["TRUE"]
    assert versions_known(policy, date(2023, 12, 31)) == ["TRUE"]
    assert versions_known(policy, date(2024, 1, 1)) == []


@pytest.mark.parametrize(
    "file",
    [
        "special_assistance/programme.yaml",
        "special_assistance/wife_age.yaml",
        "special_assistance/national_monthly_amount_death.yaml",
        "age/leap_birthday.yaml",
        "facts.yaml",
    ],
)
def test_the_policy_version_covers_every_file_that_decides(file: str, policy: Path) -> None:
    before = policy_version(load_programme("special_assistance", policy))
    assert before == policy_version(load_programme("special_assistance"))
    with (policy / file).open("a", encoding="utf-8") as text:
        text.write("\n# appended\n")
    assert policy_version(load_programme("special_assistance", policy)) != before


def test_the_policy_version_leaves_out_what_decides_nothing(policy: Path) -> None:
    before = policy_version(load_programme("special_assistance", policy))
    with (policy / "reward_assistance" / "age.yaml").open("a", encoding="utf-8") as text:
        text.write("\n# appended\n")
    assert policy_version(load_programme("special_assistance", policy)) == before
