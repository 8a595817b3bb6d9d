"""The batch that is judged: the conformed rows and a flag for each rule over a row.

It is a query, so that Great Expectations (as a data frame) and the compiled suite (in the database)
judge the same rows and flags.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlglot import exp

from connectors.divisions import divisions_on
from connectors.engine import Relation, run_sql, sql_text
from connectors.lake import DatasetVersion, candidate_on
from connectors.lake_changes import staged_file
from connectors.lake_layer import Layer
from connectors.registry import registry_session
from connectors.settings import Settings
from quality.domain_functions import hoist_calls, parse_sql
from quality.rules import facts_of
from quality.suites import is_flagged
from schemas.contract import FAILED_RULES, LINEAGE, Contract
from schemas.contract_rule import Rule
from schemas.county import load_counties
from schemas.registry import DATASET_VERSION

if TYPE_CHECKING:
    import pandas as pd

# What a batch has beside what is judged.
THREAD = (*(name for name, _ in LINEAGE), FAILED_RULES[0])
# What the facts look places up in.
PLACES = ("division", "county")


@dataclass(frozen=True)
class Batch:
    """A query over named relations: the rows of `conformed`, with flags and the thread to the source.

    A flag is a boolean named after its rule, TRUE where the row kept the promise and never NULL. `warnings`
    are those flags that only repeat `failed_rules`, the row's own list.
    """

    query: str
    flags: tuple[str, ...]
    warnings: tuple[str, ...]
    relations: Mapping[str, Relation]
    parameters: Mapping[str, Any]


def candidate_batch(
    settings: Settings, contract: Contract, version: DatasetVersion, business_date: date
) -> Batch:
    """Describe the batch of a version.

    Rules that reject are judged here anew, on the rows that would be published, so that a fault of
    conforming or folding is seen. Warnings are those that each row got when it was received: they
    speak of received text, which staging no longer has.
    """
    persons = _received_persons(settings, contract, business_date)
    return batch_of(settings, contract, {"conformed": version, **persons}, business_date)


def come_batch(
    settings: Settings, contract: Contract, version: DatasetVersion, layer: Layer, business_date: date
) -> Batch:
    """Describe the batch of the rows that a version has instead of others."""
    relations: dict[str, Relation] = {"conformed": staged_file(layer.rows)}
    relations |= _received_persons(settings, contract, business_date)
    shared = facts_of(contract.name, frozenset()).get("shared_number")
    if shared is not None:
        # Of all rows of the version those that matter to the changed ones.
        asked = exp.select("id_number").from_("changed")
        sharing = exp.select("*").from_("version").where(exp.column("id_number").isin(query=asked))
        text = shared.copy().with_("conformed", as_=sharing).sql("duckdb")
        relations["shared_number"] = run_sql(
            settings, text, {"version": version, "changed": relations["conformed"]}
        )
    return batch_of(settings, contract, relations, business_date)


def gone_batch(contract: Contract, layer: Layer) -> Batch:
    """Describe the batch of the rows that a version has no more, if they kept every rule that rejects."""
    flagged = [rule for rule in contract.row_rules if is_flagged(rule)]
    flags = [
        (exp.true() if rule.severity == "reject" else _flag(rule, None)).as_(rule.id) for rule in flagged
    ]
    columns = [*(entry.name for entry in contract.properties), *THREAD]
    query = exp.select(*columns, *flags).from_("conformed")
    rows = {"conformed": staged_file(layer.replaced)}
    return Batch(query.sql(dialect="duckdb"), *_flag_names(flagged), rows, {})


def batch_of(
    settings: Settings, contract: Contract, relations: Mapping[str, Relation], business_date: date
) -> Batch:
    """Describe the batch of conformed rows; for children with `accepted_person`, `quarantined_person` too."""
    flagged = [rule for rule in contract.row_rules if is_flagged(rule)]
    columns = [exp.column(entry.name) for entry in contract.properties]
    thread = [exp.column(name) for name in THREAD]
    rejecting = [rule for rule in flagged if rule.severity == "reject"]
    kept, called = hoist_calls([str(rule.predicate) for rule in rejecting], "facts")
    judged = dict(zip(rejecting, kept, strict=True))
    flags = [_flag(rule, judged.get(rule)).as_(rule.id) for rule in flagged]
    query = exp.select(*columns, *thread, *flags, copy=False)
    query = query.from_(next(reversed(called), "facts"), copy=False)
    if contract.name == "family_child":
        query = query.with_("received_person", as_=parse_sql(sql_text("quality/received_row")), copy=False)
    made = {**facts_of(contract.name, frozenset(relations)), **called}
    if "shared_number" in made:
        query = query.with_("number_alike", as_=parse_sql(sql_text("quality/number_alike")), copy=False)
        made["shared_number"] = _among("number_alike", made["shared_number"])
    for name, facts in made.items():
        query = query.with_(name, as_=facts.copy(), copy=False)
    text = query.sql(dialect="duckdb")
    places = dict(zip(PLACES, (divisions_on(settings, business_date), load_counties()), strict=True))
    return Batch(
        text,
        *_flag_names(flagged),
        {**places, **relations},
        {"business_date": business_date} if "$business_date" in text else {},
    )


def _among(rows: str, query: exp.Query) -> exp.Query:
    """Ask a query over the conformed rows of some of them."""
    asked = query.copy()
    for table in asked.find_all(exp.Table):
        if table.name == "conformed":
            table.set("this", exp.to_identifier(rows))
    return asked


def _flag_names(flagged: Sequence[Rule]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Name all flags, and those of warnings."""
    names = tuple(rule.id for rule in flagged)
    return names, tuple(rule.id for rule in flagged if rule.severity == "warn")


def batch_frame(settings: Settings, batch: Batch) -> pd.DataFrame:
    """Read a batch whole, as Great Expectations takes it.

    Whole numbers stay whole: beside a missing one pandas would make them floating, and two keys beyond
    2**53 could become one.
    """
    import pandas as pd

    rows = run_sql(settings, batch.query, batch.relations, batch.parameters)
    whole = {pa.int64(): pd.Int64Dtype()}
    frame: pd.DataFrame = rows.drop_columns(list(THREAD)).to_pandas(types_mapper=whole.get)
    return frame


def least_rows(connection: Connection, contract: Contract, business_date: date) -> dict[str, int]:
    """Tell how many rows a version must have at least, by rule, measured by the version before."""
    previous = connection.scalar(
        sa.select(DATASET_VERSION.c.row_count)
        .where(
            DATASET_VERSION.c.dataset_name == f"staging.{contract.name}",
            DATASET_VERSION.c.business_date < business_date,
            DATASET_VERSION.c.is_current,
        )
        .order_by(DATASET_VERSION.c.business_date.desc())
        .limit(1)
    )
    return {
        rule.id: int((previous or 0) * (rule.limit or 0) // 100)
        for rule in contract.rules
        if rule.is_share_of_previous
    }


def _flag(rule: Rule, predicate: exp.Expr | None) -> exp.Expr:
    """Tell whether a row kept a rule: by its predicate, or by the row's own list; unknown counts as kept."""
    if predicate is not None:
        return exp.Coalesce(this=predicate, expressions=[exp.true()])
    failed = exp.column("failed_rules")
    is_warned = exp.ArrayContains(this=failed.copy(), expression=exp.Literal.string(rule.id))
    # Most rows have no warning: asking that first spares looking through a list for every rule.
    some = exp.GT(this=exp.ArraySize(this=failed.copy()), expression=exp.Literal.number(0))
    return exp.Case().when(some, exp.not_(is_warned)).else_(exp.true())


def _received_persons(settings: Settings, contract: Contract, business_date: date) -> dict[str, Relation]:
    """Give the persons received for the date, accepted or quarantined, where the rules ask for them."""
    if contract.name != "family_child":
        return {}
    with registry_session(settings) as connection:
        return {
            "accepted_person": candidate_on(connection, "staging.population_person", business_date),
            "quarantined_person": candidate_on(connection, "quarantine.population_person", business_date),
        }
