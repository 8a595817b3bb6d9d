"""The three scores of the contract: 完整性、正确性、合规性, before and after; docs/decisions/0014.

A row fails a goal if it broke at least one row rule of it. Before: of the rows as received. After: of the
rows that were accepted, by the faults that conforming did not mend.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.divisions import divisions_on
from connectors.engine import run_sql
from connectors.lake import newest_business_date
from connectors.registry import write_state
from connectors.settings import Settings
from quality.judgement import Judgement
from quality.responsible import CODES, responsible_divisions, said_codes
from schemas.contract import Contract
from schemas.contract_rule import GOALS, Rule
from schemas.registry import SCORE

# The stubs of pyarrow do not know all functions.
pc: Any = pyarrow.compute

# A goal, and what a row is called that fails it.
FAILING = {"completeness": "incomplete", "correctness": "incorrect", "compliance": "noncompliant"}
COMBINATION = "combination"
FLAGS = ("is_accepted", *(f"{word}_{when}" for word in FAILING.values() for when in ("before", "after")))

COUNTED = pa.schema(
    [
        ("division_code", pa.string()),
        ("dimension", pa.string()),
        *((name, pa.int64()) for name in ("checked", "accepted", "failed_before", "failed_after")),
    ]
)


def goal_of(rule: Rule) -> str:
    """Name the goal that a rule's dimension serves."""
    return GOALS[rule.dimension].rpartition(" · ")[2]


def count_flags(
    contract: Contract,
    received: pa.Table,
    judgement: Judgement,
    unread: int,
    divisions: pa.Table,
) -> pa.Table:
    """Count judged rows by the codes that they say and by the goals that they fail, as `row_count`.

    `received` are the rows as they came, found by the judged rows' `received_row`; `unread` rows could
    not be read into columns: they are the city's, fail compliance and are not accepted. Where the first
    code is one of the `divisions` in force nobody looks at the others: they are left out.
    """
    said = said_codes(contract, received).take(judgement.rows.column("received_row"))
    first, *others = CODES
    is_told = pc.is_in(said.column(first), divisions.column("division_code").combine_chunks())
    nothing = pa.scalar(None, pa.string())
    said = pa.table(
        [said.column(first), *(pc.if_else(is_told, nothing, said.column(name)) for name in others)],
        list(CODES),
    )
    # Rows of one combination of broken rules have the same flags.
    said = said.append_column(COMBINATION, pa.array(judgement.places))
    counted = said.group_by([*CODES, COMBINATION]).aggregate([([], "count_all")])
    flags = _flags_of(judgement).take(counted.column(COMBINATION))
    rows = pa.table(
        [*(counted.column(name) for name in CODES), *flags.columns, counted.column("count_all")],
        [*CODES, *FLAGS, "row_count"],
    )
    rows = pa.concat_tables([rows, _unread_rows(contract, rows.schema, unread)])
    summed = rows.group_by([*CODES, *FLAGS]).aggregate([("row_count", "sum")])
    return summed.rename_columns([*CODES, *FLAGS, "row_count"])


def _flags_of(judgement: Judgement) -> pa.Table:
    """Tell FLAGS of each combination of broken rules."""
    rejecting = [rule for rule in judgement.rules if rule.severity == "reject"]
    is_accepted = ~judgement.lines_breaking(rejecting)
    flags = {"is_accepted": is_accepted}
    for goal, word in FAILING.items():
        rules = [rule for rule in judgement.rules if goal_of(rule) == goal]
        left = [rule for rule in rules if rule.severity == "warn" and not rule.is_repaired]
        flags[f"{word}_before"] = judgement.lines_breaking(rules)
        flags[f"{word}_after"] = judgement.lines_breaking(left) & is_accepted
    return pa.table(flags)


def score_flags(settings: Settings, flags: pa.Table, business_date: date) -> pa.Table:
    """Score rows by division and goal, with the columns of `sql/quality/score.sql`.

    `flags` are counts of rows (see `count_flags`), of one part of the rows after the other.
    """
    return score_counts(settings, divide_flags(settings, flags, business_date), business_date)


def divide_flags(settings: Settings, flags: pa.Table, business_date: date) -> pa.Table:
    """Count rows by division and goal (`sql/quality/score_count.sql`); such counts of rows add up."""
    relations = {
        "judged": flags,
        "responsible": responsible_divisions(settings, flags.select(list(CODES)), business_date),
        "division": divisions_on(settings, business_date),
    }
    return run_sql(settings, "quality/score_count", relations)


def score_counts(settings: Settings, counted: pa.Table, business_date: date) -> pa.Table:
    """Make scores from the counts of divisions and goals."""
    relations = {"counted": counted, "division": divisions_on(settings, business_date)}
    return run_sql(settings, "quality/score", relations)


def held_counts(connection: Connection, dataset_name: str, business_date: date) -> pa.Table:
    """Read the counts of a date as they are known now, with the columns of `sql/quality/score_count.sql`."""
    of_date = sa.and_(SCORE.c.dataset_name == dataset_name, SCORE.c.business_date == business_date)
    columns = [SCORE.c[name] for name in COUNTED.names]
    rows = connection.execute(sa.select(*columns).where(of_date, SCORE.c.recorded_to.is_(None)))
    return pa.Table.from_pylist([dict(row) for row in rows.mappings()], schema=COUNTED)


def _unread_rows(contract: Contract, schema: pa.Schema, count: int) -> pa.Table:
    failed = {f"{FAILING[goal_of(rule)]}_before" for rule in contract.rules if rule.kind == "reader"}
    flags = {name: np.full(count, name in failed) for name in FLAGS}
    codes = {name: pa.nulls(count, pa.string()) for name in CODES}
    return pa.table({**codes, **flags, "row_count": np.ones(count, np.int64)}, schema=schema)


def record_scores(
    connection: Connection,
    contract: Contract,
    scores: pa.Table,
    business_date: date,
    known_on: date | None = None,
) -> None:
    """Put the scores of a date's rows on record, as known from `known_on` on: else from the date itself.

    Where a later night has begun they are known from that night on: figures of the nights between were
    made without them, and may be out.
    """
    known_from = max(known_on or business_date, newest_business_date(connection))
    of_date = {"dataset_name": contract.name, "business_date": business_date}
    rows = [{**of_date, "source_name": contract.source, **row} for row in scores.to_pylist()]
    write_state(connection, SCORE, rows, known_from, where=of_date)


def score_trend(
    connection: Connection,
    division_code: str,
    business_date: date,
    days: int,
    dataset_names: Sequence[str] | None = None,
) -> Sequence[sa.RowMapping]:
    """List the scores of a division of the last days as they are known now, by dataset, goal and date."""
    is_held = SCORE.c.recorded_to.is_(None)
    is_until = SCORE.c.business_date <= business_date
    nights = sa.select(SCORE.c.business_date).where(is_held, is_until).distinct()
    newest = nights.order_by(SCORE.c.business_date.desc()).limit(days)
    is_chosen = sa.and_(SCORE.c.division_code == division_code, SCORE.c.business_date.in_(newest))
    chosen = sa.select(SCORE).where(is_held, is_chosen)
    if dataset_names:
        chosen = chosen.where(SCORE.c.dataset_name.in_(dataset_names))
    order = (SCORE.c.dataset_name, SCORE.c.dimension, SCORE.c.business_date)
    return connection.execute(chosen.order_by(*order)).mappings().all()
