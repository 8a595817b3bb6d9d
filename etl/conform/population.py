"""Conform the extracts of the population database: persons, children, marriages.

Tables of a whole city are never held: they are read, conformed and written part by part. Where the night
before was conformed from the same base by the same program, only what its extracts touch is conformed
(etl/conform/changes.py), which gives the same.
"""

import logging
from collections.abc import Mapping
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from connectors.lake_changes import NothingToBuildUpon
from connectors.lake_room import lake_room
from connectors.read_ahead import side_by_side
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.conform.changes import conform_changes
from etl.conform.context import find_missing_persons, find_shared_numbers, stage_person_ids
from etl.conform.known_table import DATASETS, KnownTable, known_table, record_table
from etl.conform.parts import join_parts
from etl.conform.returned import tell_returned, waiting_before
from etl.conform.stage import conform_rows, outcome_of

LOG = logging.getLogger(__name__)


def conform_population(settings: Settings, business_date: date, *, is_full: bool = False) -> dict[str, Any]:
    """Conform what was extracted for a business date into staging and quarantine.

    Versions are put on record but not pointed at; that is the gate's. With `is_full` everything is
    conformed, whatever the night before has. Returns per dataset the counts, the versions and how many rows
    broke each rule.

    Raises:
        Refusal: nothing was landed for the date, or an extract lacks a column of its contract.
    """
    with registry_session(settings) as connection:
        known = {name: known_table(connection, settings, name, business_date) for name in DATASETS}
    if not is_full:
        try:
            return {"datasets": conform_changes(settings, known, business_date)}
        except NothingToBuildUpon as reason:
            LOG.info("all of the population of %s is conformed: %s", business_date, reason)
    return {"datasets": _conform_all(settings, known, business_date)}


def _conform_all(
    settings: Settings, known: Mapping[str, KnownTable], business_date: date
) -> list[dict[str, Any]]:
    persons, children = known["population_person"], known["family_child"]
    with lake_room(settings) as room:
        where = (settings, room)
        shared = find_shared_numbers(*where, persons.contract, persons.read, business_date)
        ids = stage_person_ids(room, persons.contract, persons.read)
        missing = find_missing_persons(*where, children.contract, children.read, business_date, ids)
        context: dict[str, dict[str, pa.Table]] = {
            "population_person": {"shared_number": shared},
            "family_child": {"missing_person": missing},
            "marriage": {},
        }
        return [_stage(room, known, name, business_date, context[name]) for name in DATASETS]


def _stage(
    room: Path,
    known: Mapping[str, KnownTable],
    name: str,
    business_date: date,
    relations: Mapping[str, pa.Table],
) -> dict[str, Any]:
    table = known[name]
    settings, contract = table.settings, table.contract
    with registry_session(settings) as connection:
        before = waiting_before(connection, settings, contract, business_date)
    asked = set(before.column("row_key").to_pylist())

    conform = partial(
        conform_rows, settings, contract, business_date=business_date, relations=relations, asked=asked
    )
    conformed = join_parts(room, contract, side_by_side(conform, table.read()))
    # The source's table is read whole: what it has and is rejected waits, whatever came before.
    returned = tell_returned(
        settings, contract, before, conformed.rejected, conformed.answers, conformed.judged_by
    )
    outcome = outcome_of(settings, conformed, business_date)
    return record_table(settings, known, outcome, returned, business_date)
