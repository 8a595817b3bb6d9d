"""The programs of one installation, and how to know that each is ready."""

import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from connectors.settings import PROJECT, Settings
from sandbox.partners.keys import serving_process
from schemas.refusal import Refusal

PARTNER_SECONDS = 60.0


@dataclass(frozen=True)
class Component:
    """One long-running program of Airflow."""

    name: str
    arguments: tuple[str, ...]

    @property
    def command(self) -> str:
        """Tell the shell line; `exec`, so that no shell stands between the signal and the program."""
        return "exec " + shlex.join(airflow_command(*self.arguments))


# Logs are read from the folder that all share, so nobody needs to serve them on a port.
AIRFLOW = (
    Component("api-server", ("api-server",)),
    Component("scheduler", ("scheduler", "--skip-serve-logs")),
    Component("dag-processor", ("dag-processor",)),
    Component("triggerer", ("triggerer", "--skip-serve-logs")),
)


def airflow_command(*arguments: str) -> list[str]:
    """Tell how Airflow of this Python environment is called."""
    return [sys.executable, "-m", "airflow", *arguments]


def start_program(
    settings: Settings, name: str, module: str, *arguments: str, environment: Mapping[str, str]
) -> "subprocess.Popen[bytes]":
    """Start one of our own modules; what it prints goes to `var/logs/<name>.log`."""
    with (settings.logs / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=PROJECT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def wait_for_program(settings: Settings, name: str, process: "subprocess.Popen[bytes]") -> None:
    """Wait until a program has ended well.

    Raises:
        Refusal: it failed; its log tells why.
    """
    if process.wait() != 0:
        raise _failure(settings, name, f"status {process.returncode}")


def wait_for_partners(settings: Settings, process: "subprocess.Popen[bytes]") -> None:
    """Wait until the partners accept connections.

    Raises:
        Refusal: they ended, or took too long.
    """
    deadline = time.monotonic() + PARTNER_SECONDS
    while serving_process(settings) is None:
        if process.poll() is not None or time.monotonic() > deadline:
            raise _failure(settings, "partners", "no partner that answers")
        time.sleep(0.1)


def _failure(settings: Settings, name: str, found: str) -> Refusal:
    log = settings.logs / f"{name}.log"
    return Refusal(
        f"{name.replace('-', '_')}_failed",
        found=f"{found}{_last_refusal(log)}",
        expected=f"{name} to end well",
        to_do=f"read {log}",
    )


def _last_refusal(log: Path) -> str:
    """Quote the refusal with which a program of ours ended; anything else could hold values."""
    lines: Sequence[str] = log.read_text(encoding="utf-8", errors="replace").splitlines()
    told = [line for line in lines if line.startswith("schemas.refusal.Refusal: ")]
    return f"; {told[-1].removeprefix('schemas.refusal.Refusal: ')}" if told else ""
