"""What a receiver has accepted and what it is to be told, person by person in plain Python.

The slow reference beside sql/submission/receiver_record.sql and difference.sql; it shares no code with them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass
class Told:
    """One report about a person, in the order in which they were made."""

    person_id: str
    operation: str
    facts: str
    outcome: str = "open"
    is_asked_again: bool = False


@dataclass(frozen=True)
class Due:
    """A report that is to be made: which facts, the nth of its operation, and which try it repeats."""

    person_id: str
    operation: str
    facts: str
    sequence: int
    ordinal: int
    first_try: int | None


def held_by_receiver(told: Iterable[Told]) -> dict[str, str]:
    """Tell which facts the receiver has of whom, from its acceptances alone."""
    held: dict[str, str] = {}
    for report in told:
        if report.outcome != "accepted":
            continue
        if report.operation == "C":
            held.pop(report.person_id, None)
        else:
            held[report.person_id] = report.facts
    return held


def due_reports(told: list[Told], eligible: Mapping[str, str], kept: frozenset[str]) -> dict[str, Due]:
    """Tell what is to be reported of whom: `eligible` with their facts, `kept` left as they are."""
    held = held_by_receiver(told)
    due = {}
    for person_id in sorted({*eligible, *held} - kept):
        mine = [report for report in told if report.person_id == person_id]
        if any(report.outcome == "open" for report in mine):
            continue
        operation, facts = _wanted(eligible.get(person_id), held.get(person_id))
        if operation is None:
            continue
        since = max((n for n, report in enumerate(mine, 1) if report.outcome == "accepted"), default=0)
        refused = [
            (n, report)
            for n, report in enumerate(mine, 1)
            if n > since and report.outcome == "refused" and report.operation == operation
        ]
        if any(report.facts == facts and not report.is_asked_again for _, report in refused):
            continue
        sequence = 1 + sum(report.operation == operation for report in mine)
        first = refused[0][0] if refused else None
        due[person_id] = Due(person_id, operation, facts, sequence, len(mine) + 1, first)
    return due


def _wanted(decided: str | None, held: str | None) -> tuple[str | None, str]:
    if decided is None:
        return ("C", held) if held is not None else (None, "")
    if held is None:
        return "A", decided
    return ("B", decided) if decided != held else (None, "")
