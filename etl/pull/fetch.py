"""Fetch a drop from a partner and hold every file against the manifest; nothing is landed yet."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from connectors.sftp import SftpSession
from etl.pull.manifest import MOST_MANIFEST_BYTES, Manifest, ManifestFile, read_manifest
from etl.received.file import received_file
from etl.received.read import count_rows
from schemas.contract import Contract
from schemas.drop_source import DropSource
from schemas.refusal import Refusal

MANIFEST = "manifest.json"


class FaultyDrop(Exception):  # noqa: N818 - the word of the field: a faulty drop
    """The partner left something that cannot be used; `evidence` are the files as they came."""

    def __init__(self, refusal: Refusal, evidence: tuple[Path, ...]) -> None:
        self.refusal = refusal
        self.evidence = evidence
        super().__init__(refusal.code)


@dataclass(frozen=True)
class Fetched:
    """A whole drop in a folder of ours: the manifest's bytes and the files it names, all as promised."""

    manifest_file: Path
    manifest: Manifest
    folder: Path

    @property
    def manifest_sha256(self) -> str:
        """Digest of the manifest: equal for equal drops."""
        return hashlib.sha256(self.manifest_file.read_bytes()).hexdigest()


def sense_manifest(session: SftpSession, source: DropSource, business_date: date, to: Path) -> Fetched | None:
    """Read the manifest of a drop; None while there is none or the partner is still adding files.

    Raises:
        FaultyDrop: there is one, but it is not as agreed.
        Refusal: the wire failed.
    """
    file, folder = to / MANIFEST, source.folder_on(business_date)
    try:
        session.fetch_file(f"{folder}/{MANIFEST}", file, limit=MOST_MANIFEST_BYTES)
    except Refusal as refusal:
        if refusal.code == "remote_missing":
            return None
        if refusal.code == "remote_too_large":
            raise FaultyDrop(refusal, ()) from None
        raise
    with _faults((file,)):
        manifest = read_manifest(file.read_bytes(), source, business_date)
    return Fetched(file, manifest, to) if manifest.is_complete else None


def fetch_files(
    session: SftpSession, source: DropSource, business_date: date, fetched: Fetched, contract: Contract
) -> None:
    """Fetch the files of a drop, each compared in bytes, digest and rows with the manifest.

    Raises:
        FaultyDrop: a file is missing or is not what the manifest says.
        Refusal: the wire failed.
    """
    evidence, folder = [fetched.manifest_file], source.folder_on(business_date)
    for promised in fetched.manifest.files:
        file = fetched.folder / promised.name
        with _faults(tuple(evidence)):
            sha256 = _fetch(session, f"{folder}/{promised.name}", file, promised)
        evidence.append(file)
        with _faults(tuple(evidence)):
            _compare_bytes(promised, file.stat().st_size, sha256)
            received = received_file(contract, file, promised.name, promised.encoding, source.most_bytes)
            _compare_rows(promised, count_rows(received))


@contextmanager
def _faults(evidence: tuple[Path, ...]) -> Iterator[None]:
    """Take a refusal of what the partner left as its fault; the wire's own refusals stay what they are."""
    try:
        yield
    except Refusal as refusal:
        if refusal.code.startswith(("remote_", "connection_")):
            raise
        raise FaultyDrop(refusal, evidence) from None


def _fetch(session: SftpSession, path: str, to: Path, promised: ManifestFile) -> str:
    try:
        return session.fetch_file(path, to, limit=promised.byte_count)
    except Refusal as refusal:
        if refusal.code == "remote_missing":
            raise _differs("drop_file_missing", f"{promised.name} is not there", "the file") from None
        if refusal.code == "remote_too_large":
            raise _differs(
                "drop_bytes_differ",
                f"{promised.name} has more bytes than promised",
                f"{promised.byte_count} bytes",
            ) from None
        raise


def _compare_bytes(promised: ManifestFile, byte_count: int, sha256: str) -> None:
    if byte_count != promised.byte_count:
        raise _differs(
            "drop_bytes_differ", f"{promised.name} has {byte_count} bytes", f"{promised.byte_count} bytes"
        )
    if sha256 != promised.sha256:
        raise _differs(
            "drop_digest_differs", f"{promised.name} has SHA-256 {sha256}", f"SHA-256 {promised.sha256}"
        )


def _compare_rows(promised: ManifestFile, row_count: int) -> None:
    if row_count != promised.row_count:
        raise _differs(
            "drop_rows_differ", f"{promised.name} has {row_count} rows", f"{promised.row_count} rows"
        )


def _differs(code: str, found: str, expected: str) -> Refusal:
    return Refusal(
        code,
        found=found,
        expected=f"{expected}, as {MANIFEST} says",
        to_do="ask the partner to leave the drop again, the manifest last",
    )
