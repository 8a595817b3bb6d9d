"""Rules about one column of few values, asked of the values instead of the rows."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
from sqlglot import exp

from connectors.engine import run_sql
from connectors.few_values import few_of, has_few
from connectors.settings import Settings
from quality.domain_functions import parse_sql
from quality.judgement import RULES_PER_MASK, Mask
from schemas.contract_rule import Rule

RulesOfColumns = Mapping[str, Sequence[tuple[int, Rule]]]


def rules_of_values(rules: Sequence[Rule], columns: Mapping[str, Any]) -> RulesOfColumns:
    """Find the rules that speak of one of some columns alone, which holds few values, with their numbers."""
    found: dict[str, list[tuple[int, Rule]]] = {}
    for number, rule in enumerate(rules):
        names = _columns_of(str(rule.predicate))
        if len(names) == 1 and (name := next(iter(names))) in columns and has_few(columns[name].type):
            found.setdefault(name, []).append((number, rule))
    return found


def judge_values(
    settings: Settings,
    asked: RulesOfColumns,
    columns: Mapping[str, Any],
    count: int,
    business_date: date,
) -> list[Mask]:
    """Tell for each of so many rows which of the asked rules its values break, as `judge_rows` has masks."""
    few = {name: few_of(columns[name]) for name in asked}
    numbers = {(name, number // RULES_PER_MASK) for name in asked for number, _ in asked[name]}
    masks = [np.zeros(count, np.int64) for _ in range(1 + max((mask for _, mask in numbers), default=-1))]
    if not numbers:
        return masks
    # The values of all columns side by side; below them is what is asked of a missing one.
    most = 1 + max(len(one.dictionary) for one in few.values())
    values = pa.table({name: _lengthened(one.dictionary, most) for name, one in few.items()})
    text = _statement(tuple((name, tuple(asked[name])) for name in asked))
    parameters = {"business_date": business_date} if "$business_date" in text else {}
    told = run_sql(settings, text, {"few_value": values}, parameters)
    places = {name: one.indices.fill_null(most - 1).to_numpy() for name, one in few.items()}
    for name, mask in sorted(numbers):
        broken = told.column(f"{name}_{mask}").to_numpy()
        if broken.any():
            masks[mask] |= broken[places[name]]
    return masks


def mask_of(kept: Sequence[tuple[int, exp.Expr]]) -> exp.Expr:
    """Sum the bits of the rules that a row broke, by the rules' places; what is unknown breaks nothing."""
    total: exp.Expr = exp.Literal.number(0)
    for bit, predicate in kept:
        bit_if_broken = (
            exp.Case()
            .when(exp.not_(exp.paren(predicate, copy=False), copy=False), str(1 << bit), copy=False)
            .else_("0", copy=False)
        )
        total = exp.Add(this=total, expression=bit_if_broken)
    return exp.cast(total, "BIGINT", copy=False)


@lru_cache(maxsize=256)
def _columns_of(predicate: str) -> frozenset[str]:
    return frozenset(column.name for column in parse_sql(predicate).find_all(exp.Column))


@lru_cache(maxsize=64)
def _statement(asked: tuple[tuple[str, tuple[tuple[int, Rule], ...]], ...]) -> str:
    masks = []
    for name, rules in asked:
        of_masks: dict[int, list[tuple[int, exp.Expr]]] = {}
        for number, rule in rules:
            mask, bit = divmod(number, RULES_PER_MASK)
            of_masks.setdefault(mask, []).append((bit, parse_sql(str(rule.predicate)).copy()))
        masks += [mask_of(kept).as_(f"{name}_{mask}") for mask, kept in of_masks.items()]
    return exp.select(*masks).from_("few_value").sql(dialect="duckdb")


def _lengthened(values: Any, count: int) -> Any:  # noqa: ANN401 - the stubs of pyarrow are generic
    return pa.concat_arrays([values, pa.nulls(count - len(values), values.type)])
