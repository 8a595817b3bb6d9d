"""Every day on which the law changes, the day before and the day itself: generated from the policy files.

What must hold is read from the files by themselves, a line at a time, and not by the code that decides.
"""

from datetime import date, timedelta
from typing import Any

import pytest
import yaml

from etl.subsidy.compile import asked_facts, compile_programme
from etl.subsidy.facts import fact_parameters
from schemas.policy import POLICY, load_parameter
from schemas.policy_check import asked_parameters, change_days
from schemas.programme_file import load_programme, programme_names
from schemas.refusal import Refusal

DAY = timedelta(days=1)
EVERY_CHANGE = [(name, day) for name in programme_names() for day in change_days(load_programme(name))]


def lines_of(name: str) -> dict[date, dict[str, Any]]:
    content = yaml.safe_load((POLICY / f"{name}.yaml").read_text(encoding="utf-8"))
    return {
        day: {"": entry["value"]} if "value" in entry else {kind: entry[kind]["value"] for kind in entry}
        for day, entry in (content.get("values") or {}).items()
    }


def in_force(name: str, day: date) -> dict[str, Any] | None:
    """Read the value of a day from the file: the last line that begins on or before it."""
    begun = {start: entry for start, entry in lines_of(name).items() if start <= day}
    return begun[max(begun)] if begun else None


CHANGED_VALUES = [
    (parameter.name, day)
    for parameter in {
        parameter.name: parameter
        for name in programme_names()
        for parameter in asked_parameters(load_programme(name))
    }.values()
    for day in lines_of(parameter.name)
] + [
    (name, day)
    for name in ("funding/central_percent", "funding/city_percent", "funding/district_percent")
    for day in lines_of(name)
]


@pytest.mark.parametrize(("name", "day"), CHANGED_VALUES)
def test_a_value_holds_from_its_day_and_not_on_the_day_before(name: str, day: date) -> None:
    parameter = load_parameter(name)
    for asked in (day - DAY, day):
        expected = in_force(name, asked)
        assert parameter.has_value_on(asked) is (expected is not None)
        for kind, value in (expected or {}).items():
            entry = parameter.entry_on(asked, kind or None)
            assert (entry.value, entry.kind) == (value, kind or None)
            assert entry.reference.title
            assert entry.confidence in ("high", "medium", "low")


def clauses_on(name: str, day: date) -> set[tuple[str, str]]:
    """Read the clauses of a day from the file: begun, known and not ended."""
    content = yaml.safe_load((POLICY / name / "programme.yaml").read_text(encoding="utf-8"))
    return {
        (clause["id"], str(clause["document"]["number"]))
        for clause in content["clauses"]
        if clause["effective_from"] <= day and clause["known_since"] <= day
        and (clause.get("effective_to") is None or day < clause["effective_to"])
    }  # fmt: skip


@pytest.mark.parametrize(("name", "day"), EVERY_CHANGE)
def test_clauses_hold_from_their_day_and_not_on_the_day_before(name: str, day: date) -> None:
    programme = load_programme(name)
    for asked in (day - DAY, day):
        expected = clauses_on(name, asked)
        try:
            found = {(clause.clause_id, clause.document_number) for clause in programme.clauses_on(asked)}
        except Refusal as refusal:
            assert (refusal.code, expected) == ("programme_not_in_force", set())  # noqa: PT017 - either is said
        else:
            assert found == expected


def decided_by(name: str, day: date) -> object:
    """Tell all that a programme is decided by on a day: the query, its values and those of the facts."""
    programme = load_programme(name)
    asked = asked_facts([programme], day)
    values = fact_parameters(programme.facts, day, asked)
    needed = {name for fact in asked for name in programme.facts.facts[fact].parameters}
    return compile_programme(programme, day), asked, {name: values[name] for name in sorted(needed)}


@pytest.mark.parametrize(("name", "day"), EVERY_CHANGE)
def test_nothing_changes_between_one_change_and_the_next(name: str, day: date) -> None:
    later = [other for other in change_days(load_programme(name)) if other > day]
    last = min(later) - DAY if later else date(2040, 12, 31)
    assert decided_by(name, day) == decided_by(name, last)


@pytest.mark.parametrize("name", programme_names())
def test_every_day_of_change_is_listed(name: str) -> None:
    """Looking at each half-year of thirty-five finds no other day."""
    programme = load_programme(name)
    days = [date(year, month, 1) for year in range(2003, 2038) for month in (1, 7)]
    days = [day for day in days if day >= min(change_days(programme))]
    told = [decided_by(name, day) for day in days]
    for before, after, was, becomes in zip(days, days[1:], told, told[1:], strict=False):
        listed = any(before < day <= after for day in change_days(programme))
        assert listed or was == becomes, (before, after)
