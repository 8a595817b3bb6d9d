"""The outbox: batches whose bytes were built once, sealed, and are only read again."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.crypto import seal, unseal
from connectors.exchange_crypto import sm3_digest
from connectors.lake import DatasetVersion
from connectors.registry_copy import copy_in
from connectors.settings import Settings
from etl.submission.agreed_keys import signature_of
from etl.submission.archive import Packed
from etl.submission.difference import DecisionRun, period_of
from etl.submission.reports import Report
from schemas.padis_file_form import SM3
from schemas.padis_profile import ADD, CHANGE, WITHDRAW, Profile
from schemas.refusal import Refusal
from schemas.registry import BATCH, DATASET_VERSION, RECORD

RECEIVER = "national"
WAITING = "10"
SENDER = "etl.submission.send"
HELD_BACK = "exchange.held_back"
OPERATION_NAMES = {ADD: "新增 · add", CHANGE: "变更 · change", WITHDRAW: "撤销 · withdraw"}


def put_batch(
    connection: Connection,
    settings: Settings,
    profile: Profile,
    run: DecisionRun,
    packed: Packed,
    business_date: date,
    reports: Iterable[Report] = (),
    operation_code: str = ADD,
) -> str:
    """Put a built batch and its records into the outbox under the next sequence; return its id.

    `reports` are what its records say, one for each place in the file. Where the profile wants a signature,
    it is made here, once.

    Raises:
        Refusal: it wants one, and there is no key that can sign.
    """
    period = period_of(business_date)
    sequence = next_sequence(connection, profile, run.programme_code, period, operation_code)
    batch_id = profile.name_batch(run.programme_code, period, operation_code, sequence)
    shared = {
        "receiver": profile.receiver,
        "subsystem_code": run.programme_code,
        "period": period,
        "operation_code": operation_code,
        "batch_id": batch_id,
    }
    connection.execute(
        sa.insert(BATCH),
        {
            **shared,
            "sequence": sequence,
            "business_date": business_date,
            "file_name": f"{batch_id}{profile.file.suffix}",
            "record_count": len(packed.places),
            **file_columns(settings, profile, batch_id, packed.content),
            "inputs": [str(run.decisions), *map(str, run.inputs.values())],
            "policy_version": run.policy_version,
            "state": "built",
        },
    )
    said = {report.record_id: vars(report) for report in reports}
    rows = (
        {**shared, **said[place.record_id], **vars(place), "receiver_state_code": WAITING}
        for place in packed.places
    )
    copy_in(connection, RECORD, ([row.get(column.name) for column in RECORD.columns] for row in rows))
    return batch_id


def file_columns(settings: Settings, profile: Profile, batch_id: str, content: bytes) -> dict[str, Any]:
    """Give the columns of a batch that its file fills: size, digests, signature and the sealed bytes.

    Raises:
        Refusal: the profile wants a signature, and there is no key that can sign.
    """
    form = profile.file
    return {
        "byte_count": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "sm3": sm3_digest(content) if SM3 in form.digests else None,
        "signature": signature_of(settings, profile.receiver, content) if form.is_signed else None,
        "content": seal(settings, content, batch_id.encode("ascii")),
    }


def next_batch_id(
    connection: Connection, profile: Profile, subsystem_code: str, period: str, operation_code: str = ADD
) -> str:
    """Tell the name that the next batch will have; the caller holds the outbox's lock."""
    sequence = next_sequence(connection, profile, subsystem_code, period, operation_code)
    return profile.name_batch(subsystem_code, period, operation_code, sequence)


def next_sequence(
    connection: Connection, profile: Profile, subsystem_code: str, period: str, operation_code: str = ADD
) -> int:
    """Tell the next number of a subsystem's batches of a period; the caller holds the outbox's lock."""
    last = connection.scalar(
        sa.select(sa.func.max(BATCH.c.sequence)).where(
            BATCH.c.receiver == profile.receiver,
            BATCH.c.subsystem_code == subsystem_code,
            BATCH.c.period == period,
            BATCH.c.operation_code == operation_code,
        )
    )
    return (last or 0) + 1


def open_batch(settings: Settings, batch: sa.RowMapping) -> bytes:
    """Unseal the bytes of a batch and hold them against its digest.

    Raises:
        Refusal: they do not open, or are not what was built.
    """
    content = unseal(settings, batch["content"], batch["batch_id"].encode("ascii"))
    if hashlib.sha256(content).hexdigest() == batch["sha256"]:
        return content
    raise Refusal(
        "batch_changed",
        found=f"the bytes of {batch['batch_id']} differ from their digest",
        expected=f"SHA-256 {batch['sha256']}",
        to_do="restore exchange.batch from backup; nothing was sent",
    )


def batches_where(
    connection: Connection, *conditions: sa.ColumnElement[bool], receiver: str | None = RECEIVER
) -> Sequence[sa.RowMapping]:
    """Read batches of a receiver without their bytes, by batch id; of all receivers if None."""
    columns = [column for column in BATCH.columns if column.name != "content"]
    is_theirs = sa.true() if receiver is None else BATCH.c.receiver == receiver
    chosen = sa.select(*columns).where(is_theirs, *conditions)
    return connection.execute(chosen.order_by(BATCH.c.batch_id)).mappings().all()


def held_back_on(connection: Connection, business_date: date) -> DatasetVersion | None:
    """Find the version that holds the records a date held back; None if the date built nothing yet."""
    version = connection.scalar(
        sa.select(DATASET_VERSION.c.version).where(
            DATASET_VERSION.c.dataset_name == HELD_BACK,
            DATASET_VERSION.c.business_date == business_date,
            DATASET_VERSION.c.is_current,
        )
    )
    return None if version is None else DatasetVersion(HELD_BACK, version)


def sender_lock(receiver: str) -> str:
    """Name the lock that whoever sends to a receiver holds, by the day."""
    return SENDER if receiver == RECEIVER else f"{SENDER}.{receiver}"


def sealed_batch(connection: Connection, batch_id: str) -> sa.RowMapping:
    """Read one batch with its sealed bytes.

    Raises:
        Refusal: there is no such batch.
    """
    batch = connection.execute(sa.select(BATCH).where(BATCH.c.batch_id == batch_id)).mappings().first()
    if batch is None:
        raise Refusal(
            "batch_unknown",
            found="no such batch in the outbox",
            expected="a batch id such as J_110000_2026_A_0001",
            to_do="list the batches with `padis status`",
        )
    return batch


def brief(batch: sa.RowMapping) -> dict[str, Any]:
    """Tell of a batch what a step may report."""
    return {
        "batch_id": batch["batch_id"],
        "subsystem": batch["subsystem_code"],
        "records": batch["record_count"],
        "sha256": batch["sha256"],
        "state": batch["state"],
        "receiver_state": batch["receiver_state_code"],
    }
