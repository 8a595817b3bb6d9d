"""The timetable of reporting: windows and due days, what waits for whom, and which records are at risk."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from connectors.deadline import OPEN, deadlines_where
from connectors.lake import DatasetVersion, read_dataset
from connectors.settings import Settings
from etl.submission.countersign import backfills_waiting
from etl.submission.difference import period_of
from etl.submission.division_batch import DIVISIONS
from etl.submission.filing import sign_off_state
from etl.submission.level import KIND, LEFT_US
from etl.submission.outbox import HELD_BACK, RECEIVER, batches_where
from etl.submission.reports import outcome_of
from schemas.business_date import business_date_of
from schemas.case_calendar import CALENDAR, due_on
from schemas.padis_profile import Profile
from schemas.padis_profile_file import profile_on
from schemas.padis_window import window_from
from schemas.registry import BATCH, DATASET_VERSION, DEADLINE, RECORD
from schemas.sharing import ADDRESSEES, PLATFORM

# Of the calendar, the step with which a year is reported.
REPORT = "report"
RECEIPTS = "receipts"


@dataclass(frozen=True)
class Filing:
    """What is filed with a receiver under one subsystem in a year, as of a day.

    `window` is from the first day, from the day on, on which the receiver takes files, to the last one in a
    row; None if it takes them at any time, or within a year never. `due` is the last day of the year to
    report; None where there is none. Batches wait `to_approve`, `to_countersign` and `to_send`. Persons by
    their newest report: `accepted`, or `unsent`, `unanswered` and `refused`; `held_back` is in no batch.
    `state` is open, frozen or signed, as it is now.
    """

    receiver: str
    subsystem_code: str
    is_always_open: bool
    window: tuple[date, date] | None
    due: date | None
    to_approve: int = 0
    to_countersign: int = 0
    to_send: int = 0
    accepted: int = 0
    unsent: int = 0
    unanswered: int = 0
    refused: int = 0
    held_back: int = 0
    state: str = "open"

    @property
    def not_accepted(self) -> int:
        """Persons who are to be reported and whom the receiver has not accepted."""
        return self.unsent + self.unanswered + self.refused + self.held_back

    def days_left(self, as_of: date) -> int | None:
        """Tell in how many days the next limit is: the due day, or the last day of an open window.

        Negative once the due day is over; None without a limit.
        """
        limits = [self.due] if self.due is not None else []
        if self.window is not None and self.window[0] <= as_of and not self.is_late(as_of):
            limits.append(self.window[1])
        return (min(limits) - as_of).days if limits else None

    def is_late(self, as_of: date) -> bool:
        """Tell whether the due day is over."""
        return self.due is not None and self.due < as_of

    def at_risk(self, as_of: date, within: int) -> int:
        """Count who is not accepted though the limit is over, or so many days away."""
        left = self.days_left(as_of)
        return self.not_accepted if left is not None and left <= within else 0


@dataclass(frozen=True)
class Occasion:
    """A day of the calendar: a window of a receiver opens or closes, a level is due, answers are due."""

    day: date
    kind_code: str
    subject: str
    count: int | None = None


def filings(settings: Settings, connection: Connection, as_of: date) -> list[Filing]:
    """Tell of every receiver and subsystem what is filed and what waits, from the batches up to a date."""
    profile = profile_on(RECEIVER, as_of)
    waiting = _waiting_batches(connection, as_of)
    held_back = _held_back(settings, connection, as_of)
    due = due_on(REPORT, as_of.year)
    window = window_from(profile.windows, as_of)
    rows = [
        Filing(
            RECEIVER,
            code,
            False,
            window,
            due,
            **waiting.get((RECEIVER, code), {}),
            **_persons(connection, profile, code, as_of),
            held_back=held_back[code],
            state=sign_off_state(connection, code, period_of(as_of)),
        )
        for code in profile.subsystems
    ]
    rows.append(Filing(RECEIVER, DIVISIONS, False, window, None, **waiting.get((RECEIVER, DIVISIONS), {})))
    rows += [
        Filing(PLATFORM, each.code, True, None, None, **waiting.get((PLATFORM, each.code), {}))
        for each in ADDRESSEES
    ]
    return rows


def _waiting_batches(connection: Connection, as_of: date) -> dict[tuple[str, str], dict[str, Any]]:
    is_waiting = sa.and_(BATCH.c.state.in_(("built", "approved")), BATCH.c.business_date <= as_of)
    unsigned = {batch["batch_id"] for batch in backfills_waiting(connection)}
    found: dict[tuple[str, str], Counter[str]] = {}
    for batch in batches_where(connection, is_waiting, receiver=None):
        waits = (
            "to_approve"
            if batch["state"] == "built"
            else "to_countersign"
            if batch["batch_id"] in unsigned
            else "to_send"
        )
        found.setdefault((batch["receiver"], batch["subsystem_code"]), Counter())[waits] += 1
    return {key: dict(counts) for key, counts in found.items()}


def _persons(connection: Connection, profile: Profile, subsystem_code: str, as_of: date) -> dict[str, Any]:
    """Count persons by what became of their newest report of the year."""
    outcome = sa.case(
        (outcome_of(profile) != "open", outcome_of(profile)),
        (BATCH.c.state.in_(LEFT_US), "unanswered"),
        else_="unsent",
    )
    newest = (
        sa.select(RECORD.c.person_id, outcome.label("outcome_code"))
        .join_from(RECORD, BATCH)
        .where(
            RECORD.c.receiver == profile.receiver,
            RECORD.c.subsystem_code == subsystem_code,
            RECORD.c.period == period_of(as_of),
            BATCH.c.business_date <= as_of,
        )
        .order_by(RECORD.c.person_id, RECORD.c.ordinal.desc())
        .ext(postgresql.distinct_on(RECORD.c.person_id))
        .subquery()
    )
    persons = sa.func.count().label("persons")
    counted = sa.select(newest.c.outcome_code, persons).group_by(newest.c.outcome_code)
    return {row.outcome_code: row.persons for row in connection.execute(counted)}


def _held_back(settings: Settings, connection: Connection, as_of: date) -> Counter[str]:
    """Count by subsystem whom the newest date held back, since the receiver's layout does not admit them."""
    newest = (
        sa.select(DATASET_VERSION.c.version)
        .where(
            DATASET_VERSION.c.dataset_name == HELD_BACK,
            DATASET_VERSION.c.business_date.between(as_of.replace(month=1, day=1), as_of),
            DATASET_VERSION.c.is_current,
        )
        .order_by(DATASET_VERSION.c.business_date.desc())
        .limit(1)
    )
    version = connection.scalar(newest)
    if version is None:
        return Counter()
    held = read_dataset(settings, DatasetVersion(HELD_BACK, version), columns=["programme_code"])
    return Counter(held["programme_code"].to_pylist())


def occasions(connection: Connection, as_of: date) -> list[Occasion]:
    """List the days to come, in their order: windows, the year's calendar, and answers that are awaited."""
    return sorted(
        [*_windows(profile_on(RECEIVER, as_of), as_of), *_calendar(as_of), *_answers(connection, as_of)],
        key=lambda each: (each.day, each.kind_code, each.subject),
    )


def _windows(profile: Profile, as_of: date) -> Iterator[Occasion]:
    window = window_from(profile.windows, as_of)
    if window is None:
        return
    if window[0] > as_of:
        yield Occasion(window[0], "opens", profile.receiver)
    yield Occasion(window[1], "closes", profile.receiver)


def _calendar(as_of: date) -> Iterator[Occasion]:
    for step in CALENDAR:
        due = due_on(step, as_of.year)
        yield Occasion(due if due >= as_of else due_on(step, as_of.year + 1), step, "J T")


def _answers(connection: Connection, as_of: date) -> Iterator[Occasion]:
    """Give the days on which answers are due; what is overdue stands on the day on which it was."""
    awaited: Sequence[sa.RowMapping] = deadlines_where(
        connection,
        DEADLINE.c.kind_code == KIND,
        DEADLINE.c.state.in_(OPEN),
        DEADLINE.c.business_date <= as_of,
    )
    for day, count in sorted(Counter(business_date_of(row["due_at"]) for row in awaited).items()):
        yield Occasion(day, RECEIPTS, "", count)


def within_days(occasion: Occasion, as_of: date, days: int) -> bool:
    """Tell whether an occasion is over or so many days away."""
    return occasion.day <= as_of + timedelta(days=days)
