"""Whole nights of a city: a full one, then one after a day in which one person in a hundred changed."""

import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from connectors.settings import Settings
from tests.benchmark.city import begin_again, live_on
from tests.benchmark.measure import Failed, Run, run_contender
from tests.support.partners import running_partners

Tell = Callable[[str], None]


def measure_nights(
    settings: Settings, folder: Path, day: date, log: Path, tell: Tell, *, runs: int
) -> dict[str, Any]:
    """Measure full and incremental nights, each pair from the beginning of the city."""
    told: dict[str, Any] = {"full": [], "incremental": [], "changed": {}}
    for turn in range(runs):
        begin_again(settings, folder)
        with running_partners(settings):
            try:
                told["full"].append(_night(settings, day, log))
                _tell(tell, f"full night {turn + 1}", told["full"][-1])
                told["changed"] = live_on(settings, day)
                told["incremental"].append(_night(settings, day + timedelta(days=1), log))
                _tell(tell, f"incremental night {turn + 1}", told["incremental"][-1])
            except Failed as failed:
                told["failed"] = str(failed)
                tell(f"night {turn + 1}: {failed}")
                break
    return told


def _night(settings: Settings, day: date, log: Path) -> dict[str, Any]:
    inputs = {"city": str(settings.var), "night": day.isoformat()}
    run = run_contender("tests.benchmark.ours.night", inputs, Path(sys.executable), log)
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
