"""Gather what clauses may ask about every person, in one pass over the accepted rows."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from connectors.engine import Relation, run_sql, stage_sql
from connectors.lake_room import StagedRows
from connectors.settings import Settings
from schemas.programme import Facts

SOURCES = ("population_person", "family_child", "marriage")


def gather_facts(settings: Settings, sources: Mapping[str, Relation], facts: Facts, day: date) -> pa.Table:
    """Compute the declared facts: one row per person of `population_person`, in no promised order.

    `sources` maps each of SOURCES to its accepted rows; ages and marriages are those of `day`.
    """
    return run_sql(settings, "subsidy/facts", sources, fact_parameters(facts, day))


def stage_facts(
    settings: Settings, room: Path, sources: Mapping[str, Relation], facts: Facts, day: date
) -> StagedRows:
    """Compute the same of a whole city, into a file of a room."""
    return stage_sql(settings, room, "facts", "subsidy/facts", sources, fact_parameters(facts, day))


def fact_parameters(facts: Facts, day: date) -> dict[str, Any]:
    """Give the values that the facts rest on as of a day, and the day."""
    return {**{name: parameter.on(day) for name, parameter in facts.parameters.items()}, "business_date": day}
