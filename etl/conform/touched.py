"""Which keys a night touches: the rows of all others are conformed to the same as in the night before.

A row is conformed by itself, by the business date, and by what its facts ask of others. So touched are the
keys that new extracts name; all rows in quarantine; accepted rows of which a rule says otherwise on the later
date; holders of a resident ID that any of these had or has; children of persons who come or vanish.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq
from sqlglot import exp

from connectors.engine import Relation
from connectors.extract import Extract
from connectors.lake import DatasetVersion, read_dataset
from connectors.lake_changes import NothingToBuildUpon
from connectors.lake_lookup import chosen_rows
from connectors.settings import Settings
from connectors.source_table import key_of
from etl.conform.context import NUMBERED, conformed_columns
from etl.conform.earlier import Earlier, EarlierTable
from etl.conform.known_table import DATASETS
from etl.conform.text import normalise_text
from quality.domain_functions import parse_sql
from schemas.contract import FAILED_RULES, Contract

PERSONS, CHILDREN, MARRIAGES = DATASETS
TODAY, THEN = "$business_date", "$earlier_date"

# The stubs of pyarrow do not know all functions.
pc: Any = pyarrow.compute


@dataclass(frozen=True)
class Reception:
    """Whether persons were received: those of the night before, and those whose keys new extracts name.

    `named` are these keys, `there` those of them that the source has now.
    """

    staging: DatasetVersion
    quarantined: pa.Table
    named: pa.Table
    there: pa.Table

    def received_before(self, settings: Settings, persons: pa.Table) -> pa.Table:
        """Tell which of some persons were received on the earlier date: `person_id`."""
        asked = persons.rename_columns(["person_id"])
        accepted = chosen_rows(
            settings, self.staging, "person_id", "staging/accepted_among", {"asked": asked}
        )
        quarantined = self.quarantined.filter(_is_in(self.quarantined.column(0), asked))
        return pa.concat_tables([accepted, quarantined])

    def received_now(self, before: pa.Table) -> pa.Table:
        """Tell who of all is received now: of those received before, and of those whose keys are named."""
        kept = before.filter(pc.invert(_is_in(before.column(0), self.named)))
        return pa.concat_tables([kept, self.there.rename_columns(kept.column_names)])

    def came_or_vanished(self, settings: Settings) -> pa.Table:
        """Tell which persons were received on one of the two dates only: `person_id`."""
        named = self.named.column(0)
        was = self.received_before(settings, self.named)
        differs = pc.not_equal(_is_in(named, was), _is_in(named, self.there))
        return pa.table({"person_id": named.filter(differs)})


def reception_of(settings: Settings, earlier: Earlier, named: pa.Table, there: pa.Table) -> Reception:
    """Find out who was received, before and now.

    `named` are the keys in new extracts of persons, `there` the keys of the rows that touched persons have
    now, as received.
    """
    before = earlier.tables[PERSONS]
    quarantined = quarantined_keys(settings, before).rename_columns(["person_id"])
    now = as_keys(before.contract, [there.column(0)])
    return Reception(before.staging, quarantined, named, now.filter(_is_in(now.column(0), named)))


def named_keys(contract: Contract, extracts: Sequence[Extract]) -> pa.Table:
    """List the keys whose rows new extracts changed or deleted: `row_key`."""
    name = str(key_of(contract).physical_name)
    return as_keys(contract, [pq.read_table(extract.path, columns=[name]).column(0) for extract in extracts])


def quarantined_keys(settings: Settings, earlier: EarlierTable) -> pa.Table:
    """List the keys of the quarantined rows: `row_key`."""
    contract = earlier.contract
    name = str(key_of(contract).physical_name)
    return as_keys(contract, [read_dataset(settings, earlier.quarantine, [name]).column(0)])


def dated_keys(settings: Settings, earlier: EarlierTable, then: date, now: date) -> pa.Table:
    """List the keys of accepted rows that a rule judges otherwise on the later date: `row_key`."""
    contract = earlier.contract
    dated = [rule for rule in contract.row_rules if TODAY in (rule.predicate or "")]
    kept = [parse_sql(str(rule.predicate)) for rule in dated]
    if not kept:
        return as_keys(contract, [])
    asked = {column.name for predicate in kept for column in predicate.find_all(exp.Column)}
    if not asked <= set(contract.staging_schema.names):
        raise NothingToBuildUpon(f"a dated rule of {contract.name} looks at more than staging has")
    differs = [
        exp.NEQ(this=_counts_as_kept(predicate), expression=_counts_as_kept(predicate.transform(_then)))
        for predicate in kept
    ]
    query = exp.select(contract.key).from_("accepted").where(exp.or_(*differs))
    parameters = {"business_date": now, "earlier_date": then}
    return _chosen_keys(settings, earlier, query.sql("duckdb"), {}, parameters)


def sharing_keys(
    settings: Settings,
    room: Path,
    earlier: Earlier,
    touched: pa.Table,
    newest: pa.Table,
    business_date: date,
) -> pa.Table:
    """List the keys of accepted persons with a resident ID that a touched person had or has: `row_key`.

    Touched persons had one in staging or in quarantine, and have another only by the `newest` rows of new
    extracts; what was landed before need not be read.
    """
    before = earlier.tables[PERSONS]
    contract = before.contract
    quarantined = read_dataset(settings, before.quarantine).drop_columns([FAILED_RULES[0]])
    relations: dict[str, Relation] = {
        "numbered": chosen_rows(
            settings, before.staging, contract.key, "staging/numbered_person", {"touched": touched}
        )
    }
    states = {"quarantined": (quarantined, earlier.business_date), "becomes": (newest, business_date)}
    for state, (rows, day) in states.items():
        (room / state).mkdir()
        read = partial(_whole, rows)
        relations[state] = conformed_columns(settings, room / state, contract, read, day, NUMBERED)
    return _chosen_keys(settings, before, "staging/sharing_person", relations)


def _whole(rows: pa.Table, _: Sequence[str]) -> Iterable[pa.Table]:
    yield rows


def children_of(settings: Settings, earlier: EarlierTable, persons: pa.Table) -> pa.Table:
    """List the keys of accepted children who name one of some persons as a parent: `row_key`."""
    return _chosen_keys(settings, earlier, "staging/child_of_parent", {"parent": persons})


def _chosen_keys(
    settings: Settings,
    earlier: EarlierTable,
    sql: str,
    relations: Mapping[str, Relation],
    parameters: Mapping[str, Any] | None = None,
) -> pa.Table:
    """List the keys of the accepted rows that a SELECT of keys chooses: `row_key`."""
    contract = earlier.contract
    chosen = chosen_rows(settings, earlier.staging, contract.key, sql, relations, parameters)
    return as_keys(contract, [chosen.column(0)])


def as_keys(contract: Contract, columns: Iterable[Any]) -> pa.Table:
    """Put keys as they were received or conformed into one column, each once, in order; none is missing."""
    kind = key_of(contract).arrow_type
    chunks = [_as_key(column, kind) for column in columns]
    keys = pa.chunked_array(chunks, kind) if chunks else pa.chunked_array([], kind)
    return pa.table({"row_key": keys.unique().drop_null().sort()})


def all_keys(contract: Contract, *tables: pa.Table) -> pa.Table:
    """Join keys of several reasons."""
    return as_keys(contract, [table.column(0) for table in tables])


def _as_key(column: Any, kind: pa.DataType) -> Any:  # noqa: ANN401 - a column of either kind of Arrow
    if pa.types.is_string(kind):
        column = normalise_text(column.cast(kind), None)
    column = column.cast(kind)
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _is_in(values: Any, among: pa.Table) -> Any:  # noqa: ANN401 - a column of either kind of Arrow
    return pc.is_in(values, among.column(0).combine_chunks())


def _counts_as_kept(predicate: exp.Expr) -> exp.Expr:
    return exp.Coalesce(this=exp.paren(predicate.copy()), expressions=[exp.true()])


def _then(node: exp.Expr) -> exp.Expr:
    return parse_sql(THEN) if node.sql("duckdb") == TODAY else node
