"""Count what a suite finds in a version: of one that is changes upon another the changes alone.

What a whole version counted is on record. A changed one counts as much, less the rows that are gone, plus
those that have come. Rows that are gone kept every rule that rejects, or the whole version would not have
passed; rows that have come are judged like all rows, with what they ask of the others (docs/decisions/0027).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlglot import exp

from connectors.engine import Relation, run_sql
from connectors.lake import DatasetVersion, table_path
from connectors.lake_changes import staged_file
from connectors.lake_layer import Layer, held_by
from connectors.lake_room import digest_of
from connectors.registry import registry_session
from connectors.settings import Settings
from quality.batch import PLACES, Batch, come_batch, gone_batch
from quality.compiled.count import Counted, Tally, count_suite
from quality.compiled.plan import UNIQUE
from schemas.contract import Contract
from schemas.registry import EXPECTATION_COUNT

Tallies = Mapping[str, Tally]


def count_version(
    settings: Settings,
    contract: Contract,
    version: DatasetVersion,
    batch: Batch,
    business_date: date,
    suite: Mapping[str, Any],
) -> Counted:
    """Count what a suite finds in a version; its batch is as `quality.batch.candidate_batch` describes it."""
    held = held_by(table_path(settings, version.name), version.version)
    whole = DatasetVersion(version.name, held.whole)
    judged_by = _judged_by(batch, suite)
    if held.layer is not None:
        before = _on_record(settings, whole, judged_by)
        if before and _has_kept_all(before, batch, suite):
            come = come_batch(settings, contract, version, held.layer, business_date)
            gone = gone_batch(contract, held.layer)
            return _changed(settings, version, held.layer, before, gone, come, suite)
    counted = count_suite(settings, batch, suite)
    if held.layer is None and not counted.left:
        _record(settings, whole, judged_by, counted.tallies)
    return counted


def _judged_by(batch: Batch, suite: Mapping[str, Any]) -> str:
    """Tell one way of judging from another; business dates are alike: who is judged otherwise has changed."""
    places = (batch.relations[name] for name in PLACES)
    parts = [batch.query, json.dumps(suite, sort_keys=True), *(digest_of(table) for table in places)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _has_kept_all(before: Tallies, batch: Batch, suite: Mapping[str, Any]) -> bool:
    """Tell whether no row of a whole version broke a rule that rejects, so that none that is gone did."""
    rejecting = set(batch.flags) - set(batch.warnings)
    asked = [
        entry["id"]
        for entry in suite["expectations"]
        if entry["type"] == UNIQUE or entry["kwargs"].get("column") in rejecting
    ]
    return not any(before[name].unexpected for name in asked)


def _changed(
    settings: Settings,
    version: DatasetVersion,
    layer: Layer,
    before: Tallies,
    gone: Batch,
    come: Batch,
    suite: Mapping[str, Any],
) -> Counted:
    less, more = (count_suite(settings, batch, suite).tallies for batch in (gone, come))
    tallies = {name: _sum(tally, less[name], more[name]) for name, tally in before.items()}
    unique = [entry["id"] for entry in suite["expectations"] if entry["type"] == UNIQUE]
    repeated = _repeated_again(settings, version, layer) if unique else 0
    return Counted(tallies | {name: replace(tallies[name], unexpected=repeated) for name in unique}, {})


def _sum(before: Tally, less: Tally, more: Tally) -> Tally:
    return Tally(
        before.rows - less.rows + more.rows,
        before.missing - less.missing + more.missing,
        before.unexpected - less.unexpected + more.unexpected,
    )


def _repeated_again(settings: Settings, version: DatasetVersion, layer: Layer) -> int:
    """Count the rows of a version that share their key, among the keys of the rows that have come."""
    relations: Mapping[str, Relation] = {"version": version, "come": staged_file(layer.rows)}
    shared = (
        exp.select("COUNT(*) AS row_count")
        .from_("version")
        .join("come", using=[layer.key], join_type="semi")
        .group_by(layer.key)
        .having("COUNT(*) > 1")
    )
    total = exp.select("CAST(COALESCE(SUM(row_count), 0) AS BIGINT)").from_(shared.subquery("shared"))
    return int(run_sql(settings, total.sql("duckdb"), relations).column(0)[0].as_py())


def _on_record(settings: Settings, version: DatasetVersion, judged_by: str) -> dict[str, Tally]:
    table = EXPECTATION_COUNT.c
    chosen = sa.select(EXPECTATION_COUNT).where(
        table.dataset_name == version.name,
        table.version == version.version,
        table.judged_by == judged_by,
    )
    with registry_session(settings) as connection:
        return {
            row["expectation_id"]: Tally(row["row_count"], row["missing"], row["unexpected"])
            for row in connection.execute(chosen).mappings()
        }


def _record(settings: Settings, version: DatasetVersion, judged_by: str, tallies: Tallies) -> None:
    of_version = {"dataset_name": version.name, "version": version.version, "judged_by": judged_by}
    rows = [
        {
            **of_version,
            "expectation_id": name,
            "row_count": tally.rows,
            "missing": tally.missing,
            "unexpected": tally.unexpected,
        }
        for name, tally in tallies.items()
    ]
    with registry_session(settings) as connection:
        connection.execute(postgresql.insert(EXPECTATION_COUNT).on_conflict_do_nothing(), rows)
