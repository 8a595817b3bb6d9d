"""Commands of the pipeline that begin with the steps loaded; what they do and leave behind is the same."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

from connectors.settings import PROJECT


class Forked:
    """A command that runs, in a group of processes of its own."""

    def __init__(self, orders: "Connection[object, int | None]", pid: int) -> None:
        self.pid = pid
        self._orders = orders
        self._status: int | None = None

    def poll(self) -> int | None:
        """Tell its exit status, below zero the signal that killed it; None while it runs."""
        return self._ended(os.WNOHANG)

    def wait(self) -> int | None:
        """Wait for its end and tell its exit status."""
        return self._ended(0)

    def _ended(self, how: int) -> int | None:
        if self._status is None:
            self._orders.send((self.pid, how))
            self._status = self._orders.recv()
        return self._status


class Nursery:
    """The process from which commands are forked (`etl.warm`); it ends when it is closed."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._orders, theirs = Pipe()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "etl.warm", str(theirs.fileno())],
                cwd=PROJECT,
                env=dict(environment),
                pass_fds=[theirs.fileno()],
            )

    def start(self, words: Sequence[str], printed: Path) -> Forked:
        """Start `padis` with some words; what it prints is added to a file."""
        self._orders.send((list(words), printed))
        return Forked(self._orders, self._orders.recv())

    def close(self) -> None:
        """End the process; commands that still run go on."""
        self._orders.close()
        self._process.wait()
