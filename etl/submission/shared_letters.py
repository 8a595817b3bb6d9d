"""Letters through the sharing platform: proposed corrections and handed to-dos of one business date.

They are batches of the outbox with bytes that are built once, sent as the others are. Never is anything
written into another system: its keeper checks what is proposed, and answers (国发〔2016〕51号).
"""

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from connectors.crypto import seal
from connectors.engine import run_sql
from connectors.lake import DatasetVersion, version_on
from connectors.registry import hold_lock, lock_key, registry_session, state_on
from connectors.settings import Settings
from etl.submission.archive import digest_of_line
from etl.submission.outbox import batches_where, brief
from etl.submission.shared_answers import BIRTHS
from schemas.policy import load_parameter
from schemas.registry import BATCH, SHARED_ANSWER, SHARED_ITEM, TASK
from schemas.sharing import ADDRESSEES, COLUMNS, FINAL, LAYOUT_VERSION, OPEN, PLATFORM, name_letter

INPUTS = ("core.birth_field", "core.birth_match", "staging.mch_birth")
# The first line of a letter names its columns.
FIRST_LINE = 2
# Who released a letter that no person has to look at.
BY_POLICY = "policy/sharing/letter_most_items"
TASKS = pa.schema(
    [
        ("task_id", pa.string()),
        ("kind_code", pa.string()),
        ("subject_id", pa.string()),
        ("division_code", pa.string()),
        ("due_date", pa.date32()),
        ("detail_codes", pa.string()),
    ]
)
LAST_ITEMS = pa.schema(
    [
        ("subject_id", pa.string()),
        ("item_id", pa.string()),
        ("round", pa.int64()),
        ("operation_code", pa.string()),
        ("kind_code", pa.string()),
        ("addressee_code", pa.string()),
        ("match_id", pa.string()),
        ("field_name", pa.string()),
        ("evidence_sha256", pa.string()),
        ("state_code", pa.string()),
        ("answered_on", pa.date32()),
    ]
)
Row = Mapping[str, Any]


def write_letters(settings: Settings, business_date: date) -> dict[str, Any]:
    """Write to each addressee what is due on a business date; running again adds nothing.

    A letter of more items than `policy/sharing/letter_most_items` waits for a person's approval; a smaller
    one is released by that policy. Once a later date has written, a date writes nothing more.

    Returns:
        `letters` of this date [{batch_id, subsystem, records, sha256, state, receiver_state}], `items` in
        them and `withdrawn` of these, and `is_superseded` if a later date has written.

    Raises:
        Refusal: births of the date were not reconciled, or another run writes.
    """
    with (
        hold_lock(settings, "etl.submission.letters", business_date),
        registry_session(settings) as connection,
    ):
        # Another date's run must not give the same subject the same round.
        connection.execute(
            sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_key("etl.submission", "letters")}
        )
        superseded = bool(batches_where(connection, BATCH.c.business_date > business_date, receiver=PLATFORM))
        if not superseded:
            versions = {name: version_on(connection, name, business_date) for name in INPUTS}
            for code, items in groupby(
                _items_due(settings, connection, versions, business_date),
                key=lambda row: row["addressee_code"],
            ):
                _put_letter(connection, settings, code, list(items), versions, business_date)
        of_date = sa.select(SHARED_ITEM.c.operation_code).where(SHARED_ITEM.c.business_date == business_date)
        operations = list(connection.scalars(of_date))
        letters = batches_where(connection, BATCH.c.business_date == business_date, receiver=PLATFORM)
    return {
        "letters": [brief(letter) for letter in letters],
        "items": len(operations),
        "withdrawn": len(operations) - operations.count(OPEN),
        "is_superseded": superseded,
    }


def last_items(connection: Connection) -> pa.Table:
    """Read of every subject the newest item and the last word about it."""
    answer = (
        sa.select(SHARED_ANSWER)
        .ext(postgresql.distinct_on(SHARED_ANSWER.c.item_id))
        # 20 being looked into comes before what ends it.
        .order_by(SHARED_ANSWER.c.item_id, SHARED_ANSWER.c.state_code.in_(FINAL).desc())
        .subquery()
    )
    chosen = (
        sa.select(SHARED_ITEM, answer.c.state_code, answer.c.business_date.label("answered_on"))
        .ext(postgresql.distinct_on(SHARED_ITEM.c.subject_id))
        .join(answer, answer.c.item_id == SHARED_ITEM.c.item_id, isouter=True)
        .order_by(SHARED_ITEM.c.subject_id, SHARED_ITEM.c.round.desc())
    )
    rows = [dict(row) for row in connection.execute(chosen).mappings()]
    return pa.Table.from_pylist([{name: row[name] for name in LAST_ITEMS.names} for row in rows], LAST_ITEMS)


def _items_due(
    settings: Settings, connection: Connection, versions: Mapping[str, DatasetVersion], business_date: date
) -> Sequence[Row]:
    handed = {kind: each.code for each in ADDRESSEES for kind in each.task_kinds}
    chosen = sa.select(TASK).where(
        TASK.c.process_name == BIRTHS, TASK.c.kind_code.in_(handed), state_on(TASK, business_date)
    )
    tasks = [
        {name: row[name] for name in TASKS.names} | {"detail_codes": " ".join(row["detail_codes"])}
        for row in connection.execute(chosen.order_by(TASK.c.task_id)).mappings()
    ]
    relations = {
        **{name.partition(".")[2]: version for name, version in versions.items()},
        "task": pa.Table.from_pylist(tasks, TASKS),
        "addressee": pa.table(
            {"task_kind_code": list(handed), "addressee_code": list(handed.values())},
        ),
        "last_item": last_items(connection),
    }
    applied_days = load_parameter("sharing/correction_applied_days").on(business_date)
    bound = {"business_date": business_date, "applied_days": applied_days}
    due: list[Row] = run_sql(settings, "submission/shared_item", relations, bound).to_pylist()
    return due


def _put_letter(
    connection: Connection,
    settings: Settings,
    addressee_code: str,
    items: Sequence[Row],
    versions: Mapping[str, DatasetVersion],
    business_date: date,
) -> None:
    header, lines = _lay_out(items)
    content = "".join(f"{line}\n" for line in (header, *lines)).encode("utf-8")
    period = f"{business_date:%Y}"
    sequence = _next_sequence(connection, addressee_code, period)
    batch_id = name_letter(addressee_code, business_date, sequence)
    is_small = len(items) <= load_parameter("sharing/letter_most_items").on(business_date)
    connection.execute(
        sa.insert(BATCH),
        {
            "batch_id": batch_id,
            "receiver": PLATFORM,
            "subsystem_code": addressee_code,
            "period": period,
            "operation_code": OPEN,
            "sequence": sequence,
            "business_date": business_date,
            "file_name": f"{batch_id}.csv",
            "record_count": len(items),
            "byte_count": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "content": seal(settings, content, batch_id.encode("ascii")),
            "inputs": [str(version) for version in versions.values()],
            "policy_version": f"schemas/sharing {LAYOUT_VERSION}",
            "state": "approved" if is_small else "built",
            "approved_by": BY_POLICY if is_small else None,
        },
    )
    names = [column.name for column in SHARED_ITEM.columns]
    rows = [
        {
            **{name: item[name] for name in names if name in item},
            "batch_id": batch_id,
            "business_date": business_date,
            "line_number": number,
            "content_sha256": digest_of_line(line),
        }
        for number, (item, line) in enumerate(zip(items, lines, strict=True), start=FIRST_LINE)
    ]
    connection.execute(sa.insert(SHARED_ITEM), rows)


def _lay_out(items: Sequence[Row]) -> tuple[str, list[str]]:
    columns = COLUMNS[items[0]["kind_code"]]
    return _line(columns), [
        _line(["" if item[name] is None else item[name] for name in columns]) for item in items
    ]


def _line(values: Sequence[str]) -> str:
    """Write one line of CSV; a line break in a value would end it, so that it becomes a space."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow([" ".join(value.split("\n")) for value in values])
    return text.getvalue()


def _next_sequence(connection: Connection, addressee_code: str, period: str) -> int:
    last = connection.scalar(
        sa.select(sa.func.max(BATCH.c.sequence)).where(
            BATCH.c.receiver == PLATFORM,
            BATCH.c.subsystem_code == addressee_code,
            BATCH.c.period == period,
        )
    )
    return (last or 0) + 1
