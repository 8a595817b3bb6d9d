"""Senders that are killed, stopped or cut at a named point: forked from one process that has it all loaded.

The points are put around the product's functions in the child alone; the product has no hooks.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from connectors.settings import PROJECT, Settings

# Where a sender can end, in the order in which it comes past; `before`/`after` a function of the product.
POINTS = {
    "before the attempt is on record": ("etl.submission.send", "begin_attempt", "before"),
    "after the attempt is on record": ("etl.submission.send", "begin_attempt", "after"),
    "before the digest file": ("etl.submission.send", "_put_sidecar", "before"),
    "after the digest file": ("etl.submission.send", "_put_sidecar", "after"),
    "with half of the file written": ("connectors.sftp:SftpSession", "_write_part", "half"),
    "with the whole file written": ("connectors.sftp:SftpSession", "_write_part", "after"),
    "before the rename is claimed": ("etl.submission.send", "mark_sending", "before"),
    "after the rename is claimed": ("etl.submission.send", "mark_sending", "after"),
    "after the rename": ("connectors.sftp:SftpSession", "_give_name", "after"),
    "after the end is on record": ("etl.submission.send", "finish_attempt", "after"),
}

CHILD = '''
import importlib, os, signal, sys, time
from datetime import date
from pathlib import Path
from connectors.registry import registry_session
from connectors.settings import Settings
from connectors.sftp import SftpSession, load_partner, open_sftp
import etl.submission.send as send
from etl.submission.outbox import batches_where, open_batch, sealed_batch
from schemas.refusal import Refusal
from schemas.registry import BATCH
import sqlalchemy as sa

settings = Settings(var=Path(sys.argv[1]))


def put_point(where, name, moment, act):
    module, _, owner = where.partition(":")
    owner = getattr(importlib.import_module(module), owner) if owner else importlib.import_module(module)
    real = getattr(owner, name)
    is_zip = lambda args: name not in ("_write_part", "_give_name") or ".zip.sha256" not in str(args[1:3])

    def wrapped(*args, **kwargs):
        if moment == "half" and is_zip(args):
            args[0]._client.open(args[1], "wx").write(args[2][: len(args[2]) // 2])
            act()
        if moment == "before" and is_zip(args):
            act()
        found = real(*args, **kwargs)
        if moment == "after" and is_zip(args):
            act()
        return found

    setattr(owner, name, wrapped)


def send_naively(partner):
    """Upload, then remember: what many do."""
    with registry_session(settings) as connection:
        released = batches_where(connection, BATCH.c.state == "approved")
        batches = [sealed_batch(connection, batch["batch_id"]) for batch in released]
    for batch in batches:
        content = open_batch(settings, batch)
        with open_sftp(partner) as session:
            sidecar = send.sidecar_of(batch["file_name"], batch["sha256"])
            epoch = time.time_ns()
            session.put_atomically("/inbox", batch["file_name"] + ".sha256", sidecar, epoch)
            session.put_atomically("/inbox", batch["file_name"], content, epoch)
        with registry_session(settings) as connection:
            done = sa.update(BATCH).where(BATCH.c.batch_id == batch["batch_id"])
            connection.execute(done.values(state="sent"))


def run(kind, day, where, name, moment, signal_number):
    act = lambda: os.kill(os.getpid(), int(signal_number))
    if moment == "slow":
        act, moment = (lambda: time.sleep(1.0)), "before"
    if where != "-":
        put_point(where, name, moment, act)
    partner = load_partner(settings, "padis")
    try:
        if kind == "naive":
            send_naively(partner)
        else:
            send.send_batches(settings, date.fromisoformat(day), partner)
        return "sent"
    except Refusal as refusal:
        return refusal.code
    except BaseException as error:
        return type(error).__name__


for line in sys.stdin:
    if line.startswith("start "):
        outcome_path, *task = line[6:].rstrip("\\n").split("|")
        child = os.fork()
        if child == 0:
            outcome = run(*task)
            Path(outcome_path).write_text(outcome)
            os._exit(0)
        print(child, flush=True)
    else:
        _, status = os.waitpid(int(line), 0)
        print(status, flush=True)
'''


class Senders:
    """Starts senders as processes of their own, and waits for them."""

    def __init__(self, settings: Settings, nursery: subprocess.Popen[str]) -> None:
        self._settings = settings
        self._nursery = nursery
        self._count = 0

    def start(
        self, day: str, point: str | None = None, *, kind: str = "ours", act: int = signal.SIGKILL
    ) -> int:
        """Start a sender that meets `act` at a point; `slow` waits a second before the upload."""
        if point == "slow":
            place = ("connectors.sftp:SftpSession", "_write_part", "slow")
        else:
            place = POINTS[point] if point else ("-", "-", "-")
        self._count += 1
        task = "|".join([str(self.outcome_path(self._count)), kind, day, *place, str(int(act))])
        return int(self._ask(f"start {task}"))

    def outcome_path(self, number: int):
        """Tell where the nth sender writes what it believes."""
        return self._settings.run / f"sender-{number}.txt"

    def outcomes(self) -> list[str]:
        """Read what the senders believe, oldest first; those that were killed say nothing."""
        paths = [self.outcome_path(number) for number in range(1, self._count + 1)]
        return [path.read_text() if path.exists() else "killed" for path in paths]

    def wait(self, process: int) -> int:
        """Wait for a sender's end and give its wait status."""
        return int(self._ask(str(process)))

    def _ask(self, line: str) -> str:
        self._nursery.stdin.write(line + "\n")
        self._nursery.stdin.flush()
        return self._nursery.stdout.readline()


@contextmanager
def sender_nursery(settings: Settings) -> Iterator[Senders]:
    """Load everything a sender needs once; each sender is forked from there."""
    nursery = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(settings.var)],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Senders(settings, nursery)
    finally:
        nursery.stdin.close()
        nursery.wait(timeout=30)
        nursery.stdout.close()
