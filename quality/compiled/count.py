"""Run the statements of a plan in DuckDB: one pass over the rows, uniqueness by neighbours or partitions."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
from sqlglot import exp

from connectors.duck import open_unordered
from connectors.engine import answer_of, name_relations, sql_text
from connectors.row_file import ROWS_PER_GROUP
from connectors.settings import Settings
from quality.batch import Batch
from quality.compiled.neighbours import is_ascending
from quality.compiled.plan import UNIQUE, Check, Plan, plan_of
from quality.compiled.statement import counted_columns, counts_statement, failures_statement, masks_of

# Values held at once when their uniqueness is judged: about 300 MB.
VALUES_PER_PARTITION = 4_000_000


@dataclass(frozen=True)
class Tally:
    """What one expectation counted; `missing` and `unexpected` are 0 where it speaks of the table."""

    rows: int
    missing: int = 0
    unexpected: int = 0


@dataclass(frozen=True)
class Counted:
    """Counts by id of the expectation, and by id the reason of those that could not be compiled."""

    tallies: Mapping[str, Tally]
    left: Mapping[str, str]


def count_suite(settings: Settings, batch: Batch, suite: Mapping[str, Any]) -> Counted:
    """Count what a suite, as its JSON tells it, finds in a batch."""
    with _opened(settings, batch) as connection:
        columns = _columns(connection, batch)
        plan = plan_of(suite, columns, batch.warnings)
        statement = counts_statement(plan, batch.query, columns)
        patterns = connection.sql(statement, params=dict(batch.parameters)).to_arrow_table()
        rows = sum(patterns.column("row_count").to_pylist())
        repeated = {
            name: 0 if _is_in_order(settings, batch, name) else _repeated_rows(connection, name, rows)
            for name in set(plan.unique_columns)
        }
    return Counted(_tallies(plan, patterns, rows, repeated), plan.left)


def failed_rows(
    settings: Settings, batch: Batch, suite: Mapping[str, Any], most: int | None = None
) -> pa.Table:
    """List rows that broke expectations, all or the first: `landing_id`, `landing_row`, `expectation_ids`.

    Neither uniqueness nor what was left to Great Expectations is told here.
    """
    with _opened(settings, batch) as connection:
        plan = plan_of(suite, _columns(connection, batch), batch.warnings)
        statement = failures_statement(plan, batch.query, most)
        failures = connection.sql(statement, params=dict(batch.parameters)).to_arrow_table()
    broken = [[check.id for check in checks] for checks in _broken_checks(plan, failures)]
    return failures.select(["landing_id", "landing_row"]).append_column(
        "expectation_ids", pa.array(broken, pa.list_(pa.string()))
    )


@contextmanager
def _opened(settings: Settings, batch: Batch) -> Iterator[duckdb.DuckDBPyConnection]:
    # The order of the rows does not matter to counts.
    with open_unordered(settings) as connection:
        name_relations(connection, settings, batch.relations)
        yield connection


def _columns(connection: duckdb.DuckDBPyConnection, batch: Batch) -> dict[str, str]:
    described = connection.sql(batch.query, params=dict(batch.parameters))
    return {name: str(kind) for name, kind in zip(described.columns, described.types, strict=True)}


def _is_in_order(settings: Settings, batch: Batch, column: str) -> bool:
    """Tell whether each value of a column is greater than the one before it, so that none stands twice.

    Conforming writes rows by key: then one look at neighbours spares holding all keys. Rows that lie
    otherwise are found out at the first one that does.
    """
    chosen = exp.select(exp.column(column)).from_("conformed").sql("duckdb")
    with answer_of(settings, chosen, {"conformed": batch.relations["conformed"]}) as rows:
        return is_ascending(part.column(0) for part in rows.to_arrow_reader(ROWS_PER_GROUP))


def _repeated_rows(connection: duckdb.DuckDBPyConnection, column: str, rows: int) -> int:
    """Count the rows whose value in a column stands in another row too."""
    partitions = max(1, -(-rows // VALUES_PER_PARTITION))
    value = duckdb.ColumnExpression(column).alias("value")
    connection.table("conformed").select(value).create_view("received_value", replace=True)
    statement = sql_text("quality/repeated")
    return sum(
        int(row[0])
        for partition in range(partitions)
        for row in connection.execute(
            statement, {"partitions": partitions, "partition": partition}
        ).fetchall()
    )


def _broken_checks(plan: Plan, rows: pa.Table) -> Iterator[list[Check]]:
    """Tell for each of some judged rows or combinations which checks it broke."""
    groups = masks_of(plan.row_checks)
    masks = [rows.column(f"broken_{number}").to_pylist() for number in range(len(groups))]
    by_rule = {check.column: check for check in plan.warnings}
    lists = rows.column("failed_rules").to_pylist() if by_rule else [None] * rows.num_rows
    for place, warned in enumerate(lists):
        yield [
            check
            for mask, group in zip(masks, groups, strict=True)
            for bit, check in enumerate(group)
            if mask[place] >> bit & 1
        ] + [by_rule[rule] for rule in dict.fromkeys(warned or ()) if rule in by_rule]


def _tallies(plan: Plan, patterns: pa.Table, rows: int, repeated: Mapping[str, int]) -> dict[str, Tally]:
    missing = {
        name: rows - sum(patterns.column(f"present_{number}").to_pylist())
        for number, name in enumerate(counted_columns(plan))
    }
    unexpected: Counter[str] = Counter()
    for row_count, checks in zip(
        patterns.column("row_count").to_pylist(), _broken_checks(plan, patterns), strict=True
    ):
        for check in checks:
            unexpected[check.id] += row_count

    def tally(check: Check) -> Tally:
        if check.column is None:
            return Tally(rows)
        found = repeated[check.column] if check.type == UNIQUE else unexpected[check.id]
        return Tally(rows, missing.get(check.column, 0), found)

    return {check.id: tally(check) for check in plan.checks}
