"""The life of a case kept on paper: slow, obvious, and written apart from the rules of the registry."""

import hashlib
from dataclasses import dataclass, field
from datetime import date, timedelta

# Where a case may go, and whose step it is: 1 city, 2 district, 3 town, 4 village.
WAYS = {
    "applied": {"assess": ("assessed", "4"), "refuse": ("refused", "4"), "withdraw": ("withdrawn", "4"),
                "move": ("applied", "2")},
    "assessed": {"publicise": ("publicised", "4"), "refuse": ("refused", "4"),
                 "withdraw": ("withdrawn", "4")},
    "publicised": {"pass": ("town_passed", "3"), "return": ("applied", "3"), "refuse": ("refused", "3"),
                   "withdraw": ("withdrawn", "4")},
    "town_passed": {"approve": ("approved", "2"), "return": ("applied", "2"), "refuse": ("refused", "2"),
                    "withdraw": ("withdrawn", "4")},
    "approved": {"file": ("in_payment", "1"), "return": ("applied", "1"), "withdraw": ("withdrawn", "4")},
    "in_payment": {"suspend": ("suspended", "2"), "propose_exit": ("exit_proposed", "4"),
                   "change_category": ("in_payment", "2"), "move": ("in_payment", "2")},
    "suspended": {"resume": ("in_payment", "2"), "propose_exit": ("exit_proposed", "4"),
                  "change_category": ("suspended", "2"), "move": ("suspended", "2")},
    "exit_proposed": {"pass_exit": ("exit_passed", "3"), "drop_exit": ("suspended", "3")},
    "exit_passed": {"confirm_exit": ("exited", "2"), "drop_exit": ("suspended", "2")},
    "exited": {}, "refused": {}, "withdrawn": {},
}  # fmt: skip
STEPS = sorted({step for ways in WAYS.values() for step in ways})
WITHOUT_OBJECTION = ("pass", "approve", "file")
EXITING = ("exit_proposed", "exit_passed", "exited")
REASONS_OF_T = ("1", "2", "4", "5", "6", "7", "8", "9", "10")
PUBLIC_DAYS = timedelta(days=10)


@dataclass
class PaperList:
    """A list of approved cases: which step approved each, and what was found of those checked."""

    name: str
    approved: dict[str, int]
    percent: int
    found: dict[str, bool] = field(default_factory=dict)

    def sample(self) -> list[str]:
        """Whoever comes first by digest, at least the percentage of the list."""
        ranked = sorted(
            self.approved, key=lambda case: hashlib.sha256(f"{self.name}/{case}".encode()).hexdigest()
        )
        return [case for place, case in enumerate(ranked) if place * 100 < self.percent * len(ranked)]

    def is_in_order(self) -> bool:
        """Tell whether all of the sample were checked and nothing was found amiss."""
        return all(self.found.values()) and all(case in self.found for case in self.sample())


@dataclass
class PaperCase:
    """One case of T as a clerk would know it."""

    number: str
    state: str
    category: str
    village: str
    day: date
    step: int = 1
    reason: str | None = None
    meeting: tuple[date, bool] | None = None
    public_on: date | None = None
    public_step: int = 0
    # Of each objection: at which step it was raised, and what became of it.
    objections: list[tuple[int, str]] = field(default_factory=list)
    acted: dict[str, set[str]] = field(default_factory=dict)

    def may_act(self, person: str, level: str) -> bool:
        """Tell whether a person did not act for another level."""
        return self.acted.get(person, set()) <= {level}

    def allows(self, row: dict[str, object], lists: dict[str, PaperList]) -> bool:
        """Tell whether a step may go on record as it is written."""
        step, level, day, person = (
            row[name] for name in ("step_code", "level_code", "happened_on", "recorded_by")
        )
        way = WAYS[self.state].get(str(step))
        if way is None or way != (row["to_state_code"], level):
            return False
        begins = (row["from_state_code"], row["from_category_code"], row["from_division_code"])
        if begins != (self.state, self.category, self.village) or row["programme_code"] != "T":
            return False
        if (row["previous_number"], row["step_number"]) != (self.step, self.step + 1):
            return False
        if (
            not isinstance(day, date)
            or day < self.day
            or not str(person).strip()
            or not str(row["reason"]).strip()
        ):
            return False
        if not self.may_act(str(person), str(level)):
            return False
        return (
            self._keeps_its_place(row)
            and self._has_its_reason(row)
            and self._has_what_it_needs(row, day)
            and self._is_listed(row, lists)
        )

    def _keeps_its_place(self, row: dict[str, object]) -> bool:
        moved = row["division_code"] != self.village
        if row["step_code"] == "change_category":
            becomes_death = (self.category, row["category_code"]) == ("disability", "death")
            return becomes_death and not moved
        return row["category_code"] == self.category and moved == (row["step_code"] == "move")

    def _has_its_reason(self, row: dict[str, object]) -> bool:
        given = row["exit_reason_code"]
        if row["to_state_code"] not in EXITING:
            return given is None
        return given in REASONS_OF_T and (self.state not in EXITING or given == self.reason)

    def _has_what_it_needs(self, row: dict[str, object], day: date) -> bool:
        if row["step_code"] == "assess":
            return self.meeting is not None and self.meeting[1] and self.meeting[0] <= day
        if row["step_code"] in WITHOUT_OBJECTION:
            fates = [fate for step, fate in self.objections if fate == "open" or step >= self.public_step]
            is_over = self.public_on is not None and day >= self.public_on + PUBLIC_DAYS
            return is_over and all(fate == "dismissed" for fate in fates)
        return True

    def _is_listed(self, row: dict[str, object], lists: dict[str, PaperList]) -> bool:
        if row["step_code"] != "file":
            return row["filing_id"] is None
        listed = lists.get(str(row["filing_id"]))
        return listed is not None and listed.approved.get(self.number) == self.step and listed.is_in_order()

    def take(self, row: dict[str, object]) -> None:
        """Note a step that went on record."""
        self.state, self.category, self.village = (
            str(row[name]) for name in ("to_state_code", "category_code", "division_code")
        )
        self.step += 1
        day = row["happened_on"]
        assert isinstance(day, date)
        self.day = day
        self.reason = str(row["exit_reason_code"]) if row["exit_reason_code"] else None
        # What was said at a meeting was about the step before this one.
        self.meeting = None
        self.acted.setdefault(str(row["recorded_by"]), set()).add(str(row["level_code"]))
        if row["step_code"] == "publicise":
            self.public_on, self.public_step = day, self.step
