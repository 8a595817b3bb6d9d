"""Import the cases that were in payment before us, and what PADIS has accepted of them.

The baseline comes once. Without it the first difference would report every beneficiary again.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.divisions import all_retired_divisions, divisions_on, tree_version
from connectors.engine import run_sql
from connectors.lake import DatasetVersion, Reconciled, publish_dataset, read_dataset, version_on
from connectors.registry import hold_lock, record_state, registry_session
from connectors.settings import Settings
from etl.subsidy.case_standing import cases_without, follow_life, standing_on
from schemas.refusal import Refusal
from schemas.registry import ACCEPTED, CASE, DATASET_VERSION, DROP

STAGING, QUARANTINE, IMPORT = "staging.beneficiary_case", "quarantine.beneficiary_case", "subsidy.case_import"
SOURCE, PARTNER, RECEIVER = "baseline", "cases", "national"
# Submitted and not turned down: PADIS has these, so reporting them again would double them. What was never
# submitted (10), failed its review (21) or went wrong (61) is for the difference to report.
HELD_STATES = ("11", "20", "30", "40", "50", "60")
OUTCOMES = ("imported", "questioned", "refused")
OUTCOME = pa.schema(
    [
        ("case_number", pa.string()),
        ("outcome_code", pa.string()),
        ("reason_codes", pa.list_(pa.string())),
        ("landing_id", pa.string()),
        ("landing_row", pa.int64()),
    ]
)
Row = Mapping[str, Any]


def import_cases(settings: Settings, business_date: date) -> dict[str, Any]:
    """Import the baseline as it is known on a business date; running twice changes nothing.

    Every received row has one outcome, in `subsidy.case_import` of the lake: imported, questioned
    (imported, and somebody has to look: its reasons are on the case) or refused (its row is in
    quarantine, with the rules it broke). A case is looked at anew on every date, since an unknown
    person may be known later. What people did to a case since it was taken over stands.

    Returns:
        `received` = `imported` + `questioned` + `refused`, their `reasons` {code: rows}, `accepted` cases
        that the receiver has already, cases `applied` for that the baseline does not have, `version`; or
        `state` waiting while the baseline is awaited.

    Raises:
        Refusal: persons are not published, or a later date is already on record.
    """
    with hold_lock(settings, "etl.subsidy.cases", business_date), registry_session(settings) as connection:
        lives = standing_on(settings, business_date)
        # A case is a row of the baseline or of its life: while one is written, the other leaves it free.
        _record_lives(connection, [], business_date)
        try:
            baseline = version_on(connection, STAGING, business_date)
        except Refusal:
            applied = _record_lives(connection, cases_without(lives, ()), business_date)
            return _without_baseline(connection, business_date) | {"applied": applied}
        persons = version_on(connection, "staging.population_person", business_date)
        refused = _refused(connection, settings, baseline, business_date)
        examined = _examined(settings, baseline, persons, business_date)
        cases = [follow_life(row, lives.get(row["case_number"])) for row in examined]
        outcomes = [*_outcomes(cases), *refused]
        counts = _count(outcomes)
        record_state(
            connection, CASE, [_case(row) for row in cases], business_date, where={"source_code": SOURCE}
        )
        of_baseline = {row["case_number"] for row in cases}
        applied = _record_lives(connection, cases_without(lives, of_baseline), business_date)
        accepted = [_accepted(row) for row in cases if row["padis_state_code"] in HELD_STATES]
        record_state(connection, ACCEPTED, accepted, business_date, where={"source_code": SOURCE})
        version = publish_dataset(
            connection,
            settings,
            IMPORT,
            pa.Table.from_pylist(outcomes, schema=OUTCOME),
            business_date,
            counts=Reconciled(len(outcomes), len(outcomes) - counts["refused"], counts["refused"]),
            inputs=[str(baseline), str(persons), tree_version(settings, business_date)],
        )
    return {**counts, "applied": applied, "accepted": len(accepted), "version": str(version)}


def _record_lives(connection: Connection, rows: Sequence[Row], business_date: date) -> int:
    record_state(connection, CASE, rows, business_date, where={"source_code": "life"})
    return len(rows)


def _without_baseline(connection: Connection, business_date: date) -> dict[str, Any]:
    """Tell whether a baseline is awaited: its drop was asked for, and nothing was published yet."""
    asked = sa.select(sa.func.count()).where(
        DROP.c.source_name == PARTNER, DROP.c.business_date <= business_date
    )
    counts = {"received": 0, **dict.fromkeys(OUTCOMES, 0), "accepted": 0}
    return {**counts, "state": "waiting"} if connection.scalar(asked) else counts


def _examined(
    settings: Settings, baseline: DatasetVersion, persons: DatasetVersion, business_date: date
) -> list[Row]:
    relations = {
        "beneficiary_case": baseline,
        "population_person": persons,
        "division": divisions_on(settings, business_date),
        "retired_division": all_retired_divisions(settings, business_date),
    }
    rows: list[Row] = run_sql(settings, "subsidy/case_import", relations).to_pylist()
    return rows


def _refused(
    connection: Connection, settings: Settings, baseline: DatasetVersion, business_date: date
) -> list[Row]:
    """List what the drops so far left in quarantine, unless a later drop put the case right."""
    versions = connection.scalars(
        sa.select(DATASET_VERSION.c.version)
        .distinct()
        .where(
            DATASET_VERSION.c.dataset_name == QUARANTINE,
            DATASET_VERSION.c.business_date <= business_date,
            DATASET_VERSION.c.is_current,
        )
        .order_by(DATASET_VERSION.c.version)
    ).all()
    tables = [read_dataset(settings, DatasetVersion(QUARANTINE, version)) for version in versions]
    if not tables:
        return []
    relations = {"quarantined": pa.concat_tables(tables), "beneficiary_case": baseline}
    rows = run_sql(settings, "subsidy/case_refused", relations).to_pylist()
    return [{**row, "outcome_code": "refused"} for row in rows]


def _entry(row: Row) -> str:
    return "questioned" if row["reason_codes"] else "imported"


def _outcomes(cases: Iterable[Row]) -> list[Row]:
    told = ("case_number", "reason_codes", "landing_id", "landing_row")
    return [{**{name: row[name] for name in told}, "outcome_code": _entry(row)} for row in cases]


def _case(row: Row) -> Row:
    made = {"source_code": SOURCE, "entry_code": _entry(row)}
    names = {column.name for column in CASE.columns} - {"recorded_from", "recorded_to", *made}
    return {**{name: row[name] for name in names}, **made}


def _accepted(row: Row) -> Row:
    return {
        "receiver": RECEIVER,
        "subsystem_code": row["programme_code"],
        "case_number": row["case_number"],
        "person_id": row["person_id"],
        "period": row["padis_period"],
        "receiver_state_code": row["padis_state_code"],
        "receiver_batch_id": row["padis_batch_id"],
        "source_code": SOURCE,
        "landing_id": row["landing_id"],
        "landing_row": row["landing_row"],
    }


def _count(outcomes: list[Row]) -> dict[str, Any]:
    counted = Counter(row["outcome_code"] for row in outcomes)
    reasons = Counter(code for row in outcomes for code in row["reason_codes"])
    return {
        "received": len(outcomes),
        **{outcome: counted[outcome] for outcome in OUTCOMES},
        "reasons": dict(sorted(reasons.items())),
    }
