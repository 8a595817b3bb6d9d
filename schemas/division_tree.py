"""The dated tree of divisions: what was in force on a day, and what became of what was."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import pyarrow as pa

from schemas.division_change import ENDS, Change
from schemas.division_level import DIGITS, LENGTH, above, level_of
from schemas.division_life import OPEN, Period, lives_of, name_on

TREE = pa.schema(
    [(name, pa.string()) for name in ("division_code", "division_name", "level_code", "parent_code")]
)
RETIRED = pa.schema([("retired_code", pa.string()), ("successor_code", pa.string())])
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Division:
    """A division as it was on a day."""

    division_code: str
    division_name: str
    level_code: str
    parent_code: str | None
    valid_from: date
    valid_to: date


@dataclass(frozen=True)
class Carried:
    """Where what was said of a division belongs on a later day.

    `is_divided`: on the way a part of it went elsewhere, so that it can only be said of the division above.
    """

    division_code: str
    is_divided: bool
    changes: tuple[Change, ...]


class DivisionTree:
    """Divisions of one city through time, from the list of one day and the changes before and after it."""

    def __init__(self, snapshot: Mapping[str, str], changes: Sequence[Change], snapshot_day: date) -> None:
        self._snapshot, self._snapshot_day = snapshot, snapshot_day
        self.changes = tuple(changes)
        self._periods = lives_of(snapshot, changes, snapshot_day)
        self._endings: dict[str, list[Change]] = defaultdict(list)
        for change in changes:
            if change.kind in ENDS:
                self._endings[change.old_code].append(change)
        self._divided = self._find_divided()
        edges = {
            edge for known in self._periods.values() for p in known for edge in (p.valid_from, p.valid_to)
        }
        self._edges = sorted(edges - {OPEN})
        self._tables: dict[date, pa.Table] = {}
        self._known: dict[tuple[Change, ...], DivisionTree] = {}
        # Asked again for every part of a city.
        self._successors: dict[tuple[str, date], str | None] = {}

    def known_on(self, day: date) -> "DivisionTree":
        """Give the tree as it was known on a day: a later change that was announced afterwards is not in it.

        What the list itself already shows was known whenever anything was.
        """
        known = tuple(
            change
            for change in self.changes
            if change.known_since <= day or change.effective_date <= self._snapshot_day
        )
        if known == self.changes:
            return self
        if known not in self._known:
            self._known[known] = DivisionTree(self._snapshot, known, self._snapshot_day)
        return self._known[known]

    @cached_property
    def digest(self) -> str:
        """Fold the list and the changes into one digest, of 16 hex characters."""
        listed = (f"{code} {name}" for code, name in sorted(self._snapshot.items()))
        changed = (repr(change) for change in self.changes)
        lines = "\n".join([str(self._snapshot_day), *listed, *sorted(changed)])
        return hashlib.sha256(lines.encode()).hexdigest()[:16]

    def division_on(self, code: str, day: date) -> Division | None:
        """Tell the division that had a code on a day; None if none had."""
        for period in self._periods.get(code, ()):
            if period.holds(day):
                parent = next(iter(above(code)), None)
                return Division(code, period.name, level_of(code), parent, period.valid_from, period.valid_to)
        return None

    def periods_of(self, code: str) -> tuple[Period, ...]:
        """Tell all periods in which a code was in force, in order."""
        return tuple(self._periods.get(code, ()))

    def table_on(self, day: date) -> pa.Table:
        """Give all divisions of a day: division_code, division_name, level_code, parent_code, by code."""
        edge = max((edge for edge in self._edges if edge <= day), default=date.min)
        if edge not in self._tables:
            rows = [
                {
                    "division_code": code,
                    "division_name": name,
                    "level_code": level_of(code),
                    "parent_code": next(iter(above(code)), None),
                }
                for code, known in sorted(self._periods.items())
                if (name := name_on(known, edge)) is not None
            ]
            self._tables[edge] = pa.Table.from_pylist(rows, schema=TREE)
        return self._tables[edge]

    def changes_between(self, first: date, until: date) -> tuple[Change, ...]:
        """List the changes that took effect from a day on, and before another."""
        return tuple(change for change in self.changes if first <= change.effective_date < until)

    def successor(self, code: str, day: date) -> str | None:
        """Tell which division of a day took the place of a code that is not in force; see `succession`."""
        if (code, day) not in self._successors:
            succession = self.succession(code, day)
            self._successors[code, day] = None if succession is None else succession.division_code
        return self._successors[code, day]

    def succession(self, code: str, day: date) -> Carried | None:
        """Tell what of a day took the place of a code that is not in force any more, by which changes.

        Of a code that was on no list, but lies below a division that was retired: the nearest in force that
        has the same digits below its successor. None: the code was not retired.
        """
        if name_on(self._periods.get(code, []), day) is not None:
            return None
        ended = [period.valid_to for period in self._periods.get(code, ()) if period.valid_to <= day]
        if ended:
            return self.carry(code, ended[-1] - ONE_DAY, day, divide=False)
        if code in self._periods or len(code) != LENGTH or not code.isdigit():
            return None
        for upper in above(code):
            heir = self.succession(upper, day) if upper in self._periods else None
            if heir is not None:
                return self._same_place_below(code, heir, day)
        return None

    def _same_place_below(self, code: str, heir: Carried, day: date) -> Carried:
        digits = DIGITS[level_of(heir.division_code)]
        same = heir.division_code[:digits] + code[digits:]
        for place in (same, *above(same)):
            if name_on(self._periods.get(place, []), day) is not None:
                return Carried(place, is_divided=False, changes=heir.changes)
            further = self.succession(place, day) if place in self._periods else None
            if further is not None:
                return Carried(further.division_code, False, heir.changes + further.changes)
        return heir

    def carry(self, code: str, said_on: date, day: date, *, divide: bool = True) -> Carried:
        """Carry what was said of a division on a day to the divisions of a later day.

        What lost a part on the way is carried to the division above, unless `divide` is False: then the
        greater part, which goes on, keeps it. A code that was not in force is left as it is.
        """
        at, changes, is_divided = said_on, list[Change](), False
        is_known = name_on(self._periods.get(code, []), said_on) is not None
        while is_known:
            following = (
                change for change in self._endings.get(code, ()) if at < change.effective_date <= day
            )
            ending = next(following, None)
            until = ending.effective_date if ending else day + ONE_DAY
            parted = [edge for edge in self._divided.get(code, ()) if at < edge < until]
            if divide and parted:
                # Looked at from the day before: the division above may have lost the same part.
                code, at, is_divided = above(code)[0], parted[0] - ONE_DAY, True
            elif ending is None:
                break
            else:
                changes.append(ending)
                code, at = ending.new_code, ending.effective_date
        return Carried(code, is_divided, tuple(changes))

    def retired_among(self, codes: Iterable[str | None], day: date) -> pa.Table:
        """Tell which of some codes are retired, with their successors on a day: RETIRED, by code.

        Codes that are shorter, of a district or a town, are read as those of 12 digits.
        """
        found = [
            (code, self.successor(code.ljust(LENGTH, "0") if len(code) in (6, 9) else code, day))
            for code in sorted(set(filter(None, codes)))
        ]
        rows = [
            {"retired_code": code, "successor_code": successor}
            for code, successor in found
            if successor is not None
        ]
        return pa.Table.from_pylist(rows, schema=RETIRED)

    def retired_on(self, day: date) -> pa.Table:
        """Tell all codes that ever were in force and are no more, with their successors on a day: RETIRED."""
        return self.retired_among(self._periods, day)

    def _find_divided(self) -> dict[str, list[date]]:
        """Find when a division that went on lost a part to somewhere outside it."""
        divided: dict[str, list[date]] = defaultdict(list)
        for change in self.changes:
            day = change.effective_date
            if change.kind == "split":
                lost = [change.old_code, *above(change.old_code)]
            elif change.kind in ENDS:
                lost = above(change.old_code)
            else:
                continue
            kept = {change.new_code, *above(change.new_code)}
            for code in lost:
                goes_on = name_on(self._periods.get(code, []), day) is not None
                was_there = name_on(self._periods.get(code, []), day - ONE_DAY) is not None
                if code not in kept and goes_on and was_there and day not in divided[code]:
                    divided[code].append(day)
        return {code: sorted(days) for code, days in divided.items() if days}
