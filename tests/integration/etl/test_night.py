"""A night runs its steps in order; what waits or fails holds up its dependants and no others."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pytest

from connectors.settings import Settings
from etl import night
from etl.night import STEPS, Night, Step, run_night
from schemas.refusal import Refusal

DAY = date(2026, 6, 1)


def fails(_: Night) -> Mapping[str, Any]:
    raise Refusal("partner_silent", found="nothing", expected="an answer", to_do="call")


def says(state: str) -> Callable[[Night], Mapping[str, Any]]:
    return lambda _: {"state": state}


def test_each_step_stands_after_those_it_needs() -> None:
    seen: set[str] = set()
    for step in STEPS:
        assert set(step.needs) <= seen, step.name
        seen.add(step.name)
    assert len(seen) == len(STEPS)


@pytest.mark.parametrize("state", ["waiting", "overdue", "refused"])
def test_a_drop_that_has_not_arrived_holds_up_the_births_and_nothing_else(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    steps = tuple(
        Step(step.name, step.title, says(state if step.name == "pull_mch_births" else "done"), step.needs)
        for step in STEPS
    )
    monkeypatch.setattr(night, "STEPS", steps)
    left_out = {step.name for step, outcome in run_night(Night(settings, DAY)) if outcome is None}
    assert left_out == {"conform_mch_births", "gate_mch_births", "reconcile_births", "write_letters"}


def test_a_failure_is_told_and_leaves_out_only_what_needs_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = (
        Step("first", "", fails),
        Step("second", "", says("done"), ("first",)),
        Step("third", "", says("done"), ("second",)),
        Step("other", "", says("done")),
    )
    monkeypatch.setattr(night, "STEPS", steps)
    announced: list[str] = []
    outcomes = {
        step.name: outcome
        for step, outcome in run_night(Night(settings, DAY), lambda step: announced.append(step.name))
    }
    assert isinstance(outcomes["first"], Refusal)
    assert (outcomes["second"], outcomes["third"], outcomes["other"]) == (None, None, {"state": "done"})
    assert announced == ["first", "other"]


def superseded(_: Night) -> Mapping[str, Any]:
    raise Refusal("later_state_on_record", found="later findings", expected="-", to_do="run the newest date")


def test_a_night_of_an_older_date_is_superseded_where_a_later_one_has_findings(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = (
        Step("decide", "", superseded),
        Step("build", "", says("done"), ("decide",)),
        Step("collect", "", says("done")),
    )
    monkeypatch.setattr(night, "STEPS", steps)
    outcomes = {step.name: outcome for step, outcome in run_night(Night(settings, DAY))}
    told = outcomes["decide"]
    assert isinstance(told, dict)
    assert told["state"] == "superseded"
    assert "run the newest date" in told["message"]
    assert (outcomes["build"], outcomes["collect"]) == (None, {"state": "done"})
