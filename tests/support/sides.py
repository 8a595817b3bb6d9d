"""The other side of a transfer: the sandbox's own servers, or OpenSSH; the same questions to both."""

import json
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from connectors.settings import Settings
from connectors.sftp import SftpPartner, load_partner
from connectors.ssh import partners_folder
from sandbox.partners.gateway import Gateway
from sandbox.partners.keys import client_key_path, host_key_path, partner_root, prepare_partners
from tests.support.name_watch import NameWatch
from tests.support.openssh import Sshd, running_sshd
from tests.support.partners import running_partners

Kind = Literal["asyncssh", "OpenSSH"]
KINDS: tuple[Kind, ...] = ("asyncssh", "OpenSSH")
# What each server writes down of a visit, in the order in which it happens.
EVENTS = {
    "connected": ("Connection from ",),
    "authentication": ("userauth-request for user ",),
    "disconnected": ("Connection closed by ", "Connection reset by ", "Disconnected from "),
}


@dataclass(frozen=True)
class Side:
    """Running servers of the partners `mch` and `padis`, and what they saw."""

    settings: Settings
    partners: Mapping[str, SftpPartner]
    names: NameWatch
    sshds: Mapping[str, Sshd]

    @property
    def outgoing(self) -> Path:
        """The folder from which drops are fetched."""
        return partner_root(self.settings, "mch") / "outgoing"

    @property
    def inbox(self) -> Path:
        """The folder into which batches are sent."""
        return partner_root(self.settings, "padis") / "inbox"

    def seen(self, partner: str, event: str) -> int:
        """Tell how often the partner's server noted an event: connected, authentication, disconnected."""
        if self.sshds:
            return self.sshds[partner].count(*EVENTS[event])
        journal = partner_root(self.settings, partner) / "journal.jsonl"
        lines = journal.read_text().splitlines() if journal.exists() else []
        return sum(json.loads(line)["event"] == event for line in lines)

    def times_named(self, name: str) -> int:
        """Tell how often a file got this name in the inbox."""
        return self.names.times(name)


@contextmanager
def running_side(kind: Kind, settings: Settings, *, gateway: bool = False) -> Iterator[Side]:
    """Serve the partners by one kind of server; before OpenSSH, PADIS's gateway works only if asked for."""
    with ExitStack() as stack:
        sshds: dict[str, Sshd] = {}
        if kind == "asyncssh":
            partners = stack.enter_context(running_partners(settings, pace_seconds=0.03))
        else:
            partners = prepare_partners(settings)
            for name in ("mch", "padis"):
                sshds[name] = stack.enter_context(_openssh(settings, partners[name]))
                partners[name] = load_partner(settings, name)
            if gateway:
                stack.enter_context(_gateway(settings))
        names = NameWatch(partner_root(settings, "padis") / "inbox")
        stack.callback(names.close)
        yield Side(settings, partners, names, sshds)


@contextmanager
def side_alone(kind: Kind) -> Iterator[Side]:
    """Serve the partners of an installation that has nothing else."""
    with (
        tempfile.TemporaryDirectory(prefix="padis-side-") as var,
        running_side(kind, Settings(var=Path(var))) as side,
    ):
        yield side


@contextmanager
def _openssh(settings: Settings, partner: SftpPartner) -> Iterator[Sshd]:
    """Serve a partner's folders by OpenSSH, and put its card as an operator would."""
    host_key, client_key = (path(settings, partner.name) for path in (host_key_path, client_key_path))
    with running_sshd(partner.port, host_key, client_key) as sshd:
        root = partner_root(settings, partner.name)
        for path in root.iterdir():
            if path.is_dir():
                sshd.make_folder(path.name)
            else:
                shutil.move(path, sshd.root)
        # The zone is closed to others, the server's user too: the folders lie outside and seem to lie here.
        shutil.rmtree(root)
        root.symlink_to(sshd.root)
        card = partners_folder(settings) / f"{partner.name}.json"
        told = json.loads(card.read_text()) | {"username": sshd.username, "root": str(sshd.root)}
        card.write_text(json.dumps(told))
        try:
            yield sshd
        finally:
            root.unlink()


@contextmanager
def _gateway(settings: Settings) -> Iterator[None]:
    """Let PADIS's gateway take files and answer, as in the sandbox's own process."""
    is_over = threading.Event()
    gateway = Gateway(partner_root(settings, "padis"))

    def tend() -> None:
        while not is_over.wait(0.03):
            gateway.step()

    worker = threading.Thread(target=tend)
    worker.start()
    try:
        yield
    finally:
        is_over.set()
        worker.join()
