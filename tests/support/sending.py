"""One sending installation before one receiver: what tests of ends, cuts and races do with it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from connectors.registry import registry_session
from connectors.settings import Settings
from connectors.sftp import SftpPartner
from etl.submission.send import send_batches
from sandbox.partners.behaviour import Behaviour, set_behaviour
from sandbox.partners.faults import Faults, set_faults
from sandbox.partners.keys import partner_root
from schemas.refusal import Refusal
from schemas.registry import BATCH
from tests.support.far_history import History, far_history
from tests.support.released import forget_batches, release_batch
from tests.support.senders import Senders, sender_nursery
from tests.support.sides import Kind, Side, running_side
from tests.support.submission import TODAY

# After a failure the scheduler runs a step again; what has not converged by then never does by itself.
RERUNS = 2
ANSWERING = Behaviour(reject_rate=0, silent_rate=0)
SILENT = Behaviour(reject_rate=0, silent_rate=0, silent_levels=("transfer", "file", "batch", "record"))


@dataclass(frozen=True)
class Sending:
    """The installation, its receiver, and senders of it as processes of their own."""

    settings: Settings
    side: Side
    senders: Senders

    @property
    def padis(self) -> SftpPartner:
        """The receiver."""
        return self.side.partners["padis"]

    def release(self, records: int = 3, *, state: str = "approved", behaviour: Behaviour = ANSWERING) -> str:
        """Begin anew with one batch, at a receiver that behaves so."""
        forget_batches(self.settings)
        for receipt in (partner_root(self.settings, "padis") / "receipts").glob("*.csv"):
            receipt.unlink()
        self.misbehave(Faults())
        set_behaviour(self.settings, behaviour)
        return release_batch(self.settings, records, state=state)

    def misbehave(self, faults: Faults) -> None:
        """Let the receiver's server have these faults from now on."""
        set_faults(self.settings, "padis", faults)

    def let_it_take(self) -> None:
        """Wait until the receiver has taken whatever is whole: who looks there then finds nothing."""
        wait_until(lambda: not list(self.side.inbox.glob("*.zip")))

    def let_it_answer(self, batch_id: str, level: str = "F01") -> None:
        """Wait until the receiver has answered, by default whether it can read the file."""
        answer = partner_root(self.settings, "padis") / "receipts" / f"{batch_id}.{level}.csv"
        wait_until(answer.exists)

    def state_of(self, batch_id: str) -> str:
        """Tell the state of a batch in the outbox."""
        with registry_session(self.settings) as connection:
            return str(connection.scalar(sa.select(BATCH.c.state).where(BATCH.c.batch_id == batch_id)))

    def history(self, *batch_ids: str) -> History:
        """Tell what became of batches at the receiver."""
        return far_history(self.side, self.settings, batch_ids)

    def rerun_until_sent(self, batch_id: str, *, kind: str = "ours") -> int:
        """Do what the scheduler does after a failure, and tell how many reruns it took, at most `RERUNS`."""
        for rerun in range(RERUNS):
            if self.state_of(batch_id) == "sent":
                return rerun
            if kind == "ours":
                send_when_free(self.settings, self.padis)
            else:
                self.senders.run(kind=kind)
            self.let_it_take()
        return RERUNS

    def wait_until_asleep(self, sender: int) -> None:
        """Wait until a sender is stopped."""
        wait_until(lambda: Path(f"/proc/{sender}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T")

    def cut_databases(self) -> None:
        """End every other database session: a sleeper's lock is free, and it does not know."""
        with registry_session(self.settings) as connection:
            connection.execute(
                sa.text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )


def send_when_free(settings: Settings, partner: SftpPartner) -> None:
    """Send as soon as the database has noticed that the one before is gone; what fails is run again later."""
    deadline = time.monotonic() + 10
    while True:
        try:
            send_batches(settings, TODAY, partner)
        except Refusal as refusal:
            if refusal.code == "held_by_another_run" and time.monotonic() < deadline:
                time.sleep(0.02)
                continue
        return


def wait_until(is_so: Callable[[], object], seconds: float = 10) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


@contextmanager
def sending_to(kind: Kind, settings: Settings, *, takes: bool = True) -> Iterator[Sending]:
    """Serve a receiver that takes files away, unless it is OpenSSH alone; and load senders."""
    with running_side(kind, settings, gateway=takes) as side, sender_nursery(settings) as senders:
        yield Sending(settings, side, senders)
