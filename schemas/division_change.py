"""Changes of divisions as dated, cited entries: what became what, from which day on, known since when.

`schemas/divisions/changes/*.csv` are appended to, never edited; docs/decisions/0017.
"""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from schemas.refusal import Refusal

CHANGES = Path(__file__).resolve().parent / "divisions" / "changes"
COLUMNS = (
    "adjustment_number", "description", "kind", "old_name", "old_code", "new_name", "new_code",
    "effective_date", "known_since", "source", "confidence",
)  # fmt: skip
# What a kind does to the old code and to the new one.
BEGINS = frozenset({"new", "recode", "move", "split"})
ENDS = frozenset({"recode", "move", "merge"})
KINDS = {
    "new": "新增 · a division that was none before",
    "rename": "更名 · the same code, another name",
    "recode": "变更 · the same place under another code",
    "merge": "合并 · its place goes to one that goes on",
    "move": "迁移 · below another division, and so under another code",
    "split": "析出 · a part becomes a division of its own; the rest goes on",
}
CONFIDENCES = ("high", "medium", "low", "invented")
CODE = re.compile(r"[0-9]{12}")


@dataclass(frozen=True)
class Change:
    """One line of an adjustment; a division that is new has neither old code nor old name."""

    adjustment_number: str
    description: str
    kind: str
    old_name: str
    old_code: str
    new_name: str
    new_code: str
    effective_date: date
    known_since: date
    source: str
    confidence: str


def read_changes(paths: Iterable[Path]) -> tuple[Change, ...]:
    """Read the changes of files, by date of effect; lines of one date keep their order.

    Raises:
        Refusal: a line lacks a column or has one that cannot be read; file and line are named.
    """
    found = [change for path in paths for change in _read(path)]
    return tuple(sorted(found, key=lambda change: change.effective_date))


def _read(path: Path) -> list[Change]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            if tuple(rows.fieldnames or ()) != COLUMNS:
                raise _refusal(path, 1, "another header", ",".join(COLUMNS))
            return [_change(path, number, row) for number, row in enumerate(rows, start=2)]
    except (csv.Error, UnicodeDecodeError):
        raise _refusal(path, 1, "text that is no CSV in UTF-8", "UTF-8 CSV") from None


def _change(path: Path, line: int, row: dict[str, str]) -> Change:
    if None in row or None in row.values():
        raise _refusal(path, line, "another number of columns", f"{len(COLUMNS)} columns")
    values: dict[str, Any] = {name: row[name].strip() for name in COLUMNS}
    for name in ("effective_date", "known_since"):
        try:
            values[name] = date.fromisoformat(values[name])
        except ValueError:
            raise _refusal(path, line, f"no date in {name}", "YYYY-MM-DD") from None
    change = Change(**values)
    for holds, found, expected in _demands(change):
        if not holds:
            raise _refusal(path, line, found, expected)
    return change


def _demands(change: Change) -> Iterable[tuple[bool, str, str]]:
    is_new = change.kind == "new"
    has_old = bool(change.old_code or change.old_name)
    yield change.kind in KINDS, "an unknown kind", ", ".join(KINDS)
    yield change.confidence in CONFIDENCES, "an unknown confidence", ", ".join(CONFIDENCES)
    for name in ("adjustment_number", "description", "source"):
        yield bool(getattr(change, name)), f"no {name}", f"a {name}"
    yield CODE.fullmatch(change.new_code) is not None, "a new code of another form", "12 digits"
    yield bool(change.new_name), "no new name", "the name from that day on"
    yield not (is_new and has_old), "an old division of a new one", "none; or kind split, recode or move"
    if not is_new:
        yield CODE.fullmatch(change.old_code) is not None, "an old code of another form", "12 digits"
        yield bool(change.old_name), "no old name", "the name until then"
        is_same = change.old_code == change.new_code
        yield (
            is_same == (change.kind == "rename"),
            "codes that do not fit the kind",
            "two codes; one in a rename",
        )
        yield change.old_code[:2] == change.new_code[:2], "codes of two provinces", "one city"


def _refusal(path: Path, line: int, found: str, expected: str) -> Refusal:
    return Refusal(
        "division_change_unreadable",
        found=f"{path.parent.name}/{path.name} line {line}: {found}",
        expected=expected,
        to_do="correct the line; a change that was in force is never edited, only followed by another",
    )
