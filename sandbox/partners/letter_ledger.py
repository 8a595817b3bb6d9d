"""The platform's history: every letter that it took, what it read in it, every answer; one JSON a line.

As the gateway's, it is the platform's only memory, and the evidence for "arrived once, read once". Items
are surrogates; nothing else of a letter is kept.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sandbox.partners.ledger import append_line, drop_torn_line, read_ledger

# An item, what is said of it, and why where it is not done.
Word = tuple[str, str, str | None]


class LetterLedger:
    """The lines on disk and what they add up to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.taken: set[str] = set()
        self.read: set[str] = set()
        self.refused: set[str] = set()
        self.receipts: set[str] = set()
        drop_torn_line(path)
        for line in read_ledger(path):
            self._learn(line)

    def note_taken(self, take_id: str, file_name: str, sha256: str, byte_count: int) -> None:
        """Record that a file was taken; `take_id` is the letter and how often it came, from 1."""
        self._append("taken", take_id, file_name=file_name, sha256=sha256, byte_count=byte_count)

    def note_read(self, take_id: str, item_ids: Sequence[str]) -> None:
        """Record which items a letter held."""
        self._append("read", take_id, item_ids=list(item_ids))

    def note_refused(self, take_id: str, code: str) -> None:
        """Record that a letter cannot be read, or came before."""
        self._append("refused", take_id, code=code)

    def note_answered(self, take_id: str, receipt: str, words: Sequence[Word], at: datetime) -> None:
        """Record which receipt says what of which items."""
        said = [{"item_id": item, "state": state, "code": code} for item, state, code in words]
        self._append("answered", take_id, receipt=receipt, answers=said, at=at.isoformat())

    def _append(self, event: str, take_id: str, **facts: object) -> None:
        line = {"event": event, "take_id": take_id, "letter": letter_of(take_id), **facts}
        append_line(self._path, line)
        self._learn(line)

    def _learn(self, line: dict[str, Any]) -> None:
        if line["event"] == "answered":
            self.receipts.add(line["receipt"])
            return
        {"taken": self.taken, "read": self.read, "refused": self.refused}[line["event"]].add(line["take_id"])


def letter_of(take_id: str) -> str:
    """Tell which letter was taken."""
    return take_id.rpartition(".")[0]
