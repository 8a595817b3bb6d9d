"""Which faults happen on which day: every kind at least once, spread by a seed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from schemas.refusal import Refusal


@dataclass(frozen=True)
class Fault:
    """One kind of fault: at a partner's drop, or while a night runs."""

    name: str
    title: str
    at: str  # "drop" or "night"


DROP_FAULTS = (
    Fault("late", "迟到 · drop two days late", "drop"),
    Fault("missing", "缺失 · drop that never comes", "drop"),
    Fault("duplicate", "重复 · drop delivered twice", "drop"),
    Fault("half_uploaded", "未传完 · drop half uploaded and left so", "drop"),
    Fault("corrected", "更正 · drop corrected after it was read", "drop"),
    Fault("hostile", "恶意 · hostile file, replaced the next day", "drop"),
)
NIGHT_FAULTS = (
    Fault("night_killed", "进程被杀 · the night killed", "night"),
    Fault("postgres_restarted", "数据库重启 · PostgreSQL stopped at once and started", "night"),
    Fault("partners_restarted", "伙伴重启 · SFTP servers killed and started", "night"),
    Fault("partners_down", "伙伴不可达 · SFTP servers down all night", "night"),
    Fault("gateway_cut_before", "网关断开 · gateway cut before the rename", "night"),
    Fault("gateway_cut_after", "网关断开 · gateway cut after the rename", "night"),
    Fault("gateway_full", "网关磁盘满 · gateway's disk full", "night"),
    Fault("run_again", "重跑 · the same night again", "night"),
    Fault("scheduler_killed", "调度器被杀 · Airflow's scheduler killed", "night"),
)
FAULTS = {fault.name: fault for fault in (*DROP_FAULTS, *NIGHT_FAULTS)}
# A night with Airflow takes a minute to bring up; a short form leaves it to the month.
SHORT_FORM_DAYS = 10
LATE_DAYS = 2
# One drop in so many is tampered with.
DROPS_PER_FAULT = 4


@dataclass
class Day:
    """One day of the simulation: which drops are tampered with, and what the night goes through."""

    business_date: date
    drops: dict[str, str] = field(default_factory=dict)  # partner -> fault
    nights: list[str] = field(default_factory=list)  # faults, one attempt each

    @property
    def titles(self) -> list[str]:
        """Name the faults of the day for a person."""
        drops = [f"{partner} {FAULTS[fault].title}" for partner, fault in self.drops.items()]
        return drops + [FAULTS[fault].title for fault in self.nights]


def chosen_faults(text: str, days: int) -> list[Fault]:
    """Read the option: `all`, `none`, or names with commas.

    Raises:
        Refusal: a name that is no fault.
    """
    if text == "none":
        return []
    if text == "all":
        return [
            fault for fault in FAULTS.values() if days >= SHORT_FORM_DAYS or fault.name != "scheduler_killed"
        ]
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in FAULTS]
    if unknown:
        raise Refusal(
            "fault_unknown",
            found=f"{', '.join(unknown)}",
            expected=f"all, none, or some of {', '.join(FAULTS)}",
            to_do="correct --faults",
        )
    return [FAULTS[name] for name in names]


def plan(first: date, days: int, faults: Sequence[Fault], partners: Sequence[str], seed: int) -> list[Day]:
    """Spread the faults over the days between the first and the last, which are left in peace.

    Each kind happens at least once if there is a day for it; a drop is tampered with once. A late drop
    is given days enough to come.

    Raises:
        Refusal: faults are asked for, but fewer than three days.
    """
    calendar = [Day(first + timedelta(days=number)) for number in range(days)]
    if not faults:
        return calendar
    if days < 3:
        raise Refusal(
            "too_few_days",
            found=f"{days} days with faults",
            expected="three or more: the first and the last day are left in peace",
            to_do="give more --days, or --faults none",
        )
    chance, middle = Random(seed), calendar[1:-1]
    drops = [fault.name for fault in faults if fault.at == "drop"]
    nights = [fault.name for fault in faults if fault.at == "night"]
    _spread_drops(middle, drops, partners, chance)
    _spread_nights(middle, nights, chance)
    return calendar


def _spread_drops(
    middle: Sequence[Day], drops: Sequence[str], partners: Sequence[str], chance: Random
) -> None:
    places = [(day, partner) for day in middle for partner in partners]
    chance.shuffle(places)
    rounds = max(len(drops), len(places) // DROPS_PER_FAULT)
    wanted = [drops[number % len(drops)] for number in range(rounds)] if drops else []
    # What is late or never comes must lie early enough for the rest to be seen.
    for fault in sorted(wanted, key=lambda name: name not in {"late", "missing"}):
        place = next((place for place in places if _fits(fault, place[0], middle)), None)
        if place is not None:
            places.remove(place)
            place[0].drops[place[1]] = fault


def _fits(fault: str, day: Day, middle: Sequence[Day]) -> bool:
    return fault != "late" or day.business_date + timedelta(days=LATE_DAYS) <= middle[
        -1
    ].business_date + timedelta(days=1)


def _spread_nights(middle: Sequence[Day], nights: Sequence[str], chance: Random) -> None:
    if not nights:
        return
    days = list(middle)
    chance.shuffle(days)
    rounds = max(len(nights), len(middle) // 2)
    for number in range(rounds):
        days[number % len(days)].nights.append(nights[number % len(nights)])
