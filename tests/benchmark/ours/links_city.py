"""Our linkage of births of a city: exact passes, then the model in force; automatic links alone count."""

from datetime import date
from typing import Any

import pyarrow as pa

from etl.births.fold import folded_births, population_children
from etl.births.linkage import link_births
from etl.births.model import model_on
from tests.benchmark.linkage import links_told
from tests.benchmark.ours.relations import rows_of, settings_of


def run(inputs: dict[str, Any]) -> pa.Table:
    """Fold, link and choose one to one."""
    day, settings = date.fromisoformat(inputs["day"]), settings_of(inputs)
    staging = {name: rows_of(inputs, name) for name in ("mch_birth", "family_child", "population_person")}
    births = folded_births(settings, staging, day).births
    children = population_children(settings, staging)
    return link_births(settings, staging, births, children, model_on(day), day)


def answer(links: pa.Table, inputs: dict[str, Any]) -> dict[str, Any]:
    """Tell how good the automatic links are, and how many pairs people look at."""
    rows = links.to_pylist()
    automatic = [
        (row["mch_record_id"], str(row["relation_id"])) for row in rows if row["band_code"] == "automatic"
    ]
    return {**links_told(automatic, inputs), "review": sum(row["band_code"] == "review" for row in rows)}
