"""Judge conformed rows by the row rules of their contract, in one query."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sqlglot import exp

from connectors.divisions import divisions_on
from connectors.engine import Relation, run_sql, sql_text
from connectors.lake_room import digest_of
from connectors.settings import Settings
from quality.domain_functions import parse_sql
from schemas.contract import Contract
from schemas.contract_rule import Rule
from schemas.county import load_counties

# Broken rules of a row are bits of whole numbers: engines agree on those, not on lists.
RULES_PER_MASK = 60
# Relations of sql/staging that tell of all rows of a dataset what its facts ask of each.
CONTEXT = ("shared_number", "missing_person")

Mask = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Judgement:
    """Which rules each row of a relation broke; `rows` are in the order of their key.

    `judged_by` changes with the rules, the code sets, the divisions and the way of conforming.
    """

    rows: pa.Table
    rules: tuple[Rule, ...]
    masks: tuple[Mask, ...]
    judged_by: str

    def breaks(self, rule: Rule) -> Flags:
        """Tell for each row whether it broke a rule."""
        mask, bit = divmod(self.rules.index(rule), RULES_PER_MASK)
        flags: Flags = (self.masks[mask] >> bit) & 1 == 1
        return flags

    def breaks_any(self, severity: str) -> Flags:
        """Tell for each row whether it broke any rule of a severity."""
        return self.breaks_some_of([rule for rule in self.rules if rule.severity == severity])

    def breaks_some_of(self, chosen: Collection[Rule]) -> Flags:
        """Tell for each row whether it broke one of some rules."""
        broken = np.zeros(self.rows.num_rows, dtype=bool)
        for mask, rules in zip(self.masks, _groups(self.rules), strict=True):
            broken |= mask & _bits(rules, chosen) != 0
        return broken

    def rule_ids(self, severity: str) -> "pa.Array[Any]":
        """List for each row the ids of the rules of a severity that it broke, in order of the contract."""
        chosen = [rule for rule in self.rules if rule.severity == severity]
        masks = [
            mask & _bits(rules, chosen) for mask, rules in zip(self.masks, _groups(self.rules), strict=True)
        ]
        if not masks:
            return pa.array([[]] * self.rows.num_rows, pa.list_(pa.string()))
        patterns, places = np.unique(np.stack(masks, axis=1), axis=0, return_inverse=True)
        lists = [
            [
                rule.id
                for mask, rules in zip(pattern, _groups(self.rules), strict=True)
                for bit, rule in enumerate(rules)
                if int(mask) >> bit & 1
            ]
            for pattern in patterns
        ]
        return pa.array(lists, pa.list_(pa.string())).take(pa.array(places.reshape(-1), pa.int64()))


def judge_rows(
    settings: Settings,
    contract: Contract,
    relations: Mapping[str, Relation],
    business_date: date,
    *,
    rules: tuple[Rule, ...],
    conformed: Mapping[str, str] | None = None,
) -> Judgement:
    """Judge every row of the relation `conformed` by rules of its contract.

    `conformed` gives the queries that make that relation from the others, by name and in order;
    without them it is one of `relations`. What the facts rest on beside it (see `facts_of`) is made from
    these rows unless it is given: rows that are a part of more need it given. The divisions of the
    business date and the counties are added here.
    """
    text = _statement(
        contract.name, contract.key, rules, tuple((conformed or {}).items()), frozenset(relations)
    )
    places = {"division": divisions_on(settings, business_date), "county": load_counties()}
    relations = {**places, **relations}
    parameters = {"business_date": business_date} if "$business_date" in text else {}
    judged = run_sql(settings, text, relations, parameters)
    mask_names = [f"broken_{number}" for number in range(len(_groups(rules)))]
    masks = tuple(judged.column(name).to_numpy().astype(np.int64) for name in mask_names)
    return Judgement(judged.drop_columns(mask_names), rules, masks, _digest(text, places.values()))


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


@lru_cache(maxsize=64)
def _statement(
    dataset: str,
    key: str,
    rules: tuple[Rule, ...],
    conformed: tuple[tuple[str, str], ...],
    given: frozenset[str],
) -> str:
    newest_first = exp.Window(
        this=exp.RowNumber(),
        partition_by=[exp.column(key)],
        order=exp.Order(
            expressions=[
                exp.Ordered(this=exp.column(name), desc=True, nulls_first=False)
                for name in ("source_updated_at", "landing_id", "landing_row")
            ]
        ),
    )
    masks = [
        exp.cast(_mask(group), "BIGINT", copy=False).as_(f"broken_{number}")
        for number, group in enumerate(_groups(rules))
    ]
    statement = exp.select("judged.*", *masks, copy=False).from_("judged", copy=False)
    for name in (key, "landing_id", "landing_row"):
        statement = statement.order_by(exp.column(name, table="judged"), copy=False)
    for name, query in conformed:
        statement = statement.with_(name, as_=parse_sql(query), copy=False)
    for name, facts in facts_of(dataset, given).items():
        statement = statement.with_(name, as_=facts.copy(), copy=False)
    judged = exp.select("facts.*", newest_first.as_("newness")).from_("facts")
    return statement.with_("judged", as_=judged, copy=False).sql(dialect="duckdb")


def _mask(rules: tuple[Rule, ...]) -> exp.Expr:
    """Sum the bits of the rules that a row broke; an unknown predicate breaks nothing."""
    total: exp.Expr = exp.Literal.number(0)
    for bit, rule in enumerate(rules):
        kept = parse_sql(str(rule.predicate)).copy()
        bit_if_broken = (
            exp.Case()
            .when(exp.not_(exp.paren(kept, copy=False), copy=False), str(1 << bit), copy=False)
            .else_("0", copy=False)
        )
        total = exp.Add(this=total, expression=bit_if_broken)
    return total


def _groups(rules: tuple[Rule, ...]) -> list[tuple[Rule, ...]]:
    return [rules[start : start + RULES_PER_MASK] for start in range(0, len(rules), RULES_PER_MASK)]


def _bits(rules: tuple[Rule, ...], chosen: Collection[Rule]) -> np.int64:
    return np.int64(sum(1 << bit for bit, rule in enumerate(rules) if rule in chosen))
