"""Policy values are read strictly: whatever is missing, misspelt or contradictory is refused by name."""

from datetime import date
from pathlib import Path

import pytest

from schemas.policy import load_parameter
from schemas.policy_check import parameter_names
from schemas.refusal import Refusal

CITED = 'jurisdiction: "110000", reference: {title: t, article: null, href: h}, confidence: high'
HEAD = "description: d\nunit: u\n"


def read(folder: Path, text: str) -> object:
    (folder / "limit.yaml").write_text(text, encoding="utf-8")
    return load_parameter("limit", folder)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("key_missing", "description: d\nvalues: {}\n"),
        ("key_missing", HEAD),
        ("key_unknown", HEAD + f"valeus: 1\nvalues:\n  2020-01-01: {{value: 1, {CITED}}}\n"),
        ("key_unknown", HEAD + f"values:\n  2020-01-01: {{value: 1, since: 2, {CITED}}}\n"),
        (
            "key_missing",
            HEAD + 'values:\n  2020-01-01: {value: 1, jurisdiction: "110000", confidence: low}\n',
        ),
        (
            "key_missing",
            HEAD
            + 'values:\n  2020-01-01: {value: 1, jurisdiction: "110000", confidence: low, '
            + "reference: {title: t}}\n",
        ),
        (
            "policy_uncited",
            HEAD
            + 'values:\n  2020-01-01: {value: 1, jurisdiction: "1", confidence: high, '
            + "reference: {title: t, article: null, href: null}}\n",
        ),
        (
            "policy_confidence_unknown",
            HEAD + f"values:\n  2020-01-01: {{value: 1, {CITED.replace('high', 'sure')}}}\n",
        ),
        ("policy_date_unreadable", HEAD + f"values:\n  2020: {{value: 1, {CITED}}}\n"),
        ("policy_value_unreadable", HEAD + f"values:\n  2020-01-01: {{value: 1.5, {CITED}}}\n"),
        ("policy_value_unreadable", HEAD + f"values:\n  2020-01-01: {{value: yes, {CITED}}}\n"),
        (
            "yaml_key_repeated",
            HEAD + f"values:\n  2020-01-01: {{value: 1, {CITED}}}\n  2020-01-01: {{value: 2, {CITED}}}\n",
        ),
        (
            "policy_dates_gap",
            HEAD
            + f"values:\n  2020-01-01: {{value: 1, valid_to: 2020-12-31, {CITED}}}\n"
            + f"  2021-01-01: {{value: 2, {CITED}}}\n",
        ),
        (
            "policy_dates_overlap",
            HEAD
            + f"values:\n  2020-01-01: {{value: 1, valid_to: 2021-01-02, {CITED}}}\n"
            + f"  2021-01-01: {{value: 2, {CITED}}}\n",
        ),
        (
            "policy_dates_empty",
            HEAD + f"values:\n  2020-01-01: {{value: 1, valid_to: 2020-01-01, {CITED}}}\n",
        ),
        ("policy_choice_unknown", HEAD + f"choices: [2]\nvalues:\n  2020-01-01: {{value: 1, {CITED}}}\n"),
        ("yaml_no_mapping", "- 1\n"),
        ("yaml_unreadable", "a: [\n"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_by_name(code: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"limit\.yaml") as caught:
        read(tmp_path, text)
    assert caught.value.code == code


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"file_missing.*nowhere\.yaml"):
        load_parameter("nowhere", tmp_path)


def test_a_value_holds_from_its_day_until_the_next(tmp_path: Path) -> None:
    read(
        tmp_path,
        HEAD
        + f"values:\n  2021-01-01: {{value: 2, valid_to: 2022-01-01, {CITED}}}\n"
        + f"  2020-01-01: {{value: 1, {CITED}}}\n",
    )
    limit = load_parameter("limit", tmp_path)
    assert limit.on(date(2020, 1, 1)) == 1
    assert limit.on(date(2020, 12, 31)) == 1
    assert limit.on(date(2021, 12, 31)) == 2
    for outside in (date(2019, 12, 31), date(2022, 1, 1)):
        with pytest.raises(Refusal, match=rf"policy_value_missing.*limit\.yaml.*{outside}"):
            limit.on(outside)


def test_a_value_by_kind_wants_the_kind(tmp_path: Path) -> None:
    read(
        tmp_path,
        HEAD
        + f"values:\n  2020-01-01:\n    urban: {{value: 1, {CITED}}}\n    rural: {{value: 2, {CITED}}}\n"
        + f"  2021-01-01: {{value: 3, {CITED}}}\n",
    )
    limit = load_parameter("limit", tmp_path)
    assert (limit.on(date(2020, 6, 1), "urban"), limit.on(date(2020, 6, 1), "rural")) == (1, 2)
    assert limit.on(date(2021, 6, 1), "rural") == limit.on(date(2021, 6, 1)) == 3
    with pytest.raises(Refusal, match=r"policy_kind_missing.*limit\.yaml.*rural, urban"):
        limit.on(date(2020, 6, 1))


PARAMETERS = parameter_names()


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_value_in_the_project_can_be_read_today(name: str) -> None:
    load_parameter(name).entry_on(date(2026, 6, 1), "urban")
