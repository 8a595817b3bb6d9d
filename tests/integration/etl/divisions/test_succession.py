"""Rows of the registry follow a merger of two towns from its first business date on, and can be led back."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.registry import record_state, registry_session, state_on
from connectors.settings import Settings
from etl.divisions.place import kept_columns, rewritten_columns
from etl.divisions.succession import follow_divisions, preview_succession
from etl.rebuild.branch import drop_branch, make_branch
from schemas.registry import CASE, METADATA, SCORE, STATE_DATE, SUCCESSION, TASK
from tests.support.divisions import (
    MERGER_DAY,
    MERGER_EVE,
    OLD_TOWN,
    OLD_VILLAGE,
    TOWN,
    VILLAGE,
    declare_merger,
    task_of,
)

EVE, DAY = MERGER_EVE, MERGER_DAY
OTHER = "110105001001"
Row = dict[str, Any]


@pytest.fixture(scope="module", autouse=True)
def merger(settings: Settings) -> None:
    declare_merger(settings)


OF_EVE = {
    "births": [
        task_of("b1", "births", OLD_VILLAGE),
        task_of("b2", "births", OLD_TOWN),
        task_of("b3", "births", OTHER),
    ],
    "subsidy": [task_of("s1", "subsidy", "110101001002"), task_of("s2", "subsidy", TOWN)],
}
SCORED = {
    "dataset_name": "mch_birth", "business_date": EVE, "division_code": OLD_VILLAGE, "source_name": "mch",
    "recorded_from": EVE, "dimension": "completeness", "level_code": "4", "checked": 2, "accepted": 2,
    "failed_before": 0, "failed_after": 0, "score_before": 100.0, "score_after": 100.0,
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def recorded(settings: Settings, merger: None) -> None:
    with registry_session(settings) as connection:
        for process, tasks in OF_EVE.items():
            record_state(connection, TASK, tasks, EVE, where={"process_name": process})
        connection.execute(sa.insert(SCORE), SCORED)


def codes_on(connection: Connection, day: date) -> Mapping[str, tuple[str, str]]:
    rows = connection.execute(sa.select(TASK).where(state_on(TASK, day)))
    return {row.task_id: (row.division_code, row.level_code) for row in rows}


BEFORE = {
    task["task_id"]: (task["division_code"], task["level_code"])
    for tasks in OF_EVE.values()
    for task in tasks
}
AFTER = {**BEFORE, "b1": (VILLAGE, "4"), "b2": (TOWN, "3"), "s1": (VILLAGE, "4")}


def everything(connection: Connection) -> list[Any]:
    return [
        sorted(map(repr, connection.execute(sa.select(table)).all()))
        for table in METADATA.sorted_tables
        if table.fullname != "core.state_date"
    ]


def test_the_tables_of_open_state_follow_and_what_was_published_stays() -> None:
    rewritten = {f"{table.fullname}.{column}" for table, column in rewritten_columns()}
    kept = {f"{table.fullname}.{column}" for table, column in kept_columns()}
    following = (
        "worklist.task",
        "subsidy.case",
        "subsidy.case_review",
        "subsidy.decision",
        "births.birth_match",
    )
    assert {f"{name}.division_code" for name in following} <= rewritten
    assert "quality.score.division_code" in kept
    assert not rewritten & kept


def test_a_merger_moves_open_rows_from_its_day_on_and_tells_every_key(settings: Settings) -> None:
    assert preview_succession(settings, EVE) == []
    assert follow_divisions(settings, EVE) == {"moved": 0, "tables": {}, "left": 0}
    preview = preview_succession(settings, DAY)
    assert [(move.old_code, move.heir.division_code, move.rows) for move in preview] == [
        (OLD_TOWN, TOWN, 1), (OLD_VILLAGE, VILLAGE, 1), ("110101001002", VILLAGE, 1)
    ]  # fmt: skip
    with registry_session(settings) as connection:
        score = connection.execute(sa.select(SCORE)).all()

    assert follow_divisions(settings, DAY) == {"moved": 3, "tables": {"worklist.task": 3}, "left": 0}

    with registry_session(settings) as connection:
        assert codes_on(connection, EVE) == BEFORE
        assert codes_on(connection, DAY) == AFTER
        assert connection.execute(sa.select(SCORE)).all() == score
        log = connection.execute(sa.select(SUCCESSION).order_by("row_key")).mappings().all()
        first = everything(connection)
    assert [(row["row_key"], row["old_code"], row["new_code"], row["adjustment_number"]) for row in log] == [
        ('["b1"]', OLD_VILLAGE, VILLAGE, "2026-07"),
        ('["b2"]', OLD_TOWN, TOWN, "2026-07"),
        ('["s1"]', "110101001002", VILLAGE, "2026-07"),
    ]

    assert follow_divisions(settings, DAY) == {"moved": 0, "tables": {}, "left": 0}
    with registry_session(settings) as connection:
        assert everything(connection) == first


def test_a_process_that_runs_on_the_same_date_comes_to_the_same_rows(settings: Settings) -> None:
    follow_divisions(settings, DAY)
    conformed = [task_of("b1", "births", VILLAGE), task_of("b2", "births", TOWN), OF_EVE["births"][2]]
    with registry_session(settings) as connection:
        first = everything(connection)
        record_state(connection, TASK, conformed, DAY, where={"process_name": "births"})
        assert everything(connection) == first
        # One that brings a retired code once more is led on again; its key was logged before.
        record_state(connection, TASK, OF_EVE["births"], DAY, where={"process_name": "births"})
    assert follow_divisions(settings, DAY)["moved"] == 2
    with registry_session(settings) as connection:
        assert everything(connection) == first


def test_the_log_leads_every_row_back(settings: Settings) -> None:
    follow_divisions(settings, DAY)
    later = DAY + timedelta(days=1)
    with registry_session(settings) as connection:
        moved = {
            json.loads(row.row_key)[0]: row
            for row in connection.execute(sa.select(SUCCESSION).where(SUCCESSION.c.business_date == DAY))
        }
        for process in OF_EVE:
            rows = connection.execute(
                sa.select(TASK).where(state_on(TASK, DAY), TASK.c.process_name == process)
            ).mappings()
            back = [
                {**row, "division_code": moved[row["task_id"]].old_code} if row["task_id"] in moved else row
                for row in rows
            ]
            record_state(connection, TASK, back, later, where={"process_name": process})
        assert codes_on(connection, later) == BEFORE
        assert codes_on(connection, DAY) == AFTER


def test_what_is_on_record_up_to_a_later_date_is_left_to_the_night_of_that_date(settings: Settings) -> None:
    with registry_session(settings) as connection:
        first = everything(connection)
    preview = preview_succession(settings, DAY)
    assert [(move.rows, move.is_made, move.overtaken_by) for move in preview] == [
        (1, False, DAY + timedelta(days=1))
    ] * 3
    assert follow_divisions(settings, DAY) == {"moved": 0, "tables": {}, "left": 3}
    with registry_session(settings) as connection:
        assert everything(connection) == first
    assert (
        sum(move.rows for move in preview_succession(settings, DAY + timedelta(days=1)) if move.is_made) == 3
    )
    assert follow_divisions(settings, DAY + timedelta(days=1))["moved"] == 3


def test_a_rebuild_of_the_day_of_the_merger_moves_what_its_night_moved(settings: Settings) -> None:
    """Also what no process of that night wrote anew: its partner left nothing."""
    with registry_session(settings) as connection:
        # Imported on the day itself: before it nobody had cases on record.
        record_state(connection, CASE, [], DAY)
    branch = replace(settings, shadow="r20260701_00000000")
    make_branch(branch, DAY)
    try:
        with registry_session(branch) as connection:
            assert codes_on(connection, DAY) == BEFORE
            dates = {row.table_name: row.business_date for row in connection.execute(sa.select(STATE_DATE))}
        assert dates == {TASK.fullname: EVE}
        assert follow_divisions(branch, DAY) == {"moved": 3, "tables": {"worklist.task": 3}, "left": 0}
        with registry_session(branch) as connection:
            assert codes_on(connection, DAY) == AFTER
    finally:
        drop_branch(settings, str(branch.shadow))
