"""A whole night as `padis run night` runs it, in one process; imports come before the clock starts."""

import time
from datetime import date
from pathlib import Path
from typing import Any

from connectors.settings import Settings
from etl.night import Night, Step, run_night
from etl.warm import load_steps
from schemas.refusal import Refusal

load_steps()

APPROVER = "benchmark"


def night_of(inputs: dict[str, Any]) -> Night:
    return Night(Settings(var=Path(inputs["city"])), date.fromisoformat(inputs["night"]), APPROVER)


def run(inputs: dict[str, Any]) -> list[dict[str, Any]]:
    began, steps, begun = time.monotonic(), [], {}

    def announce(step: Step) -> None:
        begun[step.name] = time.monotonic() - began

    for step, outcome in run_night(night_of(inputs), announce):
        since = begun.get(step.name)
        seconds = 0.0 if since is None else time.monotonic() - began - since
        steps.append(
            {"step": step.name, "begun": since, "seconds": round(seconds, 3), "state": _state(outcome)}
        )
    return steps


def _state(outcome: Any) -> str:
    if outcome is None:
        return "left out"
    if isinstance(outcome, Refusal):
        return f"failed: {outcome.code}"
    if isinstance(outcome, Exception):
        return f"failed: {type(outcome).__name__}"
    return str(outcome.get("state", "done"))


def answer(steps: list[dict[str, Any]], inputs: dict[str, Any]) -> dict[str, Any]:
    return {"steps": steps}
