"""Measure the steps of one size: ours and the peers in turn, each run in a process of its own."""

import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.benchmark.measure import PEER_PYTHON, Failed, Run, run_contender
from tests.benchmark.steps import OURS, STEPS, Step

RUNS = 3
# Whoever takes longer than this is not run again: the rest of the time is for the others.
ENOUGH_SECONDS = 90.0
OUR_PACKAGE, PEER_PACKAGE = "tests.benchmark.ours", "tests.benchmark.peers"
Tell = Callable[[str], None]
Contenders = dict[str, tuple[str, Path]]


def measure_steps(
    inputs: Mapping[str, Any],
    steps: Sequence[Step],
    log: Path,
    tell: Tell,
    *,
    with_peers: bool,
    runs: int,
    until: float,
    keep: Callable[[dict[str, Any]], None] = lambda _: None,
) -> dict[str, Any]:
    """Measure steps in turns; give every run and every answer by step and contender.

    A turn runs everyone once, ours first in each step. Once everyone has run, a step has another turn only if
    the turn before fits into the time that is left (`until`, of the monotonic clock). After each
    step `keep` is shown what is known by then, so that nothing is lost with what comes later.
    """
    contenders = {step.name: _contenders(step, with_peers=with_peers) for step in steps}
    told = {name: {who: {"runs": [], "answers": []} for who in each} for name, each in contenders.items()}
    took: dict[str, float] = {}
    for turn in range(runs):
        for step in steps:
            begun = time.monotonic()
            if turn and begun + took[step.name] > until:
                continue
            _run_all(inputs, step, contenders[step.name], told[step.name], log, tell)
            took[step.name] = time.monotonic() - begun
            keep({name: each for name, each in told.items() if name in took})
    return told


def _contenders(step: Step, *, with_peers: bool) -> Contenders:
    ours = {OURS: (f"{OUR_PACKAGE}.{step.ours}", Path(sys.executable))}
    return ours | {name: _peer(step, name) for name in step.peers if with_peers or name in step.floors}


def _run_all(
    inputs: Mapping[str, Any],
    step: Step,
    contenders: Contenders,
    told: dict[str, Any],
    log: Path,
    tell: Tell,
) -> None:
    given = inputs_of(step, inputs)
    for name, (module, python) in contenders.items():
        if "failed" in told[name] or _is_enough(told[name]["runs"]):
            continue
        try:
            _keep(told[name], run := run_contender(module, given, python, log))
        except Failed as failed:
            told[name]["failed"] = str(failed)
            tell(f"{step.name:11} {name:34} {failed}")
            continue
        tell(f"{step.name:11} {name:34} {run.seconds:8.2f} s {run.peak_mb:6} MB")


def inputs_of(step: Step, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give what contenders of a step are given: a table that is pulled has no small one beside it."""
    return {**inputs, "warm": None} if step.needs_city else inputs


def _peer(step: Step, name: str) -> tuple[str, Path]:
    if name in (*step.own_environment, *step.floors):
        return f"{OUR_PACKAGE}.{step.peers[name]}", Path(sys.executable)
    return f"{PEER_PACKAGE}.{step.peers[name]}", PEER_PYTHON


def _is_enough(runs: list[Mapping[str, Any]]) -> bool:
    return bool(runs) and runs[-1]["seconds"] > ENOUGH_SECONDS


def _keep(told: dict[str, Any], run: Run) -> None:
    kept = run.told()
    answer = kept.pop("answer")
    told["runs"].append(kept)
    if answer not in told["answers"]:
        told["answers"].append(answer)


def steps_named(names: Iterable[str]) -> list[Step]:
    """Give the steps of these names, all where none is named."""
    chosen = set(names)
    return [step for step in STEPS if not chosen or step.name in chosen]
