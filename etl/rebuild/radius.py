"""The blast radius of a rebuild: what would differ from what is on record for its date, in counts only."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.lake import DatasetVersion, read_dataset, version_on
from connectors.lake_room import digest_of
from connectors.registry import registry_session, state_on
from connectors.settings import Settings
from etl.rebuild.difference import (
    DIFFERING_KEY,
    NO_ROWS,
    Sides,
    count_decisions,
    count_persons,
    count_rows,
    differing_decisions,
    differing_rows,
)
from schemas.contract import load_contract
from schemas.refusal import Refusal
from schemas.registry import BATCH, CASE_REVIEW, DATASET_VERSION, DECISION, RECORD, TASK

PERSONS = "staging.population_person"
# Decisions are counted by programme; their clauses are not.
NOT_BY_ROW = ("decision.",)
KEYS = {
    "core.birth_match": ("match_id",),
    "core.birth_field": ("match_id", "field_name"),
    "subsidy.case_import": ("case_number",),
}
# Tasks about answers of a receiver come by its clock; a rebuild asks no receiver.
BY_THE_RECEIVERS_CLOCK = "submission"
CUBES = ("cube", "months")
TEXT, TEXTS, NUMBER = pa.string(), pa.list_(pa.string()), pa.int64()
DECISIONS = pa.schema(
    [
        *((name, TEXT) for name in ("programme_code", "person_id", "decision_code", "category_code")),
        ("amount_fen", NUMBER),
        ("amount_unit", TEXT),
        ("division_code", TEXT),
        ("missing_document_codes", TEXTS),
    ]
)
TASKS = pa.schema(
    [
        *((name, TEXT) for name in ("process_name", "task_id", "kind_code", "subject_id", "division_code")),
        ("due_date", pa.date32()),
        ("detail_codes", TEXTS),
    ]
)
CASES = pa.schema(
    [
        *((name, TEXT) for name in ("case_number", "finding_code", "decision_code", "division_code")),
        ("reason_codes", TEXTS),
    ]
)
RECORDS = pa.schema(
    [(name, TEXT) for name in ("subsystem_code", "person_id", "period", "operation_code", "content_sha256")]
)


def measure_radius(branch: Settings, business_date: date) -> dict[str, Any]:
    """Count what the branch has otherwise than the trunk, as of a business date.

    Returns:
        `datasets` {name: rows added, removed, changed}, only those that differ; `persons`; `decisions`
        {programme: gained, lost, changed, undecided, gained_fen, lost_fen, unit}; `tasks` {process: added,
        removed, changed}; `cases`; `records` {subsystem: …} that would be submitted; `statistics`
        {cube: cells added, removed}, where the date has figures; `late`: landed contents that the date was
        made without; `outcome`: a digest of what was rebuilt.
    """
    trunk = replace(branch, shadow=None)
    with registry_session(trunk) as of_trunk, registry_session(branch) as of_branch:
        sides = of_trunk, of_branch
        datasets, persons = _datasets(branch, sides, business_date)
        tables = {
            name: _sides(sides, _chosen(name, business_date), schema)
            for name, schema in (
                ("decision", DECISIONS),
                ("task", TASKS),
                ("case", CASES),
                ("record", RECORDS),
            )
        }
        late = len(_landings(of_branch, business_date) - _landings(of_trunk, business_date))
        lake = _digests(of_branch, business_date)
    decisions = differing_decisions(branch, tables["decision"])
    cubes = {kind: _cubes(trunk, branch, kind, business_date) for kind in CUBES}
    return {
        "datasets": datasets,
        "persons": count_persons(branch, persons, decisions),
        "decisions": count_decisions(branch, decisions),
        "tasks": _by_part(branch, tables["task"], "process_name", ("task_id",)),
        "cases": count_rows(branch, differing_rows(branch, tables["case"], ("case_number",))),
        "records": _by_part(
            branch, tables["record"], "subsystem_code", ("person_id", "period", "operation_code")
        ),
        "statistics": {
            kind: _without_changed(count_rows(branch, differing_rows(branch, pair)))
            for kind, pair in cubes.items()
            if pair is not None
        },
        "late": late,
        "outcome": _outcome(lake, [rebuilt for _, rebuilt in tables.values()]),
    }


def _datasets(
    branch: Settings, sides: tuple[Connection, Connection], business_date: date
) -> tuple[dict[str, Any], pa.Table]:
    """Count the rows that differ by dataset, and list the persons whose rows do."""
    counts: dict[str, Any] = {}
    persons = DIFFERING_KEY.empty_table()
    for name in sorted(set().union(*(_dataset_names(side, business_date) for side in sides))):
        known, rebuilt = (_version(side, name, business_date) for side in sides)
        if name.startswith(NOT_BY_ROW) or known == rebuilt:
            continue
        tables = [read_dataset(branch, version) if version else None for version in (known, rebuilt)]
        filled = [table for table in tables if table is not None]
        before, after = (filled[0].slice(0, 0) if table is None else table for table in tables)
        differing = differing_rows(branch, (before, after), _keys(name))
        if differing.num_rows:
            counts[name] = count_rows(branch, differing)
        if name == PERSONS:
            persons = differing.select(DIFFERING_KEY.names)
    return counts, persons


def _dataset_names(connection: Connection, business_date: date) -> set[str]:
    of_date = DATASET_VERSION.c.business_date == business_date
    return set(connection.scalars(sa.select(DATASET_VERSION.c.dataset_name).where(of_date).distinct()))


def _version(connection: Connection, name: str, business_date: date) -> DatasetVersion | None:
    try:
        return version_on(connection, name, business_date)
    except Refusal:
        return None


def _keys(dataset_name: str) -> tuple[str, ...]:
    zone, _, dataset = dataset_name.partition(".")
    return (load_contract(dataset).key,) if zone == "staging" else KEYS.get(dataset_name, ())


def _chosen(name: str, business_date: date) -> sa.Select[Any]:
    built_today = sa.select(BATCH.c.batch_id).where(BATCH.c.business_date == business_date)
    chosen: Mapping[str, sa.Select[Any]] = {
        "decision": sa.select(DECISION).where(state_on(DECISION, business_date)),
        "task": sa.select(TASK).where(
            state_on(TASK, business_date), TASK.c.process_name != BY_THE_RECEIVERS_CLOCK
        ),
        "case": sa.select(CASE_REVIEW).where(state_on(CASE_REVIEW, business_date)),
        "record": sa.select(RECORD).where(RECORD.c.batch_id.in_(built_today)),
    }
    return chosen[name]


def _sides(connections: tuple[Connection, Connection], chosen: sa.Select[Any], schema: pa.Schema) -> Sides:
    known, rebuilt = (_rows(connection, chosen, schema) for connection in connections)
    return known, rebuilt


def _rows(connection: Connection, chosen: sa.Select[Any], schema: pa.Schema) -> pa.Table:
    rows = connection.execute(chosen).mappings()
    return pa.Table.from_pylist([{name: row[name] for name in schema.names} for row in rows], schema=schema)


def _by_part(settings: Settings, sides: Sides, part: str, keys: tuple[str, ...]) -> dict[str, dict[str, int]]:
    """Count by part of a table; parts without a difference are left out."""
    known, rebuilt = sides
    parts = sorted({*known.column(part).to_pylist(), *rebuilt.column(part).to_pylist()})
    counts = {}
    for name in parts:
        pair = _part(known, part, name), _part(rebuilt, part, name)
        counts[name] = count_rows(settings, differing_rows(settings, pair, keys))
    return {name: count for name, count in counts.items() if count != NO_ROWS}


def _part(rows: pa.Table, part: str, name: str) -> pa.Table:
    return rows.filter(pc.equal(rows.column(part), name))


def _landings(connection: Connection, business_date: date) -> set[str]:
    """List the landed contents that the date's staging was made from, those folded in before it included."""
    inputs = connection.scalars(
        sa.select(DATASET_VERSION.c.inputs).where(
            DATASET_VERSION.c.business_date == business_date,
            DATASET_VERSION.c.dataset_name.startswith("staging.", autoescape=True),
            DATASET_VERSION.c.is_current,
        )
    )
    return {name for names in inputs for name in names if "@" not in name}


def _cubes(
    trunk: Settings, branch: Settings, kind: str, business_date: date
) -> tuple[pa.Table, pa.Table] | None:
    known, rebuilt = (_cube(settings.mart, kind, business_date) for settings in (trunk, branch))
    return None if known is None or rebuilt is None else (known, rebuilt)


def _cube(mart: Path, kind: str, business_date: date) -> pa.Table | None:
    path = mart / business_date.isoformat() / f"{kind}_{business_date}.parquet"
    return pq.read_table(path) if path.exists() else None


def _without_changed(counts: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if name != "changed"}


def _digests(connection: Connection, business_date: date) -> list[str]:
    of_date = sa.and_(DATASET_VERSION.c.business_date == business_date, DATASET_VERSION.c.is_current)
    rows = connection.execute(sa.select(DATASET_VERSION).where(of_date)).mappings()
    return sorted(f"{row['dataset_name']} {row['digest']}" for row in rows)


def _outcome(lake: list[str], tables: list[pa.Table]) -> str:
    digests = [*lake, *(digest_of(_in_order(table)) for table in tables)]
    return digest_of(pa.table({"digest": pa.array(digests, TEXT)}))[:16]


def _in_order(table: pa.Table) -> pa.Table:
    flat = [name for name in table.schema.names if not pa.types.is_list(table.schema.field(name).type)]
    return table.sort_by([(name, "ascending") for name in flat])


def is_empty(radius: Mapping[str, Any]) -> bool:
    """Tell whether nothing at all would differ."""
    counted = {name: value for name, value in radius.items() if name not in {"outcome", "late"}}
    return not any(_numbers(counted))


def _numbers(value: object) -> list[object]:
    if isinstance(value, Mapping):
        return [number for part in value.values() for number in _numbers(part)]
    return [value]
