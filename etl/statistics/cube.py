"""The four-level cubes: persons, births, decisions, cases, tasks and quality by division, and by month."""

from collections.abc import Mapping
from datetime import date

import duckdb
import pyarrow as pa

from connectors.divisions import all_retired_divisions
from connectors.engine import Relation, run_sql
from connectors.settings import Settings
from schemas.refusal import Refusal

# Each file of cells with the relations it counts; those in DATED compare with the business date.
CELLS = {
    "statistics/persons": ("population_person",),
    "statistics/births": ("birth_cell",),
    "statistics/decisions": ("decision",),
    "statistics/cases": ("case_known", "case_dated", "population_person"),
    "statistics/tasks": ("task",),
    "statistics/quality": ("quality",),
}
MONTH_CELLS = {
    "statistics/births_by_month": ("birth_cell", "month"),
    "statistics/decisions_by_month": ("decision", "month"),
    "statistics/cases_by_month": ("case_dated", "month"),
    "statistics/tasks_by_month": ("task", "month"),
    "statistics/quality": ("quality",),
}
DATED = ("statistics/persons", "statistics/births", "statistics/cases", "statistics/tasks")


def count_cube(
    settings: Settings, relations: Mapping[str, Relation], divisions: pa.Table, business_date: date
) -> pa.Table:
    """Count every measure in one pass over its relation and roll the cells up the four levels.

    Columns: `business_date`, `measure`, `level_code` (1 city … 4 village), `division_code`,
    `division_name`, `category`, `value`. Cells of zero have no row; every level of a measure has the
    same total.

    Args:
        settings: of this installation.
        relations: see `etl.statistics.relations.known_relations`.
        divisions: those of the business date, see `connectors.divisions`.
        business_date: ages and overdue tasks are those of its end.

    Raises:
        Refusal: a relation cannot be read as promised.
    """
    cube = _rolled_up(settings, CELLS, relations, divisions, business_date)
    return cube.drop_columns("month")


def count_months(
    settings: Settings, relations: Mapping[str, Relation], divisions: pa.Table, business_date: date
) -> pa.Table:
    """Count by month what a commission follows through the year; columns as in the cube, with `month`.

    `relations` are those of `etl.statistics.relations.month_relations`.

    Raises:
        Refusal: a relation cannot be read as promised.
    """
    return _rolled_up(settings, MONTH_CELLS, relations, divisions, business_date)


def _rolled_up(
    settings: Settings,
    cells: Mapping[str, tuple[str, ...]],
    relations: Mapping[str, Relation],
    divisions: pa.Table,
    business_date: date,
) -> pa.Table:
    day = {"business_date": business_date}
    relations = {**relations, "division": divisions}
    no_month = pa.schema([("month", pa.string())]).empty_table()
    try:
        births = {"birth_match": relations["birth_match"]}
        relations["birth_cell"] = run_sql(settings, "statistics/birth_cell", births)
        counted = [
            run_sql(settings, sql, {name: relations[name] for name in names}, day if sql in DATED else None)
            for sql, names in cells.items()
        ]
        cell = pa.concat_tables([*counted, no_month], promote_options="permissive")
        retired = relations.get("retired_division")
        if retired is None:
            retired = all_retired_divisions(settings, business_date)
        sources = {"cell": cell, "division": divisions, "retired_division": retired}
        placed = run_sql(settings, "statistics/placed_cell", sources)
        cube = run_sql(settings, "statistics/cube", {"placed": placed, "division": divisions})
    except (duckdb.Error, pa.ArrowException) as error:
        raise Refusal(
            "statistics_not_counted",
            found=f"the engine stopped with {type(error).__name__}",
            expected="relations as their contracts promise",
            to_do="run the gate of staging.population_person again; report a defect if it holds",
        ) from None
    dates = pa.repeat(pa.scalar(business_date), cube.num_rows)
    return cube.drop_columns("is_divided").add_column(0, "business_date", dates)
