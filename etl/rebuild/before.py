"""What was known before a business date: the rows of each table with which its rebuild begins."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta

import sqlalchemy as sa

from schemas.refusal import Refusal
from schemas.registry import (
    ANNUAL_RECORDS,
    ANSWER,
    ATTEMPT,
    BATCH,
    CASE,
    COUNTERSIGN,
    DATASET_VERSION,
    DROP,
    EXPECTATION_COUNT,
    FILING_STEP,
    LANDING,
    LIFE_RECORDS,
    LIFE_RULES,
    POLICY_FILE,
    PREDICTIONS,
    RECEIPT,
    RECORD,
    RESUBMISSION,
    SHARE_ACCEPTANCE,
    STATE_DATE,
)

Rows = sa.Select[tuple[object, ...]]
# What came for the date itself is what it is rebuilt from; so are words that count on it: of whoever
# accepted its rejects, or asked for a report again.
OF_THE_DATE_TOO = frozenset({LANDING, DROP, RESUBMISSION, SHARE_ACCEPTANCE})
# What was sent and said, what second persons let pass, which figures were released, who worked here: no step
# of a night asks. What people did about cases: a night reads it where it was put on record, as its date knows
# it.
ZONES_LEFT_BEHIND = frozenset({"audit", "mart"})
LEFT_BEHIND = frozenset(
    {
        ATTEMPT,
        ANSWER,
        COUNTERSIGN,
        FILING_STEP,
        RECEIPT,
        *PREDICTIONS,
        *LIFE_RULES,
        *LIFE_RECORDS,
        *ANNUAL_RECORDS,
    }
)
CASE_IMPORT = "subsidy.case_import"


def rows_before(table: sa.Table, business_date: date) -> Rows | None:
    """Select the rows of a table that its branch begins with; None if it begins empty.

    Of a table with history: what was recorded before the date, still open where it ended later. Of a
    table by date: the earlier dates. What comes by no date of ours has its own rule.

    Raises:
        Refusal: a table has neither date nor history, and nobody said what was known of it.
    """
    if table.schema in ZONES_LEFT_BEHIND or table in LEFT_BEHIND:
        return None
    if table in OWN_RULE:
        return OWN_RULE[table](table, business_date)
    if "recorded_from" in table.c:
        return _history_before(table, business_date)
    if "business_date" in table.c:
        day = table.c.business_date
        is_before = day <= business_date if table in OF_THE_DATE_TOO else day < business_date
        return sa.select(*table.columns).where(is_before)
    raise Refusal(
        "table_without_past",
        found=f"{table.fullname}, which has neither business date nor history",
        expected="a rule that tells what was known of it before a date",
        to_do="add it to etl/rebuild/before.py",
    )


def _history_before(table: sa.Table, business_date: date) -> Rows:
    ended = sa.case((table.c.recorded_to < business_date, table.c.recorded_to))
    columns = [
        ended.label("recorded_to") if column.name == "recorded_to" else column for column in table.columns
    ]
    return sa.select(*columns).where(table.c.recorded_from < business_date)


def _batches(table: sa.Table, business_date: date) -> Rows:
    # Names and sequences are what the next batch is built after; the sealed bytes stay where they are.
    columns = [
        sa.literal(b"").label("content") if column.name == "content" else column for column in table.columns
    ]
    return sa.select(*columns).where(table.c.business_date < business_date)


def _records(table: sa.Table, business_date: date) -> Rows:
    earlier = sa.select(BATCH.c.batch_id).where(BATCH.c.business_date < business_date)
    return sa.select(*table.columns).where(table.c.batch_id.in_(earlier))


def _state_dates(table: sa.Table, business_date: date) -> Rows:
    """Select the states on record, as if none went beyond the day before; of cases only if there were any."""
    imported = sa.exists().where(
        DATASET_VERSION.c.dataset_name == CASE_IMPORT, DATASET_VERSION.c.business_date < business_date
    )
    columns = [
        sa.func.least(column, business_date - timedelta(days=1)).label("business_date")
        if column.name == "business_date"
        else column
        for column in table.columns
    ]
    return sa.select(*columns).where(sa.or_(table.c.table_name != CASE.fullname, imported))


def _named_by_content(table: sa.Table, _: date) -> Rows:
    """Select all: what a suite counts in a version, or a folder holds, is so whenever it is asked."""
    return sa.select(*table.columns)


OWN_RULE: Mapping[sa.Table, Callable[[sa.Table, date], Rows]] = {
    BATCH: _batches,
    EXPECTATION_COUNT: _named_by_content,
    POLICY_FILE: _named_by_content,
    RECORD: _records,
    STATE_DATE: _state_dates,
}
