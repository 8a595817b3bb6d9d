"""Hold a policy folder against itself: what loading cannot see of one file alone.

Loading refuses a gap, an overlap, a value without a citation and a name that is not declared. Left to look
at is whether every value that is asked for is there on each day, whether anything is declared that nobody
asks for, and whether shares add up.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from sqlglot import exp

from schemas.policy import POLICY, Parameter, Scalar, load_parameter
from schemas.predicate import facts_of, parameters_of
from schemas.programme import Programme
from schemas.programme_file import load_documents, load_facts, load_programme, programme_names
from schemas.refusal import Refusal

# Values that no programme asks for: steps ask for them by name.
ASKED_BY_STEPS = frozenset({"births", "case_life", "deadlines", "funding", "quality", "sharing", "worklist"})
GOLDEN = "golden"
COMPARED = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like)
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
        *(finding for programme in programmes for finding in _types_differ(programme)),
        *_codes_repeated(programmes),
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
    told: set[tuple[str, str]] = set()
    for place, load in loads.items():
        try:
            load()
        except Refusal as refusal:
            # A programme meets again what is amiss in a file that it loads.
            if (refusal.code, refusal.found) not in told:
                told.add((refusal.code, refusal.found))
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


def _codes_repeated(programmes: list[Programme]) -> Iterator[Finding]:
    codes = [programme.code for programme in programmes]
    for programme in programmes:
        if codes.count(programme.code) > 1:
            yield Finding("programme_repeated", programme.name, f"code {programme.code} twice", "rename one")


def _types_differ(programme: Programme) -> Iterator[Finding]:
    """Find values that cannot be compared with the facts that they are compared with."""
    facts, limits = programme.facts.facts, programme.parameters
    for comparison in (each for rule in _conditions(programme) for each in rule.find_all(*COMPARED)):
        types = {facts[column.name].type_name for column in comparison.find_all(exp.Column)}
        if len(types) != 1:
            continue
        (kind,) = types
        values = {literal.sql(): _value_of(literal) for literal in comparison.find_all(exp.Literal)}
        values |= {
            f"{limits[name].name} from {entry.valid_from}": entry.value
            for name in sorted(parameters_of(comparison))
            for entry in limits[name].values
        }
        for told, value in values.items():
            if not FITS[kind](value):
                yield Finding(
                    "value_of_another_type",
                    programme.name,
                    f"{told}, compared with {', '.join(facts_of(comparison))}, which is {kind}",
                    "correct the value or the condition",
                )


def _conditions(programme: Programme) -> Iterator[exp.Expr]:
    for clause in programme.clauses:
        yield from (clause.holds, *clause.missing_documents.values())
    yield from (category.when for category in programme.categories)


def _value_of(literal: exp.Literal) -> Scalar:
    text = str(literal.this)
    return text if literal.is_string or not text.lstrip("-").isdigit() else int(text)


def _is_day(value: Scalar) -> bool:
    try:
        return isinstance(value, date) or bool(date.fromisoformat(str(value)))
    except ValueError:
        return False


# Which values may be compared with a fact, by its type.
FITS: Mapping[str, Callable[[Scalar], bool]] = {
    "boolean": lambda _: False,
    "integer": lambda value: type(value) is int,
    "text": lambda value: isinstance(value, str),
    "date": _is_day,
}


def _unused(programmes: list[Programme], folder: Path) -> Iterator[Finding]:
    conditions = [condition for programme in programmes for condition in _conditions(programme)]
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
    for programme in programmes:
        named = {name for condition in _conditions(programme) for name in parameters_of(condition)}
        for name in sorted(set(programme.parameters) - named):
            yield Finding("value_unused", programme.name, f"{name}, which no clause names", "take it out")


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
