"""Compile the clauses of a programme, as they hold on a day, into one query over the facts."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sqlglot import exp

from schemas.predicate import facts_of, parameters_of
from schemas.programme import Category, Clause, Programme

Bound = dict[str, Any]


def compile_programme(programme: Programme, day: date) -> tuple[str, Bound]:
    """Compile a programme into a SELECT over the relation `facts`, with the values to bind.

    The query yields one row per row of facts, in their order: person_id, decision_code, category_code,
    amount_fen, amount_unit, missing_document_codes, hukou_division_code and one nullable boolean
    `clause_<id>` per clause. Any clause FALSE: ineligible; else any NULL: unknown; else eligible.
    Facts that another programme decides (`decided_facts`) are columns as well.
    """
    clauses = programme.clauses_on(day)
    query = (
        exp.select("person_id", "decision_code", "category_code", _amount(programme), _unit(programme))
        .select(_missing_documents(clauses).as_("missing_document_codes"), "hukou_division_code")
        .select(*(_column(clause) for clause in clauses))
        .with_("judged", as_=exp.select("*", *(_judged(clause) for clause in clauses)).from_("facts"))
        .with_("decided", as_=exp.select("*", _decision(clauses).as_("decision_code")).from_("judged"))
        .with_("categorised", as_=exp.select("*", _category(programme).as_("category_code")).from_("decided"))
        .from_("categorised")
    )
    return query.sql(dialect="duckdb", pretty=True), _bound(programme, query, day)


def _column_name(clause: Clause) -> str:
    return f"clause_{clause.clause_id}"


def _column(clause: Clause) -> exp.Column:
    return exp.column(_column_name(clause))


def _judged(clause: Clause) -> exp.Expr:
    return clause.holds.copy().as_(_column_name(clause))


def asked_facts(programmes: Iterable[Programme], day: date) -> tuple[str, ...]:
    """List the facts that sources must tell for programmes to be decided, in the order of their file."""
    asked = {"hukou_division_code"}.union(*(_named(programme, day) for programme in programmes))
    facts = {name: fact for programme in programmes for name, fact in programme.facts.facts.items()}
    return tuple(name for name, fact in facts.items() if name in asked and fact.source is None)


def _named(programme: Programme, day: date) -> set[str]:
    conditions = [category.when for category in programme.categories]
    for clause in programme.clauses_on(day):
        conditions += [clause.holds, *clause.missing_documents.values()]
    return {name for condition in conditions for name in facts_of(condition)}


def decided_facts(programme: Programme, day: date) -> Mapping[str, str]:
    """Tell which facts of a programme's clauses other programmes decide: fact name -> programme name."""
    sources = {name: programme.facts.facts[name].source for name in sorted(_named(programme, day))}
    return {name: source for name, source in sources.items() if source}


def _decision(clauses: tuple[Clause, ...]) -> exp.Case:
    all_hold = exp.and_(*(_column(clause) for clause in clauses))
    return exp.Case().when(all_hold, "'eligible'").when(exp.not_(all_hold), "'ineligible'").else_("'unknown'")


def _category(programme: Programme) -> exp.Case:
    case = exp.Case()
    for category in programme.categories:
        is_category = exp.and_(exp.column("decision_code").eq("eligible"), category.when.copy())
        case = case.when(is_category, exp.Literal.string(category.code))
    return case


def _amount(programme: Programme) -> exp.Expr:
    case = exp.Case(this=exp.column("category_code"))
    for category in programme.categories:
        case = case.when(exp.Literal.string(category.code), exp.Placeholder(this=_amount_name(category)))
    return exp.cast(case, "BIGINT").as_("amount_fen")


def _amount_name(category: Category) -> str:
    return f"amount_{category.code}"


def _unit(programme: Programme) -> exp.Expr:
    unit = exp.Literal.string(programme.amount_unit)
    return exp.Case().when(exp.column("category_code").is_(exp.null()).not_(), unit).as_("amount_unit")


def _missing_documents(clauses: tuple[Clause, ...]) -> exp.Expr:
    """Name the documents of decisive unknowns, in order: clauses that are NULL while none is FALSE."""
    asked: dict[str, list[exp.Expr]] = {}
    for clause in clauses:
        for code, when in clause.missing_documents.items():
            asked.setdefault(code, []).append(exp.and_(_column(clause).is_(exp.null()), when.copy()))
    codes = [exp.Case().when(exp.or_(*asked[code]), exp.Literal.string(code)) for code in sorted(asked)]
    is_there = exp.Lambda(
        this=exp.not_(exp.column("code").is_(exp.null())), expressions=[exp.to_identifier("code")]
    )
    named = exp.func("list_filter", exp.array(*codes), is_there, dialect="duckdb")
    is_unknown = exp.column("decision_code").eq("unknown")
    return exp.cast(exp.Case().when(is_unknown, named).else_(exp.array()), "TEXT[]", dialect="duckdb")


def _bound(programme: Programme, query: exp.Select, day: date) -> Bound:
    values: Bound = {name: parameter.on(day) for name, parameter in programme.parameters.items()}
    for category in programme.categories:
        values[_amount_name(category)] = programme.amount_on(category, day).value
    return {name: values[name] for name in sorted(parameters_of(query))}
