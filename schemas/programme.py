"""Programmes: ordered clauses, each a cited condition over named facts, as they hold on a day."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from sqlglot import exp

from schemas.policy import Parameter, PolicyValue, Reference
from schemas.strict_yaml import refuse_file

UNITS = {
    "month": "fen per person per month",
    "year": "fen per person per year",
    "once": "fen per person once",
}


@dataclass(frozen=True)
class Fact:
    """Something a clause may ask about a person.

    `source` names the programme that decides it, if any; `rests_on` tells whose rows tell it, `changes` how
    it may become another one, `parameters` what policy values it is computed with, `values` what a text may
    become and how people say it.
    """

    name: str
    type_name: str
    description: str
    source: str | None
    rests_on: tuple[str, ...]
    changes: str
    parameters: tuple[str, ...]
    values: Mapping[str, str]


@dataclass(frozen=True)
class Facts:
    """All declared facts, the policy values that they are computed with, and what they say of one another."""

    facts: Mapping[str, Fact]
    parameters: Mapping[str, Parameter]
    consistent: tuple[exp.Expr, ...]
    path: Path

    def as_known_at(self, day: date) -> "Facts":
        """Give the facts with the values that were known on a day."""
        return replace(self, parameters=_known_at(self.parameters, day))


@dataclass(frozen=True)
class Clause:
    """One condition of a programme during one period, with the document that demands it."""

    clause_id: str
    wording: str
    document_number: str
    document: Reference
    announced: date | None
    effective_from: date
    effective_to: date | None
    known_since: date
    confidence: str
    holds: exp.Expr
    missing_documents: Mapping[str, exp.Expr]
    note: str | None = None


@dataclass(frozen=True)
class Category:
    """A kind of eligible person, and the amounts to look up in this order."""

    code: str
    name: str
    when: exp.Expr
    amounts: tuple[Parameter, ...]


@dataclass(frozen=True)
class Programme:
    """A subsidy programme: eligible is who fulfils every clause in force on the day."""

    name: str
    code: str
    title: str
    scope: str | None
    # What no source delivers yet, for which it is decided on request only.
    awaits: str | None
    amount_unit: str
    clauses: tuple[Clause, ...]
    categories: tuple[Category, ...]
    parameters: Mapping[str, Parameter]
    facts: Facts
    path: Path
    known_at: date | None = None

    def as_known_at(self, day: date) -> "Programme":
        """Give the programme as it was known on a day, whatever day is decided."""
        categories = tuple(
            replace(category, amounts=tuple(amount.as_known_at(day) for amount in category.amounts))
            for category in self.categories
        )
        return replace(
            self,
            categories=categories,
            parameters=_known_at(self.parameters, day),
            facts=self.facts.as_known_at(day),
            known_at=day,
        )

    def clauses_on(self, day: date) -> tuple[Clause, ...]:
        """List the clauses that are in force on a day and known then or at `known_at`, in the file's order.

        Raises:
            Refusal: none is; the programme did not exist yet.
        """
        ids = dict.fromkeys(clause.clause_id for clause in self.clauses)
        in_force = tuple(filter(None, (self._version_on(clause_id, day) for clause_id in ids)))
        if not in_force:
            raise refuse_file(
                self.path,
                "programme_not_in_force",
                f"no clause in force on {day}",
                "a day of the programme",
                "decide a later day, or append the clauses that held then",
            )
        return in_force

    def _version_on(self, clause_id: str, day: date) -> Clause | None:
        """Find the version of a clause to decide with; one whose successor is not known yet goes on."""
        versions = [clause for clause in self.clauses if clause.clause_id == clause_id]
        known_at = self.known_at or day
        begun = [
            clause for clause in versions if clause.effective_from <= day and clause.known_since <= known_at
        ]
        if not begun:
            return None
        latest = max(begun, key=lambda clause: clause.effective_from)
        has_successor = any(clause.effective_from > latest.effective_from for clause in versions)
        has_ended = latest.effective_to is not None and latest.effective_to <= day
        return None if has_ended and not has_successor else latest

    def amount_on(self, category: Category, day: date) -> PolicyValue:
        """Tell the amount of a category on a day: the first of its amounts that has a value then."""
        for amount in category.amounts[:-1]:
            if amount.has_value_on(day):
                return amount.entry_on(day)
        return category.amounts[-1].entry_on(day)

    @property
    def files(self) -> tuple[Path, ...]:
        """Every policy file that a decision of this programme, or its explanation, rests on."""
        amounts = [amount for category in self.categories for amount in category.amounts]
        parameters = [*self.parameters.values(), *self.facts.parameters.values(), *amounts]
        documents = self.folder / "documents.yaml"
        paths = {self.path, self.facts.path, documents, *(parameter.path for parameter in parameters)}
        return tuple(sorted(paths))

    @property
    def folder(self) -> Path:
        """The policy folder that the programme was read from."""
        return self.facts.path.parent


def policy_version(programme: Programme) -> str:
    """Digest the policy files that decisions of a programme rest on: 16 hex characters."""
    digest = hashlib.sha256()
    for path in programme.files:
        digest.update(f"{path.relative_to(programme.folder).as_posix()}\x1f".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _known_at(parameters: Mapping[str, Parameter], day: date) -> dict[str, Parameter]:
    return {name: parameter.as_known_at(day) for name, parameter in parameters.items()}
