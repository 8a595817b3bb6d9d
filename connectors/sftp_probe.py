"""How a partner's SFTP server behaves: asked by a person before the first real file goes there.

Files of its own are written only if that is wanted. Their names are those of unfinished uploads, which no
receiver may take, and they are removed at the end.
"""

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Literal

import paramiko

from connectors.remote_file import LOST, WIRE_ERRORS, check_path, code_of
from connectors.sftp import start_sftp
from connectors.ssh import SftpPartner, open_transport
from schemas.refusal import Refusal

Verdict = Literal["good", "bad"]
CONTENT = b"padis probe\n" * 8192
OTHER = b"another content\n"
DONE = "done"
MISSING = "remote_missing"


@dataclass(frozen=True)
class Finding:
    """One question to a server, what it did, and whether our way of sending can rest on it."""

    question: str
    found: str
    verdict: Verdict


@dataclass(frozen=True)
class _Server:
    partner: SftpPartner
    transport: paramiko.Transport
    client: paramiko.SFTPClient

    def at(self, path: str) -> str:
        return f"{self.partner.root}{check_path(path)}"

    def told(self, call: Callable[[], object]) -> str:
        """Do something at the server and tell how it ended, in our words.

        Raises:
            Refusal: the connection was lost; whatever comes after it would say nothing.
        """
        try:
            call()
        except WIRE_ERRORS as error:
            code = code_of(error, answered=self.transport.is_active() and not self.client.sock.closed)
            if code in LOST:
                raise Refusal(
                    code,
                    found=f"{self.partner} ended or fell silent while it was probed",
                    expected="a connection that holds",
                    to_do="probe again, and ask the partner if it stays; where it was written, files named "
                    "padis-probe-*.part-* may be left in its inbox",
                ) from None
            return code
        return DONE


def probe_server(
    partner: SftpPartner, folders: Sequence[str], inbox: str, *, writes: bool = False
) -> list[Finding]:
    """Ask a server what our transfers rest on; it ends with the first refusal, which is a finding too."""
    findings: list[Finding] = []
    try:
        with _server(partner) as server:
            for finding in _ask(server, folders, inbox, writes):
                findings.append(finding)
    except Refusal as refusal:
        said = f"[{refusal.code}] {refusal.found}; {refusal.to_do}"
        findings.append(Finding("连接 · the connection", said, "bad"))
    return findings


@contextmanager
def _server(partner: SftpPartner) -> Iterator[_Server]:
    with open_transport(partner) as transport:
        client = start_sftp(partner, transport)
        try:
            yield _Server(partner, transport, client)
        finally:
            with suppress(*WIRE_ERRORS):
                client.close()


def _ask(server: _Server, folders: Sequence[str], inbox: str, writes: bool) -> Iterator[Finding]:
    fingerprint = server.transport.get_remote_server_key().fingerprint
    yield Finding("主机密钥与约定一致 · the host key is the pinned one", fingerprint, "good")
    yield Finding("我方密钥被接受 · our key lets us in", server.partner.username, "good")
    for folder in (inbox, *folders):
        begun = time.monotonic()
        said = server.told(lambda: list(server.client.listdir_iter(server.at(folder), read_aheads=1)))  # noqa: B023
        spent = f"{said}, {1000 * (time.monotonic() - begun):.0f} ms"
        yield Finding(f"{folder} 可列出 · can be listed", spent, _is(said, DONE))
    name = f"{server.at(inbox)}/padis-probe-{secrets.token_hex(6)}.part"
    said = server.told(lambda: server.client.stat(f"{name}-0"))
    yield Finding("不存在的文件说得清 · a missing file is told as missing", said, _is(said, MISSING))
    if writes:
        try:
            yield from _ask_in_writing(server, *(f"{name}-{number}" for number in (1, 2, 3)))
        finally:
            for number in (1, 2, 3):
                with suppress(*WIRE_ERRORS):
                    server.client.remove(f"{name}-{number}")


def _ask_in_writing(server: _Server, first: str, second: str, third: str) -> Iterator[Finding]:
    client = server.client
    begun = time.monotonic()
    said = server.told(lambda: _write(client, first, CONTENT))
    rate = len(CONTENT) / 1024 / max(time.monotonic() - begun, 1e-6)
    yield Finding("可写入 · a file can be written", f"{said}, {rate:.0f} KiB/s", _is(said, DONE))
    if said != DONE:
        return
    yield _same("读回一致 · it reads back as it was written", server, first, CONTENT)
    said = server.told(lambda: _write(client, first, OTHER))
    yield Finding("已用的名不能再建 · a used name is not created again", said, _refused(said))
    said = server.told(lambda: client.rename(first, second))
    yield Finding("可改名 · a file can be renamed", said, _is(said, DONE))
    said = server.told(lambda: client.rename(first, second))
    yield Finding("再次改名说得清 · renaming it again is told as missing", said, _is(said, MISSING))
    if server.told(lambda: _write(client, third, OTHER)) == DONE:
        said = server.told(lambda: client.rename(third, second))
        yield Finding("改名不覆盖 · a rename onto a used name is refused", said, _refused(said))
        yield _same("拒绝后原文件不变 · the file there stays as it was", server, second, CONTENT)
    said = server.told(lambda: client.remove(second))
    yield Finding("可删除 · a file can be removed", said, _is(said, DONE))
    said = server.told(lambda: client.remove(second))
    yield Finding("再次删除说得清 · removing it again is told as missing", said, _is(said, MISSING))


def _write(client: paramiko.SFTPClient, path: str, content: bytes) -> None:
    with client.open(path, "wx") as file:
        file.write(content)


def _same(question: str, server: _Server, path: str, content: bytes) -> Finding:
    read: list[bytes] = []

    def fetch() -> None:
        with server.client.open(path, "rb") as file:
            read.append(file.read(len(content) + 1))

    said = server.told(fetch)
    is_same = read == [content]
    return Finding(question, said if is_same or not read else "other bytes", "good" if is_same else "bad")


def _is(said: str, wanted: str) -> Verdict:
    return "good" if said == wanted else "bad"


def _refused(said: str) -> Verdict:
    return "bad" if said == DONE else "good"
