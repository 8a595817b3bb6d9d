"""What is kept of measurements between runs: var/bench/results.json, by size."""

import json
from pathlib import Path
from typing import Any

from tests.benchmark.results import profiles_upon


def keep_found(path: Path, found: dict[str, Any]) -> None:
    """Keep what was found beside other sizes; of the same commit, beside other steps of the same size.

    Profiles stay whatever the commit: each names its own.
    """
    kept = _read(path)
    before = kept.get(found["size"], {})
    if before.get("commit") == found["commit"]:
        found = {**before, **found, "steps": before.get("steps", {}) | found.get("steps", {})}
    elif "profile" in before:
        found = {**found, "profile": before["profile"]}
    _write(path, kept | {found["size"]: found})


def keep_profile(path: Path, size: str, persons: int, profile: dict[str, Any]) -> None:
    """Keep profiles of steps or nights beside what was measured of a size, if anything was."""
    kept = _read(path)
    before = kept.get(size, {"size": size, "persons": persons})
    _write(path, kept | {size: {**before, "profile": profiles_upon(before, {"profile": profile})}})


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _write(path: Path, kept: dict[str, Any]) -> None:
    path.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
