"""What a withdrawal says: the line that the receiver accepted, under a case number of its own."""

from collections.abc import Sequence

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.settings import Settings
from etl.submission.archive import Member
from etl.submission.batch_file import read_batch
from etl.submission.outbox import sealed_batch
from etl.submission.reports import Report
from schemas.padis_profile import Subsystem
from schemas.refusal import Refusal
from schemas.registry import RECORD

LINES = pa.schema([(name, pa.string()) for name in ("record_id", "person_id", "district_code", "line")])


def lines_as_accepted(
    connection: Connection, settings: Settings, subsystem: Subsystem, reports: Sequence[Report]
) -> pa.Table:
    """Write withdrawals from the very bytes that were accepted: the person may be in no source any more.

    Returns:
        Lines as `lay_out` gives them.

    Raises:
        Refusal: a batch that was accepted does not open, or does not hold the record.
    """
    held = _places(connection, reports)
    batches = {row["batch_id"] for row in held.values()}
    opened = {batch_id: _open(connection, settings, batch_id) for batch_id in sorted(batches)}
    rows = [
        _line(subsystem, report, opened[row["batch_id"]].get(row["member_name"]), row["line_number"])
        for report in reports
        for row in (held[str(report.held_record_id)],)
    ]
    return pa.Table.from_pylist(rows, schema=LINES)


def _places(connection: Connection, reports: Sequence[Report]) -> dict[str, sa.RowMapping]:
    wanted = sa.literal([report.held_record_id for report in reports], sa.ARRAY(sa.Text))
    chosen = sa.select(
        RECORD.c.record_id, RECORD.c.batch_id, RECORD.c.member_name, RECORD.c.line_number
    ).where(RECORD.c.record_id == sa.any_(wanted))
    return {row["record_id"]: row for row in connection.execute(chosen).mappings()}


def _open(connection: Connection, settings: Settings, batch_id: str) -> dict[str, Member]:
    return {member.name: member for member in read_batch(settings, sealed_batch(connection, batch_id))}


def _line(subsystem: Subsystem, report: Report, member: Member | None, number: int) -> dict[str, str]:
    accepted = member.line(number) if member else None
    if accepted is None:
        raise Refusal(
            "accepted_line_missing",
            found=f"no line {number} where record {report.held_record_id} was sent",
            expected="the line that the receiver accepted",
            to_do="restore exchange.batch and exchange.record from the same backup",
        )
    values = accepted.split(",")
    values[subsystem.place_of("record_id")] = report.record_id
    return {
        "record_id": report.record_id,
        "person_id": report.person_id,
        "district_code": values[subsystem.place_of("hukou_division_code")][:6],
        "line": ",".join(values),
    }
