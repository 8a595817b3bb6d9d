"""Hold a policy folder against itself: what loading cannot see of one file alone.

Loading refuses a gap, an overlap, a value without a citation and a name that is not declared. Left to look
at is whether every value that is asked for is there on each day, whether anything is declared that nobody
asks for, and whether shares add up.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from schemas.policy import POLICY, Parameter, load_parameter
from schemas.predicate import facts_of
from schemas.programme import Programme
from schemas.programme_file import load_documents, load_facts, load_programme, programme_names
from schemas.refusal import Refusal

# Values that no programme asks for: steps ask for them by name.
ASKED_BY_STEPS = frozenset({"births", "case_life", "deadlines", "funding", "quality", "sharing", "worklist"})
GOLDEN = "golden"
CITY, DISTRICT = "funding/city_percent", "funding/district_percent"


@dataclass(frozen=True)
class Finding:
    """Something in a policy folder that does not fit together."""

    code: str
    place: str
    found: str
    to_do: str


def change_days(programme: Programme) -> tuple[date, ...]:
    """List the days on which anything that a programme decides by begins or ends, its first day included."""
    days: set[date | None] = set()
    for clause in programme.clauses:
        days |= {clause.effective_from, clause.effective_to, max(clause.known_since, clause.effective_from)}
    for parameter in asked_parameters(programme):
        days |= {day for value in parameter.values for day in (value.valid_from, value.valid_to)}
        days |= {
            max(value.valid_from, value.known_since)
            for value in parameter.values
            if value.valid_from is not None and value.known_since is not None
        }
    first = min(clause.effective_from for clause in programme.clauses)
    return tuple(sorted(day for day in days if day is not None and day >= first))


def asked_parameters(programme: Programme) -> tuple[Parameter, ...]:
    """List every value that a programme decides by: limits, what facts rest on, amounts."""
    amounts = [amount for category in programme.categories for amount in category.amounts]
    limits = asked_limits(programme)
    return tuple({parameter.name: parameter for parameter in (*limits, *amounts)}.values())


def asked_limits(programme: Programme) -> tuple[Parameter, ...]:
    """List the values that its clauses name, and those that the facts rest on for which they ask."""
    asked = {name for clause in programme.clauses for name in facts_of(clause.holds)}
    of_facts = {name for fact in asked for name in programme.facts.facts[fact].parameters}
    return (*programme.parameters.values(), *(programme.facts.parameters[name] for name in sorted(of_facts)))


def parameter_names(folder: Path = POLICY) -> tuple[str, ...]:
    """List the values of a policy folder by name."""
    return tuple(
        sorted(
            path.relative_to(folder).with_suffix("").as_posix()
            for path in folder.glob("*/*.yaml")
            if path.name != "programme.yaml" and path.parent.name != GOLDEN
        )
    )


def check_policy(folder: Path = POLICY) -> tuple[Finding, ...]:
    """List all that does not fit together in a policy folder; nothing, if it may be decided by."""
    unreadable = tuple(_unreadable(folder))
    if unreadable:
        return unreadable
    programmes = [load_programme(name, folder) for name in programme_names(folder)]
    return (
        *(finding for programme in programmes for finding in _values_missing(programme)),
        *_unused(programmes, folder),
        *_shares(folder),
    )


def _unreadable(folder: Path) -> Iterator[Finding]:
    loads: dict[str, Callable[[], object]] = {
        "facts.yaml": partial(load_facts, folder),
        "documents.yaml": partial(load_documents, folder),
        **{name: partial(load_parameter, name, folder) for name in parameter_names(folder)},
        **{name: partial(load_programme, name, folder) for name in programme_names(folder)},
    }
    for place, load in loads.items():
        try:
            load()
        except Refusal as refusal:
            yield Finding(refusal.code, place, refusal.found, refusal.to_do)


def _values_missing(programme: Programme) -> Iterator[Finding]:
    for day in change_days(programme):
        missing = [limit.name for limit in asked_limits(programme) if not limit.has_value_on(day)]
        missing += [
            category.code
            for category in programme.categories
            if not any(amount.has_value_on(day) for amount in category.amounts)
        ]
        for name in missing:
            yield Finding(
                "policy_value_missing",
                programme.name,
                f"no value of {name} on {day}, while the programme is in force",
                "append the value that held, with its document, or let the programme begin later",
            )


def _unused(programmes: list[Programme], folder: Path) -> Iterator[Finding]:
    conditions = [
        condition
        for programme in programmes
        for clause in programme.clauses
        for condition in (clause.holds, *clause.missing_documents.values())
    ]
    conditions += [category.when for programme in programmes for category in programme.categories]
    asked = {name for condition in conditions for name in facts_of(condition)}
    documents = {
        code for programme in programmes for clause in programme.clauses for code in clause.missing_documents
    }
    values = {parameter.name for programme in programmes for parameter in asked_parameters(programme)}
    declared = {name for name in parameter_names(folder) if name.split("/")[0] not in ASKED_BY_STEPS}
    for code, place, unused in (
        ("fact_unused", "facts.yaml", set(load_facts(folder).facts) - asked),
        ("document_unused", "documents.yaml", set(load_documents(folder)) - documents),
        ("value_unused", "values", declared - values),
    ):
        for name in sorted(unused):
            yield Finding(code, place, f"{name}, for which nobody asks", "ask for it, or take it out")


def _shares(folder: Path) -> Iterator[Finding]:
    city, district = (load_parameter(name, folder) for name in (CITY, DISTRICT))
    days = {value.valid_from for parameter in (city, district) for value in parameter.values}
    for day in sorted(day for day in days if day is not None):
        shares = [parameter.on(day) for parameter in (city, district) if parameter.has_value_on(day)]
        if len(shares) != 2 or sum(shares) != 100:
            yield Finding(
                "shares_differ",
                f"{CITY}, {DISTRICT}",
                f"{' + '.join(map(str, shares))} percent on {day}",
                "let the shares of the remainder add up to 100",
            )
