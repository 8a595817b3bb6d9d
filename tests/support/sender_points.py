"""Where a sender can end: named points, put around the product's functions in a process of its own.

The product has no hooks for this.
"""

import importlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

SEND, ATTEMPT, UNCERTAIN = "etl.submission.send", "etl.submission.attempt", "etl.submission.uncertain"
SFTP = "connectors.sftp:SftpSession"
CLIENT, FILE = "paramiko.sftp_client:SFTPClient", "paramiko.sftp_file:SFTPFile"
RENAME = 18  # SSH_FXP_RENAME


@dataclass(frozen=True)
class Point:
    """The nth call of a function: before it, after it, with half of it done, or before it commits.

    `only` counts the calls that have this among their arguments.
    """

    where: str
    name: str
    moment: str
    nth: int = 1
    only: object = None


# In the order in which a sender comes past. The digest file is written and named as the batch is: first.
POINTS = {
    "before it holds the lock": Point(SEND, "hold_lock", "before"),
    "when it holds the lock": Point(SEND, "_open_batches", "before"),
    "before it connects": Point(SEND, "open_sftp", "before"),
    "before it proves who it is": Point("connectors.ssh", "_authenticate", "before"),
    "when the session stands": Point(SEND, "resolve_batch", "before"),
    "when it has looked for evidence": Point(SEND, "resolve_batch", "after"),
    "when it has a lease": Point(SEND, "take_lease", "after"),
    "before the bytes are unsealed": Point(SEND, "open_batch", "before"),
    "before the attempt is on record": Point(SEND, "begin_attempt", "before"),
    "with the attempt not committed": Point(ATTEMPT, "registry_session", "uncommitted", 1),
    "after the attempt is on record": Point(SEND, "begin_attempt", "after"),
    "with an empty digest file": Point(CLIENT, "open", "after", 1, "wx"),
    "with the digest file written": Point(SFTP, "_write_part", "after", 1),
    "when the digest file has its name": Point(SEND, "_put_sidecar", "after"),
    "with an empty file": Point(CLIENT, "open", "after", 2, "wx"),
    "with half of the file written": Point(FILE, "write", "half", 2),
    "before the file is read back": Point(SFTP, "_holds", "before", 4),
    "when the file is read back": Point(SFTP, "_write_part", "after", 2),
    "before the rename is claimed": Point(SEND, "mark_sending", "before"),
    "with the claim not committed": Point(ATTEMPT, "registry_session", "uncommitted", 2),
    "after the rename is claimed": Point(SEND, "mark_sending", "after"),
    "with the rename asked for": Point(CLIENT, "_async_request", "after", 2, RENAME),
    "after the rename": Point(CLIENT, "rename", "after", 2),
    "before the end is on record": Point(SEND, "finish_attempt", "before"),
    "with the end not committed": Point(ATTEMPT, "registry_session", "uncommitted", 3),
    "after the end is on record": Point(SEND, "finish_attempt", "after"),
    "when the session is over": Point(SEND, "_bring_across", "after"),
}

# Where a sender can end that finds out about one before it, which was killed after its claim.
FINDING_OUT = {
    "before the upload is taken back": Point(SFTP, "withdraw_part", "before"),
    "when the upload is taken back": Point(SFTP, "withdraw_part", "after"),
    "with the verdict not committed": Point(UNCERTAIN, "registry_session", "uncommitted", 2),
    "after the verdict is on record": Point(UNCERTAIN, "_settle", "after"),
    "before the earlier attempt is discarded": Point(SFTP, "discard_attempt", "before"),
    "when the earlier attempt is discarded": Point(SFTP, "discard_attempt", "after"),
}


def put_point(point: Point, act: Callable[[], object]) -> None:
    """Let `act` happen when the point is reached; for this process, from now on."""
    module, _, name = point.where.partition(":")
    owner = getattr(importlib.import_module(module), name) if name else importlib.import_module(module)
    real, passed = getattr(owner, point.name), 0

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        nonlocal passed
        is_meant = point.only is None or point.only in args
        passed += is_meant
        if not is_meant or passed != point.nth:
            return real(*args, **kwargs)
        if point.moment == "uncommitted":
            return _acting_at_end(real(*args, **kwargs), act)
        if point.moment == "before":
            act()
        if point.moment == "half":
            file, content = args
            real(file, content[: len(content) // 2])
            act()
            return real(file, content[len(content) // 2 :])
        found = real(*args, **kwargs)
        if point.moment == "after":
            act()
        return found

    setattr(owner, point.name, wrapped)


@contextmanager
def _acting_at_end(opened: AbstractContextManager[Any], act: Callable[[], object]) -> Iterator[Any]:
    with opened as inner:
        yield inner
        act()
