"""SFTP to partners: list, read with a limit, and upload so that a name means a whole file."""

import hashlib
import logging
import re
import stat
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Literal

import paramiko

from connectors.remote_file import (
    ADVICE,
    LOST,
    PLAIN_NAME,
    WIRE_ERRORS,
    RemoteFile,
    UncertainTransfer,
    check_path,
    check_plain_name,
    code_of,
    too_large,
)
from connectors.ssh import (
    ANSWER_SECONDS,
    SftpPartner,
    closing_after,
    connection_lost,
    load_partner,
    open_transport,
)
from schemas.refusal import Refusal

__all__ = [
    "RemoteFile",
    "SftpPartner",
    "SftpSession",
    "UncertainTransfer",
    "check_plain_name",
    "load_partner",
    "open_sftp",
]

LOG = logging.getLogger(__name__)

CHUNK = 256 * 1024
MOST_ENTRIES = 20_000
SESSION_SECONDS = 3600.0

ATTEMPT = re.compile(r"[A-Za-z0-9-]{1,40}")


@contextmanager
def open_sftp(partner: SftpPartner) -> Iterator["SftpSession"]:
    """Open an SFTP session with a partner and close it at the end.

    Raises:
        Refusal: see `connectors.ssh.open_transport`; or the server has no SFTP.
    """
    with open_transport(partner) as transport, closing_after(transport, SESSION_SECONDS):
        client = start_sftp(partner, transport)
        try:
            yield SftpSession(partner, transport, client)
        finally:
            with suppress(*WIRE_ERRORS):
                client.close()


def start_sftp(partner: SftpPartner, transport: paramiko.Transport) -> paramiko.SFTPClient:
    """Start SFTP on a session that stands; the caller closes it.

    Raises:
        Refusal: the server has no SFTP, or the connection was lost.
    """
    try:
        with closing_after(transport, ANSWER_SECONDS):
            channel = transport.open_session(timeout=ANSWER_SECONDS)
            channel.settimeout(ANSWER_SECONDS)
            channel.invoke_subsystem("sftp")
            return paramiko.SFTPClient(channel)
    except WIRE_ERRORS as error:
        if not transport.is_active():
            raise connection_lost(partner, "starting SFTP") from None
        raise Refusal(
            "partner_without_sftp",
            found=f"{partner} did not start SFTP ({type(error).__name__})",
            expected="the sftp subsystem",
            to_do="ask the partner whether SFTP is open for our user",
        ) from None


def _part_of(target: str, attempt: int | str) -> str:
    if not ATTEMPT.fullmatch(str(attempt)):
        raise ValueError("an attempt is named with letters, digits and dashes")
    return f"{target}.part-{attempt}"


def _aside(part: str) -> str:
    return f"{part}.withdrawn"


class SftpSession:
    """What we ask of a partner's server; every error is a Refusal without the server's own words."""

    def __init__(
        self, partner: SftpPartner, transport: paramiko.Transport, client: paramiko.SFTPClient
    ) -> None:
        self._partner = partner
        self._transport = transport
        self._client = client

    def list_folder(self, folder: str, *, most: int = MOST_ENTRIES) -> list[RemoteFile]:
        """List the plainly named files of a folder by name; folders and links are left out.

        Files with other names are left alone and counted in the log, without their names.

        Raises:
            Refusal: `remote_missing` if there is no such folder; more than `most` entries.
        """
        path = self._at(folder)
        entries: list[paramiko.SFTPAttributes] = []
        with self._asking("list", path):
            # One question at a time: with more, answers may come in another order than paramiko expects.
            for entry in self._client.listdir_iter(path, read_aheads=1):
                entries.append(entry)
                if len(entries) > most:
                    raise too_large(path, f"more than {most} entries", f"at most {most} entries")
        files = [entry for entry in entries if stat.S_ISREG(entry.st_mode or stat.S_IFREG)]
        plain = [entry for entry in files if PLAIN_NAME.fullmatch(entry.filename)]
        if len(plain) < len(files):
            LOG.warning(
                "%s: %d files in %s are left alone: no plain file names",
                self._partner.name,
                len(files) - len(plain),
                path,
            )
        return sorted(
            (RemoteFile(entry.filename, entry.st_size or 0) for entry in plain), key=lambda file: file.name
        )

    def read_file(self, path: str, *, limit: int) -> bytes:
        """Read a whole file of at most `limit` bytes.

        Raises:
            Refusal: `remote_missing`, `remote_too_large`, or the wire failed.
        """
        return b"".join(self._chunks(self._at(path), limit))

    def fetch_file(self, path: str, to: Path, *, limit: int) -> str:
        """Copy a file of at most `limit` bytes to `to` and return its SHA-256.

        `to` appears only when the copy is whole.

        Raises:
            Refusal: as `read_file`.
        """
        part = to.with_name(f"{to.name}.part")
        digest = hashlib.sha256()
        try:
            with part.open("wb") as file, closing(self._chunks(self._at(path), limit)) as chunks:
                for chunk in chunks:
                    digest.update(chunk)
                    file.write(chunk)
            part.replace(to)
        finally:
            part.unlink(missing_ok=True)
        return digest.hexdigest()

    def put_atomically(
        self,
        folder: str,
        name: str,
        content: bytes,
        attempt: int | str,
        *,
        before_rename: Callable[[], None] | None = None,
    ) -> Literal["sent", "already_there"]:
        """Upload so that the name appears with the whole content, once, or not at all.

        Written as `<name>.part-<attempt>`, read back, then renamed by the plain SFTP rename, which
        fails if the name exists. `attempt` must never have been used for this name. `before_rename`
        is called when nothing but the rename is left to do; if it raises, or the rename is refused after
        it, the part stays as it is: the proof for `withdraw_part` that nothing was sent.

        Raises:
            Refusal: nothing has appeared under the name, or another content holds it already.
            UncertainTransfer: the rename was asked for and its outcome is not known.
        """
        target = f"{self._at(folder)}/{check_plain_name(name)}"
        part = _part_of(target, attempt)
        if self._holds(target, content):
            return "already_there"
        self._write_part(part, content)
        if before_rename is not None:
            before_rename()
        try:
            return self._give_name(part, target, content)
        except Refusal:
            if before_rename is None:
                self._discard(part)
            raise

    def withdraw_part(self, folder: str, name: str, attempt: int | str) -> bool:
        """Take back what an attempt has uploaded but not renamed; False if there is nothing of it.

        True proves that the attempt gave the name to nobody and never will: the rename moves the very
        file that is gone now, so a sender that was only asleep fails when it wakes. The file is put
        aside, not removed: whoever asks again, because the answer was lost, is told the same until
        `discard_attempt`.

        Raises:
            Refusal: the wire failed, or we may neither rename nor remove.
        """
        part = _part_of(f"{self._at(folder)}/{check_plain_name(name)}", attempt)
        try:
            self._client.rename(part, _aside(part))
        except WIRE_ERRORS as error:
            refusal = self._refusal(error, "put aside", part)
        else:
            return True
        if refusal.code in LOST:
            raise refusal
        # Put aside before, perhaps by a server that ended between link and unlink; or it refuses renames.
        was_aside = self._is_there(_aside(part))
        return self._remove(part) or was_aside

    def discard_attempt(self, folder: str, name: str, attempt: int | str) -> None:
        """Remove whatever is left of an attempt, also what was put aside: its end is on record.

        Raises:
            Refusal: the wire failed, or we may not remove.
        """
        part = _part_of(f"{self._at(folder)}/{check_plain_name(name)}", attempt)
        for left in (part, _aside(part)):
            self._remove(left)

    def _at(self, path: str) -> str:
        """Tell where an agreed path lies at this partner."""
        return f"{self._partner.root}{check_path(path)}"

    def _write_part(self, part: str, content: bytes) -> None:
        with self._asking("create", part):
            file = self._client.open(part, "wx")
        try:
            with self._asking("write", part), file:
                for start in range(0, len(content), CHUNK):
                    file.write(content[start : start + CHUNK])
            if not self._holds(part, content):
                raise Refusal(
                    "remote_missing",
                    found=f"{part} vanished after it was written",
                    expected="the bytes that were sent",
                    to_do="run again; if it stays, ask the partner what removes files from the folder",
                )
        except Refusal as refusal:
            if refusal.code not in LOST:
                self._discard(part)
            raise

    def _give_name(self, part: str, target: str, content: bytes) -> Literal["sent", "already_there"]:
        try:
            self._client.rename(part, target)
        except WIRE_ERRORS as error:
            refusal = self._refusal(error, "rename to", target)
        else:
            return "sent"
        if refusal.code in LOST:
            raise UncertainTransfer(target, f"{refusal.code} during the rename")
        try:
            there = self._holds(target, content)
        except Refusal as doubt:
            if doubt.code in LOST:
                raise UncertainTransfer(target, f"{doubt.code} after a refused rename") from None
            raise
        if there:
            self._discard(part)
            return "already_there"
        if refusal.code == "remote_failed":
            # The server may have refused because a file of that name was there: sent by another
            # attempt and taken away by the receiver in between.
            self._discard(part)
            raise UncertainTransfer(target, "the rename was refused and the name is not there")
        raise refusal

    def _holds(self, path: str, content: bytes) -> bool:
        """Tell whether the file is there; another content than ours is refused."""
        digest, count = hashlib.sha256(), 0
        try:
            for chunk in self._chunks(path, len(content)):
                digest.update(chunk)
                count += len(chunk)
        except Refusal as refusal:
            if refusal.code == "remote_missing":
                return False
            if refusal.code != "remote_too_large":
                raise
            count = -1
        if count == len(content) and digest.digest() == hashlib.sha256(content).digest():
            return True
        raise Refusal(
            "remote_content_differs",
            found=f"{path} at {self._partner.name} holds other bytes",
            expected=f"{len(content)} bytes with SHA-256 {hashlib.sha256(content).hexdigest()}",
            to_do="nothing was replaced; find out who wrote it, then send under a new sequence number",
        )

    def _chunks(self, path: str, limit: int) -> Generator[bytes, None, None]:
        with self._asking("read", path):
            file = self._client.open(path, "rb")
            with file:
                count = 0
                while chunk := file.read(min(CHUNK, limit + 1 - count)):
                    count += len(chunk)
                    if count > limit:
                        raise too_large(path, f"more than {limit} bytes", f"at most {limit} bytes")
                    yield chunk

    def _is_there(self, path: str) -> bool:
        try:
            with self._asking("look for", path):
                self._client.stat(path)
        except Refusal as refusal:
            if refusal.code == "remote_missing":
                return False
            raise
        return True

    def _remove(self, path: str) -> bool:
        """Remove a file; False if it is not there."""
        try:
            with self._asking("remove", path):
                self._client.remove(path)
        except Refusal as refusal:
            if refusal.code == "remote_missing":
                return False
            raise
        return True

    def _discard(self, part: str) -> None:
        with suppress(Refusal):
            self._remove(part)

    @contextmanager
    def _asking(self, verb: str, path: str) -> Iterator[None]:
        try:
            yield
        except WIRE_ERRORS as error:
            raise self._refusal(error, verb, path) from None

    def _refusal(self, error: BaseException, verb: str, path: str) -> Refusal:
        answered = self._transport.is_active() and not self._client.sock.closed
        code = code_of(error, answered=answered)
        expected, to_do = ADVICE[code]
        return Refusal(
            code, found=f"could not {verb} {path} at {self._partner}", expected=expected, to_do=to_do
        )
