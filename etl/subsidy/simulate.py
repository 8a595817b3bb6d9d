"""Decide everyone by another policy before it is adopted: who gains, who loses, and what it costs."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from connectors.engine import run_sql
from connectors.lake import version_on
from connectors.lake_room import StagedRows, lake_room
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.subsidy.cost import UNITS_A_YEAR, Cost, cost_of
from etl.subsidy.facts import SOURCES
from etl.subsidy.golden import Broken, broken_cases, golden_cases
from etl.subsidy.judge import EVERY_PROGRAMME, count_decisions, judge_everyone
from etl.subsidy.retroactive import Retroactive, retroactive_effects
from schemas.policy import POLICY
from schemas.policy_check import Finding, check_policy
from schemas.programme_file import load_programme


@dataclass(frozen=True)
class SimulatedProgramme:
    """What another policy would change in one programme, by district."""

    code: str
    title: str
    districts: tuple[dict[str, Any], ...]
    was: Cost
    becomes: Cost
    # Who is eligible by the other policy.
    eligible: int
    # For the months that have passed; None where nothing differs in them.
    retroactive: Retroactive | None


@dataclass(frozen=True)
class Simulation:
    """What another policy would change on a day, and what stands against adopting it."""

    business_date: date
    inputs: tuple[str, ...]
    findings: tuple[Finding, ...]
    broken: tuple[Broken, ...]
    programmes: tuple[SimulatedProgramme, ...]

    @property
    def may_be_adopted(self) -> bool:
        """Whether the policy fits together and decides every golden case of its folder as it says."""
        return not self.findings and not self.broken


def simulate_policy(settings: Settings, policy: Path, as_of: date, ours: Path = POLICY) -> Simulation:
    """Decide everyone on a day by our policy and by another, from the versions of that day.

    Nothing is recorded. A policy that does not fit together is not decided by: its findings are all there is.

    Raises:
        Refusal: a dataset is not published for the day, or a policy has no value for it.
    """
    with registry_session(settings) as connection:
        sources = {name: version_on(connection, f"staging.{name}", as_of) for name in SOURCES}
    inputs = tuple(str(version) for version in sources.values())
    findings = check_policy(policy)
    if findings:
        return Simulation(as_of, inputs, findings, (), ())
    broken = broken_cases(golden_cases(policy), policy)
    with lake_room(settings) as room:
        sides = {}
        for side, folder in (("ours", ours), ("theirs", policy)):
            (room / side).mkdir()
            sides[side] = judge_everyone(settings, room / side, sources, as_of, folder, EVERY_PROGRAMME)
        owed = retroactive_effects(settings, room, sources, as_of, ours, policy)
        programmes = tuple(
            _programme(
                settings,
                name,
                as_of,
                (sides["ours"][name], ours),
                (sides["theirs"][name], policy),
                owed.get(name),
            )
            for name in EVERY_PROGRAMME
        )
    return Simulation(as_of, inputs, (), broken, programmes)


def _programme(
    settings: Settings,
    name: str,
    day: date,
    ours: tuple[StagedRows, Path],
    theirs: tuple[StagedRows, Path],
    retroactive: Retroactive | None,
) -> SimulatedProgramme:
    before, after = (load_programme(name, folder) for _, folder in (ours, theirs))
    units = {"units": UNITS_A_YEAR[after.amount_unit]}
    changed = run_sql(
        settings, "subsidy/simulated_change", {"ours": ours[0], "theirs": theirs[0]}, units
    ).to_pylist()
    return SimulatedProgramme(
        after.code,
        after.title,
        tuple(changed),
        cost_of(settings, before, ours[0], day, ours[1]),
        cost_of(settings, after, theirs[0], day, theirs[1]),
        count_decisions(settings, theirs[0])["eligible"],
        retroactive,
    )
