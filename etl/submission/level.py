"""One level on which a receiver answers a batch."""

from dataclasses import dataclass
from datetime import date, timedelta

KIND = "receipt"
LEFT_US = ("sending", "uncertain", "sent")


@dataclass(frozen=True)
class Level:
    """What is known of one level of a batch: waiting, met or void, and what was said."""

    batch_id: str
    business_date: date
    level: str
    state: str
    said: str | None = None
    has_failed: bool = False
    cause_code: str | None = None
    answered: int | None = None
    expected: int | None = None
    # How long it is waited for, where that is not by the policy of PADIS's levels.
    patience: timedelta | None = None

    @property
    def subject_id(self) -> str:
        """Its name among the deadlines."""
        return f"{self.batch_id}:{self.level}"
