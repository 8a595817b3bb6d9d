"""The two sides of a linkage: births as MCH knows them, folded, and children of the population database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from connectors.engine import Relation, run_sql
from connectors.settings import Settings
from schemas.policy import load_parameter

REPORT_LIMITS = {
    "on_time_hours": "births/report_on_time_hours",
    "late_days": "births/report_late_days",
    "very_late_days": "births/report_very_late_days",
}


@dataclass(frozen=True)
class FoldedBirths:
    """Births, one row each (sql/births/folded_birth.sql), and how many valid records they fold."""

    births: pa.Table
    chained_records: int


def folded_births(settings: Settings, staging: Mapping[str, Relation], business_date: date) -> FoldedBirths:
    """Fold the records of one birth into one row, reissued and twice-reported ones among them."""
    limits = {name: load_parameter(path).on(business_date) for name, path in REPORT_LIMITS.items()}
    chained = run_sql(settings, "births/chained_record", {"mch_birth": staging["mch_birth"]})
    return FoldedBirths(
        run_sql(settings, "births/folded_birth", {"chained_record": chained}, limits), chained.num_rows
    )


def population_children(settings: Settings, staging: Mapping[str, Relation]) -> pa.Table:
    """List the children born to families of the population database (sql/births/population_child.sql)."""
    given = {name: staging[name] for name in ("family_child", "population_person")}
    return run_sql(settings, "births/population_child", given)
