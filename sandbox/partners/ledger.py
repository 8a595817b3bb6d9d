"""The far side's history: every file that the gateway took and every state it gave, one JSON a line.

It is the gateway's only memory, so a restart goes on where the last line ended; and it is the
evidence for "nothing sent twice". Case numbers are kept as digests.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Take:
    """One file taken from the inbox; `take_id` is the batch id and how often it came, from 1."""

    take_id: str
    batch_id: str
    file_name: str
    sha256: str
    states: list[str] = field(default_factory=list)

    @property
    def times(self) -> int:
        """How often a file of this name has come, this one included."""
        return int(self.take_id.rpartition(".")[2])

    @property
    def state(self) -> str | None:
        """The newest state, None before the first."""
        return self.states[-1] if self.states else None


class Ledger:
    """The lines on disk and what they add up to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.takes: dict[str, Take] = {}
        self._accepted: set[str] = set()
        self._cases: set[str] = set()
        drop_torn_line(path)
        for line in read_ledger(path):
            self._learn(line)

    def note_taken(self, take: Take, byte_count: int) -> None:
        """Record that a file was taken."""
        self._append(
            {
                "event": "taken",
                "take_id": take.take_id,
                "batch_id": take.batch_id,
                "file_name": take.file_name,
                "sha256": take.sha256,
                "byte_count": byte_count,
            }
        )

    def note_state(self, take: Take, state: str, explanation: str, **facts: int | list[str]) -> None:
        """Record that a batch reached a state, with what was found out on the way."""
        self._append(
            {
                "event": "state",
                "take_id": take.take_id,
                "state": state,
                "explanation": explanation,
                **facts,
            }
        )

    def has_accepted(self, case_number: str) -> bool:
        """Tell whether a record with this case number was accepted before."""
        return digest_of(case_number) in self._accepted

    def has_case(self, case: str) -> bool:
        """Tell whether a case was added and not withdrawn since."""
        return digest_of(case) in self._cases

    def _append(self, line: dict[str, Any]) -> None:
        append_line(self._path, line)
        self._learn(line)

    def _learn(self, line: dict[str, Any]) -> None:
        if line["event"] == "taken":
            names = ("take_id", "batch_id", "file_name", "sha256")
            self.takes[line["take_id"]] = Take(**{name: line[name] for name in names})
            return
        self.takes[line["take_id"]].states.append(line["state"])
        self._accepted.update(line.get("accepted", ()))
        self._cases.update(line.get("entered", ()))
        self._cases.difference_update(line.get("left", ()))


def append_line(path: Path, line: dict[str, Any]) -> None:
    """Add a line that outlives a crash once this returns."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n")
        file.flush()
        os.fsync(file.fileno())


def read_ledger(path: Path) -> list[dict[str, Any]]:
    """Read the whole history, oldest first; empty before the first file.

    A line that is just being written is not there yet.
    """
    if not path.exists():
        return []
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1].decode("utf-8")
    return [json.loads(line) for line in whole.split("\n")[:-1]]


def digest_of(case_number: str) -> str:
    """Tell under which digest a case number is kept."""
    return hashlib.sha256(case_number.encode()).hexdigest()[:16]


def digests_of(case_numbers: Iterable[str]) -> list[str]:
    """Tell the digests of many case numbers, in their order."""
    return [digest_of(number) for number in case_numbers]


def drop_torn_line(path: Path) -> None:
    """Forget a last line that a crash cut short: what it said is done again."""
    if not path.exists():
        return
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        path.write_bytes(whole)
