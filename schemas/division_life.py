"""From when to when each division was in force: the list of one day, led back and on by the changes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby, pairwise

from schemas.division_change import BEGINS, ENDS, Change
from schemas.division_level import above
from schemas.refusal import Refusal

# Since before anything was recorded, and with no end in sight.
EVER, OPEN = date.min, date.max


@dataclass(frozen=True)
class Period:
    """A time in which a code was in force under one name; the start is in it, the end is not."""

    name: str
    valid_from: date
    valid_to: date

    def holds(self, day: date) -> bool:
        """Tell whether a day is in the period."""
        return self.valid_from <= day < self.valid_to


Periods = dict[str, list[Period]]


def lives_of(snapshot: Mapping[str, str], changes: Sequence[Change], snapshot_day: date) -> Periods:
    """Tell the periods of every code that ever was in force, in order.

    What is below a division that began on some day, and is not itself said to come from elsewhere, is
    held to have begun with it: of towns and villages before the list nothing else is known.

    Raises:
        Refusal: a change does not fit what was in force, or something is in force without what is above it.
    """
    periods: Periods = {code: [Period(name, EVER, OPEN)] for code, name in snapshot.items()}
    by_date = [list(group) for _, group in groupby(changes, key=lambda change: change.effective_date)]
    for of_day in reversed([day for day in by_date if day[0].effective_date <= snapshot_day]):
        _lead_back(periods, of_day)
    _begin_with_those_above(periods, snapshot_day)
    for of_day in (day for day in by_date if day[0].effective_date > snapshot_day):
        _lead_on(periods, of_day)
    _check(periods, changes)
    return periods


def _lead_back(periods: Periods, of_day: Sequence[Change]) -> None:
    for change in _of_kinds(of_day, BEGINS):
        known = periods.get(change.new_code, [])
        _demand(
            change, bool(known) and known[0].valid_from == EVER, "a new code that is not in force after it"
        )
        known[0] = Period(known[0].name, change.effective_date, known[0].valid_to)
    for change in _of_kinds(of_day, {"rename"}):
        known = periods.get(change.new_code, [])
        _demand(change, bool(known) and known[0].valid_from == EVER, "a code that is not in force")
        later = Period(known[0].name, change.effective_date, known[0].valid_to)
        known[:1] = [Period(change.old_name, EVER, change.effective_date), later]
    for change in _of_kinds(of_day, ENDS):
        known = periods.setdefault(change.old_code, [])
        is_free = not known or known[0].valid_from >= change.effective_date
        _demand(change, is_free, "an old code that is in force after it")
        known.insert(0, Period(change.old_name, EVER, change.effective_date))


def _lead_on(periods: Periods, of_day: Sequence[Change]) -> None:
    day = of_day[0].effective_date
    for change in _of_kinds(of_day, {*ENDS, "rename"}):
        known = periods.get(change.old_code, [])
        _demand(change, bool(known) and known[-1].valid_to == OPEN, "an old code that is not in force")
        _demand(change, known[-1].valid_from < day, "an old code that begins on the same day")
        known[-1] = Period(known[-1].name, known[-1].valid_from, day)
    for change in _of_kinds(of_day, {*BEGINS, "rename"}):
        known = periods.setdefault(change.new_code, [])
        _demand(change, not known or known[-1].valid_to <= day, "a new code that is in force already")
        known.append(Period(change.new_name, day, OPEN))


def _begin_with_those_above(periods: Periods, snapshot_day: date) -> None:
    for code in sorted(periods, key=lambda code: len(code.rstrip("0"))):
        first = periods[code][0]
        if first.valid_from != EVER:
            continue
        last_day = min(first.valid_to - timedelta(days=1), snapshot_day)
        for upper in above(code):
            began = began_on(periods.get(upper, []), last_day)
            if began is not None and began > first.valid_from:
                first = Period(first.name, began, first.valid_to)
        periods[code][0] = first


def began_on(periods: Sequence[Period], day: date) -> date | None:
    """Tell since when a code that is in force on a day has been so without a break, whatever its name."""
    began, ended = None, EVER
    for period in periods:
        if began is None or period.valid_from != ended:
            began = period.valid_from
        ended = period.valid_to
        if period.holds(day):
            return began
    return None


def ends_on(periods: Sequence[Period], day: date) -> date | None:
    """Tell when a code that is in force on a day ends, whatever its name; OPEN if never."""
    end = None
    for period in periods:
        if period.holds(day) or (end is not None and period.valid_from == end):
            end = period.valid_to
    return end


def name_on(periods: Sequence[Period], day: date) -> str | None:
    """Tell the name under which a code was in force on a day; None if it was not."""
    return next((period.name for period in periods if period.holds(day)), None)


def _of_kinds(changes: Iterable[Change], kinds: Iterable[str]) -> Iterator[Change]:
    wanted = set(kinds)
    return (change for change in changes if change.kind in wanted)


def _check(periods: Periods, changes: Sequence[Change]) -> None:
    for change in changes:
        day, eve = change.effective_date, change.effective_date - timedelta(days=1)
        if change.old_code:
            held = name_on(periods.get(change.old_code, []), eve)
            _demand(change, held == change.old_name, "an old name that was not in force the day before")
        held = name_on(periods.get(change.new_code, []), day)
        # Also keeps successions from running in a circle: who takes over is there on that day.
        _demand(change, held == change.new_name, "a new name that is not in force on the day")
        if change.kind in {"merge", "split"}:
            going_on = change.new_code if change.kind == "merge" else change.old_code
            _demand(change, name_on(periods[going_on], day) is not None, "a division that does not go on")
    for code, known in periods.items():
        for before, after in pairwise(known):
            _demand_code(code, before.valid_to <= after.valid_from, "two periods that overlap")
        for upper in above(code)[:1]:
            for period in known:
                end = ends_on(periods.get(upper, []), period.valid_from)
                _demand_code(
                    code,
                    end is not None and end >= period.valid_to,
                    f"{period.name} in force from {period.valid_from} while {upper} above it is not",
                )


def _demand(change: Change, holds: bool, found: str) -> None:
    if not holds:
        raise _refusal(
            f"adjustment {change.adjustment_number} of {change.effective_date} "
            f"({change.kind} {change.old_code or '-'} → {change.new_code}): {found}"
        )


def _demand_code(code: str, holds: bool, found: str) -> None:
    if not holds:
        raise _refusal(f"division {code}: {found}")


def _refusal(found: str) -> Refusal:
    return Refusal(
        "divisions_do_not_fit",
        found=found,
        expected="changes that lead from one tree of divisions to the next, each code in force once",
        to_do="correct the change that is not yet in force, or add the one that is missing",
    )
