"""Faults on demand: what shall go wrong at a partner's server, read anew each time it matters."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from connectors.settings import Settings
from sandbox.partners.keys import partner_root


@dataclass(frozen=True)
class Faults:
    """What a partner's server does wrong.

    `disk_full` refuses every write; `spoil` stores other bytes than were sent; `refuse_rename` says no
    without a reason; `cut` drops the connection before or after an upload gets its name.
    """

    disk_full: bool = False
    spoil: bool = False
    refuse_rename: bool = False
    cut: Literal["before_rename", "after_rename"] | None = None


def set_faults(settings: Settings, partner_name: str, faults: Faults) -> None:
    """Let these faults happen at the partner from now on; `Faults()` ends them."""
    path = partner_root(settings, partner_name) / "faults.json"
    part = path.with_suffix(".part")
    part.write_text(json.dumps(asdict(faults)), encoding="ascii")
    part.replace(path)


def read_faults(root: Path) -> Faults:
    """Read which faults shall happen; none without a file."""
    path = root / "faults.json"
    return Faults(**json.loads(path.read_text(encoding="ascii"))) if path.exists() else Faults()
