"""Serve the partners on loopback: one SSH server each; PADIS's gateway and the sharing platform answer."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import asyncssh
import psutil

from connectors.settings import Settings
from connectors.sftp import SftpPartner
from sandbox.partners.files import Journal, PartnerFiles
from sandbox.partners.gateway import Gateway, beijing_time
from sandbox.partners.keys import (
    DOORS,
    Door,
    client_key_path,
    host_key_path,
    partner_root,
    prepare_partners,
    ready_path,
    serving_process,
)
from sandbox.partners.platform import Platform
from schemas.refusal import Refusal

PACE_SECONDS = 0.3


class PartnerDesk(asyncssh.SSHServer):
    """One connection to a partner: lets one user in, by one key, and notes what happened."""

    def __init__(
        self,
        username: str,
        key: asyncssh.SSHKey,
        journal: Journal,
        visitors: set[asyncssh.SSHServerConnection],
    ) -> None:
        self._username = username
        self._key = key
        self._journal = journal
        self._visitors = visitors
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Note that somebody connected."""
        self._connection = conn
        self._visitors.add(conn)
        self._journal.note("connected")

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the connection ended."""
        if self._connection is not None:
            self._visitors.discard(self._connection)
        self._journal.note("disconnected", cut=exc is not None)

    def begin_auth(self, username: str) -> bool:
        """Note the first credential and demand authentication."""
        self._journal.note("authentication")
        return True

    def public_key_auth_supported(self) -> bool:
        """Offer keys; passwords are not offered."""
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Let in the agreed user with the agreed key."""
        return username == self._username and bool(key == self._key)


@asynccontextmanager
async def open_servers(settings: Settings, partners: dict[str, SftpPartner]) -> AsyncIterator[None]:
    """Listen for all partners; at the end every port and connection is closed."""
    visitors: set[asyncssh.SSHServerConnection] = set()
    async with AsyncExitStack() as stack:
        for door in DOORS:
            server = await _listen(settings, door, partners[door.name], visitors)
            stack.push_async_callback(_close, server, visitors)
        yield


async def _listen(
    settings: Settings, door: Door, partner: SftpPartner, visitors: set[asyncssh.SSHServerConnection]
) -> asyncssh.SSHAcceptor:
    root = partner_root(settings, door.name)
    journal = Journal(root / "journal.jsonl")
    key = asyncssh.read_public_key(str(client_key_path(settings, door.name)))
    return await asyncssh.create_server(
        lambda: PartnerDesk(partner.username, key, journal, visitors),
        partner.host,
        partner.port,
        server_host_keys=[str(host_key_path(settings, door.name))],
        sftp_factory=lambda channel: PartnerFiles(channel, root, door, journal),
        allow_scp=False,
        password_auth=False,
        kbdint_auth=False,
        agent_forwarding=False,
        x11_forwarding=False,
        login_timeout=30,
        keepalive_interval=30,
    )


async def _close(server: asyncssh.SSHAcceptor, visitors: set[asyncssh.SSHServerConnection]) -> None:
    server.close()
    for connection in tuple(visitors):
        connection.abort()
        await connection.wait_closed()
    await server.wait_closed()


def serve_partners(settings: Settings, *, pace_seconds: float = PACE_SECONDS) -> None:
    """Serve the partners, the gateway and the platform in the foreground until SIGTERM or SIGINT.

    `var/run/partners.ready` exists while connections are accepted. The gateway takes one step per
    batch every `pace_seconds`.

    Raises:
        Refusal: the partners of this installation are served already.
    """
    asyncio.run(_serve(settings, pace_seconds))


async def _serve(settings: Settings, pace_seconds: float) -> None:
    pid = serving_process(settings)
    if pid is not None:
        raise Refusal(
            "partners_served_already",
            found=f"process {pid} serves the partners of this installation",
            expected="one such process",
            to_do="use the running one, or stop it first",
        )
    ready_path(settings).unlink(missing_ok=True)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with open_servers(settings, prepare_partners(settings)):
        _mark_ready(settings)
        try:
            platform = Platform(partner_root(settings, "sharing"), beijing_time)
            await _tend(Gateway(partner_root(settings, "padis")), platform, stop, pace_seconds)
        finally:
            ready_path(settings).unlink(missing_ok=True)


async def _tend(gateway: Gateway, platform: Platform, stop: asyncio.Event, pace_seconds: float) -> None:
    while not stop.is_set():
        await asyncio.to_thread(gateway.step)
        await asyncio.to_thread(platform.step)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pace_seconds)


def _mark_ready(settings: Settings) -> None:
    marker = {"pid": os.getpid(), "started": psutil.Process().create_time()}
    part = ready_path(settings).with_suffix(".part")
    part.write_text(json.dumps(marker), encoding="ascii")
    part.replace(ready_path(settings))
