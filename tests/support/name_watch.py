"""How often each name appeared in a folder, as the kernel tells it: whoever put it there, however it went."""

import ctypes
import os
import struct
from collections import Counter
from pathlib import Path

IN_CREATE, IN_MOVED_TO = 0x100, 0x80
EVENT = struct.Struct("iIII")


class NameWatch:
    """Watches one folder from its making on; asks the kernel only when it is asked."""

    def __init__(self, folder: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._queue = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        watch = libc.inotify_add_watch(self._queue, os.fsencode(folder), IN_CREATE | IN_MOVED_TO)
        if min(self._queue, watch) < 0:
            raise OSError(ctypes.get_errno(), "inotify")
        self._seen: Counter[str] = Counter()

    def times(self, name: str) -> int:
        """Tell how often a name was given since the watch began: made, linked or moved in."""
        return self.seen()[name]

    def seen(self) -> Counter[str]:
        """Tell how often each name was given since the watch began."""
        while True:
            try:
                events = os.read(self._queue, 1 << 16)
            except BlockingIOError:
                return self._seen.copy()
            while events:
                _, _, _, length = EVENT.unpack_from(events)
                seen, events = events[EVENT.size : EVENT.size + length], events[EVENT.size + length :]
                self._seen[os.fsdecode(seen.rstrip(b"\0"))] += 1

    def close(self) -> None:
        """Stop watching."""
        os.close(self._queue)
