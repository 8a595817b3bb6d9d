"""How receivers behave: what share of good records, or items of letters, they refuse or never answer."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from connectors.settings import Settings
from sandbox.partners.keys import partner_root
from sandbox.partners.layout import REVIEW_FAULTS
from schemas.refusal import Refusal

Verdict = Literal["accepted", "rejected", "silent"]
# The letter in a receipt's name tells its level.
LEVELS = {"T": "transfer", "F": "file", "S": "batch", "R": "record"}


@dataclass(frozen=True)
class Behaviour:
    """Shares between 0 and 1; with the same seed a case number always meets the same answer.

    `lost_rate` is the share of receipts that are made and never seen; `silent_levels` answer nothing at
    all; `failing_state` (21, 31 or 41) ends every batch there.
    """

    seed: int = 20260601
    reject_rate: float = 0.02
    silent_rate: float = 0.01
    lost_rate: float = 0.0
    silent_levels: Sequence[str] = ()
    failing_state: str | None = None

    def verdict_on(self, case_number: str) -> tuple[Verdict, str | None]:
        """Tell the answer to a record without fault, and the code if it is refused."""
        digest, share = self._chance(case_number)
        if share < self.reject_rate:
            return "rejected", REVIEW_FAULTS[digest[8] % len(REVIEW_FAULTS)]
        return ("silent" if share < self.reject_rate + self.silent_rate else "accepted"), None

    def withholds(self, receipt_name: str) -> bool:
        """Tell whether a receipt never appears."""
        level = LEVELS[receipt_name.split(".")[1][0]]
        return level in self.silent_levels or self._chance(receipt_name)[1] < self.lost_rate

    def _chance(self, name: str) -> tuple[bytes, float]:
        digest = hashlib.sha256(f"{self.seed}|{name}".encode()).digest()
        return digest, int.from_bytes(digest[:8], "big") / 2**64


def behaviour_path(settings: Settings, receiver: str = "padis") -> Path:
    """Tell the file that configures a receiver; it is read anew for each batch."""
    return partner_root(settings, receiver) / "behaviour.json"


def set_behaviour(settings: Settings, behaviour: Behaviour, receiver: str = "padis") -> None:
    """Write how a receiver shall behave from now on."""
    path = behaviour_path(settings, receiver)
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
        if not all(0 <= share <= 1 for share in (*shares, behaviour.lost_rate)):
            raise ValueError
        if not set(behaviour.silent_levels) <= set(LEVELS.values()):
            raise ValueError
        if behaviour.failing_state not in (None, "21", "31", "41"):
            raise ValueError
    except (ValueError, TypeError) as error:
        raise Refusal(
            "behaviour_unreadable",
            found=f"{path.parent.name}/behaviour.json cannot be used ({type(error).__name__})",
            expected="seed, reject_rate, silent_rate and lost_rate between 0 and 1, silent_levels of "
            "transfer, file, batch, record, and failing_state 21, 31, 41 or null",
            to_do="correct the file or delete it",
        ) from None
    return behaviour
