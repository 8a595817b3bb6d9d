"""A partner's files: which names are fit to be said, and what went wrong with them in our words."""

import errno
import re
from dataclasses import dataclass

import paramiko

from connectors.ssh import ANSWER_SECONDS
from schemas.refusal import Refusal

# Names that fit every log, shell and file system. Anything else from a partner could hold a line
# break, a path or a person's name.
PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
WIRE_ERRORS = (paramiko.SSHException, paramiko.SFTPError, EOFError, OSError, UnicodeError)


@dataclass(frozen=True)
class RemoteFile:
    """A file in a partner's folder; its name is plain and its size is what the server says."""

    name: str
    byte_count: int


class UncertainTransfer(Exception):  # noqa: N818 - the word of the field: an uncertain sending
    """The file may or may not have arrived: it must not be sent again until somebody knows.

    Not a `Refusal`, so that nobody takes it for a failure that may be repeated.
    """

    def __init__(self, file_name: str, reason: str) -> None:
        self.file_name = file_name
        self.reason = reason
        super().__init__(file_name, reason)

    def __str__(self) -> str:
        return (
            f"[transfer_uncertain] {self.file_name} may have arrived ({self.reason}); do not send it again "
            "until the receiver's listing, a receipt or a person decides"
        )


def check_plain_name(name: str) -> str:
    """Give the name back if it is a plain file name: ASCII letters, digits, dot, dash, underscore.

    Raises:
        Refusal: it is anything else; the message does not repeat the name, which may be a person's.
    """
    if PLAIN_NAME.fullmatch(name):
        return name
    raise Refusal(
        "remote_name_refused",
        found=f"a name of {len(name)} characters that is no plain file name",
        expected="letters, digits, dot, dash and underscore, beginning with a letter or digit",
        to_do="ask the partner to name the file as agreed",
    )


LOST = frozenset({"connection_lost", "connection_silent"})
ADVICE = {
    "connection_lost": ("a connection that holds", "run again; what was half sent has no final name"),
    "connection_silent": (
        f"an answer within {ANSWER_SECONDS:.0f} s",
        "run again; if it stays silent, call the partner",
    ),
    "remote_answer_unreadable": (
        "answers in SFTP version 3 with names in UTF-8",
        "ask the partner what changed at its server",
    ),
    "remote_missing": ("the file or folder to be there", "check the folder agreed with the partner"),
    "remote_permission_denied": (
        "the right to do so",
        "ask the partner to give our user the agreed rights",
    ),
    "remote_full": ("free space at the partner", "ask the partner to make room, then run again"),
    "remote_failed": (
        "success",
        "the server gave no usable reason: check space and rights with the partner, then run again",
    ),
}
FULL = re.compile(r"no space|quota|disk full|filesystem full", re.IGNORECASE)


def code_of(error: BaseException, *, answered: bool) -> str:
    """Name what went wrong; `answered` tells whether the session still stands."""
    if isinstance(error, TimeoutError):
        return "connection_silent"
    if isinstance(error, paramiko.SFTPError | UnicodeError):
        return "remote_answer_unreadable"
    if not isinstance(error, OSError) or not answered:
        return "connection_lost"
    if error.errno == errno.ENOENT:
        return "remote_missing"
    if error.errno == errno.EACCES:
        return "remote_permission_denied"
    return "remote_full" if FULL.search(str(error)) else "remote_failed"


def check_path(path: str) -> str:
    """Give an absolute path back if each of its parts is a plain name."""
    first, *parts = path.split("/")
    if first or not parts:
        raise ValueError("a remote path is absolute")
    for part in parts:
        check_plain_name(part)
    return path


def too_large(path: str, found: str, expected: str) -> Refusal:
    """Refuse a file or folder that passes its limit."""
    return Refusal(
        "remote_too_large",
        found=f"{path} has {found}",
        expected=expected,
        to_do="ask the partner whether this is meant; raise the limit only then",
    )
