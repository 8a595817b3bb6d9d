"""Run a contender in a process of its own and watch what the tree of its processes holds."""

import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

from connectors.settings import PROJECT

PEER_PYTHON = PROJECT / ".venv-bench" / "bin" / "python"
# How often memory is looked at, at first and later on: each look takes some milliseconds of a processor,
# which would be an eighth of one throughout a night.
SAMPLE_SECONDS, LATER_SAMPLE_SECONDS = 0.02, 0.25
LATER_AFTER_SECONDS = 10.0
# A contender that is not done by then is not waited for.
MOST_SECONDS = 3600.0


@dataclass(frozen=True)
class Run:
    """One run: seconds of the wall clock and the processor once warmed up, and the peak of the tree."""

    seconds: float
    cpu_seconds: float
    peak_mb: int
    warmed_mb: int
    load: float
    answer: dict[str, Any]
    # (seconds since the work began, MB of the tree), for phases within a run.
    samples: list[tuple[float, float]] = field(default_factory=list, repr=False)

    def told(self) -> dict[str, Any]:
        """Give it as it is kept: without the samples."""
        kept = asdict(self)
        del kept["samples"]
        return kept


class Failed(Exception):  # noqa: N818 - what happened to a run
    """A contender ended without an answer; the message names the last line that it wrote."""


def run_contender(
    module: str, inputs: Mapping[str, Any], python: Path, log: Path, under: Sequence[str] = ()
) -> Run:
    """Run a contender once, under a program that watches it if there is one (`under`, with its arguments).

    Raises:
        Failed: it did not come to an end.
    """
    with tempfile.TemporaryDirectory(prefix="padis-bench-") as folder:
        given, outcome = Path(folder) / "inputs.json", Path(folder) / "outcome.json"
        given.write_text(json.dumps({**inputs, "folder": folder}), encoding="utf-8")
        load = os.getloadavg()[0]
        asked = [str(python), "-m", "tests.benchmark.contender", module, str(given), str(outcome)]
        with log.open("ab") as output:
            process = subprocess.Popen(
                [*under, *asked], cwd=PROJECT, env=_environment(folder), stdout=output, stderr=output
            )
        with watching(process.pid) as samples:
            try:
                process.wait(MOST_SECONDS)
            except subprocess.TimeoutExpired:
                end_tree(process.pid)
                raise Failed(f"not done after {MOST_SECONDS:.0f} s") from None
        if not outcome.exists():
            raise Failed(f"ended with {process.returncode}: {_last_line(log)}")
        told = json.loads(outcome.read_text(encoding="utf-8"))
    until = told["begun"] + told["seconds"]
    held = [(when - told["begun"], mb) for when, mb in samples if when <= until]
    peak = max([mb for _, mb in held] + [told["own_peak_mb"]])
    return Run(
        round(told["seconds"], 3),
        round(told["cpu_seconds"], 3),
        round(peak),
        told["warmed_mb"],
        round(load, 2),
        told["answer"],
        held,
    )


def _environment(folder: str) -> dict[str, str]:
    own = {"PYTHONPATH": str(PROJECT), "PYTHONHASHSEED": "0", "HOME": folder, "TMPDIR": folder}
    # No contender tells anybody that it is in use.
    silent = {"DO_NOT_TRACK": "1", "RUNTIME__DLTHUB_TELEMETRY": "false", "GX_ANALYTICS_ENABLED": "false"}
    return {**os.environ, **own, **silent}


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    # The kind of error alone: what follows may hold values.
    return lines[-1].partition(":")[0][:120] if lines else "no word"


class watching:  # noqa: N801 - reads as a clause: with watching(pid)
    """Sample what a tree of processes holds: (seconds of the monotonic clock, MB) until the body ends."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._samples: list[tuple[float, float]] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> list[tuple[float, float]]:
        self._thread.start()
        return self._samples

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        later, pause = time.monotonic() + LATER_AFTER_SECONDS, SAMPLE_SECONDS
        while not self._ended.wait(pause):
            self._samples.append((time.monotonic(), tree_bytes(self._pid) / 1e6))
            pause = SAMPLE_SECONDS if self._samples[-1][0] < later else LATER_SAMPLE_SECONDS


def tree_bytes(pid: int) -> int:
    """Sum what a process and all below it hold; pages that forks share count for each."""
    held = 0
    for process in _tree(pid):
        try:
            held += process.memory_info().rss
        except psutil.Error:
            continue
    return held


def end_tree(pid: int) -> None:
    """Kill a process of ours and all below it."""
    for process in reversed(_tree(pid)):
        try:
            process.kill()
        except psutil.Error:
            continue


def _tree(pid: int) -> list[psutil.Process]:
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.Error:
        return []
