"""Find the smallest change of facts that would decide otherwise, and prove it by applying it.

Clauses that share no fact are independent of one another, so each such group is looked at by itself: every
assignment of values that its facts may take (policy/facts.yaml says how a fact may change) is put into a
relation and the clauses are asked. A decision is turned into `eligible` by the cheapest way of every group
together, into `ineligible` by the cheapest way of one. What comes out is applied to the facts of the person
and decided by the programme's own query before it is offered.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import pyarrow as pa
from sqlglot import exp

from connectors.engine import run_sql
from connectors.settings import Settings
from etl.subsidy.compile import Bound, asked_facts, compile_programme, decided_facts
from schemas.predicate import facts_of, parameters_of
from schemas.programme import Clause, Fact, Programme
from schemas.refusal import Refusal

Row = Mapping[str, Any]
Assignment = tuple[Any, ...]
TYPES = {"boolean": pa.bool_(), "integer": pa.int32(), "text": pa.string(), "date": pa.date32()}
# Of equally small changes so many are offered.
MOST_OFFERED = 4
TURNS = {"eligible": ("ineligible",), "ineligible": ("eligible",), "unknown": ("eligible", "ineligible")}


@dataclass(frozen=True)
class Change:
    """A fact that would be another one."""

    fact: str
    was: Any
    becomes: Any


@dataclass(frozen=True)
class Flip:
    """What would turn a decision into another one; no ways: no change of facts would do."""

    decision_code: str
    ways: tuple[tuple[Change, ...], ...]


@dataclass(frozen=True)
class Cheapest:
    """The fewest changes within a group of facts that decide so, and by which values."""

    changes: int
    ways: tuple[Assignment, ...]


@dataclass(frozen=True)
class Group:
    """Clauses that share facts, with what is said of these facts."""

    facts: tuple[str, ...]
    clauses: tuple[Clause, ...]
    rules: tuple[exp.Expr, ...]


class Flips:
    """The changes that turn decisions of one programme on one day; what was tried once is remembered."""

    def __init__(self, settings: Settings, programme: Programme, day: date) -> None:
        self.settings, self.programme, self.day = settings, programme, day
        self.clauses = programme.clauses_on(day)
        self._tried: dict[tuple[tuple[str, ...], Assignment], Mapping[str, Cheapest | None]] = {}
        self._possible: dict[str, tuple[Any, ...]] = {}

    @cached_property
    def facts_in_question(self) -> tuple[str, ...]:
        """The facts by which the programme decides, decisions of other programmes among them."""
        asked = {name for clause in self.clauses for name in facts_of(clause.holds)}
        return tuple(name for name in self.programme.facts.facts if name in asked)

    @cached_property
    def rules(self) -> tuple[exp.Expr, ...]:
        """What is said of these facts, and of no others."""
        asked = set(self.facts_in_question)
        return tuple(rule for rule in self.programme.facts.consistent if set(facts_of(rule)) <= asked)

    def find(self, facts: Row, decided: str) -> tuple[Flip, ...]:
        """Find what would turn the decision about a person with some facts, and prove it.

        Raises:
            Refusal: a change does not decide as it should; nothing is offered then.
        """
        found = [
            Flip(decision, tuple(_changes(facts, way) for way in self._ways(facts, decision)))
            for decision in TURNS[decided]
        ]
        for flip in found:
            self._prove(facts, flip)
        return tuple(found)

    def values_of(self, name: str, was: object) -> tuple[Any, ...]:
        """List the values that a fact may take beside the one it has: those on either side of every limit."""
        fact = self.programme.facts.facts[name]
        if name not in self._possible:
            self._possible[name] = self._values_around(fact)
        possible = self._possible[name]
        return tuple(value for value in possible if was is None or _may_become(fact, was, value))

    def decide(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """Decide rows of facts by the programme's own query, each as a person of its own."""
        declared = self.programme.facts.facts
        asked = (*asked_facts([self.programme], self.day), *decided_facts(self.programme, self.day))
        columns = {
            name: pa.array([row[name] for row in rows], TYPES[declared[name].type_name]) for name in asked
        }
        numbers = [f"{number:08d}" for number, _ in enumerate(rows)]
        sql, values = self._query
        facts = pa.table({"person_id": numbers, **columns})
        return list(run_sql(self.settings, sql, {"facts": facts}, values).to_pylist())

    @cached_property
    def _query(self) -> tuple[str, Bound]:
        return compile_programme(self.programme, self.day)

    def _values_around(self, fact: Fact) -> tuple[Any, ...]:
        if fact.type_name == "boolean":
            return (True, False)
        if fact.type_name == "text":
            return tuple(fact.values)
        step: Any = 1 if fact.type_name == "integer" else timedelta(days=1)
        around = {limit + side * step for limit in self._limits(fact.name) for side in (-1, 0, 1)}
        return tuple(sorted(value for value in around if fact.type_name == "date" or value >= 0))

    def _limits(self, name: str) -> set[Any]:
        """Read from the conditions what a fact is compared with."""
        found: set[Any] = set()
        categories = [category.when for category in self.programme.categories]
        for condition in (*(clause.holds for clause in self.clauses), *categories, *self.rules):
            for comparison in condition.find_all(exp.Binary, exp.Between):
                sides = list(comparison.iter_expressions())
                if any(isinstance(side, exp.Column) and side.name == name for side in sides):
                    found |= {value for side in sides for value in self._number(side)}
        return found

    def _number(self, side: exp.Expr) -> Iterable[Any]:
        if isinstance(side, exp.Placeholder):
            yield self.programme.parameters[side.name].on(self.day)
        elif isinstance(side, exp.Literal) and not side.is_string:
            yield int(side.this)

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The clauses, parted into groups that share no fact."""
        parts: list[set[str]] = []
        for condition in (*(clause.holds for clause in self.clauses), *self.rules):
            names = set(facts_of(condition))
            touching = [part for part in parts if part & names]
            parts = [part for part in parts if not part & names] + [names.union(*touching)]
        groups = [
            Group(
                tuple(name for name in self.facts_in_question if name in part),
                tuple(clause for clause in self.clauses if set(facts_of(clause.holds)) <= part),
                tuple(rule for rule in self.rules if set(facts_of(rule)) <= part),
            )
            for part in parts
        ]
        return tuple(sorted(groups, key=lambda group: self.facts_in_question.index(group.facts[0])))

    def _ways(self, facts: Row, decision: str) -> list[dict[str, Any]]:
        """Find the smallest sets of values that decide so: what the facts of the groups are to be."""
        found = [(group, self._cheapest(group, facts)[decision]) for group in self.groups]
        possible = [(group, cheapest) for group, cheapest in found if cheapest is not None]
        if decision == "ineligible":
            least = min((cheapest.changes for _, cheapest in possible), default=0)
            ways = [
                dict(zip(group.facts, assignment, strict=True))
                for group, cheapest in possible
                if cheapest.changes == least
                for assignment in cheapest.ways
            ]
            return ways[:MOST_OFFERED]
        if len(possible) < len(found):
            return []
        together = itertools.product(*(cheapest.ways for _, cheapest in possible))
        return [
            {
                name: value
                for (group, _), assignment in zip(possible, way, strict=True)
                for name, value in zip(group.facts, assignment, strict=True)
            }
            for way in itertools.islice(together, MOST_OFFERED)
        ]

    def _cheapest(self, group: Group, facts: Row) -> Mapping[str, Cheapest | None]:
        """Try every assignment of a group: the fewest changes that let all clauses hold, or one fail."""
        was = tuple(facts[name] for name in group.facts)
        if (group.facts, was) in self._tried:
            return self._tried[group.facts, was]
        domains = [
            (value, *self.values_of(name, value)) for name, value in zip(group.facts, was, strict=True)
        ]
        assignments = list(itertools.product(*domains))
        outcomes = self._judge(group, assignments)
        changes = [sum(value != old for value, old in zip(each, was, strict=True)) for each in assignments]
        best: dict[str, Cheapest | None] = {}
        for decision in ("eligible", "ineligible"):
            fitting = [number for number, outcome in enumerate(outcomes) if outcome == decision]
            least = min((changes[number] for number in fitting), default=0)
            ways = [assignments[number] for number in fitting if changes[number] == least]
            best[decision] = Cheapest(least, tuple(ways[:MOST_OFFERED])) if fitting else None
        self._tried[group.facts, was] = best
        return best

    def _judge(self, group: Group, assignments: Sequence[Assignment]) -> list[str | None]:
        """Tell of each assignment what its clauses decide; nothing where it cannot be."""
        all_hold = exp.and_(*(clause.holds.copy() for clause in group.clauses))
        case = exp.Case()
        for rule in group.rules:
            case = case.when(exp.not_(exp.paren(rule.copy())), exp.null())
        case = case.when(all_hold, "'eligible'").when(exp.not_(exp.paren(all_hold.copy())), "'ineligible'")
        query = exp.select("number", case.as_("outcome")).from_("assignment").order_by("number")
        declared = self.programme.facts.facts
        columns = {
            name: pa.array([each[place] for each in assignments], TYPES[declared[name].type_name])
            for place, name in enumerate(group.facts)
        }
        relation = pa.table({"number": list(range(len(assignments))), **columns})
        values = {name: self.programme.parameters[name].on(self.day) for name in parameters_of(query)}
        # The newline says that this is a statement and not the name of a file.
        rows = run_sql(
            self.settings, query.sql(dialect="duckdb", pretty=True), {"assignment": relation}, values
        )
        return list(rows.column("outcome").to_pylist())

    def _prove(self, facts: Row, flip: Flip) -> None:
        """Apply what is offered, and refuse to offer what does not decide so."""
        if not flip.ways:
            return
        decided = self.decide([apply_changes(facts, way) for way in flip.ways])
        wrong = [row for row in decided if row["decision_code"] != flip.decision_code]
        if wrong:
            raise Refusal(
                "flip_does_not_flip",
                found=f"{len(wrong)} of {len(decided)} changes leave {self.programme.code} as it is",
                expected=f"{flip.decision_code} by every change of facts that is offered",
                to_do="report a defect of etl/subsidy/flips.py; the decision itself is not touched by it",
            )


def apply_changes(facts: Row, changes: Iterable[Change]) -> dict[str, Any]:
    """Give the facts as they would be."""
    return {**facts, **{change.fact: change.becomes for change in changes}}


def _changes(facts: Row, way: Row) -> tuple[Change, ...]:
    return tuple(Change(name, facts[name], value) for name, value in way.items() if value != facts[name])


def _may_become(fact: Fact, was: Any, value: Any) -> bool:  # noqa: ANN401 - whatever the type of the fact
    if fact.changes == "never" or value == was:
        return False
    if fact.changes == "freely":
        return True
    return bool(value > was if fact.changes == "upwards" else value < was)
