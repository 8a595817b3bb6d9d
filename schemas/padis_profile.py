"""Receiver profiles: what a file to PADIS looks like and how its receipts read, as data.

One file per receiver and period under `schemas/padis/`; `schemas.padis_profile_file` reads them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from string import Formatter
from typing import Protocol

from schemas.padis_file_form import FileForm
from schemas.padis_window import Window, next_opening

Forms = Mapping[str, tuple[str, ...]]

# What a column may show, and the forms in which it may be written.
FACT_FORMS: Forms = {
    "record_id": ("text",),
    "person_id": ("text",),
    "name": ("text",),
    "sex_code": ("code", "text"),
    "birth_date": ("date",),
    "id_type_code": ("code", "text"),
    "id_number": ("text",),
    "hukou_division_code": ("division",),
    "hukou_nature_code": ("code", "text"),
    "marital_status_code": ("code", "text"),
    "category_code": ("code",),
    "living_children_count": ("number",),
    "only_child_certificate_number": ("text",),
    "child_death_date": ("date",),
    "child_disability_level_code": ("code", "text"),
    "start_month": ("month",),
    "amount_fen": ("yuan",),
}
OUTCOMES = ("running", "passed", "failed")
# What a batch does with its records; and whether those that were refused may come again. A profile names
# those that its receiver takes; nothing else is reported to it.
ADD, CHANGE, WITHDRAW, RESUBMIT = "A", "B", "C", "R"
OPERATIONS = (ADD, CHANGE, WITHDRAW, RESUBMIT)
# Levels of answers, from the outermost in.
LEVELS = ("transfer", "file", "batch", "record")
# How the names of a file's parts are read back.
MEMBER_PARTS = {
    "table": "[A-Za-z0-9_]+",
    "division_code": "[0-9]{6}",
    "district_code": "(?P<district_code>[0-9]{6})",
}
# What is sent where a window ends without a record: nothing, or a batch that says so.
EMPTY = ("nothing", "batch")


@dataclass(frozen=True)
class Column:
    """One column of a member: its header, the fact it shows, and what a value must look like.

    `only_for` names the categories that carry the value; for others the column stays empty.
    """

    header: str
    fact: str
    form: str
    codes: Mapping[str, str] | None
    pattern: str | None
    only_for: tuple[str, ...]


@dataclass(frozen=True)
class Subsystem:
    """One kind of batch: its text table and its columns in order."""

    code: str
    description: str
    table: str
    columns: tuple[Column, ...]

    @property
    def header(self) -> str:
        """The second line of a member, exactly."""
        return ",".join(column.header for column in self.columns)

    def place_of(self, fact: str) -> int:
        """Tell in which column, from 0, a fact stands."""
        return [column.fact for column in self.columns].index(fact)

    def codes_of(self, fact: str) -> Mapping[str, str]:
        """Tell our codes of a fact with theirs; empty if the fact is not written as a code."""
        return self.columns[self.place_of(fact)].codes or {}


@dataclass(frozen=True)
class BatchState:
    """A state of a batch at the receiver; stages only rise, a failure or the last stage ends it."""

    code: str
    stage: int
    outcome: str
    meaning: str


@dataclass(frozen=True)
class ReceiptLayout:
    """How the receiver's answers read."""

    longest_bytes: int
    transfer_header: str
    file_header: str
    batch_header: str
    record_header: str
    file_states: Mapping[str, str]
    batch_states: Mapping[str, BatchState]
    record_states: Mapping[str, str]

    @property
    def last_stage(self) -> int:
        """The stage after which nothing follows."""
        return max(state.stage for state in self.batch_states.values())

    @property
    def import_stage(self) -> int:
        """The first stage with a verdict: the receiver has read the file by then."""
        return min(state.stage for state in self.batch_states.values() if state.outcome != "running")

    @property
    def final_states(self) -> frozenset[str]:
        """Codes after which the receiver says no more about a batch."""
        return frozenset(
            state.code
            for state in self.batch_states.values()
            if state.outcome == "failed" or state.stage == self.last_stage
        )


class Correspondent(Protocol):
    """Whom files are sent to and who answers: its name, folders, and how its receipts read."""

    @property
    def receiver(self) -> str:
        """Name it, as batches of the outbox do."""

    @property
    def inbox(self) -> str:
        """Tell the folder into which files are sent."""

    @property
    def receipts_folder(self) -> str:
        """Tell the folder in which it leaves receipts."""

    @property
    def receipts(self) -> ReceiptLayout:
        """Tell how its receipts read."""

    @property
    def valid_from(self) -> date:
        """Tell since when this is agreed."""

    def opens_after(self, instant: datetime) -> datetime | None:
        """Tell from when on files may be sent; the instant itself if they may now, None if never again."""


@dataclass(frozen=True)
class Profile:
    """Everything that is particular to one receiver during one period."""

    receiver: str
    description: str
    valid_from: date
    valid_to: date | None
    division_code: str
    inbox: str
    receipts_folder: str
    file: FileForm
    batch_id: str
    member_name: str
    case_number: str
    operations: Mapping[str, str]
    longest_value: int
    most_records: int
    most_bytes: int
    windows: tuple[Window, ...]
    empty: str
    replaced: Mapping[str, str]
    subsystems: Mapping[str, Subsystem]
    receipts: ReceiptLayout

    def opens_after(self, instant: datetime) -> datetime | None:
        """Tell from when on files may be sent; the instant itself if they may now, None if never again."""
        return next_opening(self.windows, instant)

    def window_ending_on(self, day: date) -> Window | None:
        """Give the window whose last day this is."""
        return next((window for window in self.windows if window.ends_on(day)), None)

    def name_batch(self, subsystem_code: str, period: str, operation_code: str, sequence: int) -> str:
        """Name the nth batch of a subsystem, period and operation."""
        return self.batch_id.format(
            subsystem_code=subsystem_code,
            division_code=self.division_code,
            period=period,
            operation_code=operation_code,
            sequence=sequence,
        )

    def name_member(self, subsystem: Subsystem, district_code: str) -> str:
        """Name the part of a file that holds a district (six digits)."""
        return self.member_name.format(
            table=subsystem.table, division_code=self.division_code, district_code=district_code
        )

    def district_of(self, member_name: str) -> str | None:
        """Tell which district (six digits) a part of a file holds; None if it is not named so."""
        pattern = "".join(
            re.escape(literal) + (MEMBER_PARTS[name] if name else "")
            for literal, name, _, _ in Formatter().parse(self.member_name)
        )
        found = re.fullmatch(pattern, member_name)
        return found["district_code"] if found else None

    def begin_case_number(self, subsystem_code: str, period: str) -> str:
        """Give what a case number begins with; ten hexadecimal digits follow."""
        return self.case_number.format(
            subsystem_code=subsystem_code, province_code=self.division_code[:2], period=period
        )
