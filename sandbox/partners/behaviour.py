"""How the receiver behaves: what share of good records it refuses or never answers."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from connectors.settings import Settings
from sandbox.partners.keys import partner_root
from sandbox.partners.layout import REVIEW_FAULTS
from schemas.refusal import Refusal

Verdict = Literal["accepted", "rejected", "silent"]


@dataclass(frozen=True)
class Behaviour:
    """Shares between 0 and 1; with the same seed a case number always meets the same answer."""

    seed: int = 20260601
    reject_rate: float = 0.02
    silent_rate: float = 0.01

    def verdict_on(self, case_number: str) -> tuple[Verdict, str | None]:
        """Tell the answer to a record without fault, and the code if it is refused."""
        digest = hashlib.sha256(f"{self.seed}|{case_number}".encode()).digest()
        share = int.from_bytes(digest[:8], "big") / 2**64
        if share < self.reject_rate:
            return "rejected", REVIEW_FAULTS[digest[8] % len(REVIEW_FAULTS)]
        return ("silent" if share < self.reject_rate + self.silent_rate else "accepted"), None


def behaviour_path(settings: Settings) -> Path:
    """Tell the file that configures the gateway; it is read anew for each batch."""
    return partner_root(settings, "padis") / "behaviour.json"


def set_behaviour(settings: Settings, behaviour: Behaviour) -> None:
    """Write how the gateway shall behave from now on."""
    path = behaviour_path(settings)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(asdict(behaviour), indent=1) + "\n", encoding="ascii")
    part.replace(path)


def read_behaviour(path: Path) -> Behaviour:
    """Read how the gateway shall behave; without a file, as usual.

    Raises:
        Refusal: the file has other names or values than `Behaviour`.
    """
    if not path.exists():
        return Behaviour()
    try:
        behaviour = Behaviour(**json.loads(path.read_text(encoding="utf-8")))
        shares = (behaviour.reject_rate, behaviour.silent_rate, behaviour.reject_rate + behaviour.silent_rate)
        if not all(0 <= share <= 1 for share in shares):
            raise ValueError
    except (ValueError, TypeError) as error:
        raise Refusal(
            "behaviour_unreadable",
            found=f"padis/behaviour.json cannot be used ({type(error).__name__})",
            expected="seed, reject_rate and silent_rate with shares between 0 and 1",
            to_do="correct the file or delete it",
        ) from None
    return behaviour
