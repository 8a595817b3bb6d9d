"""Bring whole installations up beside others, and look for what they leave behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from connectors.settings import PROJECT


def free_port() -> int:
    """Tell a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _hear_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def padis(var: Path, port: int, *words: str, persons: int = 300) -> "subprocess.Popen[str]":
    """Start a `padis` command of the installation in `var`, in a process group of its own."""
    own = {"PADIS_VAR": str(var), "PADIS_UI_PORT": str(port), "PERSONS": str(persons), "SEED": "7"}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    return subprocess.Popen(
        [sys.executable, "-m", "etl.cli", *words],
        cwd=PROJECT,
        env={**inherited, **own, "PYTHONPATH": str(PROJECT), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
        # A job in the background is born deaf to SIGINT; a person's terminal gives it back.
        preexec_fn=_hear_interrupts,
    )


def left_processes(var: Path) -> list[str]:
    """List the processes of the installation in `var`, by their environment or what they hold open."""
    found = []
    for process in psutil.process_iter():
        try:
            belongs = process.environ().get("PADIS_VAR") == str(var) or str(var) in " ".join(
                process.cmdline()
            )
            belongs = belongs or any(Path(file.path).is_relative_to(var) for file in process.open_files())
            if belongs and process.pid != os.getpid():
                found.append(" ".join(process.cmdline())[:120] or process.name())
        except (psutil.Error, OSError):
            continue
    return found


def is_free(port: int) -> bool:
    """Tell whether a port can be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def lines_until(process: "subprocess.Popen[str]", text: str, *, seconds: float = 300) -> Iterator[str]:
    """Give what a command prints, line by line, up to the one that holds `text`."""
    assert process.stdout is not None
    deadline = time.monotonic() + seconds
    for line in process.stdout:
        yield line
        if text in line or time.monotonic() > deadline:
            return
