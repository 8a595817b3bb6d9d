"""Gather what clauses may ask about every person, in one pass over the accepted rows."""

from collections.abc import Mapping
from datetime import date

import pyarrow as pa

from connectors.engine import Relation, run_sql
from connectors.settings import Settings
from schemas.programme import Facts

SOURCES = ("population_person", "family_child", "marriage")


def gather_facts(settings: Settings, sources: Mapping[str, Relation], facts: Facts, day: date) -> pa.Table:
    """Compute the declared facts: one row per person of `population_person`, in no promised order.

    `sources` maps each of SOURCES to its accepted rows; ages and marriages are those of `day`.
    """
    values = {name: parameter.on(day) for name, parameter in facts.parameters.items()}
    return run_sql(settings, "subsidy/facts", sources, {**values, "business_date": day})
