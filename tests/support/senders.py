"""Senders that are killed, stopped or made slow at a named point, as processes of their own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors.settings import PROJECT, Settings
from tests.support.submission import TODAY


class Senders:
    """Starts senders, and waits for them."""

    def __init__(self, settings: Settings, nursery: "subprocess.Popen[str]") -> None:
        self._settings = settings
        self._nursery = nursery
        self._count = 0

    def start(
        self,
        point: str | None = None,
        *,
        kind: str = "ours",
        run_as: str = "command",
        act: int = signal.SIGKILL,
        slow: float = 0,
    ) -> int:
        """Start a sender that meets the signal `act` at a point, or waits there for `slow` seconds."""
        self._count += 1
        who = {"kind": kind, "run_as": run_as, "day": str(TODAY)}
        end = {"point": point, "signal_number": int(act), "seconds": slow}
        return self._ask({**who, **end, "outcome": str(self._outcome_path(self._count))})

    def run(self, point: str | None = None, *, kind: str = "ours") -> int:
        """Start a sender, wait for its end and give its wait status."""
        return self.wait(self.start(point, kind=kind))

    def wait(self, process: int) -> int:
        """Wait for a sender's end and give its wait status."""
        return self._ask({"wait": process})

    def outcomes(self, last: int) -> list[str]:
        """Read what the newest senders believe, oldest first; one that was killed says nothing."""
        paths = [self._outcome_path(number) for number in range(self._count - last + 1, self._count + 1)]
        return [path.read_text(encoding="utf-8") if path.exists() else "killed" for path in paths]

    def _outcome_path(self, number: int) -> Path:
        return self._settings.run / f"sender-{number}.txt"

    def _ask(self, order: dict[str, object]) -> int:
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.write(json.dumps(order) + "\n")
        self._nursery.stdin.flush()
        return int(self._nursery.stdout.readline())


@contextmanager
def sender_nursery(settings: Settings) -> Iterator[Senders]:
    """Load everything a sender needs once; each sender is forked from there."""
    nursery = subprocess.Popen(
        [sys.executable, "-m", "tests.support.sender_process", str(settings.var)],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    try:
        yield Senders(settings, nursery)
    finally:
        nursery.stdin.close()
        nursery.wait(timeout=30)
        nursery.stdout.close()
