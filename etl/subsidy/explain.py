"""Explain to a steward why a person is, is not, or may be entitled: clause by clause.

What is explained is what was decided: the clause results come from the recorded decision, the facts
are gathered again from the dataset versions that it rested on, the wordings are those of the policy that
decided. Programmes that no night decides are decided here, from the same
facts, where an application exists.

Explanations hold personal values; they belong on the steward's screen, or on paper for the person, and
nowhere else.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from connectors.engine import run_sql
from connectors.lake import DatasetVersion
from connectors.settings import Settings
from etl.subsidy.applications import applied_for
from etl.subsidy.as_of import family_as_of
from etl.subsidy.compile import decided_facts
from etl.subsidy.facts import SOURCES, gather_facts
from etl.subsidy.flips import Flip, Flips
from etl.subsidy.judge import EVERY_PROGRAMME, ON_REQUEST, PROGRAMMES
from etl.subsidy.policy_archive import policy_of
from etl.subsidy.runs import later_day, runs_up_to, sources_of
from schemas.policy import PolicyValue
from schemas.predicate import facts_of, parameters_of
from schemas.programme import Clause, Fact, Programme, policy_version
from schemas.programme_file import load_documents, load_programme
from schemas.refusal import Refusal

Row = dict[str, Any]
DECIDED = {"eligible": True, "ineligible": False}
NOT_APPLIED = "not_applied"


@dataclass(frozen=True)
class SourceRow:
    """A landed row that a fact rests on; `kind` is whose it is, as in policy/facts.yaml."""

    kind: str
    dataset: str
    landing_id: str
    landing_row: int


@dataclass(frozen=True)
class ClauseResult:
    """How one clause came out, with its document and the facts it asked for."""

    clause_id: str
    wording: str
    document_number: str
    document_title: str
    article: str | None
    confidence: str
    holds: bool | None
    facts: Mapping[str, Any]
    note: str | None
    effective_from: date
    known_since: date
    limits: Mapping[str, PolicyValue]


@dataclass(frozen=True)
class Explanation:
    """Why a person was decided so under one programme on one business date, as known at `known_at`."""

    programme_code: str
    programme_title: str
    business_date: date
    known_at: date
    decision_code: str
    category_code: str | None
    amount_fen: int | None
    amount_unit: str | None
    amount: PolicyValue | None
    missing_documents: Mapping[str, str]
    clauses: tuple[ClauseResult, ...]
    flips: tuple[Flip, ...]
    facts: Mapping[str, Fact]
    source_rows: tuple[SourceRow, ...]
    inputs: tuple[str, ...]
    decisions: str | None
    policy_version: str
    awaits: str | None = None
    # What the programme says of itself where data cannot say all.
    scope: str | None = None


@dataclass(frozen=True)
class Basis:
    """What an explanation rests on: a day, what was known of it, and whose rows tell it.

    `runs` are those that decided the day, by programme name; none where it is decided anew because more
    became known since, by the run `known`.
    """

    settings: Settings
    person_id: str
    day: date
    known: Row
    runs: Mapping[str, Row]
    folder: Path
    family: Mapping[str, pa.Table]

    def programme(self, name: str) -> Programme:
        """Read a programme as it was known."""
        return load_programme(name, self.folder).as_known_at(self.known["business_date"])


def explain_decision(
    settings: Settings, business_date: date, person_id: str, known_at: date | None = None
) -> tuple[Explanation, ...]:
    """Explain the decisions about a person as of the latest run up to a business date, by the policy of then.

    With a later `known_at` the date is decided again by what the newest run up to that day knew: rows and
    policy. One explanation per programme, in the order in which they were decided; then those in force that
    no night decides: decided here if the person had asked (etl/subsidy/applications.py), else `not_applied`.
    Where nothing is on record `decisions` cites nothing.
    Later runs and policies change no explanation.

    Raises:
        Refusal: nothing was decided up to that date, or the person was not among those decided.
    """
    runs = runs_up_to(settings, business_date)
    day, known = runs[PROGRAMMES[0]]["business_date"], runs[PROGRAMMES[0]]
    if known_at is not None:
        later = runs_up_to(settings, later_day(business_date, known_at))[PROGRAMMES[0]]
        if later["business_date"] > business_date:
            day, known, runs = business_date, later, {}
    family = _family(settings, known, person_id)
    if not runs:
        family = family_as_of(settings, family, day)
    with policy_of(settings, known) as folder:
        return tuple(_explanations(Basis(settings, person_id, day, known, runs, folder, family)))


def _explanations(basis: Basis) -> Iterator[Explanation]:
    """Explain every programme in turn; what one decided is a fact of the next."""
    applied = applied_for(basis.settings, basis.person_id, basis.day, basis.known["business_date"])
    told: dict[str, Explanation] = {}
    for name in EVERY_PROGRAMME:
        programme = basis.programme(name)
        is_in_force = any(clause.effective_from <= basis.day for clause in programme.clauses)
        if name not in PROGRAMMES and not is_in_force:
            continue
        if name in ON_REQUEST and programme.code not in applied:
            yield _not_applied(basis, programme)
            continue
        facts = _facts(basis, programme)
        facts |= {
            fact: DECIDED.get(told[source].decision_code)
            for fact, source in decided_facts(programme, basis.day).items()
        }
        run = basis.runs.get(name)
        if run is None:
            (decision,) = Flips(basis.settings, programme, basis.day).decide([facts])
        else:
            decision = _decision(basis.settings, run, basis.person_id)
        told[name] = _explain(basis, programme, run, decision, facts)
        yield told[name]


def _decision(settings: Settings, run: Row, person_id: str) -> Row:
    decisions = DatasetVersion.parse(run["decisions"])
    found = run_sql(settings, "subsidy/decision_of_person", {"decision": decisions}, {"person_id": person_id})
    if found.num_rows != 1:
        raise _nobody(str(decisions))
    return dict(found.to_pylist()[0])


def _family(settings: Settings, run: Row, person_id: str) -> dict[str, pa.Table]:
    versions = sources_of(run)
    this = {"person_id": person_id}
    marriages = {"marriage": versions["marriage"]}
    persons = {**marriages, "population_person": versions["population_person"]}
    children = {"family_child": versions["family_child"]}
    return {
        "population_person": run_sql(settings, "subsidy/family_persons", persons, this),
        "family_child": run_sql(settings, "subsidy/family_children", children, this),
        "marriage": run_sql(settings, "subsidy/family_marriages", marriages, this),
    }


def _facts(basis: Basis, programme: Programme) -> Row:
    facts = gather_facts(basis.settings, basis.family, programme.facts, basis.day)
    found = [row for row in facts.to_pylist() if row["person_id"] == basis.person_id]
    if not found:
        raise _nobody(f"the versions of {basis.known['business_date']}")
    return dict(found[0])


def _nobody(where: str) -> Refusal:
    return Refusal(
        "person_not_decided",
        found=f"no decision about that person in {where}",
        expected="a person of the population database who was accepted on that date",
        to_do="check the file number; a quarantined row is in quarantine.population_person",
    )


def _source_rows(basis: Basis) -> tuple[SourceRow, ...]:
    versions = {name: str(version) for name, version in sources_of(basis.known).items()}
    kinds = {"family_child": "child", "marriage": "marriage"}
    return tuple(
        SourceRow(
            kinds.get(name) or ("person" if row["person_id"] == basis.person_id else "spouse"),
            versions[name],
            row["landing_id"],
            row["landing_row"],
        )
        for name in SOURCES
        for row in basis.family[name].to_pylist()
    )


def _explain(basis: Basis, programme: Programme, run: Row | None, decision: Row, facts: Row) -> Explanation:
    names, day = load_documents(basis.folder), basis.day
    return Explanation(
        programme_code=programme.code,
        programme_title=programme.title,
        business_date=day,
        known_at=basis.known["business_date"],
        decision_code=decision["decision_code"],
        category_code=decision["category_code"],
        amount_fen=decision["amount_fen"],
        amount_unit=decision["amount_unit"],
        amount=_amount(programme, decision["category_code"], day),
        missing_documents={code: names.get(code, code) for code in decision["missing_document_codes"]},
        clauses=tuple(
            _clause_result(programme, clause, decision, facts, day) for clause in programme.clauses_on(day)
        ),
        flips=Flips(basis.settings, programme, day).find(facts, decision["decision_code"]),
        facts=programme.facts.facts,
        source_rows=_source_rows(basis),
        inputs=tuple(run["inputs"] if run else map(str, sources_of(basis.known).values())),
        decisions=run["decisions"] if run else None,
        policy_version=policy_version(programme),
        awaits=programme.awaits,
        scope=programme.scope,
    )


def _not_applied(basis: Basis, programme: Programme) -> Explanation:
    """Say that nobody asked, which is no decision."""
    return Explanation(
        programme_code=programme.code,
        programme_title=programme.title,
        business_date=basis.day,
        known_at=basis.known["business_date"],
        decision_code=NOT_APPLIED,
        category_code=None,
        amount_fen=None,
        amount_unit=None,
        amount=None,
        missing_documents={},
        clauses=(),
        flips=(),
        facts={},
        source_rows=(),
        inputs=(),
        decisions=None,
        policy_version=policy_version(programme),
        awaits=programme.awaits,
        scope=programme.scope,
    )


def _amount(programme: Programme, category_code: str | None, day: date) -> PolicyValue | None:
    """Tell the value that was paid by, with its document and confidence."""
    chosen = [category for category in programme.categories if category.code == category_code]
    return programme.amount_on(chosen[0], day) if chosen else None


def _clause_result(
    programme: Programme, clause: Clause, decision: Row, facts: Row, day: date
) -> ClauseResult:
    return ClauseResult(
        clause_id=clause.clause_id,
        wording=clause.wording,
        document_number=clause.document_number,
        document_title=clause.document.title,
        article=clause.document.article,
        confidence=clause.confidence,
        holds=decision.get(f"clause_{clause.clause_id}"),
        facts={name: facts[name] for name in facts_of(clause.holds)},
        note=clause.note,
        effective_from=clause.effective_from,
        known_since=clause.known_since,
        limits=_limits(programme, clause, day),
    )


def _limits(programme: Programme, clause: Clause, day: date) -> dict[str, PolicyValue]:
    """List the policy values that a clause rests on, those of its facts among them."""
    named = {programme.parameters[name] for name in parameters_of(clause.holds)}
    for fact in facts_of(clause.holds):
        named |= {programme.facts.parameters[name] for name in programme.facts.facts[fact].parameters}
    return {
        parameter.description: parameter.entry_on(day)
        for parameter in sorted(named, key=lambda parameter: parameter.name)
    }
