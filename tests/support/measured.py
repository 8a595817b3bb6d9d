"""Run a function in a process of its own and tell what it took: processor seconds, peak memory.

Each run is forked from one process that has everything loaded and nothing done, so that runs do not
see each other's memory.
"""

import importlib
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from connectors.settings import PROJECT

T = TypeVar("T")
STARTED = "import sys; from tests.support.measured import serve; serve(sys.argv[1])"


@dataclass(frozen=True)
class Measured(Generic[T]):
    """What a function gave, the processor seconds it took, and its memory: above the start and in all."""

    result: T
    cpu_seconds: float
    grown_bytes: int
    peak_bytes: int


class Measurer:
    """Runs functions of modules in forked children, one after the other."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def run(self, function: Callable[..., T], *arguments: Any) -> Measured[T]:
        """Run a function of a module; what it raises is raised here, and a child that dies is an error."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        pickle.dump((function.__module__, function.__name__, arguments), self._process.stdin)
        self._process.stdin.flush()
        told = pickle.load(self._process.stdout)  # noqa: S301 - of our own child
        if isinstance(told, BaseException):
            raise told
        return Measured(*told)


@contextmanager
def measuring(module: str, cwd: Path | None = None, **environment: str) -> Iterator[Measurer]:
    """Start the process from which runs are forked, with the module of their functions loaded."""
    process = subprocess.Popen(
        [sys.executable, "-c", STARTED, module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=cwd or PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT), **environment},
    )
    try:
        yield Measurer(process)
    finally:
        process.communicate(timeout=30)


def serve(module: str) -> None:
    """Fork a child for each function asked for on standard input, until there is no more."""
    asked, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    # Standard output is for answers alone; whoever prints does so on standard error.
    os.dup2(2, 1)
    importlib.import_module(module)
    while True:
        try:
            name, function, arguments = pickle.load(asked)  # noqa: S301 - of our own parent
        except EOFError:
            return
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            with os.fdopen(writing, "wb") as told:
                told.write(_run(getattr(importlib.import_module(name), function), arguments))
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as told:
            answer = told.read()
        _, status = os.waitpid(child, 0)
        answers.write(answer or pickle.dumps(RuntimeError(f"the child ended with status {status}")))
        answers.flush()


def _run(function: Callable[..., Any], arguments: tuple[Any, ...]) -> bytes:
    start, at_start = time.process_time(), _memory("VmRSS")
    try:
        result = function(*arguments)
        peak = _memory("VmHWM")
        return pickle.dumps((result, time.process_time() - start, peak - at_start, peak))
    except BaseException as error:
        return pickle.dumps(error)


def _memory(entry: str) -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith(f"{entry}:"))
    return int(line.split()[1]) * 1024
