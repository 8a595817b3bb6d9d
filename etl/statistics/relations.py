"""What the statistics count, as it was known on a business date; nobody is named in it."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.engine import Relation
from connectors.lake import version_on
from connectors.registry import state_on
from schemas.registry import CASE, CASE_REVIEW, DECISION, SCORE, TASK

TEXT, DAY, FLAG, COUNT = pa.string(), pa.date32(), pa.bool_(), pa.int64()
PERIOD = (("recorded_from", DAY), ("recorded_to", DAY))
DECISIONS = pa.schema(
    [
        *((name, TEXT) for name in ("programme_code", "decision_code", "category_code", "division_code")),
        ("has_case", FLAG),
    ]
)
DECISION_HISTORY = pa.schema([*DECISIONS, *PERIOD])
TASKS = pa.schema([("kind_code", TEXT), ("division_code", TEXT), ("due_date", DAY)])
TASK_HISTORY = pa.schema([("task_id", TEXT), *TASKS, *PERIOD])
CASES = pa.schema(
    [
        *((name, TEXT) for name in ("division_code", "programme_code", "category_code", "state_code")),
        ("start_month", DAY),
        ("end_month", DAY),
        ("exit_reason_code", TEXT),
        ("finding_code", TEXT),
    ]
)
SCORED = ("checked", "accepted", "failed_before", "failed_after")
QUALITY = pa.schema(
    [("month", TEXT), ("division_code", TEXT), ("category", TEXT), *((name, COUNT) for name in SCORED)]
)
# What the receiver's answers ask of people comes by the receiver's clock, after the figures of a date are
# out; counting it would change them. `padis receipts` lists it.
BY_THE_RECEIVERS_CLOCK = "submission"
MONTHS = pa.schema([("month", TEXT), ("first_day", DAY), ("last_day", DAY)])


def known_relations(connection: Connection, business_date: date) -> dict[str, Relation]:
    """Give what was known on a date: versions of the lake, and rows of the registry.

    Raises:
        Refusal: persons or births have never been published.
    """
    return {
        "population_person": version_on(connection, "staging.population_person", business_date),
        "birth_match": version_on(connection, "core.birth_match", business_date),
        "decision": _known_decisions(connection, business_date),
        "task": _rows(connection, _counted_tasks(state_on(TASK, business_date)), TASKS),
        "case_known": _known_cases(connection, business_date),
        "quality": _quality(connection, [(None, business_date)]),
    }


def month_relations(
    connection: Connection, births: Relation, months: Sequence[Mapping[str, Any]]
) -> dict[str, Relation]:
    """Give what is counted by month: what was known at the end of each, never what came to be known later."""
    newest = months[-1]["last_day"]
    return {
        "birth_match": births,
        "decision": _history(connection, DECISION, DECISION_HISTORY, newest),
        "task": _history(connection, TASK, TASK_HISTORY, newest),
        "case_known": _known_cases(connection, newest),
        "quality": _quality(connection, [(month["month"], month["last_day"]) for month in months]),
        "month": pa.Table.from_pylist(list(months), schema=MONTHS),
    }


def months_until(business_date: date, first: date | None = None) -> list[dict[str, Any]]:
    """List the months of a year up to a business date, or from `first` on; the last one ends on the date."""
    day, months = (first or business_date.replace(month=1)).replace(day=1), []
    while day <= business_date:
        following = (day + timedelta(days=31)).replace(day=1)
        last_day = min(following - timedelta(days=1), business_date)
        months.append({"month": f"{day:%Y-%m}", "first_day": day, "last_day": last_day})
        day = following
    return months


def _rows(connection: Connection, chosen: sa.Select[Any], schema: pa.Schema) -> pa.Table:
    rows = connection.execute(chosen).mappings()
    return pa.Table.from_pylist([{name: row[name] for name in schema.names} for row in rows], schema=schema)


def _counted_tasks(known: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(TASK).where(known, TASK.c.process_name != BY_THE_RECEIVERS_CLOCK)


def _known_decisions(connection: Connection, business_date: date) -> pa.Table:
    chosen = sa.select(DECISION, _has_case(business_date)).where(state_on(DECISION, business_date))
    return _rows(connection, chosen, DECISIONS)


def _has_case(business_date: date) -> sa.Label[bool]:
    """Tell whether a person has a case in the programme that has not exited."""
    return (
        sa.exists()
        .where(
            CASE.c.programme_code == DECISION.c.programme_code,
            CASE.c.person_id == DECISION.c.person_id,
            CASE.c.state_code != "3",
            state_on(CASE, business_date),
        )
        .label("has_case")
    )


def _known_cases(connection: Connection, business_date: date) -> pa.Table:
    is_reviewed = sa.and_(
        CASE_REVIEW.c.case_number == CASE.c.case_number, state_on(CASE_REVIEW, business_date)
    )
    chosen = (
        sa.select(CASE, CASE_REVIEW.c.finding_code)
        .select_from(CASE.outerjoin(CASE_REVIEW, is_reviewed))
        .where(state_on(CASE, business_date))
    )
    return _rows(connection, chosen, CASES)


def _history(connection: Connection, table: sa.Table, schema: pa.Schema, newest: date) -> pa.Table:
    """Read the rows known up to a date; what ended after it had not ended yet."""
    ended = sa.case((table.c.recorded_to <= newest, table.c.recorded_to)).label("recorded_to")
    others = [column for column in table.columns if column.name != "recorded_to"]
    if table is DECISION:
        others.append(_has_case(newest))  # type: ignore[arg-type]
    chosen = sa.select(*others, ended).where(table.c.recorded_from <= newest)
    if table is TASK:
        chosen = chosen.where(TASK.c.process_name != BY_THE_RECEIVERS_CLOCK)
    return _rows(connection, chosen, schema)


def _quality(connection: Connection, nights: Sequence[tuple[str | None, date]]) -> pa.Table:
    """Read the scores of each dataset in its newest night of a month up to a date.

    By goal and dataset; followed by months, datasets are summed up.
    """
    rows = [
        {**row, "month": month}
        for month, last_day in nights
        for row in connection.execute(_scores(last_day, is_summed=month is not None)).mappings()
    ]
    return pa.Table.from_pylist(rows, schema=QUALITY)


def _scores(last_day: date, *, is_summed: bool) -> sa.Select[Any]:
    score = SCORE.c
    newest = (
        sa.select(score.dataset_name, sa.func.max(score.business_date).label("business_date"))
        .where(score.business_date.between(last_day.replace(day=1), last_day))
        .group_by(score.dataset_name)
        .subquery()
    )
    is_newest = sa.and_(
        score.dataset_name == newest.c.dataset_name, score.business_date == newest.c.business_date
    )
    category = score.dimension if is_summed else score.dimension + "/" + score.dataset_name
    counts = (sa.cast(sa.func.sum(score[name]), sa.BigInteger).label(name) for name in SCORED)
    chosen = sa.select(score.division_code, category.label("category"), *counts).join(newest, is_newest)
    return chosen.group_by(score.division_code, category).order_by(score.division_code, sa.text("category"))
