"""What another policy changes for months that have passed: what would be owed, or was paid without ground."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from connectors.engine import Relation, run_sql
from connectors.settings import Settings
from etl.subsidy.cost import UNITS_A_YEAR
from etl.subsidy.judge import EVERY_PROGRAMME, judge_everyone
from schemas.policy_check import asked_parameters
from schemas.programme import Programme
from schemas.programme_file import load_programme

# Further back a person decides whether to go, not a simulation.
MOST_MONTHS = 24
COUNTED = ("gaining", "losing", "otherwise_paid")


@dataclass(frozen=True)
class Retroactive:
    """What a policy changes in one programme for months: from `first_month` up to the one before the day's.

    Persons are counted once a month. `owed_fen` is what would be owed on balance, None of what is paid once.
    `is_cut` where the policy differs for longer than is looked at.
    """

    first_month: date
    months: int
    gaining: int
    losing: int
    otherwise_paid: int
    owed_fen: int | None
    is_cut: bool


def retroactive_effects(
    settings: Settings, room: Path, sources: Mapping[str, Relation], day: date, ours: Path, theirs: Path
) -> dict[str, Retroactive]:
    """Decide every month since two policies differ by both, with what is known on a day; by programme name.

    Programmes that differ in no month before the day's own are left out.
    """
    begins = {name: _differs_since(*_both(name, day, ours, theirs)) for name in EVERY_PROGRAMME}
    passed = {
        name: since for name, since in begins.items() if since is not None and _month(since) < _month(day)
    }
    if not passed:
        return {}
    months = tuple(_months(min(passed.values()), day))
    counted = {name: dict.fromkeys((*COUNTED, "was_fen", "becomes_fen"), 0) for name in passed}
    for month in months:
        for name, rows in _changes(settings, room / f"{month}", sources, month, day, (ours, theirs)).items():
            for row in rows if name in passed else ():
                for key in counted[name]:
                    counted[name][key] += row[key]
    return {
        name: Retroactive(
            months[0],
            len(months),
            gaining=counted[name]["gaining"],
            losing=counted[name]["losing"],
            otherwise_paid=counted[name]["otherwise_paid"],
            owed_fen=_owed(load_programme(name, theirs), counted[name]),
            is_cut=months[0] > _month(since),
        )
        for name, since in passed.items()
    }


def _both(name: str, day: date, ours: Path, theirs: Path) -> tuple[Programme, Programme]:
    first, second = (load_programme(name, folder).as_known_at(day) for folder in (ours, theirs))
    return first, second


def _differs_since(ours: Programme, theirs: Programme) -> date | None:
    """Find the first day on which anything that they decide by is not the same."""
    one, other = (set(_dated(programme)) for programme in (ours, theirs))
    return min((day for day, _ in one ^ other), default=None)


def _dated(programme: Programme) -> Iterator[tuple[date, str]]:
    """List what a programme decides by, each from its day on, without what is not known yet."""
    for clause in programme.clauses:
        if programme.known_at is None or clause.known_since <= programme.known_at:
            yield clause.effective_from, f"{clause.clause_id} {clause.holds.sql()}"
            if clause.effective_to is not None:
                yield clause.effective_to, f"{clause.clause_id} ends"
    for parameter in asked_parameters(programme):
        for value in parameter.values:
            is_known = value.known_since is None or value.known_since <= (programme.known_at or date.max)
            if value.valid_from is not None and is_known:
                yield value.valid_from, f"{parameter.name} {value.kind} {value.value}"


def _month(day: date) -> date:
    return day.replace(day=1)


def _months(since: date, day: date) -> Iterator[date]:
    """List the months from a day on, up to the one before another day's, by their first day."""
    last = day.year * 12 + day.month - 1
    for number in range(max(since.year * 12 + since.month - 1, last - MOST_MONTHS), last):
        yield date(number // 12, number % 12 + 1, 1)


def _changes(
    settings: Settings,
    room: Path,
    sources: Mapping[str, Relation],
    month: date,
    day: date,
    folders: tuple[Path, Path],
) -> dict[str, list[dict[str, int]]]:
    sides = []
    for side, folder in zip(("ours", "theirs"), folders, strict=True):
        (room / side).mkdir(parents=True)
        names = tuple(name for name in EVERY_PROGRAMME if _is_in_force(load_programme(name, folder), month))
        sides.append(judge_everyone(settings, room / side, sources, month, folder, names, known_at=day))
    ours, theirs = sides
    return {
        name: run_sql(
            settings,
            "subsidy/simulated_change",
            {"ours": ours[name], "theirs": theirs[name]},
            {"units": 1},
        ).to_pylist()
        for name in theirs
        if name in ours
    }


def _is_in_force(programme: Programme, day: date) -> bool:
    return any(clause.effective_from <= day for clause in programme.clauses)


def _owed(programme: Programme, counted: Mapping[str, int]) -> int | None:
    """Sum up the differences of the months; what is paid by year counts by twelfths, to the fen below."""
    if programme.amount_unit == "once":
        return None
    return (counted["becomes_fen"] - counted["was_fen"]) * UNITS_A_YEAR[programme.amount_unit] // 12
