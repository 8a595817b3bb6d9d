"""What the receiver's codes mean, who can put it right, and how: a catalogue per receiver and period."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from schemas.strict_yaml import check_keys, read_yaml, refuse_file

CAUSES = Path(__file__).resolve().parent / "padis" / "causes"
OWNERS = ("village", "town", "district", "city", "centre")


@dataclass(frozen=True)
class Cause:
    """Why the receiver refused, as a code; `owner` is the level that acts, or the information centre."""

    code: str
    cause: str
    owner: str
    fix: str


@lru_cache(maxsize=16)
def load_causes(path: Path) -> dict[str, Cause]:
    """Read one catalogue by code.

    Raises:
        Refusal: a key is missing, or an owner is unknown.
    """
    content = check_keys(path, "the catalogue", read_yaml(path), ("receiver", "valid_from", "causes"))
    causes = {}
    for code, entry in content["causes"].items():
        said = check_keys(path, f"code {code}", entry, ("cause", "owner", "fix"))
        if said["owner"] not in OWNERS:
            raise refuse_file(
                path, "cause_owner_unknown", f"owner of {code}", f"one of {', '.join(OWNERS)}", "correct it"
            )
        causes[str(code)] = Cause(str(code), said["cause"], said["owner"], said["fix"])
    return causes


def cause_on(receiver: str, code: str, day: date, folder: Path = CAUSES) -> Cause:
    """Tell what a code meant on a day; one that is not listed is to be asked about."""
    valid = [
        path
        for path in sorted(folder.glob("*.yaml"))
        if (content := read_yaml(path))["receiver"] == receiver and content["valid_from"] <= day
    ]
    newest = max(valid, key=lambda path: read_yaml(path)["valid_from"], default=None)
    known = load_causes(newest).get(code) if newest is not None else None
    return known or Cause(
        code,
        "目录中没有 · not in the catalogue",
        "centre",
        "向接收方询问并补入目录 · ask the receiver and add it to schemas/padis/causes",
    )
