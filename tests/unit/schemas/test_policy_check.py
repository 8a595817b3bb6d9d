"""The check of a policy folder: ours is clean, and each fault that is planted is found."""

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from etl.cli import app
from schemas.policy import POLICY
from schemas.policy_check import check_policy

Content = dict[str, Any]
AMOUNT = "single_child_bonus/amount.yaml"
SHARE = "funding/district_percent.yaml"
PROGRAMME = "special_assistance/programme.yaml"
LIMIT = "special_assistance/wife_age.yaml"


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(POLICY, tmp_path / "policy"))


def change(policy: Path, file: str, edit: Callable[[Content], object]) -> None:
    content = yaml.safe_load((policy / file).read_text(encoding="utf-8"))
    edit(content)
    (policy / file).write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")


def later(content: Content) -> None:
    """Let the first value begin long after the programme."""
    first = min(content["values"])
    content["values"][date(2020, 1, 1)] = content["values"].pop(first)


def uncited(content: Content) -> None:
    first = content["values"][min(content["values"])]
    first["reference"]["href"] = None


def gap(content: Content) -> None:
    content["values"][min(content["values"])]["valid_to"] = date(2021, 11, 1)


def amount_of(value: object) -> Callable[[Content], object]:
    def edit(content: Content) -> None:
        content["values"][min(content["values"])]["value"] = value

    return edit


def holds(condition: str) -> Callable[[Content], object]:
    def edit(content: Content) -> None:
        content["clauses"][0]["holds"] = condition

    return edit


def named_as_another(content: Content) -> None:
    content["code"] = "J"


def category_twice(content: Content) -> None:
    content["categories"].append(dict(content["categories"][0]))


def test_our_policy_fits_together() -> None:
    assert check_policy() == ()


@pytest.mark.parametrize(
    ("code", "file", "edit"),
    [
        ("policy_value_missing", AMOUNT, later),
        ("policy_value_missing", LIMIT, later),
        ("policy_value_missing", "age/leap_birthday.yaml", later),
        ("policy_uncited", AMOUNT, uncited),
        ("policy_dates_gap", "single_child_help/amount.yaml", gap),
        ("value_out_of_bounds", AMOUNT, amount_of(-50_000)),
        ("value_out_of_bounds", AMOUNT, amount_of(0)),
        ("value_out_of_bounds", AMOUNT, amount_of(10**17)),
        ("value_out_of_bounds", LIMIT, amount_of(-4)),
        ("value_out_of_bounds", SHARE, amount_of(101)),
        ("value_out_of_bounds", "case_life/investigators.yaml", amount_of(0)),
        ("value_out_of_bounds", "case_life/sample_percent.yaml", amount_of(0)),
        ("value_out_of_bounds", "case_life/publicity_days.yaml", amount_of(10**9)),
        ("value_out_of_bounds", "case_life/assess_due.yaml", amount_of("02-31")),
        ("value_of_another_type", "case_life/investigators.yaml", amount_of("two")),
        ("value_of_another_type", AMOUNT, amount_of("50000")),
        ("value_of_another_type", LIMIT, amount_of("forty")),
        ("value_of_another_type", PROGRAMME, holds("is_alive AND birth_date > 'banana'")),
        ("value_of_another_type", PROGRAMME, holds("is_alive AND age_years > '40'")),
        ("function_in_predicate", PROGRAMME, holds("is_alive AND random() > 0.5")),
        ("function_in_predicate", PROGRAMME, holds("is_alive AND birth_date < current_date")),
        ("function_in_predicate", PROGRAMME, holds("nosuchfn(age_years) > 1")),
        ("predicate_unreadable", PROGRAMME, holds("age_years + 1")),
        ("programme_repeated", PROGRAMME, named_as_another),
        ("category_repeated", PROGRAMME, category_twice),
        ("shares_differ", SHARE, lambda c: c["values"][date(2015, 1, 1)].update(value=16)),
        ("shares_differ", SHARE, lambda c: c["values"].pop(date(2014, 1, 1))),
        ("document_unused", "documents.yaml", lambda c: c.update(paper="一张纸 · a paper")),
        ("fact_undeclared", "facts.yaml", lambda c: c["facts"].pop("age_years")),
        ("parameter_undeclared", "facts.yaml", lambda c: c["parameters"].pop("child_age")),
        (
            "fact_unused",
            "facts.yaml",
            lambda c: c["facts"].update(is_tall={**c["facts"]["is_alive"], "description": "高 · tall"}),
        ),
        (
            "value_unused",
            "special_assistance/programme.yaml",
            lambda c: c["categories"][0]["amounts"].pop(1),
        ),
        ("value_unused", PROGRAMME, lambda c: c["parameters"].update(unasked="single_child/child_age")),
    ],
)  # fmt: skip
def test_a_fault_is_found(code: str, file: str, edit: Callable[[Content], object], policy: Path) -> None:
    change(policy, file, edit)
    assert code in {finding.code for finding in check_policy(policy)}


def test_a_fault_of_a_file_is_told_once(policy: Path) -> None:
    change(policy, AMOUNT, amount_of(0))
    assert [finding.place for finding in check_policy(policy)] == [AMOUNT.removesuffix(".yaml")]


def test_the_command_tells_and_fails(policy: Path) -> None:
    assert CliRunner().invoke(app, ["policy", "check"]).exit_code == 0
    change(policy, AMOUNT, later)
    told = CliRunner().invoke(app, ["policy", "check", "--policy", str(policy)])
    assert told.exit_code == 1
    assert AMOUNT.split("/")[0][:8] in told.output
