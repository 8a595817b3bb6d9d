"""Rules drawn as tables: a situation, and what must be decided about one person in it.

An outcome is written as people say it: `eligible death`, `ineligible: alive, age_49` (exactly the clauses
that fail) or `unknown: death_proof` (exactly the documents that would decide).
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from schemas.policy import POLICY
from tests.support.families import Row, child, decide, man, marriage, woman

TODAY = date(2026, 6, 1)


@dataclass(frozen=True)
class Case:
    """A family on a day, and the outcome for `who` in it (W the wife, M the husband)."""

    situation: str
    outcome: str
    wife: Row | None = field(default_factory=woman)
    husband: Row | None = field(default_factory=man)
    others: Sequence[Row] = ()
    children: Sequence[Row] = field(default_factory=lambda: (child(),))
    marriages: Sequence[Row] = field(default_factory=lambda: (marriage(),))
    who: str = "W"
    day: date = TODAY


def outcomes(programme: str, cases: Sequence[Case], policy: Path = POLICY) -> dict[str, str]:
    """Decide every case, families side by side, and tell each situation's outcome."""
    assert len({case.situation for case in cases}) == len(cases)
    told = {}
    for day in {case.day for case in cases}:
        side_by_side = [(number, case) for number, case in enumerate(cases, start=1) if case.day == day]
        decisions = decide(
            [_apart(row, number) for number, case in side_by_side for row in _persons(case)],
            [_apart(row, number) for number, case in side_by_side for row in case.children],
            [_apart(row, number) for number, case in side_by_side for row in case.marriages],
            day,
            policy,
        )
        for number, case in side_by_side:
            told[case.situation] = outcome_of(decisions[programme, f"{number}-{case.who}"])
    return told


def _persons(case: Case) -> list[Row]:
    return [person for person in (case.wife, case.husband, *case.others) if person is not None]


def _apart(row: Row, number: int) -> Row:
    """Give the family its own numbers, so that families do not mix."""
    numbers = {key: number * 100 + row[key] for key in ("relation_id", "marriage_id") if key in row}
    persons = {
        key: f"{number}-{value}"
        for key, value in row.items()
        if key.endswith("person_id") and value is not None
    }
    return {**row, **numbers, **persons}


def outcome_of(decision: Mapping[str, Any]) -> str:
    """Write a decision as people say it."""
    if decision["decision_code"] == "eligible":
        return f"eligible {decision['category_code']}"
    if decision["decision_code"] == "unknown":
        return f"unknown: {', '.join(decision['missing_document_codes'])}"
    failed = [name.removeprefix("clause_") for name, holds in decision.items() if holds is False]
    return f"ineligible: {', '.join(failed)}"


def policy_without(clause_id: str, programme: str, folder: Path) -> Path:
    """Copy the policy with one clause of a programme that always holds."""
    copy = folder / "policy"
    shutil.copytree(POLICY, copy)
    path = copy / programme / "programme.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    for clause in content["clauses"]:
        if clause["id"] == clause_id:
            clause["holds"] = "TRUE"
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return copy


def clause_ids(programme: str) -> list[str]:
    """List the clauses of a programme as written in its file."""
    content = yaml.safe_load((POLICY / programme / "programme.yaml").read_text(encoding="utf-8"))
    return [clause["id"] for clause in content["clauses"]]
