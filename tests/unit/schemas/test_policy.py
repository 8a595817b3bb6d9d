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


def test_a_value_counts_from_the_day_on_which_it_was_known(tmp_path: Path) -> None:
    """In force from 1 July, known from 3 August: until then the one before it goes on."""
    read(
        tmp_path,
        HEAD
        + f"values:\n  2020-01-01: {{value: 1, {CITED}}}\n"
        + f"  2026-07-01: {{value: 2, known_since: 2026-08-03, {CITED}}}\n",
    )
    limit = load_parameter("limit", tmp_path)
    july, august = date(2026, 7, 15), date(2026, 8, 3)
    assert [limit.on(day) for day in (july, date(2026, 8, 2), august)] == [1, 1, 2]
    assert [limit.as_known_at(known).on(july) for known in (july, date(2026, 8, 2), august)] == [1, 1, 2]
    assert limit.as_known_at(august).on(date(2026, 6, 30)) == 1
    # Announced before it is in force, it waits for its day.
    read(tmp_path, HEAD + f"values:\n  2026-07-01: {{value: 2, known_since: 2026-05-01, {CITED}}}\n")
    load_parameter.cache_clear()
    early = load_parameter("limit", tmp_path)
    assert [early.has_value_on(day) for day in (date(2026, 6, 30), date(2026, 7, 1))] == [False, True]
    with pytest.raises(Refusal, match="policy_date_unreadable"):
        read_other(tmp_path, HEAD + f"values:\n  2026-07-01: {{value: 2, known_since: May, {CITED}}}\n")


def read_other(folder: Path, text: str) -> object:
    load_parameter.cache_clear()
    return read(folder, text)


PARAMETERS = parameter_names()


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_value_in_the_project_can_be_read_today(name: str) -> None:
    load_parameter(name).entry_on(date(2026, 6, 1), "urban")
