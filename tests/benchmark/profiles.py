"""Profile what we measured: one more run of ours under py-spy, which looks a hundred times a second.

Threads that wait are looked at as well, since a step may wait for a server or for threads of DuckDB or Arrow:
the call that waits stands for them. Native frames are not read: the Python call into a library is what a
reader can act upon. Seconds of such a run are longer than those that are measured, since it is halted for
each look.
"""

import linecache
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from connectors.settings import PROJECT, Settings
from etl.night import STEPS
from etl.steps import HOLDS_UP
from schemas.refusal import Refusal
from tests.benchmark.bench import OUR_PACKAGE, inputs_of
from tests.benchmark.machine import commit, now
from tests.benchmark.measure import PEER_PYTHON, Failed, Run, run_contender
from tests.benchmark.nights import Tell, two_nights
from tests.benchmark.stacks import Stack, busy, clocked, fold, fold_night, libraries, read_stacks
from tests.benchmark.steps import Step

NIGHT_STEP = "tests.benchmark.ours.night_step"
PY_SPY = PEER_PYTHON.with_name("py-spy")
LOOKS = 100
# A night takes long enough for fewer.
LOOKS_AT_A_NIGHT = 20
# Work that is short is done again: of fifty looks a share says little.
ENOUGH_LOOKS, MOST_RUNS = 500, 5


def profile_step(step: Step, inputs: Mapping[str, Any], log: Path) -> dict[str, Any]:
    """Profile our contender of a step over the inputs that are measured.

    Raises:
        Refusal: py-spy could not look.
        Failed: the contender did not come to an end.
    """
    runs: list[Run] = []
    working: list[Stack] = []
    while len(runs) < MOST_RUNS and _looks(working) < ENOUGH_LOOKS:
        run, stacks = _watched(f"{OUR_PACKAGE}.{step.ours}", inputs_of(step, inputs), log, LOOKS)
        runs.append(run)
        working += busy(stacks)
    return {**_told(runs, working), "entries": fold(working, linecache.getline)}


def profile_nights(
    settings: Settings, folder: Path, day: date, log: Path, tell: Tell
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Profile a full and an incremental night from the beginning of the city; give each with its kind.

    Each step has a process of its own, as in Airflow, so that its threads are known by it.

    Raises:
        Refusal: py-spy could not look.
        Failed: a step did not come to an end.
    """
    for kind, inputs, _ in two_nights(settings, folder, day):
        runs, seen = _profiled_steps(inputs, log, lambda told, kind=kind: tell(f"{kind} night, {told}"))
        of_night = [stack for of_step in seen.values() for stack in of_step]
        yield kind, {**_told(runs, of_night), "runs": 1, "steps": fold_night(seen, linecache.getline)}


def _profiled_steps(
    inputs: Mapping[str, Any], log: Path, tell: Tell
) -> tuple[list[Run], dict[str, list[Stack]]]:
    """Run the steps of a night in their order, leaving out those whose needs are not met."""
    runs: list[Run] = []
    seen: dict[str, list[Stack]] = {}
    done: set[str] = set()
    for step in STEPS:
        if not set(step.needs) <= done:
            continue
        run, stacks = _watched(NIGHT_STEP, {**inputs, "step": step.name}, log, LOOKS_AT_A_NIGHT)
        runs.append(run)
        seen[step.name] = busy(stacks)
        tell(f"{step.name}: {run.seconds:.1f} s")
        if run.answer["state"] not in HOLDS_UP:
            done.add(step.name)
    return runs, seen


def _told(runs: Sequence[Run], stacks: Sequence[Stack]) -> dict[str, Any]:
    if not stacks:
        took = sum(run.seconds for run in runs)
        raise _cannot_look(f"{took:.2f} s of work in which py-spy saw no function of ours")
    return {
        "commit": commit(),
        "at": now(),
        "runs": len(runs),
        "seconds": round(sum(run.seconds for run in runs), 3),
        "cpu_seconds": round(sum(run.cpu_seconds for run in runs), 3),
        "load": max(run.load for run in runs),
        "looks": _looks(stacks),
        "libraries": libraries(stacks),
    }


def _looks(stacks: Iterable[Stack]) -> int:
    return sum(stack.count for stack in stacks)


def _watched(module: str, inputs: Mapping[str, Any], log: Path, looks: int) -> tuple[Run, list[Stack]]:
    with tempfile.TemporaryDirectory(prefix="padis-profile-") as folder:
        raw = Path(folder) / "stacks.raw"
        asked = ["record", "--format", "raw", "--full-filenames", "--idle", "--subprocesses"]
        under = [str(PY_SPY), *asked, "--rate", str(looks), "--output", str(raw), "--"]
        try:
            run = run_contender(module, inputs, Path(sys.executable), log, under)
        except (Failed, FileNotFoundError) as failed:
            if raw.exists():
                raise
            raise _cannot_look(str(failed) if isinstance(failed, Failed) else "no py-spy") from None
        if not raw.exists():
            raise _cannot_look("a run that py-spy wrote nothing of")
        return run, clocked(read_stacks(raw.read_text(encoding="utf-8"), PROJECT))


def _cannot_look(found: str) -> Refusal:
    return Refusal(
        "profile_not_taken",
        found=found,
        expected="py-spy of the peers' environment, allowed to look at a process that it starts (ptrace)",
        to_do="make bench-profile installs it; in a container allow SYS_PTRACE; its words are in "
        "contenders.log under var/bench/<size>",
    )
