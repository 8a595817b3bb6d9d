"""One step of a night in a process of its own, as Airflow runs it."""

from typing import Any

from etl.night import STEPS, run_one
from tests.benchmark.ours.night import night_of


def run(inputs: dict[str, Any]) -> dict[str, Any]:
    (step,) = (step for step in STEPS if step.name == inputs["step"])
    return run_one(night_of(inputs), step)


def answer(counts: dict[str, Any], inputs: dict[str, Any]) -> dict[str, Any]:
    return {"state": counts.get("state", "done")}
