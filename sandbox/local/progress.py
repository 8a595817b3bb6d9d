"""How far the bring-up is: written by the supervisor, read by whoever waits for it."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

from connectors.settings import Settings
from schemas.refusal import Refusal


def progress_path(settings: Settings) -> Path:
    """Tell the file: one JSON object a line."""
    return settings.run / "local.progress"


class Progress:
    """Writes what was reached."""

    def __init__(self, settings: Settings) -> None:
        self._path = progress_path(settings)
        self._begun = time.monotonic()
        self._path.write_text("", encoding="utf-8")

    def reached(self, what: str) -> None:
        """Note that something was reached."""
        self._write({"reached": what, "seconds": round(time.monotonic() - self._begun, 1)})

    def refused(self, refusal: Refusal) -> None:
        """Note why it cannot go on."""
        parts = (refusal.code, refusal.found, refusal.expected, refusal.to_do)
        self._write({"refusal": parts})

    def _write(self, line: dict[str, object]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


@dataclass(frozen=True)
class Reached:
    """Something that the bring-up reached, and after how many seconds."""

    what: str
    seconds: float


def read_progress(settings: Settings) -> list[Reached]:
    """Read what was reached so far.

    Raises:
        Refusal: the one that stopped the bring-up.
    """
    try:
        lines = progress_path(settings).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    found = [json.loads(line) for line in lines]
    for line in found:
        if "refusal" in line:
            code, saw, expected, to_do = line["refusal"]
            raise Refusal(code, found=saw, expected=expected, to_do=to_do)
    return [Reached(line["reached"], line["seconds"]) for line in found]
