"""Simulate days of a city with faults, judge them, and tell a person and a file what was found."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

from rich.table import Table

from connectors.settings import Settings
from sandbox.local.environment import ui_port
from sandbox.simulation.calendar import chosen_faults, plan
from sandbox.simulation.laws import judge
from sandbox.simulation.month import Month
from sandbox.simulation.world import running_world
from schemas.drop_source import DROP_SOURCES

# Those that leave a drop every day.
PARTNERS = tuple(source.name for source in DROP_SOURCES if source.is_expected)


def simulate(
    settings: Settings,
    *,
    days: int,
    faults: str,
    persons: int,
    seed: int,
    first: date,
    tell: Callable[[str], None],
) -> dict[str, Any]:
    """Live through days of a city in an installation of its own (`var/simulation`), then judge.

    Its state stays, so that it can be looked at; the next simulation replaces it. The result is
    written to `var/run/simulation.json`.

    Returns:
        `days`: per day the faults, how often the night ran, its reruns after the last fault, seconds;
        `laws`: per law what was counted and what breaks it; `holds`: whether all is well.

    Raises:
        Refusal: the faults cannot be read, or something of the simulation itself failed.
    """
    calendar = plan(first, days, chosen_faults(faults, days), PARTNERS, seed)
    own = replace(settings, var=settings.var / "simulation", server_url=None, population_server_url=None)
    with running_world(own, ui_port()) as world:
        month = Month(world, persons, seed, tell)
        month.live(calendar)
        findings = judge(own, calendar[-1].business_date)
    ended_well = all(day.ended_well for day in month.lived)
    result = {
        "seed": seed,
        "persons": persons,
        "faults": faults,
        "days": month.written(),
        "laws": [{**asdict(finding), "holds": finding.holds} for finding in findings],
        "holds": ended_well and all(finding.holds for finding in findings),
    }
    _write(settings.run / "simulation.json", result)
    return result


def planned_days(first: date, days: int, faults: str, seed: int) -> list[str]:
    """List what would happen, one line a day."""
    calendar = plan(first, days, chosen_faults(faults, days), PARTNERS, seed)
    return [f"{day.business_date}  {'; '.join(day.titles) or '平静 · in peace'}" for day in calendar]


def _write(path: Path, result: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def render_laws(result: dict[str, Any]) -> Table:
    """Lay the laws out for a person."""
    table = Table(title="是否成立 · what must hold", title_justify="left")
    table.add_column("规律 · law", overflow="fold")
    table.add_column("核对 · counted", justify="right")
    table.add_column("违反 · broken", justify="right")
    table.add_column("说明 · note")
    for law in result["laws"]:
        mark = "[green]✓[/]" if law["holds"] else "[red]✗[/]"
        table.add_row(f"{mark} {law['title']}", f"{law['counted']:,}", f"{law['broken']:,}", law["note"])
    return table
