"""SSH to a partner: one pinned host key, one private key, and a limit on every wait."""

import json
import logging
import re
import socket
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import paramiko

from connectors.settings import Settings
from schemas.refusal import Refusal

HOST_KEY_KIND = "ssh-ed25519"
CONNECT_SECONDS = 10.0
BANNER_SECONDS = 10.0
AUTHENTICATION_SECONDS = 15.0
ANSWER_SECONDS = 30.0
ROOT = re.compile(r"(/[A-Za-z0-9][A-Za-z0-9._-]*)*")

# What paramiko says about a cut wire, our refusal says once and without a traceback; its debug
# lines hold remote paths.
WIRE_LOG = "connectors.ssh.wire"
logging.getLogger(WIRE_LOG).setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class SftpPartner:
    """Address and keys of one partner's SFTP server; `host_key` is `ssh-ed25519 <base64>`.

    `root` is where the agreed folders lie at the partner: empty if the server shows them at the top,
    else an absolute path, as of an OpenSSH server that locks nobody into a folder.
    """

    name: str
    host: str
    port: int
    username: str
    private_key_path: Path
    host_key: str
    root: str = ""

    def __post_init__(self) -> None:
        if not ROOT.fullmatch(self.root):
            raise ValueError("the root of a partner is an absolute path of plain names, or empty")

    def __str__(self) -> str:
        return f"{self.name} at {self.host}:{self.port}"


def partners_folder(settings: Settings) -> Path:
    """Tell where the partners' addresses and our private keys lie."""
    return settings.keys / "partners"


def load_partner(settings: Settings, name: str) -> SftpPartner:
    """Read the address and keys of a partner from `var/keys/partners/<name>.json`.

    A relative `private_key_path` is meant from the folder of that file.

    Raises:
        Refusal: there is no such partner, its file lacks something, or these are settings of a shadow.
    """
    settings.refuse_in_shadow(f"a connection to partner {name}")
    path = partners_folder(settings) / f"{name}.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return SftpPartner(
            name=name,
            host=str(found["host"]),
            port=int(found["port"]),
            username=str(found["username"]),
            private_key_path=path.parent / found["private_key_path"],
            host_key=str(found["host_key"]),
            root=str(found.get("root", "")),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Refusal(
            "partner_unknown",
            found=f"no usable keys/partners/{name}.json ({type(error).__name__})",
            expected="host, port, username, private_key_path and host_key; root, where there is one",
            to_do="write the partner's file; `make run` does it for the sandbox",
        ) from None


@contextmanager
def open_transport(partner: SftpPartner) -> Iterator[paramiko.Transport]:
    """Connect, hold the host key against the pinned one, then prove who we are by key.

    Raises:
        Refusal: unreachable, silent, another host key (before any credential is sent), or our key
            is not accepted.
    """
    pinned = _pinned_key(partner)
    key = _private_key(partner)
    with _connect(partner) as wire:
        transport = paramiko.Transport(wire)
        try:
            _shake_hands(partner, transport, pinned)
            _authenticate(partner, transport, key)
            yield transport
        finally:
            transport.close()
            if transport.ident is not None:
                transport.join(timeout=5)


@contextmanager
def closing_after(transport: paramiko.Transport, seconds: float) -> Iterator[None]:
    """Close the transport if the body takes longer, for the waits that paramiko does not limit."""
    watch = threading.Timer(seconds, transport.close)
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()
        watch.join(timeout=5)


def _pinned_key(partner: SftpPartner) -> bytes:
    try:
        kind, encoded = partner.host_key.split()[:2]
        if kind == HOST_KEY_KIND:
            return b64decode(encoded, validate=True)
    except ValueError:
        pass
    raise Refusal(
        "host_key_unusable",
        found=f"a pinned host key of {partner.name} that is no {HOST_KEY_KIND} key",
        expected=f"{HOST_KEY_KIND} followed by the key in base64",
        to_do="ask the partner for its host key by another way and write it into keys/partners",
    )


def _private_key(partner: SftpPartner) -> paramiko.PKey:
    try:
        return paramiko.Ed25519Key.from_private_key_file(str(partner.private_key_path))
    except (OSError, ValueError, paramiko.SSHException) as error:
        raise Refusal(
            "private_key_unusable",
            found=f"our private key for {partner.name} cannot be read ({type(error).__name__})",
            expected="an ed25519 private key in OpenSSH format without a passphrase",
            to_do="restore it from the backup of the keys, or agree on a new one with the partner",
        ) from None


def _connect(partner: SftpPartner) -> socket.socket:
    try:
        wire = socket.create_connection((partner.host, partner.port), timeout=CONNECT_SECONDS)
    except OSError as error:
        raise Refusal(
            "partner_unreachable",
            found=f"no connection to {partner} ({type(error).__name__})",
            expected=f"a server that accepts within {CONNECT_SECONDS:.0f} s",
            to_do="check address, port and network, then run again",
        ) from None
    # A block of SFTP takes two packets; without this each waits 40 ms for the other side's delayed answer.
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return wire


def _shake_hands(partner: SftpPartner, transport: paramiko.Transport, pinned: bytes) -> None:
    transport.set_log_channel(WIRE_LOG)
    transport.banner_timeout = BANNER_SECONDS
    transport.handshake_timeout = BANNER_SECONDS
    transport.auth_timeout = AUTHENTICATION_SECONDS
    transport.channel_timeout = ANSWER_SECONDS
    transport.get_security_options().key_types = (HOST_KEY_KIND,)
    try:
        transport.start_client(timeout=2 * BANNER_SECONDS)
        shown = transport.get_remote_server_key()
    except paramiko.ssh_exception.IncompatiblePeer:
        raise _other_host_key(partner, f"no {HOST_KEY_KIND} host key in common") from None
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise Refusal(
            "partner_silent",
            found=f"no SSH handshake with {partner} ({type(error).__name__})",
            expected="an SSH server",
            to_do="check that the port is the partner's SFTP server, then run again",
        ) from None
    if shown.asbytes() != pinned:
        raise _other_host_key(partner, f"host key {shown.fingerprint}")


def _other_host_key(partner: SftpPartner, found: str) -> Refusal:
    return Refusal(
        "host_key_changed",
        found=f"{found} at {partner}",
        expected="the pinned host key; nothing was sent, no credential either",
        to_do="ask the partner by another way whether its key was changed; only then pin the new one",
    )


def _authenticate(partner: SftpPartner, transport: paramiko.Transport, key: paramiko.PKey) -> None:
    try:
        rest = transport.auth_publickey(partner.username, key)
    except (paramiko.SSHException, EOFError, OSError) as error:
        if not transport.is_active():
            raise connection_lost(partner, "proving who we are") from None
        raise _key_refused(partner, type(error).__name__) from None
    if rest:
        raise _key_refused(partner, "more than a key is demanded")


def connection_lost(partner: SftpPartner, moment: str) -> Refusal:
    """Say that the wire was cut before a session stood; nothing was asked of the partner yet."""
    return Refusal(
        "connection_lost",
        found=f"the connection to {partner} ended while {moment}",
        expected="a connection that holds",
        to_do="run again; if it stays, ask the partner why its server hangs up",
    )


def _key_refused(partner: SftpPartner, reason: str) -> Refusal:
    return Refusal(
        "partner_refused_key",
        found=f"{partner} did not let user {partner.username} in ({reason})",
        expected="authentication by our key alone",
        to_do="check user name and key with the partner",
    )
