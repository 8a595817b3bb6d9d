"""What the statistics count, as it was known on a business date."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.engine import Connection

from connectors.engine import Relation
from connectors.lake import DatasetVersion, version_on
from connectors.registry import registry_session, state_on
from connectors.registry_copy import copy_out
from connectors.settings import Settings
from schemas.contract import DATASETS
from schemas.registry import (
    CASE,
    CASE_LIFE,
    CASE_REVIEW,
    CASE_STEP,
    DATASET_VERSION,
    DECISION,
    SCORE,
    TASK,
)

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
        # The file number finds the age; it is no part of any cell.
        ("person_id", TEXT),
        *((name, TEXT) for name in ("division_code", "programme_code", "category_code", "state_code")),
        ("start_month", DAY),
        ("end_month", DAY),
        ("exit_reason_code", TEXT),
        ("finding_code", TEXT),
    ]
)
NUMBERED_CASES = pa.schema([("case_number", TEXT), *CASES])
LIVES = pa.schema(
    [
        (name, TEXT)
        for name in (
            "person_id", "division_code", "programme_code", "category_code", "state_code", "exit_reason_code"
        )
    ]
)  # fmt: skip
SCORED = ("checked", "accepted", "failed_before", "failed_after")
QUALITY = pa.schema(
    [("month", TEXT), ("division_code", TEXT), ("category", TEXT), *((name, COUNT) for name in SCORED)]
)
# What the receiver's answers ask of people comes by the receiver's clock, after the figures of a date are
# out. An answer of a day counts on the day after: so no answer changes figures that are out, and no answer
# is left out (docs/decisions/0019).
BY_THE_RECEIVERS_CLOCK = "submission"
DAYS_LATER = sa.case((TASK.c.process_name == BY_THE_RECEIVERS_CLOCK, 1), else_=0)
MONTHS = pa.schema([("month", TEXT), ("first_day", DAY), ("last_day", DAY)])


def known_relations(
    connection: Connection,
    business_date: date,
    known_on: date | None = None,
    pinned: Mapping[str, DatasetVersion] | None = None,
) -> dict[str, Relation]:
    """Give what was held on a date: versions of the lake, and rows of the registry.

    Births and the months of cases (`case_dated`) have dates of their own: they are given as known on
    `known_on`, which a correction sets later. `pinned` names the versions of the lake of an earlier count.

    Raises:
        Refusal: persons or births have never been published.
    """
    known_on, pinned = known_on or business_date, pinned or {}
    # Births are reconciled within their year.
    births_on = min(known_on, business_date.replace(month=12, day=31))

    def version(name: str, day: date) -> DatasetVersion:
        return pinned.get(name) or version_on(connection, name, day)

    return {
        "population_person": version("staging.population_person", business_date),
        "birth_match": version("core.birth_match", births_on),
        "decision": _known_decisions(connection, business_date),
        "task": _known_tasks(connection, business_date),
        "case_known": _known_cases(connection, business_date),
        "case_dated": _known_cases(connection, known_on),
        "quality": _quality(connection, [(None, business_date)]),
    }


def known_lives(settings: Settings, business_date: date) -> pa.Table:
    """Give each life of a case by the newest step that a business date knows, LIVES.

    A shadow takes no steps: it reads those of the registry itself.
    """
    step = CASE_STEP.c
    newest = (
        sa.select(CASE_STEP)
        .where(step.business_date <= business_date)
        .ext(distinct_on(step.case_number))
        .order_by(step.case_number, step.step_number.desc())
        .subquery("newest")
    )
    chosen = sa.select(newest, newest.c.to_state_code.label("state_code"), CASE_LIFE.c.person_id).join(
        CASE_LIFE, CASE_LIFE.c.case_number == newest.c.case_number
    )
    with registry_session(replace(settings, shadow=None)) as connection:
        return copy_out(connection, chosen, LIVES)


def month_relations(
    connection: Connection, known: Mapping[str, Relation], months: Sequence[Mapping[str, Any]]
) -> dict[str, Relation]:
    """Give what is counted by month: what was held at the end of each, never what came to be held later."""
    newest = months[-1]["last_day"]
    return {
        "birth_match": known["birth_match"],
        "case_dated": known["case_dated"],
        "retired_division": known["retired_division"],
        "decision": _decision_history(connection, newest),
        "task": _task_history(connection, newest),
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


def first_night(connection: Connection) -> date | None:
    """Tell the first business date on record."""
    first: date | None = connection.scalar(sa.select(sa.func.min(DATASET_VERSION.c.business_date)))
    return first


def _known_tasks(connection: Connection, business_date: date) -> pa.Table:
    history = _task_history(connection, business_date)
    return history.filter(pc.is_null(history["recorded_to"])).select(TASKS.names)


def _known_decisions(connection: Connection, business_date: date) -> pa.Table:
    chosen = sa.select(DECISION, _has_case(business_date)).where(state_on(DECISION, business_date))
    return copy_out(connection, chosen, DECISIONS)


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


def numbered_cases(connection: Connection, business_date: date) -> pa.Table:
    """Give the cases known on a date as they are counted, with their numbers: for personal zones only."""
    return _known_cases(connection, business_date, NUMBERED_CASES)


def _known_cases(connection: Connection, business_date: date, schema: pa.Schema = CASES) -> pa.Table:
    is_reviewed = sa.and_(
        CASE_REVIEW.c.case_number == CASE.c.case_number, state_on(CASE_REVIEW, business_date)
    )
    chosen = (
        sa.select(CASE, CASE_REVIEW.c.finding_code)
        .select_from(CASE.outerjoin(CASE_REVIEW, is_reviewed))
        .where(state_on(CASE, business_date))
    )
    return copy_out(connection, chosen, schema)


def _decision_history(connection: Connection, newest: date) -> pa.Table:
    chosen = _history(DECISION, DECISION.c.recorded_from, DECISION.c.recorded_to, newest)
    return copy_out(connection, chosen.add_columns(_has_case(newest)), DECISION_HISTORY)


def _task_history(connection: Connection, newest: date) -> pa.Table:
    counted_from, counted_to = TASK.c.recorded_from + DAYS_LATER, TASK.c.recorded_to + DAYS_LATER
    return copy_out(connection, _history(TASK, counted_from, counted_to, newest), TASK_HISTORY)


def _history(
    table: sa.Table, begun: sa.ColumnElement[date], ended: sa.ColumnElement[date], newest: date
) -> sa.Select[Any]:
    """Select the rows that count up to a date; what ended after it had not ended yet."""
    others = [column for column in table.columns if column.name not in {"recorded_from", "recorded_to"}]
    until = sa.case((ended <= newest, ended)).label("recorded_to")
    return sa.select(*others, begun.label("recorded_from"), until).where(begun <= newest)


def _quality(connection: Connection, nights: Sequence[tuple[str | None, date]]) -> pa.Table:
    """Read the scores of each dataset in its newest night of a month up to a date, as held on that date.

    By goal and dataset; followed by months, datasets are summed up.
    """
    rows = [
        {**row, "month": month}
        for month, last_day in nights
        for row in connection.execute(
            _scores(_newest_scored(connection, last_day), last_day, is_summed=month is not None)
        ).mappings()
    ]
    return pa.Table.from_pylist(rows, schema=QUALITY)


def _newest_scored(connection: Connection, last_day: date) -> list[tuple[str, date]]:
    """Tell the newest night of a month up to a date in which a dataset was scored, of each that was.

    Datasets are asked for one by one: an index then leads to the newest night, past all rows of the month.
    """
    score = SCORE.c
    newest = sa.select(sa.func.max(score.business_date)).where(
        score.business_date.between(last_day.replace(day=1), last_day), state_on(SCORE, last_day)
    )
    asked = (newest.where(score.dataset_name == name).scalar_subquery().label(name) for name in DATASETS)
    found = connection.execute(sa.select(*asked)).mappings().one()
    return [(name, night) for name, night in found.items() if night is not None]


def _scores(newest: Sequence[tuple[str, date]], last_day: date, *, is_summed: bool) -> sa.Select[Any]:
    score = SCORE.c
    is_newest = sa.tuple_(score.dataset_name, score.business_date).in_(newest)
    category = score.dimension if is_summed else score.dimension + "/" + score.dataset_name
    counts = (sa.cast(sa.func.sum(score[name]), sa.BigInteger).label(name) for name in SCORED)
    chosen = sa.select(score.division_code, category.label("category"), *counts)
    chosen = chosen.where(is_newest, state_on(SCORE, last_day))
    return chosen.group_by(score.division_code, category).order_by(score.division_code, sa.text("category"))
