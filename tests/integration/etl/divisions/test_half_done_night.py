"""The night before a merger is half done: what it is still to write is not taken over, and that is said."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.crypto import make_keys
from connectors.lake import candidate_on, point_dataset
from connectors.registry import record_state, registry_session, state_on
from connectors.settings import Settings
from etl.conform.drop import conform_drop
from etl.divisions.succession import preview_succession
from etl.night import STEPS, Night, run_one
from etl.night_before import states_to_come
from etl.steps import run_step
from quality.tickets import record_tickets
from schemas.contract import load_contract
from schemas.drop_source import drop_source
from schemas.refusal import Refusal
from schemas.registry import STATE_DATE, TASK, TICKET
from tests.support.divisions import MERGER_DAY, MERGER_EVE, OLD_VILLAGE, VILLAGE, declare_merger, task_of
from tests.support.landed import csv_of, land_drop
from tests.support.received import row_of

BEFORE, EVE, DAY = MERGER_EVE - timedelta(days=1), MERGER_EVE, MERGER_DAY
MCH = drop_source("mch_birth")
FOLLOW = next(step for step in STEPS if step.name == "follow_divisions")
# How far the night before came: the births and the gate of their partner are missing.
HALF = (
    "pull_population",
    "conform_population",
    "gate_population",
    "pull_mch_births",
    "conform_mch_births",
    "import_cases",
    "take_over_cases",
    "decide_subsidies",
    "review_cases",
)


def write_tasks(settings: Settings, process: str, day: date, *tasks: dict[str, Any]) -> None:
    with registry_session(settings) as connection:
        record_state(connection, TASK, tasks, day, where={"process_name": process})


def rejected(record: str) -> dict[str, str | None]:
    """Draw a birth without a sex, of a mother in the division that is about to be retired."""
    return row_of("mch_birth", record_id=record, child_sex="", mother_residence_division=OLD_VILLAGE)


def write_tickets(settings: Settings, day: date) -> dict[str, Any]:
    """Point a date at what was conformed, and bring the tickets up to date, as the gate does."""
    with registry_session(settings) as connection:
        returned = candidate_on(connection, "returned.mch_birth", day)
        for version in (candidate_on(connection, "staging.mch_birth", day), returned):
            point_dataset(connection, version, day)
        return record_tickets(connection, settings, load_contract("mch_birth"), returned, day)


@pytest.fixture(scope="module", autouse=True)
def half_done(settings: Settings) -> None:
    """Live one whole night, and half of the one before the merger."""
    make_keys(settings)
    declare_merger(settings)
    for day, records in ((BEFORE, ("r1",)), (EVE, ("r1", "r2"))):
        land_drop(settings, day, csv_of(*map(rejected, records)))
        conform_drop(settings, MCH, day)
    write_tickets(settings, BEFORE)
    for process in ("births", "subsidy", "cases"):
        write_tasks(settings, process, BEFORE, task_of(process, process, OLD_VILLAGE))
    write_tasks(settings, "subsidy", EVE, task_of("subsidy", "subsidy", OLD_VILLAGE))
    for step in HALF:
        run_step(settings, EVE, step, dict)


def follow(settings: Settings) -> Mapping[str, Any]:
    return run_one(Night(settings, DAY), FOLLOW)


def preview(settings: Settings) -> dict[str, tuple[int, bool]]:
    with registry_session(settings) as connection:
        to_come = states_to_come(connection, DAY)
    return {move.state: (move.rows, move.is_made) for move in preview_succession(settings, DAY, to_come)}


def codes(settings: Settings, day: date) -> dict[str, str]:
    with registry_session(settings) as connection:
        tasks = connection.execute(sa.select(TASK).where(state_on(TASK, day))).mappings().all()
        tickets = connection.execute(sa.select(TICKET).where(state_on(TICKET, day))).mappings().all()
    return {row["task_id"]: row["division_code"] for row in tasks} | {
        f"ticket {number}": row["division_code"]
        for number, row in enumerate(sorted(tickets, key=lambda row: row["landing_row"]), start=1)
    }


def dates(settings: Settings) -> dict[str, date]:
    with registry_session(settings) as connection:
        rows = connection.execute(sa.select(STATE_DATE)).all()
    return {":".join([row.table_name, *json.loads(row.part).values()]): row.business_date for row in rows}


def test_what_the_night_before_is_still_to_write_is_left_to_it_and_the_rest_moves(settings: Settings) -> None:
    shown = preview(settings)
    assert shown == {
        "worklist.task:births": (1, False),
        "worklist.task:cases": (1, True),
        "worklist.task:subsidy": (1, True),
        "quality.ticket:mch_birth": (1, False),
    }
    with pytest.raises(Refusal) as raised:
        follow(settings)
    assert raised.value.code == "night_before_unfinished"
    for said in (
        "reconcile_births of 2026-06-30",
        "gate_mch_births of 2026-06-30",
        "2 other rows were moved",
    ):
        assert said in raised.value.found
    assert codes(settings, DAY) == {
        "births": OLD_VILLAGE, "cases": VILLAGE, "subsidy": VILLAGE, "ticket 1": OLD_VILLAGE
    }  # fmt: skip
    assert dates(settings) == {
        "worklist.task:births": BEFORE,
        "worklist.task:cases": DAY,
        "worklist.task:subsidy": DAY,
        "quality.ticket:mch_birth": BEFORE,
    }


def test_then_the_night_before_ends_and_the_rest_follows(settings: Settings) -> None:
    assert run_step(settings, EVE, "gate_mch_births", lambda: write_tickets(settings, EVE)) == {
        "open": 2, "opened": 1, "closed": 0
    }  # fmt: skip
    run_step(settings, EVE, "reconcile_births", lambda: write_tasks(settings, "births", EVE) or {})
    assert preview(settings) == {"quality.ticket:mch_birth": (2, True)}
    assert follow(settings) == {"moved": 2, "tables": {"quality.ticket": 2}, "left": 0}
    assert codes(settings, EVE)["ticket 2"] == OLD_VILLAGE
    assert codes(settings, DAY) == {
        "cases": VILLAGE, "subsidy": VILLAGE, "ticket 1": VILLAGE, "ticket 2": VILLAGE
    }  # fmt: skip


def test_a_gate_of_a_date_that_is_overtaken_says_so(settings: Settings) -> None:
    assert write_tickets(settings, EVE) == {"superseded_by": DAY.isoformat()}


def test_what_a_process_of_the_date_writes_meanwhile_is_not_lost(settings: Settings) -> None:
    write_tasks(settings, "late", EVE, task_of("late", "late", OLD_VILLAGE))
    with ThreadPoolExecutor(1) as pool:
        with registry_session(settings) as connection:
            seen = task_of("late", "late", OLD_VILLAGE) | {"detail_codes": ["seen"]}
            record_state(connection, TASK, [seen], DAY, where={"process_name": "late"})
            following = pool.submit(follow, settings)
            with pytest.raises(TimeoutError):
                following.result(timeout=1)
        assert following.result(timeout=30)["moved"] == 1
    with registry_session(settings) as connection:
        row = connection.execute(sa.select(TASK).where(TASK.c.task_id == "late", state_on(TASK, DAY))).one()
    assert (row.detail_codes, row.division_code) == (["seen"], VILLAGE)
