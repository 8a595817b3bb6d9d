"""Judge conformed rows by the row rules of their contract, in one query."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
from sqlglot import exp

from connectors.divisions import divisions_on
from connectors.engine import Relation, run_sql, sql_text
from connectors.lake_room import digest_of
from connectors.settings import Settings
from quality.domain_functions import hoist_calls, parse_sql
from quality.judgement import RULES_PER_MASK, Judgement, judgement_of
from schemas.contract import FAILED_RULES, LINEAGE, Contract
from schemas.contract_rule import Rule
from schemas.county import load_counties

# Relations of sql/staging that tell of all rows of a dataset what its facts ask of each.
CONTEXT = ("shared_number", "missing_person")

# The stubs of pyarrow do not know all functions.
pc: Any = pyarrow.compute


def judge_rows(
    settings: Settings,
    contract: Contract,
    relations: Mapping[str, Relation],
    business_date: date,
    *,
    rules: tuple[Rule, ...],
    conformed: Mapping[str, str] | None = None,
    without: tuple[str, ...] = (),
) -> Judgement:
    """Judge every row of the relation `conformed` by rules of its contract.

    `conformed` gives the queries that make that relation from the others, by name and in order;
    without them it is one of `relations`. What the facts rest on beside it (see `facts_of`) is made from
    these rows unless it is given: rows that are a part of more need it given. The divisions of the
    business date and the counties are added here. The judged rows have the columns of staging that
    conforming makes, but those that are done `without`, and `received_row`.
    """
    text = _statement(contract, rules, tuple((conformed or {}).items()), frozenset(relations), without)
    places = {"division": divisions_on(settings, business_date), "county": load_counties()}
    relations = {**places, **relations}
    parameters = {"business_date": business_date} if "$business_date" in text else {}
    judged = _in_order(contract.key, run_sql(settings, text, relations, parameters))
    mask_names = [f"broken_{number}" for number in range(len(_groups(rules)))]
    masks = [judged.column(name).to_numpy().astype(np.int64) for name in mask_names]
    return judgement_of(judged.drop_columns(mask_names), rules, masks, _digest(text, places.values()))


def _digest(statement: str, places: Iterable[pa.Table]) -> str:
    """Tell one way of judging from another: by its statement and by the places that it looks at."""
    parts = [statement, *(digest_of(table) for table in places)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


@lru_cache(maxsize=64)
def facts_of(dataset: str, given: frozenset[str]) -> dict[str, exp.Query]:
    """Read the queries that make `facts` from `conformed`, by name and in order.

    Before it come those in `CONTEXT` that it names and nobody has given: they look at all rows at once.
    """
    facts = _query(f"{dataset}_facts")
    named = {table.name for table in facts.find_all(exp.Table)}
    before = {name: _query(name) for name in CONTEXT if name in named and name not in given}
    return {**before, "facts": facts}


def _query(name: str) -> exp.Query:
    query = parse_sql(sql_text(f"staging/{name}"))
    assert isinstance(query, exp.Query)  # noqa: S101 - a file of ours
    return query


def _in_order(key: str, rows: pa.Table) -> pa.Table:
    """Bring rows into the order of their key; those of one key are in order of receipt.

    Mostly they are in it already: the engine keeps the order in which rows were read.
    """
    by_key = [key, *(name for name, _ in LINEAGE)]
    if _is_in_order(rows.select(by_key)):
        return rows
    return rows.sort_by([(name, "ascending") for name in by_key])


def _is_in_order(rows: pa.Table) -> bool:
    keys = rows.column(0).combine_chunks()
    if keys.null_count or not pc.all(pc.less_equal(keys[:-1], keys[1:])).as_py():
        return False
    repeated = pc.indices_nonzero(pc.equal(keys[:-1], keys[1:]))
    former, latter = (rows.take(places).to_pylist() for places in (repeated, pc.add(repeated, 1)))
    pairs = zip(former, latter, strict=True)
    return all(tuple(one.values()) <= tuple(other.values()) for one, other in pairs)


@lru_cache(maxsize=64)
def _statement(
    contract: Contract,
    rules: tuple[Rule, ...],
    conformed: tuple[tuple[str, str], ...],
    given: frozenset[str],
    without: tuple[str, ...],
) -> str:
    key, lineage = contract.key, [name for name, _ in LINEAGE]
    made = [name for name in contract.staging_schema.names if name not in (FAILED_RULES[0], *without)]
    kept, called = hoist_calls([str(rule.predicate) for rule in rules], "judged")
    masks = [
        exp.cast(_mask(kept[start : start + RULES_PER_MASK]), "BIGINT", copy=False).as_(f"broken_{number}")
        for number, start in enumerate(range(0, len(rules), RULES_PER_MASK))
    ]
    statement = exp.select(*made, "received_row", *masks, copy=False)
    statement = statement.from_(next(reversed(called), "judged"), copy=False)
    # Read more than once, but other columns each time: an engine that keeps them would keep them all.
    for name, query in conformed:
        statement = statement.with_(name, as_=parse_sql(query), materialized=False, copy=False)
    for name, facts in facts_of(contract.name, given).items():
        statement = statement.with_(name, as_=facts.copy(), copy=False)
    # Few keys come twice: only their rows are put in order. The key passes through all queries unchanged.
    first = conformed[0][0] if conformed else "conformed"
    repeated = exp.select(key).from_(first).group_by(key).having("COUNT(*) > 1")
    newest_first = exp.Window(
        this=exp.RowNumber(),
        partition_by=[exp.column(key, table=first)],
        order=exp.Order(
            expressions=[
                exp.Ordered(this=exp.column(name, table=first), desc=True, nulls_first=False)
                for name in ("source_updated_at", *lineage)
            ]
        ),
    )
    is_repeated = exp.NullSafeEQ(
        this=exp.column(key, table="repeated"), expression=exp.column(key, table=first)
    )
    ranked = (
        exp.select(*(exp.column(name, table=first) for name in lineage), newest_first.as_("newness"))
        .from_(first)
        .join("repeated", on=is_repeated)
    )
    judged = (
        exp.select("facts.*", "COALESCE(ranked.newness, 1) AS newness")
        .from_("facts")
        .join("ranked", on=[f"ranked.{name} = facts.{name}" for name in lineage], join_type="left")
    )
    for name, made_of in {"repeated": repeated, "ranked": ranked, "judged": judged, **called}.items():
        statement = statement.with_(name, as_=made_of, copy=False)
    return statement.sql(dialect="duckdb")


def _mask(predicates: Sequence[exp.Expr]) -> exp.Expr:
    """Sum the bits of the rules that a row broke; an unknown predicate breaks nothing."""
    total: exp.Expr = exp.Literal.number(0)
    for bit, kept in enumerate(predicates):
        bit_if_broken = (
            exp.Case()
            .when(exp.not_(exp.paren(kept, copy=False), copy=False), str(1 << bit), copy=False)
            .else_("0", copy=False)
        )
        total = exp.Add(this=total, expression=bit_if_broken)
    return total


def _groups(rules: tuple[Rule, ...]) -> list[tuple[Rule, ...]]:
    return [rules[start : start + RULES_PER_MASK] for start in range(0, len(rules), RULES_PER_MASK)]
