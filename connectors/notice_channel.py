"""Ways by which people are told: each says whether it took a notice, or may have.

What is told holds kinds, ids, dates and codes; nothing personal goes out.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from schemas.notice import Notice

SECONDS = 15.0


class NotTaken(Exception):  # noqa: N818 - the word of the field
    """The channel certainly did not take the notice: it may be tried again."""


class BrokeOff(Exception):  # noqa: N818 - the word of the field
    """The channel may have taken the notice: it is not told twice."""


class Channel(Protocol):
    """One way of telling."""

    @property
    def code(self) -> str:
        """Name of the channel on record."""

    def tell(self, notice: Notice) -> None:
        """Tell one notice.

        Raises:
            NotTaken: it was not taken; the message is a code.
            BrokeOff: it may have been taken; the message is a code.
        """


@dataclass(frozen=True)
class LogChannel:
    """A file with one line of JSON per notice, for whatever watches the logs."""

    path: Path
    code: str = "log"

    def tell(self, notice: Notice) -> None:
        """Append one line, and have it on disk."""
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(notice.as_json(), ensure_ascii=False, sort_keys=True) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise NotTaken(type(error).__name__) from None


@dataclass(frozen=True)
class UnusableChannel:
    """A channel whose address cannot be used: what it should tell waits until the address is corrected."""

    code: str

    def tell(self, notice: Notice) -> None:
        """Take nothing."""
        raise NotTaken("notice_channel_unusable")
