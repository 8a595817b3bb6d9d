"""Whole nights of a city: a full one, then one after a day in which one person in a hundred changed."""

import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from connectors.settings import Settings
from tests.benchmark.city import begin_again, live_on
from tests.benchmark.measure import Failed, Run, run_contender
from tests.support.partners import running_partners

NIGHT = "tests.benchmark.ours.night"
Tell = Callable[[str], None]


def measure_nights(
    settings: Settings, folder: Path, day: date, log: Path, tell: Tell, *, runs: int
) -> dict[str, Any]:
    """Measure full and incremental nights, each pair from the beginning of the city."""
    told: dict[str, Any] = {"full": [], "incremental": [], "changed": {}}
    for turn in range(runs):
        try:
            for kind, inputs, changed in two_nights(settings, folder, day):
                told[kind].append(_night(inputs, log))
                told["changed"] = changed
                _tell(tell, f"{kind} night {turn + 1}", told[kind][-1])
        except Failed as failed:
            told["failed"] = str(failed)
            tell(f"night {turn + 1}: {failed}")
            break
    return told


def two_nights(
    settings: Settings, folder: Path, day: date
) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Put the city back to its beginning and serve its partners; give kind and inputs of each night, and
    what has changed before it. A night is to be run before the next is asked for.
    """
    begin_again(settings, folder)
    with running_partners(settings):
        yield "full", _inputs(settings, day), {}
        changed = live_on(settings, day)
        yield "incremental", _inputs(settings, day + timedelta(days=1)), changed


def _inputs(settings: Settings, day: date) -> dict[str, Any]:
    return {"city": str(settings.var), "night": day.isoformat()}


def _night(inputs: Mapping[str, Any], log: Path) -> dict[str, Any]:
    run = run_contender(NIGHT, inputs, Path(sys.executable), log)
    kept = run.told()
    steps = kept.pop("answer")["steps"]
    return {**kept, "steps": [{**step, "peak_mb": _peak(run, step)} for step in steps]}


def _peak(run: Run, step: dict[str, Any]) -> int | None:
    """Tell the most that the tree held while a step was at work."""
    if step["begun"] is None:
        return None
    until = step["begun"] + step["seconds"]
    held = [mb for when, mb in run.samples if step["begun"] <= when <= until]
    return round(max(held)) if held else None


def _tell(tell: Tell, what: str, night: dict[str, Any]) -> None:
    tell(f"{what}: {night['seconds']:.1f} s, {night['peak_mb']} MB")
    for step in night["steps"]:
        tell(f"    {step['step']:22} {step['seconds']:8.2f} s {step['peak_mb'] or 0:6} MB  {step['state']}")
