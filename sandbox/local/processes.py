"""Processes of one installation: adopt them, find them, end them all."""

import ctypes
import os
import signal
import subprocess
from collections.abc import Collection, Iterable

import psutil

from connectors.settings import Settings
from sandbox.local.environment import MARK

PR_SET_CHILD_SUBREAPER = 36
PATIENCE_SECONDS = 4.0
POSTGRES_SECONDS = 30.0


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends.

    Airflow's task supervisors detach themselves; without this they would outlive us unseen.
    """
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants(*, spare: Iterable[int] = (), keep: Iterable[int] = ()) -> list[psutil.Process]:
    """List our living descendants, without those in `spare` with their own, and those in `keep` alone."""
    left_out = {*spare, *keep}
    for pid in spare:
        try:
            left_out |= {child.pid for child in psutil.Process(pid).children(recursive=True)}
        except psutil.NoSuchProcess:
            continue
    return [child for child in psutil.Process().children(recursive=True) if child.pid not in left_out]


def end_descendants(*, spare: Collection[int] = (), keep: Collection[int] = ()) -> None:
    """Ask our descendants to end, then kill those that do not; repeat until none is left."""
    asked = descendants(spare=spare, keep=keep)
    _signal(asked, signal.SIGTERM)
    psutil.wait_procs(asked, timeout=PATIENCE_SECONDS)
    while left := descendants(spare=spare, keep=keep):
        _signal(left, signal.SIGKILL)
        psutil.wait_procs(left, timeout=1.0)


def end_postgres(server: "subprocess.Popen[bytes]") -> None:
    """Shut the embedded PostgreSQL down: clients are disconnected, the data stay whole."""
    server.send_signal(signal.SIGINT)
    try:
        server.wait(POSTGRES_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def end_leftovers(settings: Settings) -> int:
    """End what an earlier supervisor of this installation left when it was killed; tell how many."""
    left = [process for process in psutil.process_iter() if _belongs_to(process, settings)]
    _signal(left, signal.SIGTERM)
    _, alive = psutil.wait_procs(left, timeout=PATIENCE_SECONDS)
    _signal(alive, signal.SIGKILL)
    psutil.wait_procs(alive, timeout=PATIENCE_SECONDS)
    return len(left)


def _belongs_to(process: psutil.Process, settings: Settings) -> bool:
    if process.pid == os.getpid():
        return False
    try:
        return process.environ().get(MARK) == str(settings.var)
    except (psutil.Error, OSError):
        return False


def _signal(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue
