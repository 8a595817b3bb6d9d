"""What a long run has found, kept in `docs/evidence/` with the commit it was found on."""

import json
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.settings import PROJECT

FOLDER = PROJECT / "docs" / "evidence"


def write_evidence(name: str, found: Mapping[str, Any]) -> None:
    """Write counts and verdicts, never a person's value, as `docs/evidence/<name>.json`."""
    asked = ["git", "rev-parse", "HEAD"]
    commit = subprocess.run(asked, cwd=PROJECT, capture_output=True, text=True, check=True).stdout.strip()
    told = {"commit": commit, "at": datetime.now(UTC).isoformat(timespec="seconds"), **found}
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.json").write_text(
        json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
