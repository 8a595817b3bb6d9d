"""What we reported of each person in a period, what the receiver accepted, and what is to be said now."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.engine import run_sql
from connectors.registry_copy import copy_out
from connectors.settings import Settings
from etl.submission.receipt_file import ACCEPTED, REJECTED
from schemas.padis_profile import ADD, CHANGE, RESUBMIT, WITHDRAW, Profile
from schemas.registry import ANSWER, BATCH, RECORD, RESUBMISSION

FIRST = 1
# In the order in which their batches are built.
OPERATIONS = (ADD, CHANGE, WITHDRAW)
REPORT = pa.schema(
    [
        ("person_id", pa.string()),
        ("ordinal", pa.int32()),
        ("operation_code", pa.string()),
        ("sequence", pa.int32()),
        ("record_id", pa.string()),
        ("fact_sha256", pa.string()),
        ("start_month", pa.date32()),
        ("outcome_code", pa.string()),
        ("is_asked_again", pa.bool_()),
    ]
)
# What is decided: `eligible` with the digest of its facts, or `kept`: neither reported nor withdrawn.
DECIDED = pa.schema(
    [("person_id", pa.string()), ("decision_code", pa.string()), ("fact_sha256", pa.string())]
)


@dataclass(frozen=True)
class Report:
    """One report about a person: the nth of the operation, and the ordinal among all of the period.

    `held_record_id` is what the receiver holds and this changes or withdraws, `first_record_id` the first
    try of which this is a resubmission. `fact_sha256` covers the line without case number and start month,
    which we give; it is NULL for reports of before it was kept.
    """

    record_id: str
    person_id: str
    operation_code: str
    sequence: int
    ordinal: int
    fact_sha256: str | None
    start_month: date
    held_record_id: str | None = None
    first_record_id: str | None = None


def reports_of(
    connection: Connection, profile: Profile, subsystem_code: str, period: str, business_date: date
) -> pa.Table:
    """Read the reports of a period with the receiver's answers, and who wants them again: REPORT.

    `outcome_code` is accepted, refused or open. A record without an answer of its own is refused with its
    file or batch; one that was accepted stays so, whatever becomes of the batch.
    """
    is_asked_again = sa.exists().where(
        RESUBMISSION.c.record_id == RECORD.c.record_id, RESUBMISSION.c.business_date <= business_date
    )
    chosen = (
        sa.select(
            *(RECORD.c[name] for name in REPORT.names if name in RECORD.c),
            outcome_of(profile).label("outcome_code"),
            is_asked_again.label("is_asked_again"),
        )
        .join_from(RECORD, BATCH)
        .where(
            RECORD.c.receiver == profile.receiver,
            RECORD.c.subsystem_code == subsystem_code,
            RECORD.c.period == period,
        )
        .order_by(RECORD.c.person_id, RECORD.c.ordinal)
    )
    return copy_out(connection, chosen, REPORT)


def outcome_of(profile: Profile) -> sa.ColumnElement[str]:
    """Select what became of a record: accepted, refused or open."""
    failing = [s.code for s in profile.receipts.batch_states.values() if s.outcome == "failed"]
    is_unread = sa.exists().where(ANSWER.c.batch_id == RECORD.c.batch_id, ANSWER.c.outcome_code == "failed")
    return sa.case(
        (RECORD.c.receiver_state_code == ACCEPTED, "accepted"),
        (RECORD.c.receiver_state_code == REJECTED, "refused"),
        (sa.or_(BATCH.c.receiver_state_code.in_(failing), is_unread), "refused"),
        else_="open",
    )


def find_difference(
    settings: Settings, reports: pa.Table, decided: pa.Table, parameters: Mapping[str, Any]
) -> list[Report]:
    """Compare what is decided now with what the receiver accepted: the reports to be made, by record_id.

    `parameters` are `case_number_begins`, `programme_code` and `start_month`, the month in which a case
    begins that is reported for the first time.
    """
    accepted = run_sql(settings, "submission/receiver_record", {"report": reports})
    relations = {"report": reports, "receiver_record": accepted, "decided": decided}
    rows = run_sql(settings, "submission/difference", relations, parameters).to_pylist()
    return [Report(**row) for row in rows]


def is_understood(profile: Profile, report: Report) -> bool:
    """Tell whether a receiver takes such a report: its operation, and resubmissions where it is one."""
    is_again = report.first_record_id is not None
    return report.operation_code in profile.operations and (not is_again or RESUBMIT in profile.operations)
