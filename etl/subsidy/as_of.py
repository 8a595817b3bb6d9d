"""What later rows tell of an earlier day: who was born, married, dead or certified by then.

Kinds of hukou, where it lies, and whether a birth was lawful carry no date: they are taken as known last.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pyarrow as pa

from connectors.engine import Relation, run_sql, stage_sql
from connectors.settings import Settings
from etl.subsidy.facts import SOURCES


def sources_as_of(
    settings: Settings, room: Path, sources: Mapping[str, Relation], day: date
) -> dict[str, Relation]:
    """Take what facts ask of sources as it was on a day, from rows that may tell what came after it."""
    then = {
        name: stage_sql(settings, room, name, f"subsidy/as_of_{name}", {name: sources[name]}, {"as_of": day})
        for name in SOURCES
    }
    return {**sources, **then}


def family_as_of(settings: Settings, family: Mapping[str, pa.Table], day: date) -> dict[str, pa.Table]:
    """Take the rows of one family so."""
    return {
        name: run_sql(settings, f"subsidy/as_of_{name}", {name: family[name]}, {"as_of": day})
        for name in SOURCES
    }
