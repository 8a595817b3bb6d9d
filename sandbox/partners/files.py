"""What the pipeline's user sees at a partner's server: a few folders, some of them writable."""

import errno
import json
import os
import posixpath
import time
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import asyncssh

from sandbox.partners.faults import read_faults
from sandbox.partners.keys import Door

WRITING = asyncssh.FXF_WRITE | asyncssh.FXF_APPEND | asyncssh.FXF_CREAT | asyncssh.FXF_TRUNC


class Journal:
    """What the partner saw: connections, authentications, files that got their name; one JSON a line."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def note(self, event: str, **facts: str | bool) -> None:
        """Append one event with the instant at which it was seen."""
        line = json.dumps({"at": time.time(), "event": event, **facts}, sort_keys=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")


class PartnerFiles(asyncssh.SFTPServer):
    """The partner's root, with the door's rights and nothing that reaches outside it."""

    def __init__(
        self, channel: asyncssh.SSHServerChannel[bytes], root: Path, door: Door, journal: Journal
    ) -> None:
        super().__init__(channel, chroot=os.fsencode(root))
        self._root = root
        self._door = door
        self._journal = journal

    def map_path(self, path: bytes) -> bytes:
        """Map a path below one of the door's folders; anything else is not there."""
        top = _top_of(path)
        if top and top not in (*self._door.readable, *self._door.writable):
            raise asyncssh.SFTPNoSuchFile("no such file")
        mapped: bytes = super().map_path(path)
        return mapped

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        """Open a file; writing only where the door allows it."""
        if pflags & WRITING:
            self._demand_right(path)
        return super().open(path, pflags, attrs)

    def write(self, file_obj: object, offset: int, data: bytes) -> int | Awaitable[int]:
        """Write a block, if there is room."""
        faults = read_faults(self._root)
        if faults.disk_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(file_obj, offset, bytes(len(data)) if faults.spoil else data)

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        """List a folder; files that are taken away meanwhile are left out."""
        folder = self.map_path(path)
        shown = (*self._door.readable, *self._door.writable) if not _top_of(path) else None
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if shown is not None and os.fsdecode(entry.name) not in shown:
                    continue
                try:
                    found = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                yield asyncssh.SFTPName(os.fsencode(entry.name), attrs=asyncssh.SFTPAttrs.from_local(found))

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Give a file its name; fails if the name exists, also when two ask at once."""
        self._demand_right(oldpath)
        self._demand_right(newpath)
        old, new = self.map_path(oldpath), self.map_path(newpath)
        faults = read_faults(self._root)
        if faults.refuse_rename:
            raise asyncssh.SFTPFailure("failure")
        if faults.cut == "before_rename":
            self._cut()
        try:
            os.link(old, new, follow_symlinks=False)
        except FileExistsError:
            raise asyncssh.SFTPFileAlreadyExists("file already exists") from None
        Path(os.fsdecode(old)).unlink()
        self._journal.note("named", name=os.fsdecode(posixpath.basename(newpath)))
        if faults.cut == "after_rename":
            self._cut()

    def remove(self, path: bytes) -> None:
        """Remove a file where the door allows writing."""
        self._demand_right(path)
        super().remove(path)

    def mkdir(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        """Refuse: the folders are the partner's."""
        raise asyncssh.SFTPPermissionDenied("folders are the partner's")

    def rmdir(self, path: bytes) -> None:
        """Refuse: the folders are the partner's."""
        raise asyncssh.SFTPPermissionDenied("folders are the partner's")

    def setstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        """Refuse: modes and times are the partner's."""
        raise asyncssh.SFTPPermissionDenied("modes are the partner's")

    def lsetstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        """Refuse: modes and times are the partner's."""
        raise asyncssh.SFTPPermissionDenied("modes are the partner's")

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Refuse: it would replace a file that is there."""
        raise asyncssh.SFTPOpUnsupported("posix-rename is not offered")

    def symlink(self, oldpath: bytes, newpath: bytes) -> None:
        """Refuse: links could lead outside."""
        raise asyncssh.SFTPPermissionDenied("no links")

    def link(self, oldpath: bytes, newpath: bytes) -> None:
        """Refuse: links would give one file two names."""
        raise asyncssh.SFTPPermissionDenied("no links")

    def _cut(self) -> None:
        self.connection.abort()
        raise asyncssh.SFTPConnectionLost("cut on demand")

    def _demand_right(self, path: bytes) -> None:
        inside = len(_parts_of(path)) > 1
        if not inside or _top_of(path) not in self._door.writable:
            raise asyncssh.SFTPPermissionDenied("read only")


def _parts_of(path: bytes) -> list[str]:
    whole = posixpath.normpath(posixpath.join(b"/", path))
    return [part for part in os.fsdecode(whole).split("/") if part]


def _top_of(path: bytes) -> str:
    return next(iter(_parts_of(path)), "")
