"""Prepare the partners: folders, host keys, our keys, ports; written where the pipeline reads them."""

import json
import os
import socket
from dataclasses import dataclass
from pathlib import Path

import asyncssh
import psutil

from connectors.settings import Settings
from connectors.sftp import SftpPartner, load_partner
from connectors.ssh import partners_folder

HOST = "127.0.0.1"
USERNAME = "padis-pipeline"


@dataclass(frozen=True)
class Door:
    """What one partner shows to the pipeline: folders it may read, and folders it may write."""

    name: str
    readable: tuple[str, ...]
    writable: tuple[str, ...]


DOORS = (
    Door("mch", readable=("outgoing",), writable=()),
    Door("service", readable=("outgoing",), writable=()),
    Door("migrants", readable=("outgoing",), writable=()),
    Door("bank", readable=("outgoing",), writable=()),
    Door("cases", readable=("outgoing",), writable=()),
    Door("padis", readable=("receipts",), writable=("inbox",)),
    Door("sharing", readable=("receipts",), writable=("inbox",)),
)


def partner_root(settings: Settings, name: str) -> Path:
    """Tell the folder that the partner's server shows as its root."""
    return settings.sandbox / "partners" / name


def host_key_path(settings: Settings, name: str) -> Path:
    """Tell where the partner's own private host key lies; the pipeline never reads it."""
    return settings.sandbox / "partners" / "keys" / f"{name}.host.key"


def client_key_path(settings: Settings, name: str) -> Path:
    """Tell where the partner keeps the public key that it lets in."""
    return settings.sandbox / "partners" / "keys" / f"{name}.client.pub"


def ready_path(settings: Settings) -> Path:
    """Tell the file that exists while the partners accept connections."""
    return settings.run / "partners.ready"


def prepare_partners(settings: Settings) -> dict[str, SftpPartner]:
    """Make what is missing and give the partners as the pipeline sees them; repeating changes nothing.

    A port that somebody else took meanwhile is chosen anew, unless our own servers hold it.
    """
    settings.make_folders()
    for folder in (settings.sandbox / "partners" / "keys", partners_folder(settings)):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {door.name: _prepare(settings, door) for door in DOORS}


def _prepare(settings: Settings, door: Door) -> SftpPartner:
    for folder in (*door.readable, *door.writable):
        (partner_root(settings, door.name) / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    private_key = partners_folder(settings) / f"{door.name}.key"
    host_key = _make_key(host_key_path(settings, door.name))
    client_key = _make_key(private_key)
    _replace_text(client_key_path(settings, door.name), _public_text(client_key))
    card = {
        "host": HOST,
        "port": _keep_or_choose_port(settings, door.name),
        "username": USERNAME,
        "private_key_path": private_key.name,
        "host_key": _public_text(host_key),
    }
    _replace_text(
        partners_folder(settings) / f"{door.name}.json", json.dumps(card, indent=1, sort_keys=True) + "\n"
    )
    return load_partner(settings, door.name)


def _make_key(path: Path) -> asyncssh.SSHKey:
    if not path.exists():
        key = asyncssh.generate_private_key("ssh-ed25519")
        _replace_text(path, key.export_private_key("openssh").decode("ascii"))
    return asyncssh.read_private_key(str(path))


def _public_text(key: asyncssh.SSHKey) -> str:
    kind, encoded = key.export_public_key("openssh").decode("ascii").split()[:2]
    return f"{kind} {encoded}"


def _replace_text(path: Path, text: str) -> None:
    """Write a file that only we can read, whole or not at all; an equal one is left alone."""
    if path.exists() and path.read_text(encoding="ascii") == text:
        return
    part = path.with_name(f"{path.name}.part")
    with os.fdopen(
        os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii"
    ) as file:
        file.write(text)
    part.replace(path)


def _keep_or_choose_port(settings: Settings, name: str) -> int:
    others = {_port_of(settings, door.name) for door in DOORS if door.name != name}
    port = _port_of(settings, name)
    if port is not None and port not in others and (_is_free(port) or serving_process(settings) is not None):
        return port
    while True:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port = int(probe.getsockname()[1])
        # The system gives out a port again as soon as the probe is closed: two doors could share one.
        if port not in others:
            return port


def _port_of(settings: Settings, name: str) -> int | None:
    path = partners_folder(settings) / f"{name}.json"
    return load_partner(settings, name).port if path.exists() else None


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the servers do: connections of the last run that linger do not hold the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def serving_process(settings: Settings) -> int | None:
    """Tell the process id of our servers once they accept connections, or None.

    A marker left by a killed process counts as none: ask this, not whether the file exists.
    """
    try:
        marker = json.loads(ready_path(settings).read_text(encoding="ascii"))
        process = psutil.Process(marker["pid"])
        return process.pid if abs(process.create_time() - marker["started"]) < 2 else None
    except (OSError, ValueError, KeyError, psutil.Error):
        return None
