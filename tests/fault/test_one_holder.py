"""Several real processes want one business date: one works, the others are told who does."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import pytest
import sqlalchemy as sa

from connectors.holder import NAMING_SECONDS, tell_holders
from connectors.registry import hold_lock, lock_key, registry_engine, registry_session
from connectors.settings import PROJECT, Settings
from etl.steps import run_step, whole_night
from schemas.refusal import Refusal
from schemas.registry import LOCK_HOLDER, STEP_RUN
from tests.support.landed import land_extract

DAY, OTHER = date(2026, 6, 1), date(2026, 6, 2)

# A run of its own process: takes what it is told to, says so, and works until its input ends.
RUN = """
import sys
from datetime import date
from connectors.holder import Run, acting_as
from connectors.settings import Settings
from etl.rebuild.rebuild import rebuild_date
from etl.steps import run_step, whole_night
from schemas.refusal import Refusal
var, kind, run_id, scope = sys.argv[1:]
settings, day = Settings(var=__import__("pathlib").Path(var)), date(2026, 6, 1)
def work():
    print("works", flush=True)
    sys.stdin.read()
    return {}
with acting_as(Run(kind, run_id)):
    try:
        if scope == "night":
            with whole_night(settings, day):
                run_step(settings, day, "decide_subsidies", work)
        elif scope == "rebuild":
            rebuild_date(settings, day, "preview", lambda branch, day: work())
        else:
            run_step(settings, day, scope, work)
        print("done", flush=True)
    except Refusal as refusal:
        print(refusal, flush=True)
"""


@contextmanager
def run_of(settings: Settings, kind: str, run_id: str, scope: str) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(settings.var), kind, run_id, scope],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def said(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def holders(settings: Settings) -> list[tuple[str, str, str]]:
    with registry_session(settings) as connection:
        rows = connection.execute(
            sa.select(LOCK_HOLDER.c.flow, LOCK_HOLDER.c.kind, LOCK_HOLDER.c.run_id).order_by(
                LOCK_HOLDER.c.flow
            )
        )
        return [tuple(row) for row in rows]


def test_of_nightly_manual_and_backfill_one_works_and_the_others_are_told_which(settings: Settings) -> None:
    wanted = [("nightly", "night"), ("manual", "night"), ("backfill", "night")]
    with (
        run_of(settings, *("nightly", "decide_subsidies/scheduled__1"), "night") as first,
        run_of(settings, *("manual", "decide_subsidies/manual__1"), "night") as second,
        run_of(settings, *("backfill", "rebuild_days/backfill__1"), "night") as third,
    ):
        lines = [said(process) for process in (first, second, third)]
        working = [number for number, line in enumerate(lines) if line == "works"]
        assert len(working) == 1
        holder = wanted[working[0]][0]
        refused = [line for line in lines if line != "works"]
        assert all("held_by_another_run" in line for line in refused)
        assert all(f"is held by {holder} run " in line and "since 20" in line for line in refused)
    with registry_session(settings) as connection:
        runs = connection.scalar(
            sa.select(sa.func.count()).select_from(STEP_RUN).where(STEP_RUN.c.business_date == DAY)
        )
    assert runs == 1


@pytest.fixture
def landed(settings: Settings) -> None:
    """The bytes of the date, without which it is not rebuilt."""
    for dataset in ("population_person", "family_child", "marriage"):
        land_extract(settings, dataset, DAY)


@pytest.mark.parametrize("holder", ["nightly", "manual", "backfill"])
def test_a_real_rebuild_and_the_night_and_a_step_by_hand_keep_each_other_out(
    settings: Settings, landed: None, holder: str
) -> None:
    scopes = {"nightly": "night", "manual": "build_batches", "backfill": "rebuild"}
    with run_of(settings, holder, f"{holder}__1", scopes[holder]) as first:
        assert said(first) == "works"
        for other in scopes.keys() - {holder}:
            if {holder, other} == {"nightly", "manual"}:
                continue
            with run_of(settings, other, f"{other}__2", scopes[other]) as second:
                line = said(second)
                assert "held_by_another_run" in line
                assert f"is held by {holder} run {holder}__1 on " in line
        # Of another date nobody is kept out.
        with whole_night(settings, OTHER):
            pass
        assert first.communicate()[0].splitlines()[-1] == "done"
    with run_of(settings, "backfill", "backfill__3", "rebuild") as last:
        assert said(last) == "works"


def test_a_night_cannot_begin_while_a_step_of_the_date_works_nor_a_step_within_a_night(
    settings: Settings,
) -> None:
    with run_of(settings, "manual", "gate/manual__2", "gate_population") as step:
        assert said(step) == "works"
        with pytest.raises(Refusal, match="held by manual run gate/manual__2"), whole_night(settings, DAY):
            pass
        # Another step of the date, and the same step of another date, go on.
        assert run_step(settings, DAY, "collect_receipts", dict) == {}
        assert run_step(settings, OTHER, "gate_population", dict) == {}
        with pytest.raises(Refusal, match="step gate_population of 2026-06-01 is held"):
            run_step(settings, DAY, "gate_population", dict)
    with run_of(settings, "command", "padis run night", "night") as night:
        assert said(night) == "works"
        with pytest.raises(Refusal, match="night of 2026-06-01 is held by command run padis run night"):
            run_step(settings, DAY, "collect_receipts", dict)


def test_the_lock_of_a_killed_process_is_free_and_its_name_goes_with_the_next_holder(
    settings: Settings,
) -> None:
    with run_of(settings, "nightly", "killed", "night") as night:
        assert said(night) == "works"
    deadline = time.monotonic() + 10
    while True:
        try:
            with whole_night(settings, DAY), hold_lock(settings, "step decide_subsidies", DAY):
                break
        except Refusal:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    assert holders(settings) == []


def test_a_holder_that_has_just_ended_is_not_waited_for(settings: Settings) -> None:
    begun = time.monotonic()
    with registry_engine(settings).connect() as connection:
        assert tell_holders(connection, "night", DAY, lock_key("night", DAY)) == ""
    assert time.monotonic() - begun < NAMING_SECONDS


def test_a_lock_that_is_given_back_while_its_holder_is_looked_up_is_taken(settings: Settings) -> None:
    """A holder has no name in its last moment: who comes then works, and is not sent away."""
    key = lock_key("night", DAY)
    with registry_engine(settings).connect() as ending:
        ending.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": key})
        give_back = threading.Timer(
            0.3, ending.execute, (sa.text("SELECT pg_advisory_unlock(:key)"), {"key": key})
        )
        give_back.start()
        with hold_lock(settings, "night", DAY):
            assert [flow for flow, _, _ in holders(settings)] == ["night"]
        give_back.join()


def test_a_run_that_ends_leaves_no_name(settings: Settings) -> None:
    with whole_night(settings, DAY):
        run_step(settings, DAY, "decide_subsidies", dict)
        assert [flow for flow, _, _ in holders(settings)] == ["night"]
    assert holders(settings) == []
