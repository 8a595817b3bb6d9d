"""The four-level cube: counts of persons, births, decisions and tasks by division."""

from collections.abc import Mapping
from datetime import date

import duckdb
import pyarrow as pa

from connectors.engine import Relation, run_sql
from connectors.settings import Settings
from schemas.refusal import Refusal

# Each file of cells with the relation it counts; those in DATED compare with the business date.
CELLS = {
    "statistics/persons": "population_person",
    "statistics/births": "birth_match",
    "statistics/decisions": "decision",
    "statistics/tasks": "task",
}
DATED = ("statistics/persons", "statistics/tasks")


def count_cube(
    settings: Settings, relations: Mapping[str, Relation], divisions: pa.Table, business_date: date
) -> pa.Table:
    """Count every measure in one pass over its relation and roll the cells up the four levels.

    Columns: `business_date`, `measure`, `level_code` (1 city … 4 village), `division_code`,
    `division_name`, `category`, `value`. Cells of zero have no row; every level of a measure has the
    same total.

    Args:
        settings: of this installation.
        relations: `population_person`, `birth_match`, `decision` and `task`.
        divisions: today's divisions, see `schemas.division`.
        business_date: ages and overdue tasks are those of its end.

    Raises:
        Refusal: a relation cannot be read as promised.
    """
    day = {"business_date": business_date}
    try:
        cells = pa.concat_tables(
            [
                run_sql(settings, sql, {name: relations[name]}, day if sql in DATED else None)
                for sql, name in CELLS.items()
            ],
            promote_options="permissive",
        )
        return run_sql(settings, "statistics/cube", {"cell": cells, "division": divisions}, day)
    except (duckdb.Error, pa.ArrowException) as error:
        raise Refusal(
            "statistics_not_counted",
            found=f"the engine stopped with {type(error).__name__}",
            expected="relations as their contracts promise",
            to_do="run the gate of staging.population_person again; report a defect if it holds",
        ) from None
