"""What is decided on a date and what is known of it: the one side of the difference to what was accepted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.engine import Relation, run_sql
from connectors.lake import DatasetVersion
from connectors.registry import newest_on_record, state_on
from connectors.registry_copy import copy_out
from connectors.settings import Settings
from etl.submission.case_stops import SUSPENDED, stops_on
from schemas.padis_profile import Profile
from schemas.refusal import Refusal
from schemas.registry import ACCEPTED, CASE, DECISION, DECISION_RUN, DROP

# The partner that drops the cases that are in payment already.
BASELINE = "cases"
SOURCES = ("population_person", "family_child")
CANDIDATE_COLUMNS: list[tuple[str, pa.DataType]] = [
    ("person_id", pa.string()),
    ("category_code", pa.string()),
    ("amount_fen", pa.int64()),
]
CANDIDATE = pa.schema(CANDIDATE_COLUMNS)
DECISIONS = pa.schema([*CANDIDATE_COLUMNS, ("decision_code", pa.string()), ("is_accepted", pa.bool_())])


@dataclass(frozen=True)
class DecisionRun:
    """The run of a programme that a submission rests on: what it read and what it wrote."""

    programme_code: str
    business_date: date
    inputs: Mapping[str, DatasetVersion]
    decisions: DatasetVersion
    policy_version: str


def latest_run(connection: Connection, programme_code: str, business_date: date) -> DecisionRun:
    """Find the newest run of a programme up to a date.

    Raises:
        Refusal: the programme has not been decided yet.
    """
    row = (
        connection.execute(
            sa.select(DECISION_RUN)
            .where(
                DECISION_RUN.c.programme_code == programme_code,
                DECISION_RUN.c.business_date <= business_date,
            )
            .order_by(DECISION_RUN.c.business_date.desc())
            .limit(1)
        )
        .mappings()
        .first()
    )
    if row is None:
        raise Refusal(
            "subsidies_not_decided",
            found=f"no decisions of programme {programme_code} up to {business_date}",
            expected="a run of decide_subsidies",
            to_do="run decide_subsidies for this business date first",
        )
    return DecisionRun(
        programme_code,
        row["business_date"],
        _by_dataset(row["inputs"]),
        DatasetVersion.parse(row["decisions"]),
        row["policy_version"],
    )


def run_of_batch(connection: Connection, batch: sa.RowMapping) -> DecisionRun:
    """Tell on which run a batch rests, as it was when the batch was built."""
    run = latest_run(connection, batch["subsystem_code"], batch["business_date"])
    decisions, *inputs = batch["inputs"]
    return replace(
        run,
        inputs=_by_dataset(inputs),
        decisions=DatasetVersion.parse(decisions),
        policy_version=batch["policy_version"],
    )


def _by_dataset(versions: Sequence[str]) -> Mapping[str, DatasetVersion]:
    parsed = [DatasetVersion.parse(text) for text in versions]
    return {version.name.removeprefix("staging."): version for version in parsed}


def find_decided(
    connection: Connection, profile: Profile, programme_code: str, business_date: date
) -> tuple[pa.Table, list[str]]:
    """Find what is decided on a date: the eligible persons to report, CANDIDATE, and who is kept as it is.

    Kept is who is undecided, who was accepted before our first submission, and whose case people have
    suspended: neither reported nor withdrawn. Whoever's case has ended is neither eligible nor kept, whatever
    is decided: not reported as new, and withdrawn where the receiver has it.
    """
    stops = _stops(connection, programme_code, business_date)
    decided = copy_out(connection, _decided(profile, programme_code, business_date), DECISIONS)
    is_accepted, person_id = decided["is_accepted"], decided["person_id"]
    is_stopped = pc.is_in(person_id, pa.array(list(stops), pa.string()))
    is_eligible = pc.equal(decided["decision_code"], "eligible")
    is_open = pc.invert(pc.or_(is_accepted, is_stopped))
    eligible = decided.filter(pc.and_(is_open, is_eligible)).select(CANDIDATE.names)
    is_kept = pc.or_(is_accepted, pc.and_(is_open, pc.invert(is_eligible)))
    suspended = {person for person, state in stops.items() if state == SUSPENDED}
    return eligible, sorted(suspended.union(person_id.filter(is_kept).to_pylist()))


def _stops(connection: Connection, programme_code: str, business_date: date) -> dict[str, str]:
    stops = stops_on(business_date).c
    of_programme = sa.select(stops.person_id, stops.state_code).where(stops.programme_code == programme_code)
    return {row.person_id: row.state_code for row in connection.execute(of_programme)}


def _decided(profile: Profile, programme_code: str, business_date: date) -> sa.Select[tuple[object, ...]]:
    is_accepted = sa.exists().where(
        ACCEPTED.c.receiver == profile.receiver,
        ACCEPTED.c.subsystem_code == DECISION.c.programme_code,
        ACCEPTED.c.person_id == DECISION.c.person_id,
        state_on(ACCEPTED, business_date),
    )
    decided = [DECISION.c[name] for name in DECISIONS.names if name in DECISION.c]
    return (
        sa.select(*decided, is_accepted.label("is_accepted"))
        .where(DECISION.c.programme_code == programme_code, state_on(DECISION, business_date))
        .order_by(DECISION.c.person_id)
    )


def period_of(business_date: date) -> str:
    """Tell the reporting year of a date."""
    return f"{business_date.year:04d}"


def is_baseline_awaited(connection: Connection, business_date: date) -> bool:
    """Tell whether cases in payment were asked for and are not imported: reporting would double them."""
    asked = sa.select(sa.func.count()).where(
        DROP.c.source_name == BASELINE, DROP.c.business_date <= business_date
    )
    is_imported = newest_on_record(connection, CASE, {"source_code": "baseline"}) is not None
    return bool(connection.scalar(asked)) and not is_imported


def is_superseded(connection: Connection, business_date: date) -> bool:
    """Tell whether a later date has been decided: then persons eligible on this date may no longer be."""
    newest = connection.scalar(sa.select(sa.func.max(DECISION_RUN.c.business_date)))
    return newest is not None and newest > business_date


def gather_records(settings: Settings, decided: Sequence[tuple[DecisionRun, pa.Table]]) -> list[pa.Table]:
    """Gather what is known about candidates in the versions on which they were decided, by person.

    `decided` are runs with their CANDIDATE rows; the tables come in the same order. What several runs rest
    on is read once.

    Raises:
        Refusal: a run cites no such version, or a staged column cannot be read as promised.
    """
    by_versions: dict[tuple[DatasetVersion, ...], list[pa.Table]] = {}
    for run, candidates in decided:
        programme = pa.repeat(run.programme_code, candidates.num_rows)
        named = candidates.append_column("programme_code", programme)
        by_versions.setdefault(_sources_of(run), []).append(named)
    gathered = {
        versions: _gather(settings, versions, pa.concat_tables(named))
        for versions, named in by_versions.items()
    }
    return [_of_programme(gathered[_sources_of(run)], run.programme_code) for run, _ in decided]


def _sources_of(run: DecisionRun) -> tuple[DatasetVersion, ...]:
    missing = [name for name in SOURCES if name not in run.inputs]
    if not missing:
        return tuple(run.inputs[name] for name in SOURCES)
    raise Refusal(
        "decision_inputs_missing",
        found=f"the run of {run.programme_code} on {run.business_date} cites no {', '.join(missing)}",
        expected=f"versions of {', '.join(SOURCES)}",
        to_do="run decide_subsidies again",
    )


def _gather(settings: Settings, versions: Sequence[DatasetVersion], candidates: pa.Table) -> pa.Table:
    relations: dict[str, Relation] = dict(zip(SOURCES, versions, strict=True))
    try:
        return run_sql(settings, "submission/record", {**relations, "candidate": candidates})
    except duckdb.Error as error:
        raise Refusal(
            "records_not_gathered",
            found=f"the engine stopped with {type(error).__name__}",
            expected=f"{', '.join(map(str, versions))} as their contracts promise",
            to_do="run the gate of these datasets again; report a defect if it holds",
        ) from None


def _of_programme(records: pa.Table, programme_code: str) -> pa.Table:
    is_its = pc.equal(records["programme_code"], programme_code)
    return records.filter(is_its).drop_columns(["programme_code"])
