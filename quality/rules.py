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
from connectors.few_values import plainly
from connectors.lake_room import digest_of
from connectors.settings import Settings
from quality.domain_functions import hoist_calls, parse_sql
from quality.judgement import RULES_PER_MASK, Judgement, Mask, judgement_of
from quality.value_rules import judge_values, mask_of, rules_of_values
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
    unchanged: Mapping[str, Any] | None = None,
    is_by_key: bool = False,
) -> Judgement:
    """Judge every row of the relation `conformed` by rules of its contract.

    `conformed` gives the queries that make that relation from the others, by name and in order;
    without them it is one of `relations`. What the facts rest on beside it (see `facts_of`) is made from
    these rows unless it is given: rows that are a part of more need it given. The divisions of the
    business date and the counties are added here. The judged rows have the columns of staging that
    conforming makes, and `received_row`.

    `unchanged` are columns that conforming leaves as they are, each with its values at `received_row`: they
    are not fetched back, and rules about one of few values are asked of the values. `is_by_key` says that
    rows come in order of their key, each another one: none of them can be repeated.
    """
    unchanged = unchanged or {}
    of_values = rules_of_values(rules, unchanged)
    asked = (contract, rules, tuple((conformed or {}).items()), frozenset(relations))
    left = frozenset(number for of_column in of_values.values() for number, _ in of_column)
    text = _statement(*asked, tuple(unchanged), left, may_repeat=not is_by_key)
    places = {"division": divisions_on(settings, business_date), "county": load_counties()}
    parameters = {"business_date": business_date} if "$business_date" in text else {}
    judged = run_sql(settings, text, {**places, **relations}, parameters)
    found = judge_values(settings, of_values, unchanged, judged.num_rows, business_date)
    rows, masks = _completed(judged, len(_groups(rules)), unchanged, found, contract.key, is_by_key)
    # However rows happen to come, rules are the same.
    plain = _statement(*asked, tuple(name for name in unchanged if name not in dict(LINEAGE)))
    return judgement_of(rows, rules, masks, _digest(plain, places.values()))


def _completed(
    judged: pa.Table,
    mask_count: int,
    unchanged: Mapping[str, Any],
    found: Sequence[Mask],
    key: str,
    is_by_key: bool,
) -> tuple[pa.Table, list[Mask]]:
    """Complete judged rows by the columns that they have as received, and by what their values broke.

    Gives rows and masks in order of the key.
    """
    received_row = judged.column("received_row").to_numpy()
    is_as_received = np.array_equal(received_row, np.arange(judged.num_rows))
    for name, column in unchanged.items():
        judged = judged.append_column(name, column if is_as_received else column.take(pa.array(received_row)))
    names = [f"broken_{number}" for number in range(mask_count)]
    masks = [judged.column(name).to_numpy().astype(np.int64) for name in names]
    for number, mask in enumerate(found):
        masks[number] |= mask if is_as_received else mask[received_row]
    rows = judged.drop_columns(names)
    if is_by_key and is_as_received:
        return rows, masks
    order = _order(key, rows)
    return (rows, masks) if order is None else (rows.take(order), [mask[order.to_numpy()] for mask in masks])


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


def _order(key: str, rows: pa.Table) -> Any:  # noqa: ANN401 - the stubs of pyarrow are generic
    """Tell the order of rows by their key; those of one key are in order of receipt. None if they are in it.

    Mostly they are in it already: the engine keeps the order in which rows were read.
    """
    names = [key, *(name for name, _ in LINEAGE)]
    by_key = pa.table([plainly(rows.column(name)) for name in names], names)
    if _is_in_order(by_key):
        return None
    return pc.sort_indices(by_key, sort_keys=[(name, "ascending") for name in names])


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
    left: frozenset[int] = frozenset(),
    may_repeat: bool = True,
) -> str:
    key, lineage = contract.key, [name for name, _ in LINEAGE]
    made = [name for name in contract.staging_schema.names if name not in (FAILED_RULES[0], *without)]
    numbers = [number for number in range(len(rules)) if number not in left]
    kept, called = hoist_calls([str(rules[number].predicate) for number in numbers], "judged")
    masks = [
        mask_of(
            [
                (number % RULES_PER_MASK, predicate)
                for number, predicate in zip(numbers, kept, strict=True)
                if number // RULES_PER_MASK == mask
            ]
        ).as_(f"broken_{mask}")
        for mask in range(len(_groups(rules)))
    ]
    statement = exp.select(*made, "received_row", *masks, copy=False)
    statement = statement.from_(next(reversed(called), "judged"), copy=False)
    # Read more than once, but other columns each time: an engine that keeps them would keep them all.
    for name, query in conformed:
        statement = statement.with_(name, as_=parse_sql(query), materialized=False, copy=False)
    for name, facts in facts_of(contract.name, given).items():
        statement = statement.with_(name, as_=facts.copy(), copy=False)
    first = conformed[0][0] if conformed else "conformed"
    ranks = _ranks(key, first) if may_repeat else {}
    newness = "COALESCE(ranked.newness, 1)" if ranks else "1"
    judged = exp.select("facts.*", f"{newness} AS newness").from_("facts")
    if ranks:
        judged = judged.join(
            "ranked", on=[f"ranked.{name} = facts.{name}" for name in lineage], join_type="left"
        )
    for name, made_of in {**ranks, "judged": judged, **called}.items():
        statement = statement.with_(name, as_=made_of, copy=False)
    return statement.sql(dialect="duckdb")


def _ranks(key: str, first: str) -> dict[str, exp.Select]:
    """Write the queries that tell of each row whose key comes twice how new it is; few keys do.

    The key passes through all queries unchanged.
    """
    lineage = [name for name, _ in LINEAGE]
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
    return {"repeated": repeated, "ranked": ranked}


def _groups(rules: tuple[Rule, ...]) -> list[tuple[Rule, ...]]:
    return [rules[start : start + RULES_PER_MASK] for start in range(0, len(rules), RULES_PER_MASK)]
