"""A step leaves a record of itself, and an error leaves without the values that caused it."""

from datetime import date

import pytest
import sqlalchemy as sa

from connectors.registry import registry_session
from connectors.settings import Settings
from etl.steps import run_step
from schemas.refusal import Refusal
from schemas.registry import STEP_RUN

DAY = date(2026, 6, 1)


def on_record(settings: Settings, step: str) -> list[tuple[str, object]]:
    with registry_session(settings) as connection:
        rows = connection.execute(
            sa.select(STEP_RUN.c.state, STEP_RUN.c.counts).where(STEP_RUN.c.step == step)
        )
        return [(row.state, row.counts) for row in rows]


def test_a_finished_step_is_on_record_with_its_counts(settings: Settings) -> None:
    assert run_step(settings, DAY, "pull", lambda: {"rows": 3}) == {"rows": 3}
    assert on_record(settings, "pull") == [("done", {"rows": 3})]


@pytest.mark.parametrize("state", ["waiting", "overdue", "refused"])
def test_a_step_that_waits_is_not_recorded_as_done(settings: Settings, state: str) -> None:
    run_step(settings, DAY, f"sense {state}", lambda: {"state": state})
    assert on_record(settings, f"sense {state}") == [("waiting", {"state": state})]


def test_an_unexpected_error_names_the_place_and_not_the_value(settings: Settings) -> None:
    def fail() -> dict[str, int]:
        raise ValueError("王小明")

    with pytest.raises(Refusal, match=r"ValueError in step conform at tests/") as caught:
        run_step(settings, DAY, "conform", fail)
    assert "王小明" not in str(caught.value)
    assert caught.value.__suppress_context__
    assert on_record(settings, "conform") == [("failed", {"refusal": "unexpected"})]


@pytest.mark.parametrize(
    "carried",
    [
        "x" * 201,
        "110105194912310021",
        "11010519491231002X",
        "110105491231002",
        "13800000000",
        "A110000001",
        b"bytes",
        date(1949, 12, 31),
        {"nested": ["11010519491231002X"]},
        {1: 1},
        {"11010519491231002X": 1},
        110105194912310021,
        "number 11010519491231002X",
        "张三丰",
    ],
)
def test_a_result_that_could_carry_rows_is_refused(settings: Settings, carried: object) -> None:
    with pytest.raises(Refusal, match="step_result_not_plain") as refused:
        run_step(settings, DAY, "publish", lambda: {"rows": carried})
    assert "1949" not in str(refused.value)


@pytest.mark.parametrize(
    "plain",
    [
        3,
        0.5,
        None,
        True,
        "0f" * 32,
        "1234567890123456",
        "staging.mch_birth@4",
        "J_110000_2026_A_0001",
        ["2026-06-01"],
    ],
)
def test_counts_ids_hashes_and_states_pass(settings: Settings, plain: object) -> None:
    assert run_step(settings, DAY, "plain", lambda: {"found": plain}) == {"found": plain}
