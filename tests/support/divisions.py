"""Invented histories of a small city's divisions, and what was in force on each day, kept the slow way."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

from connectors.settings import Settings
from schemas.division import level_of, load_divisions
from schemas.division_change import COLUMNS, Change
from schemas.division_tree import DivisionTree

FIRST_DAY = date(2020, 1, 1)
CITY = "110000000000"


@dataclass
class World:
    """What is in force, day by day; and every code's way on, one step a change."""

    now: dict[str, str]
    day: date = FIRST_DAY
    changes: list[Change] = field(default_factory=list)
    days: list[tuple[date, dict[str, str]]] = field(default_factory=list)

    def on(self, day: date) -> dict[str, str]:
        """Tell names by code as they were on a day."""
        return [state for since, state in self.days if since <= day][-1]

    def tree(self, snapshot_day: date) -> DivisionTree:
        """Make the tree from the list of one day and all changes."""
        return DivisionTree(self.on(snapshot_day), self.changes, snapshot_day)

    def below(self, code: str) -> list[str]:
        """List what lies below a town."""
        return [other for other in self.now if other[:9] == code[:9] and other != code]

    def free(self, parent: str, rng: Random) -> str:
        """Find a code below a division that nothing ever had."""
        digits, rest = (9, "000") if parent.endswith("000000") else (12, "")
        used = {code for _, state in self.days for code in state} | set(self.now)
        while True:
            code = f"{parent[: digits - 3]}{rng.randint(1, 999):03d}{rest}"
            if code not in used:
                return code

    def put(
        self, kind: str, old_code: str, new_code: str, new_name: str, old_name: str | None = None
    ) -> None:
        """Note one line of a change of today."""
        if old_name is None:
            old_name = self.now.get(old_code, "")
        number, text = f"2020-{len(self.days):03d}", "虚构 · invented"
        self.changes.append(
            Change(
                number,
                text,
                kind,
                old_name,
                old_code,
                new_name,
                new_code,
                self.day,
                self.day,
                text,
                "invented",
            )
        )


def small_city() -> dict[str, str]:
    """Invent two districts of three towns of two villages each."""
    city = {CITY: "市"}
    for district in (1, 2):
        city[f"1101{district:02d}000000"] = f"区{district}"
        for town in (1, 2, 3):
            city[f"1101{district:02d}{town:03d}000"] = f"镇{district}{town}"
            for village in (1, 201):
                city[f"1101{district:02d}{town:03d}{village:03d}"] = f"村{district}{town}{village}"
    return city


def invented_history(rng: Random, length: int) -> World:
    """Let a small city change some times, one adjustment a day, days apart."""
    world = World(small_city())
    world.days.append((FIRST_DAY - timedelta(days=1), dict(world.now)))
    for _ in range(length):
        world.day += timedelta(days=rng.randint(1, 40))
        rng.choice([_rename, _new, _recode, _merge, _move, _split, _merge_towns, _recode_town, _swap])(
            world, rng
        )
        world.days.append((world.day, dict(world.now)))
    return world


def _villages(world: World) -> list[str]:
    return [code for code in world.now if not code.endswith("000")]


def _towns(world: World) -> list[str]:
    return [code for code in world.now if code.endswith("000") and not code.endswith("000000")]


def _rename(world: World, rng: Random) -> None:
    code = rng.choice(sorted(set(world.now) - {CITY}))
    name = f"{world.now[code]}新"
    world.put("rename", code, code, name)
    world.now[code] = name


def _new(world: World, rng: Random) -> None:
    districts = [code for code in world.now if code.endswith("000000") and code != CITY]
    code = world.free(rng.choice(sorted([*districts, *_towns(world)])), rng)
    world.put("new", "", code, "新设")
    world.now[code] = "新设"


def _carry_over(world: World, kind: str, old: str, new: str) -> None:
    world.put(kind, old, new, world.now.get(new, world.now[old]))
    name = world.now.pop(old)
    world.now.setdefault(new, name)


def _recode(world: World, rng: Random) -> None:
    if villages := _villages(world):
        old = rng.choice(sorted(villages))
        _carry_over(world, "recode", old, world.free(f"{old[:9]}000", rng))


def _merge(world: World, rng: Random) -> None:
    if len(villages := sorted(_villages(world))) > 1:
        _carry_over(world, "merge", *rng.sample(villages, 2))


def _move(world: World, rng: Random) -> None:
    if villages := sorted(_villages(world)):
        old = rng.choice(villages)
        others = [town for town in _towns(world) if town[:9] != old[:9]]
        if others:
            _carry_over(world, "move", old, world.free(rng.choice(sorted(others)), rng))


def _split(world: World, rng: Random) -> None:
    if villages := sorted(_villages(world)):
        old = rng.choice(villages)
        new = world.free(f"{old[:9]}000", rng)
        world.put("split", old, new, "析出")
        world.now[new] = "析出"


def _merge_towns(world: World, rng: Random) -> None:
    if len(towns := sorted(_towns(world))) > 1:
        old, new = rng.sample(towns, 2)
        for village in world.below(old):
            _carry_over(world, "move", village, world.free(new, rng))
        _carry_over(world, "merge", old, new)


def _recode_town(world: World, rng: Random) -> None:
    old = rng.choice(sorted(_towns(world)))
    new = world.free(f"{old[:6]}000000", rng)
    for village in world.below(old):
        _carry_over(world, "recode", village, new[:9] + village[9:])
    _carry_over(world, "recode", old, new)


def _swap(world: World, rng: Random) -> None:
    """Let two villages exchange their codes on one day."""
    if len(villages := sorted(_villages(world))) > 1:
        one, other = rng.sample(villages, 2)
        world.put("recode", one, other, world.now[one])
        world.put("recode", other, one, world.now[other])
        world.now[one], world.now[other] = world.now[other], world.now[one]


# A merger of two real towns, invented: what the installation is told of it.
MERGER_EVE, MERGER_DAY = date(2026, 6, 30), date(2026, 7, 1)
OLD_TOWN, TOWN = "110101001000", "110101002000"
OLD_VILLAGE, VILLAGE = "110101001001", "110101002901"


def task_of(task_id: str, process: str, division_code: str) -> dict[str, Any]:
    """Make a row of `worklist.task` of a division, due on the day of the merger."""
    return {
        "task_id": task_id, "process_name": process, "kind_code": "birth_conflict", "subject_id": task_id,
        "division_code": division_code, "level_code": level_of(division_code), "due_date": MERGER_DAY,
        "detail_codes": [],
    }  # fmt: skip


def declare_merger(settings: Settings, known_since: date = MERGER_EVE) -> Path:
    """Merge 东华门街道 into 景山街道, its first village under a new code, all others into that one."""
    names = dict(zip(*load_divisions(MERGER_EVE).select([0, 1]).to_pydict().values(), strict=True))
    below = [code for code in names if code[:9] == OLD_TOWN[:9] and code != OLD_TOWN]
    name = names[OLD_VILLAGE]
    lines = [f"move,{name},{OLD_VILLAGE},{name},{VILLAGE}"]
    lines += [f"merge,{names[code]},{code},{name},{VILLAGE}" for code in below if code != OLD_VILLAGE]
    lines.append(f"merge,{names[OLD_TOWN]},{OLD_TOWN},{names[TOWN]},{TOWN}")
    settings.divisions.mkdir(exist_ok=True)
    text = "".join(f"2026-07,虚构,{line},{MERGER_DAY},{known_since},test,invented\n" for line in lines)
    path = settings.divisions / "merger.csv"
    path.write_text(f"{','.join(COLUMNS)}\n{text}", encoding="utf-8")
    return path
