"""What was measured, as the page speaks of it: medians, ratios, targets met and missed."""

import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.benchmark.steps import OURS, STEPS, Step, Target

Found = Mapping[str, Any]


@dataclass(frozen=True)
class Line:
    """One contender in one step; `ratio` says how many times longer than ours it took for the same work."""

    name: str
    seconds: float | None
    runs: int
    cpu_seconds: float | None
    peak_mb: int | None
    ratio: float | None
    failed: str | None
    answer: Found
    # Whether it counted what we counted; None where nothing can be compared.
    agrees: bool | None


def steps_of(found: Found) -> Iterator[tuple[Step, list[Line]]]:
    """Give the steps of a size with their contenders, ours first."""
    for step in STEPS:
        if step.name in found.get("steps", {}):
            yield step, _lines(step, found["steps"][step.name])


def _lines(step: Step, told: Found) -> list[Line]:
    ours = told[OURS]
    return [_line(step, name, contender, ours) for name, contender in told.items()]


def _line(step: Step, name: str, told: Found, ours: Found) -> Line:
    runs, answer = told["runs"], (told["answers"] or [{}])[0]
    return Line(
        name,
        _median(runs, "seconds"),
        len(runs),
        _median(runs, "cpu_seconds"),
        round(statistics.median(run["peak_mb"] for run in runs)) if runs else None,
        _ratio(step, told, ours),
        told.get("failed"),
        answer,
        None if name == OURS or name in step.beside or not runs else _agrees(step, answer, ours),
    )


def _median(runs: list[Found], what: str) -> float | None:
    return statistics.median(run[what] for run in runs) if runs else None


def _ratio(step: Step, told: Found, ours: Found) -> float | None:
    theirs, own = _pace(step, told), _pace(step, ours)
    return theirs / own if theirs and own else None


def _pace(step: Step, told: Found) -> float | None:
    seconds = _median(told["runs"], "seconds")
    if seconds is None:
        return None
    return seconds / (told["answers"][0][step.per] if step.per else 1.0)


def _agrees(step: Step, answer: Found, ours: Found) -> bool | None:
    if not step.agree or not ours["answers"]:
        return None
    return all(answer.get(name) == ours["answers"][0].get(name) for name in step.agree)


def judged(step: Step, target: Target, lines: list[Line]) -> tuple[float | None, bool | None]:
    """Tell the ratio that a target speaks of, and whether it is met."""
    rivals = [line for line in lines if line.name != OURS and line.ratio is not None]
    if target.peer is None:
        rivals = [line for line in rivals if line.name not in step.beside]
    else:
        rivals = [line for line in rivals if line.name == target.peer]
    if not rivals:
        return None, None
    ratio = min(line.ratio or 0.0 for line in rivals)
    return ratio, ratio >= target.least


def losses(found: Found) -> Iterator[tuple[Step, Line, Line]]:
    """Give every contender that was faster than ours or held less, with ours beside."""
    for step, (ours, *others) in steps_of(found):
        for line in others:
            if line.name in step.beside or line.ratio is None:
                continue
            # By a tenth or more; less is chance.
            is_lighter = (line.peak_mb or 0) < 0.9 * (ours.peak_mb or 0)
            if line.ratio < 1 or is_lighter:
                yield step, line, ours


# Seconds of a night and of an increment, and megabytes of a night, by persons (TARGETS: stretch and must).
NIGHTS = {1_000_000: (15, 5, 1500), 5_000_000: (45, 8, 2500), 22_000_000: (150, 20, 4000)}
MUST = {22_000_000: (300, 60, 8000)}


def night_medians(found: Found) -> dict[str, tuple[float, int]]:
    """Give seconds and megabytes of the nights of a size, full and incremental."""
    nights = found.get("nights", {})
    return {
        kind: (
            statistics.median(run["seconds"] for run in nights[kind]),
            round(statistics.median(run["peak_mb"] for run in nights[kind])),
        )
        for kind in ("full", "incremental")
        if nights.get(kind)
    }


def profiles_upon(earlier: Found, found: Found) -> dict[str, Any]:
    """Lay the profiles taken last upon those before; each names its commit."""
    before, last = earlier.get("profile", {}), found.get("profile", {})
    return {
        of: {**before.get(of, {}), **last.get(of, {})}
        for of in ("steps", "nights")
        if of in {**before, **last}
    }
