"""One installation is brought up once: a lock that its supervisor holds as long as it lives."""

import fcntl
import json
import os
import socket
import time
from pathlib import Path
from typing import Any

import psutil

from connectors.settings import Settings
from sandbox.local.environment import HOST
from sandbox.local.processes import end_leftovers
from schemas.refusal import Refusal

# Between taking the lock and writing into it nobody is named.
NAMELESS_SECONDS = 2.0


def lock_path(settings: Settings) -> Path:
    """Tell the lock file; it names the supervisor's process while there is one."""
    return settings.run / "local.lock"


def take_lock(settings: Settings) -> int:
    """Take the lock and give its descriptor, which the supervisor inherits.

    Raises:
        Refusal: this installation is up already.
    """
    descriptor = os.open(lock_path(settings), os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + NAMELESS_SECONDS
    while not _try(descriptor):
        pid = supervisor_of(settings)
        if pid is not None:
            os.close(descriptor)
            raise Refusal(
                "up_already",
                found=f"process {pid} runs the installation in {settings.var}",
                expected="one bring-up at a time",
                to_do="use it, or stop it with `make down` (`padis local down`)",
            )
        if time.monotonic() > deadline:
            # Its supervisor was killed; only the children that inherited the lock still hold it.
            end_leftovers(settings)
        time.sleep(0.1)
    name_holder(descriptor)
    end_leftovers(settings)
    return descriptor


def name_holder(descriptor: int, *, stays_at: int | None = None) -> None:
    """Write into the lock who holds it: ourselves; and at which port it stays on for others to use."""
    holder = {"pid": os.getpid(), "started": psutil.Process().create_time(), "stays_at": stays_at}
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(holder).encode("ascii"), 0)


def forget_holder(settings: Settings) -> None:
    """Name nobody any more; the file stays, since somebody may be about to lock it."""
    lock_path(settings).write_text("", encoding="ascii")


def supervisor_of(settings: Settings) -> int | None:
    """Tell the process that runs this installation, or None."""
    holder = _living_holder(settings)
    return holder["pid"] if holder else None


def staying_port(settings: Settings) -> int | None:
    """Tell the port of an installation that was left on (`make up`), or None."""
    holder = _living_holder(settings)
    return holder["stays_at"] if holder else None


def _living_holder(settings: Settings) -> dict[str, Any] | None:
    try:
        holder: dict[str, Any] = json.loads(lock_path(settings).read_text(encoding="ascii"))
        is_alive = psutil.Process(holder["pid"]).create_time() == holder["started"]
    except (OSError, ValueError, KeyError, psutil.Error):
        return None
    return holder if is_alive else None


def check_port(port: int) -> None:
    """Refuse a port that somebody else listens on, before anything is started.

    Raises:
        Refusal: the port is taken.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise Refusal(
                "port_taken",
                found=f"port {port} of {HOST} is in use",
                expected="a free port for Airflow's UI",
                to_do=f"stop what listens there, or choose another: PADIS_UI_PORT={port + 1} make run",
            ) from None


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
