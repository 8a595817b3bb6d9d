"""The four levels on which a receiver answers a batch: transfer, file, batch, record.

A level waits until it is answered; silence makes it overdue and nothing else. An answer of a higher
level answers those below it: who checked a record has taken the file.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.deadline import OPEN, Awaited, record_deadlines
from etl.submission.letter_levels import letter_levels
from etl.submission.level import KIND, LEFT_US, Level
from etl.submission.outbox import RECEIVER, batches_where
from etl.submission.receipt_file import ACCEPTED, REJECTED
from schemas.padis_profile import LEVELS, Profile
from schemas.padis_profile_file import profile_on
from schemas.policy import load_parameter
from schemas.registry import ANSWER, BATCH, DEADLINE, RECORD
from schemas.sharing import PLATFORM


def record_levels(connection: Connection, now: datetime) -> None:
    """Put on record what each level of each batch awaits or has got, as seen at an instant."""
    awaited = [
        Awaited(
            KIND,
            level.subject_id,
            level.business_date,
            level.state,
            patience=level.patience or _patience(level),
        )
        for level in levels_on_record(connection)
    ]
    record_deadlines(connection, awaited, now)


def levels_on_record(connection: Connection) -> list[Level]:
    """Tell the levels of every batch that may have left us, or is still on record as awaited."""
    batch_of_subject = sa.func.split_part(DEADLINE.c.subject_id, ":", 1)
    is_awaited = (
        sa.select(DEADLINE)
        .where(
            DEADLINE.c.kind_code == KIND,
            DEADLINE.c.state.in_(OPEN),
            batch_of_subject == BATCH.c.batch_id,
        )
        .exists()
    )
    is_known = sa.or_(BATCH.c.state.in_(LEFT_US), is_awaited)
    answers, records = _answers(connection), _records(connection)
    letters = batches_where(connection, is_known, receiver=PLATFORM)
    return [
        level
        for batch in batches_where(connection, is_known)
        for level in levels_of(
            profile_on(RECEIVER, batch["business_date"]),
            batch,
            answers.get(batch["batch_id"], {}),
            records.get(batch["batch_id"], {}),
        )
    ] + letter_levels(connection, letters, answers)


def levels_of(
    profile: Profile,
    batch: Mapping[str, Any] | sa.RowMapping,
    answers: Mapping[str, tuple[str, str | None]],
    records: Mapping[str, int],
) -> list[Level]:
    """Tell the levels of one batch.

    `answers` are outcome and cause by level (transfer, file); `records` are counts of its records by the
    receiver's state.
    """
    layout = profile.receipts
    if batch["state"] not in LEFT_US:
        return [Level(batch["batch_id"], batch["business_date"], level, "void") for level in LEVELS]
    code = batch["receiver_state_code"]
    reached = layout.batch_states[code] if code is not None else None
    answered = records.get(ACCEPTED, 0) + records.get(REJECTED, 0)
    transfer, _ = answers.get("transfer", (None, None))
    file, cause = answers.get("file", (None, None))
    is_read = (
        file is not None or answered > 0 or (reached is not None and reached.stage >= layout.import_stage)
    )
    is_taken = transfer is not None or is_read or reached is not None
    is_over = code in layout.final_states
    is_refused = reached is not None and reached.outcome == "failed"
    all_answered = answered >= batch["record_count"]
    # Divisions are answered as a whole.
    has_records = batch["subsystem_code"] in profile.subsystems
    expected = batch["record_count"] if has_records else 0
    is_void = is_refused or file == "failed" or not has_records
    records_state = "met" if all_answered else "void" if is_void else "waiting"
    level = partial(Level, batch["batch_id"], batch["business_date"])
    return [
        level("transfer", "met" if is_taken else "waiting", said=transfer),
        level(
            "file", "met" if is_read else "waiting", said=file, has_failed=file == "failed", cause_code=cause
        ),
        level("batch", "met" if is_over else "waiting", said=code, has_failed=is_refused),
        level("record", records_state, answered=answered, expected=expected),
    ]


def _patience(level: Level) -> timedelta:
    return timedelta(hours=load_parameter(f"deadlines/receipt_{level.level}_hours").on(level.business_date))


def _answers(connection: Connection) -> dict[str, dict[str, tuple[str, str | None]]]:
    found: dict[str, dict[str, tuple[str, str | None]]] = {}
    for row in connection.execute(sa.select(ANSWER)):
        found.setdefault(row.batch_id, {})[row.level_code] = (row.outcome_code, row.cause_code)
    return found


def _records(connection: Connection) -> dict[str, dict[str, int]]:
    counted = (
        sa.select(RECORD.c.batch_id, RECORD.c.receiver_state_code, sa.func.count().label("records"))
        .group_by(RECORD.c.batch_id, RECORD.c.receiver_state_code)
        .order_by(RECORD.c.batch_id)
    )
    found: dict[str, dict[str, int]] = {}
    for row in connection.execute(counted):
        found.setdefault(row.batch_id, {})[row.receiver_state_code] = row.records
    return found


def awaited_levels(
    connection: Connection, *, only_open: bool = True, receiver: str | None = None
) -> Sequence[sa.RowMapping]:
    """Read the deadlines of receipts by batch, and level from the outermost in; of one receiver if told."""
    conditions = [DEADLINE.c.kind_code == KIND]
    if only_open:
        conditions.append(DEADLINE.c.state.in_(OPEN))
    if receiver is not None:
        theirs = sa.select(BATCH.c.batch_id).where(BATCH.c.receiver == receiver)
        conditions.append(sa.func.split_part(DEADLINE.c.subject_id, ":", 1).in_(theirs))
    rows = connection.execute(sa.select(DEADLINE).where(*conditions)).mappings().all()
    return sorted(rows, key=lambda row: _in_order(row["subject_id"]))


def split_subject(subject_id: str) -> tuple[str, str]:
    """Tell batch and level of a deadline's subject."""
    batch_id, _, level = subject_id.partition(":")
    return batch_id, level


def _in_order(subject_id: str) -> tuple[str, int]:
    batch_id, level = split_subject(subject_id)
    return batch_id, LEVELS.index(level)
