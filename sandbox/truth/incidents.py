"""What went wrong with drops, on purpose: one line each, with what the pipeline must end with."""

import json
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from connectors.settings import Settings
from sandbox.truth.store import FAULTS, truth_folder


@dataclass(frozen=True)
class Incident:
    """Something done to a drop. Dates are those of the city.

    `meanwhile` and `ends` are states of the drop as the pipeline must tell them: complete, refused,
    or `absent` (waiting, then overdue). `mends_on` is the date on which it is put right by itself.
    """

    partner: str
    dataset: str
    business_date: date
    kind: str
    detail: str | None
    row_count: int
    meanwhile: str
    ends: str
    mends_on: date | None = None
    is_planted: bool = False  # by the rates of the city, not on demand


def note_incident(settings: Settings, incident: Incident) -> Incident:
    """Put an incident on record."""
    path = _path(settings)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    line = json.dumps(asdict(incident), default=date.isoformat, sort_keys=True)
    with path.open("a", encoding="ascii") as file:
        file.write(line + "\n")
    return incident


def incidents(settings: Settings) -> list[Incident]:
    """List what was done to drops, in the order in which it was done."""
    path = _path(settings)
    if not path.exists():
        return []
    return [_read(line) for line in path.read_text(encoding="ascii").splitlines()]


def expected_state(settings: Settings, partner: str, day: date) -> str:
    """Tell the state in which the pipeline must see a drop now: complete, refused or absent.

    Only for days on which the partner has something to leave.
    """
    state = "complete"
    for incident in incidents(settings):
        if (incident.partner, incident.business_date) == (partner, day):
            state = incident.meanwhile
    return state


def _read(line: str) -> Incident:
    facts = json.loads(line)
    for name in ("business_date", "mends_on"):
        facts[name] = date.fromisoformat(facts[name]) if facts[name] else None
    return Incident(**facts)


def _path(settings: Settings) -> Path:
    return truth_folder(settings) / FAULTS
