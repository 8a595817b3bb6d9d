"""The program that runs one contender once: import, warm up, work with the clock running, then answer.

    python -m tests.benchmark.contender MODULE INPUTS.json OUTCOME.json

It runs in either environment, so it imports nothing but the contender. A contender is a module with
`run(inputs)`, which is measured, and `answer(outcome, inputs)`, which tells afterwards what came out: counts
that can be compared, never rows. Before the clock starts it does its work over a small city (`warm` among the
inputs), so that what libraries import and compile when first used is in nobody's seconds.
"""

import importlib
import json
import os
import resource
import sys
import time
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any


def main(module: str, inputs: str, outcome: str) -> None:
    """Warm a contender up, run it, and write how long it took and what it answers."""
    warnings.simplefilter("ignore")
    contender = importlib.import_module(module)
    given = json.loads(Path(inputs).read_text(encoding="utf-8"))
    if given.get("warm"):
        contender.run({**given["warm"], "folder": _own_folder(given["folder"])})
    warmed_mb = _peak_mb()
    result, told = clocked(contender, given)
    told |= {"warmed_mb": warmed_mb, "own_peak_mb": _peak_mb()}
    told["answer"] = contender.answer(result, given)
    Path(outcome).write_text(json.dumps(told, default=str), encoding="utf-8")
    # Some libraries wait for their threads, or take long to give memory back.
    os._exit(0)


def clocked(contender: ModuleType, given: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Do the work with the clock running; a profile knows by this function what is within the clock."""
    begun, used = time.monotonic(), _cpu_seconds()
    result = contender.run(given)
    ended = time.monotonic()
    return result, {"begun": begun, "seconds": ended - begun, "cpu_seconds": _cpu_seconds() - used}


def _cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def _peak_mb() -> int:
    # What `getrusage` tells begins with the peak of the process that started this one.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024 // 1_000_000


def _own_folder(folder: str) -> str:
    own = Path(folder) / "warm"
    own.mkdir()
    return str(own)


if __name__ == "__main__":
    main(*sys.argv[1:])
