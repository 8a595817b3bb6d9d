"""The partners of a test's installation: real servers in a process of their own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from connectors.settings import PROJECT, Settings
from connectors.sftp import SftpPartner, load_partner
from sandbox.partners.keys import DOORS, serving_process

START = """
import sys
from pathlib import Path
from connectors.settings import Settings
from sandbox.partners.servers import serve_partners
serve_partners(Settings(var=Path(sys.argv[1])), pace_seconds=float(sys.argv[2]))
"""


@contextmanager
def running_partners(settings: Settings, *, pace_seconds: float = 0.05) -> Iterator[dict[str, SftpPartner]]:
    """Serve all partners for these settings, give their addresses by name, and stop them at the end."""
    settings.make_folders()
    process = start_partners(settings, pace_seconds=pace_seconds)
    try:
        wait_until_ready(settings, process)
        yield {door.name: load_partner(settings, door.name) for door in DOORS}
    finally:
        stop_partners(process)


def start_partners(settings: Settings, *, pace_seconds: float = 0.05) -> subprocess.Popen[bytes]:
    """Start the servers; the caller stops them with `stop_partners`, or kills them to see what happens."""
    with (settings.logs / "partners.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-c", START, str(settings.var), str(pace_seconds)],
            cwd=PROJECT,
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
            stdout=log,
            stderr=log,
        )


def wait_until_ready(settings: Settings, process: subprocess.Popen[bytes], seconds: float = 30) -> None:
    """Wait until the servers accept connections."""
    deadline = time.monotonic() + seconds
    while serving_process(settings) != process.pid:
        if process.poll() is not None or time.monotonic() > deadline:
            log = (settings.logs / "partners.log").read_text(encoding="utf-8", errors="replace")
            raise AssertionError(f"the partners did not start:\n{log}")
        time.sleep(0.02)


def stop_partners(process: subprocess.Popen[bytes]) -> None:
    """Ask the servers to end, as honcho does, and wait until they have."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    process.wait(timeout=15)
