"""Explain to a steward why a person is, is not, or may be entitled: clause by clause.

What is explained is what was decided: the clause results come from the recorded decision, the facts
are gathered again from the dataset versions that it rested on. Programmes that no night decides are decided
here, from the same facts. Explanations hold personal values; they belong on the steward's screen, or on paper
for the person, and nowhere else.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from connectors.engine import run_sql
from connectors.lake import DatasetVersion
from connectors.settings import Settings
from etl.subsidy.compile import decided_facts
from etl.subsidy.facts import SOURCES, gather_facts
from etl.subsidy.flips import Flip, Flips
from etl.subsidy.judge import ON_REQUEST, PROGRAMMES
from etl.subsidy.runs import latest_run, sources_of
from schemas.policy import PolicyValue
from schemas.predicate import facts_of, parameters_of
from schemas.programme import Clause, Programme, policy_version
from schemas.programme_file import load_documents, load_programme
from schemas.refusal import Refusal

Row = dict[str, Any]


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
    document: str
    article: str | None
    confidence: str
    holds: bool | None
    facts: Mapping[str, Any]
    note: str | None
    limits: Mapping[str, PolicyValue]


@dataclass(frozen=True)
class Explanation:
    """Why a person was decided so under one programme on one business date."""

    programme_code: str
    programme_title: str
    business_date: date
    decision_code: str
    category_code: str | None
    amount_fen: int | None
    amount_unit: str | None
    amount: PolicyValue | None
    missing_documents: Mapping[str, str]
    clauses: tuple[ClauseResult, ...]
    flips: tuple[Flip, ...]
    source_rows: tuple[SourceRow, ...]
    inputs: tuple[str, ...]
    decisions: str | None
    policy_version: str
    is_policy_unchanged: bool


def explain_decision(settings: Settings, business_date: date, person_id: str) -> tuple[Explanation, ...]:
    """Explain the decisions about a person as of the latest run up to a business date.

    One explanation per programme, in the order in which they were decided; then those that nobody decides
    at night and that were in force, of which `decisions` cites nothing. `is_policy_unchanged` tells whether
    the wordings shown are those of the policy files that decided; where they are not, no flip is offered.

    Raises:
        Refusal: nothing was decided up to that date, or the person was not among those decided.
    """
    explanations: list[Explanation] = []
    for name in PROGRAMMES:
        programme = load_programme(name)
        run = latest_run(settings, programme, business_date)
        decision = _decision(settings, run, person_id)
        family = _family(settings, run, person_id)
        facts = _facts(settings, programme, family, run, person_id)
        facts |= {
            fact: _as_flag(explanations, load_programme(source).code)
            for fact, source in decided_facts(programme, run["business_date"]).items()
        }
        source_rows = _source_rows(run, family, person_id)
        explanations.append(_explain(settings, programme, run, decision, facts, source_rows))
    return (*explanations, *_on_request(settings, run, family, person_id))


def _on_request(
    settings: Settings, run: Row, family: Mapping[str, pa.Table], person_id: str
) -> Iterator[Explanation]:
    """Decide what no night decides, from the versions that a run cites."""
    source_rows = _source_rows(run, family, person_id)
    for name in ON_REQUEST:
        programme = load_programme(name)
        if not any(clause.effective_from <= run["business_date"] for clause in programme.clauses):
            continue
        facts = _facts(settings, programme, family, run, person_id)
        (decision,) = Flips(settings, programme, run["business_date"]).decide([facts])
        inputs = [str(version) for version in sources_of(run).values()]
        now = {**run, "decisions": None, "inputs": inputs, "policy_version": policy_version(programme)}
        yield _explain(settings, programme, now, decision, facts, source_rows)


def _decision(settings: Settings, run: Row, person_id: str) -> Row:
    decisions = DatasetVersion.parse(run["decisions"])
    found = run_sql(settings, "subsidy/decision_of_person", {"decision": decisions}, {"person_id": person_id})
    if found.num_rows != 1:
        raise Refusal(
            "person_not_decided",
            found=f"no decision about that person in {decisions}",
            expected="a person of the population database who was accepted on that date",
            to_do="check the file number; a quarantined row is in quarantine.population_person",
        )
    decision: dict[str, Any] = found.to_pylist()[0]
    return decision


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


def _facts(
    settings: Settings, programme: Programme, family: Mapping[str, pa.Table], run: Row, person_id: str
) -> Row:
    facts = gather_facts(settings, family, programme.facts, run["business_date"])
    return next(row for row in facts.to_pylist() if row["person_id"] == person_id)


def _as_flag(explanations: list[Explanation], programme_code: str) -> bool | None:
    (earlier,) = (told for told in explanations if told.programme_code == programme_code)
    return {"eligible": True, "ineligible": False}.get(earlier.decision_code)


def _source_rows(run: Row, family: Mapping[str, pa.Table], person_id: str) -> tuple[SourceRow, ...]:
    versions = {name: str(version) for name, version in sources_of(run).items()}
    kinds = {"family_child": "child", "marriage": "marriage"}
    return tuple(
        SourceRow(
            kinds.get(name) or ("person" if row["person_id"] == person_id else "spouse"),
            versions[name],
            row["landing_id"],
            row["landing_row"],
        )
        for name in SOURCES
        for row in family[name].to_pylist()
    )


def _explain(
    settings: Settings,
    programme: Programme,
    run: Row,
    decision: Row,
    facts: Row,
    source_rows: tuple[SourceRow, ...],
) -> Explanation:
    names, day = load_documents(), run["business_date"]
    is_policy_unchanged = run["policy_version"] == policy_version(programme)
    flips = (
        Flips(settings, programme, day).find(facts, decision["decision_code"]) if is_policy_unchanged else ()
    )
    return Explanation(
        programme_code=programme.code,
        programme_title=programme.title,
        business_date=run["business_date"],
        decision_code=decision["decision_code"],
        category_code=decision["category_code"],
        amount_fen=decision["amount_fen"],
        amount_unit=decision["amount_unit"],
        amount=_amount(programme, decision["category_code"], day) if is_policy_unchanged else None,
        missing_documents={code: names.get(code, code) for code in decision["missing_document_codes"]},
        clauses=tuple(
            _clause_result(programme, clause, decision, facts, day) for clause in programme.clauses_on(day)
        ),
        flips=flips,
        source_rows=source_rows,
        inputs=tuple(run["inputs"]),
        decisions=run["decisions"],
        policy_version=run["policy_version"],
        is_policy_unchanged=is_policy_unchanged,
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
        document=f"{clause.document_number} {clause.document.title}",
        article=clause.document.article,
        confidence=clause.confidence,
        holds=decision.get(f"clause_{clause.clause_id}"),
        facts={name: facts[name] for name in facts_of(clause.holds)},
        note=clause.note,
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
