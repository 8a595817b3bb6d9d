"""Live through the days: the city's, the partners' mischief, and the nights with what strikes them."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from itertools import cycle
from random import Random

from connectors.settings import Settings
from sandbox.city.advance import advance_city
from sandbox.city.create import create_city
from sandbox.partners import mischief
from sandbox.partners.faults import Faults, set_faults
from sandbox.partners.hostile import SPOILS
from sandbox.simulation.calendar import FAULTS, LATE_DAYS, Day
from sandbox.simulation.world import (
    Strike,
    World,
    kill_night,
    kill_scheduler,
    restart_partners,
    restart_postgres,
)
from schemas.refusal import Refusal

Tell = Callable[[str], None]
STRIKES: dict[str, Strike] = {
    "night_killed": kill_night,
    "postgres_restarted": restart_postgres,
    "partners_restarted": restart_partners,
    "scheduler_killed": kill_scheduler,
}
GATEWAY = {
    "gateway_cut_before": Faults(cut="before_rename"),
    "gateway_cut_after": Faults(cut="after_rename"),
    "gateway_full": Faults(disk_full=True),
}
# Beyond these a night that is struck no more must have ended well.
MOST_RERUNS = 2
# A night through Airflow begins after the bring-up.
BRING_UP_SECONDS = 45.0


@dataclass
class Lived:
    """What a day was like: its faults, how often the night ran, and whether it ended well."""

    business_date: str
    faults: list[str]
    nights: int
    reruns: int
    seconds: float
    ended_well: bool


@dataclass
class Month:
    """All days of a simulation and what is still to be put right."""

    world: World
    persons: int
    seed: int
    tell: Tell
    lived: list[Lived] = field(default_factory=list)
    _spoils: Iterator[str] = field(default_factory=lambda: cycle(SPOILS))
    _night_seconds: float = 15.0

    @property
    def settings(self) -> Settings:
        """Tell where the simulated installation lies."""
        return self.world.settings

    def live(self, calendar: Sequence[Day]) -> None:
        """Live through all days, and run the last night once more: what it sent is answered by then."""
        chance = Random(self.seed)
        for number, day in enumerate(calendar):
            begun = time.monotonic()
            self._wake(day.business_date, is_first=number == 0)
            for partner, fault in day.drops.items():
                self._tamper(partner, fault, day.business_date)
            nights, reruns, ended_well = self._nights(day, chance)
            took = round(time.monotonic() - begun, 1)
            self.lived.append(
                Lived(day.business_date.isoformat(), day.titles, nights, reruns, took, ended_well)
            )
            mark = "✓" if ended_well else "✗"
            self.tell(
                f"{mark} {day.business_date}  {took:6.1f} s  {'; '.join(day.titles) or '平静 · in peace'}"
            )
        self.lived[-1].ended_well &= self._night(calendar[-1].business_date) == 0

    def _wake(self, business_date: date, *, is_first: bool) -> None:
        if is_first:
            create_city(self.settings, persons=self.persons, seed=self.seed, business_date=business_date)
        else:
            advance_city(self.settings)

    def _tamper(self, partner: str, fault: str, day: date) -> None:
        if fault == "late":
            mischief.make_late(self.settings, partner, day, LATE_DAYS)
        elif fault == "missing":
            mischief.withhold(self.settings, partner, day)
        elif fault == "duplicate":
            mischief.duplicate(self.settings, partner, day)
        elif fault == "hostile":
            mends_on = day + timedelta(days=1)
            mischief.spoil(self.settings, partner, day, next(self._spoils), mends_on=mends_on)
        elif fault == "half_uploaded":
            mischief.half_upload(self.settings, partner, day)

    def _nights(self, day: Day, chance: Random) -> tuple[int, int, bool]:
        """Run the night once per fault, then until it ends well; tell how often, and whether it did."""
        ran, status = 0, 1
        for fault in day.nights:
            status = self._struck_night(fault, day.business_date, chance)
            ran += 1
        corrected = [partner for partner, fault in day.drops.items() if fault == "corrected"]
        if corrected and status != 0:
            status, ran = self._night(day.business_date), ran + 1
        for partner in corrected:
            mischief.correct(self.settings, partner, day.business_date)
            status = 1
        reruns = 0
        while status != 0 and reruns <= MOST_RERUNS:
            status = self._night(day.business_date)
            reruns += 1
        return ran + reruns, max(reruns - 1, 0), status == 0

    def _night(self, business_date: date) -> int:
        begun = time.monotonic()
        status = self.world.night(business_date)
        if status == 0:
            self._night_seconds = time.monotonic() - begun
        return status

    def _struck_night(self, fault: str, business_date: date, chance: Random) -> int:
        moment = chance.uniform(0.05, 0.9) * self._night_seconds
        if fault == "scheduler_killed":
            after_seconds = BRING_UP_SECONDS + moment
            self.world.airflow_night(self.persons, self.seed, kill_scheduler, after_seconds)
            return self.world.airflow_night(self.persons, self.seed)
        if fault in STRIKES:
            self.world.night(business_date, STRIKES[fault], moment)
            return 1
        if fault == "partners_down":
            self.world.stop_partners()
            self.world.night(business_date)
            self.world.start_partners()
            return 1
        if fault in GATEWAY:
            set_faults(self.settings, "padis", GATEWAY[fault])
            self.world.night(business_date)
            set_faults(self.settings, "padis", Faults())
            return 1
        if fault == "run_again":
            self._night(business_date)
            return self._night(business_date)
        raise Refusal(
            "fault_unknown",
            found="a fault that the simulation cannot bring about",
            expected=", ".join(FAULTS),
            to_do="report a defect of sandbox.simulation",
        )

    def written(self) -> list[dict[str, object]]:
        """Give the days as plain data."""
        return json.loads(json.dumps([asdict(day) for day in self.lived]))  # type: ignore[no-any-return]
