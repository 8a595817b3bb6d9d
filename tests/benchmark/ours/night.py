"""A whole night as `padis run night` runs it, in one process; imports come before the clock starts."""

import importlib
import pkgutil
import time
from datetime import date
from pathlib import Path
from typing import Any

import great_expectations  # noqa: F401 - a night's first use would take seconds

import etl
import quality
from connectors.settings import Settings
from etl.night import Night, Step, run_night
from schemas.refusal import Refusal

for _package in (etl, quality):
    for _module in pkgutil.walk_packages(_package.__path__, f"{_package.__name__}."):
        importlib.import_module(_module.name)

APPROVER = "benchmark"


def run(inputs: dict[str, Any]) -> list[dict[str, Any]]:
    night = Night(Settings(var=Path(inputs["city"])), date.fromisoformat(inputs["night"]), APPROVER)
    began, steps, begun = time.monotonic(), [], {}

    def announce(step: Step) -> None:
        begun[step.name] = time.monotonic() - began

    for step, outcome in run_night(night, announce):
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
