"""Build the batches of one business date into the outbox: once, with bytes that are kept."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.lake import Reconciled, publish_dataset, read_dataset
from connectors.registry import hold_lock, lock_key, registry_session
from connectors.settings import Settings
from etl.submission.archive import Packed
from etl.submission.batch_file import pack_lines, pack_nothing, pack_within_limits
from etl.submission.difference import (
    DecisionRun,
    find_decided,
    gather_records,
    is_baseline_awaited,
    is_superseded,
    latest_run,
    period_of,
)
from etl.submission.filing import closed_subsystems
from etl.submission.layout import HELD, LaidOut, as_reported, count_reasons, fact_digests, lay_out
from etl.submission.outbox import (
    HELD_BACK,
    RECEIVER,
    batches_where,
    brief,
    held_back_on,
    next_batch_id,
    put_batch,
)
from etl.submission.preview import preview_batches
from etl.submission.reports import DECIDED, OPERATIONS, Report, find_difference, is_understood, reports_of
from etl.submission.withdrawal import lines_as_accepted
from schemas.padis_profile import WITHDRAW, Profile, Subsystem
from schemas.padis_profile_file import profile_on
from schemas.registry import BATCH, RECORD

__all__ = ["build_batches", "preview_batches"]


def build_batches(settings: Settings, business_date: date) -> dict[str, Any]:
    """Report what differs from what the receiver accepted, in batches per subsystem and operation.

    Compared is what is decided with the accepted records of the period: additions, and changes, withdrawals
    and what was refused, where the receiver takes them. Who waits for an answer is not reported. What
    passes the receiver's limits makes several batches; a window that ends without a batch has one that
    says so, where the receiver wants that.

    Bytes are built once, sealed into `exchange.batch` and never built again, so running twice adds
    nothing. A record that breaks the receiver's layout is not sent: it goes to `exchange.held_back`
    in the lake with the rules it broke, and is tried again on the next date. Once a later date has
    been decided a date builds nothing more, since its eligible persons may no longer be eligible;
    those who still are, are reported by the newest date. Nothing is built while the cases that were in
    payment before us are awaited, since the difference would report them again.

    Returns:
        `batches` of this date [{batch_id, subsystem, records, sha256, state, receiver_state}],
        `records` in them, `held_back` and their `reasons` {rule: records}, `version` of the held back,
        `is_superseded` if a later date has been decided, `closed` subsystems whose filing is frozen or
        signed, so that nothing was built, and `state` waiting while the baseline of cases is awaited.

    Raises:
        Refusal: nothing was decided yet, another run builds this date, or a key is missing that was agreed
            with the receiver.
    """
    profile = profile_on(RECEIVER, business_date)
    with hold_lock(settings, "etl.submission.build", business_date), registry_session(settings) as connection:
        # Another date's run must not take the same sequence or case number.
        connection.execute(
            sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_key("etl.submission", "outbox")}
        )
        superseded = is_superseded(connection, business_date)
        awaited = is_baseline_awaited(connection, business_date)
        closed = closed_subsystems(connection, list(profile.subsystems), period_of(business_date))
        if not (superseded or awaited):
            _build_all(connection, settings, profile, business_date, closed)
        batches = batches_where(connection, BATCH.c.business_date == business_date)
        version = held_back_on(connection, business_date)
    held = read_dataset(settings, version) if version else HELD.empty_table()
    return {
        "batches": [brief(batch) for batch in batches],
        "records": sum(batch["record_count"] for batch in batches),
        "held_back": held.num_rows,
        "reasons": count_reasons(held),
        "version": str(version) if version else None,
        "is_superseded": superseded,
        **({"closed": closed} if closed else {}),
        **({"state": "waiting"} if awaited else {}),
    }


def _build_all(
    connection: Connection, settings: Settings, profile: Profile, business_date: date, closed: Sequence[str]
) -> None:
    subsystems = [s for s in profile.subsystems.values() if s.code not in closed]
    runs = [latest_run(connection, subsystem.code, business_date) for subsystem in subsystems]
    decided = [find_decided(connection, profile, subsystem.code, business_date) for subsystem in subsystems]
    candidates = [eligible for eligible, _ in decided]
    gathered = gather_records(settings, list(zip(runs, candidates, strict=True)))
    held_back, inputs = [HELD.empty_table()], []
    for subsystem, run, (_, kept), facts in zip(subsystems, runs, decided, gathered, strict=True):
        held_back.append(_build(connection, settings, profile, subsystem, run, facts, kept, business_date))
        inputs += [str(run.decisions), *map(str, run.inputs.values())]
    _publish(connection, settings, pa.concat_tables(held_back), business_date, inputs)


def _build(
    connection: Connection,
    settings: Settings,
    profile: Profile,
    subsystem: Subsystem,
    run: DecisionRun,
    facts: pa.Table,
    kept: Sequence[str],
    business_date: date,
) -> pa.Table:
    """Build the batches of a subsystem; give what it holds back."""
    reports = _due_reports(connection, settings, profile, subsystem, facts, kept, business_date)
    if not reports:
        _report_nothing(connection, settings, profile, run, business_date)
        return HELD.empty_table()
    stated = [report for report in reports if report.operation_code != WITHDRAW]
    laid_out = _lay_out(connection, profile, subsystem, as_reported(facts, stated))
    withdrawn = [report for report in reports if report.operation_code == WITHDRAW]
    held_lines = lines_as_accepted(connection, settings, subsystem, withdrawn)
    lines = pa.concat_tables([laid_out.lines, held_lines])
    Reconciled(len(reports), lines.num_rows, laid_out.held_back.num_rows)
    period = period_of(business_date)
    for operation_code in OPERATIONS:
        of_it = [report for report in reports if report.operation_code == operation_code]

        def pack(part: pa.Table, operation_code: str = operation_code) -> Packed:
            batch_id = next_batch_id(connection, profile, subsystem.code, period, operation_code)
            return pack_lines(settings, profile, subsystem, batch_id, part)

        for packed in pack_within_limits(profile, _lines_of(lines, of_it), pack):
            put_batch(connection, settings, profile, run, packed, business_date, of_it, operation_code)
    return laid_out.held_back


def _due_reports(
    connection: Connection,
    settings: Settings,
    profile: Profile,
    subsystem: Subsystem,
    facts: pa.Table,
    kept: Sequence[str],
    business_date: date,
) -> list[Report]:
    """Tell what the receiver is to be told: the difference to what it accepted, as far as it takes that."""
    period = period_of(business_date)
    digests = fact_digests(profile, subsystem, facts)
    decided = pa.concat_tables([_as_decided("eligible", digests), _as_decided("kept", _unread(kept))])
    parameters = {
        "case_number_begins": profile.begin_case_number(subsystem.code, period),
        "programme_code": subsystem.code,
        "start_month": business_date.replace(day=1),
    }
    reports = reports_of(connection, profile, subsystem.code, period, business_date)
    found = find_difference(settings, reports, decided, parameters)
    return [report for report in found if is_understood(profile, report)]


def _unread(person_ids: Sequence[str]) -> pa.Table:
    return pa.table(
        {
            "person_id": pa.array(person_ids, pa.string()),
            "fact_sha256": pa.nulls(len(person_ids), pa.string()),
        }
    )


def _as_decided(decision_code: str, persons: pa.Table) -> pa.Table:
    codes = pa.repeat(decision_code, persons.num_rows)
    return persons.append_column("decision_code", codes).select(DECIDED.names).cast(DECIDED)


def _lines_of(lines: pa.Table, reports: Sequence[Report]) -> pa.Table:
    wanted = pa.array([report.record_id for report in reports], pa.string())
    chosen = lines.filter(pc.is_in(lines["record_id"], wanted))
    return chosen.sort_by([("district_code", "ascending"), ("record_id", "ascending")])


def _report_nothing(
    connection: Connection, settings: Settings, profile: Profile, run: DecisionRun, business_date: date
) -> None:
    """Build a batch without records where a window ends that had none, and the receiver wants one."""
    window = profile.window_ending_on(business_date)
    if window is None or profile.empty != "batch":
        return
    subsystem = profile.subsystems[run.programme_code]
    built = batches_where(
        connection,
        BATCH.c.subsystem_code == subsystem.code,
        sa.extract("year", BATCH.c.business_date) == business_date.year,
    )
    if not any(window.has_day(batch["business_date"]) for batch in built):
        batch_id = next_batch_id(connection, profile, subsystem.code, period_of(business_date))
        nothing = pack_nothing(settings, profile, subsystem, batch_id)
        put_batch(connection, settings, profile, run, nothing, business_date)


def _lay_out(connection: Connection, profile: Profile, subsystem: Subsystem, records: pa.Table) -> LaidOut:
    wanted = records["record_id"].to_pylist()
    taken = connection.scalars(
        sa.select(RECORD.c.record_id).where(
            RECORD.c.record_id == sa.any_(sa.literal(wanted, sa.ARRAY(sa.Text)))
        )
    )
    return lay_out(profile, subsystem, records, list(taken))


def _publish(
    connection: Connection, settings: Settings, held: pa.Table, business_date: date, inputs: list[str]
) -> None:
    """Put on record that every report that is due is in a batch now, or held back."""
    batches = batches_where(connection, BATCH.c.business_date == business_date)
    built = sum(batch["record_count"] for batch in batches)
    publish_dataset(
        connection,
        settings,
        HELD_BACK,
        held,
        business_date,
        counts=Reconciled(built + held.num_rows, built, held.num_rows),
        inputs=sorted(set(inputs)),
    )
