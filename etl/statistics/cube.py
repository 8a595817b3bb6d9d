"""The four-level cubes, by division and month: persons, births, decisions, cases, lives, tasks, quality."""

from collections.abc import Mapping
from datetime import date

import duckdb
import pyarrow as pa

from connectors.divisions import all_retired_divisions
from connectors.engine import Relation, run_sql
from connectors.lake_lookup import counted_rows
from connectors.settings import Settings
from schemas.refusal import Refusal

# What is made first, with what it is made from under the names that its file has for it: cells share it.
BIRTH_CELL = ("statistics/birth_cell", {"birth_match": "birth_match"})
DERIVED = {
    "person_group": ("statistics/person_group", {"population_person": "population_person"}),
    "birth_cell": BIRTH_CELL,
    "beneficiary_age": (
        "statistics/beneficiary_age",
        {name: name for name in ("case_dated", "life_known", "population_person")},
    ),
    "known_in_year": ("statistics/case_in_year", {"listed_case": "case_known"}),
    "dated_in_year": ("statistics/case_in_year", {"listed_case": "case_dated"}),
}
MONTH_DERIVED = {"birth_cell": BIRTH_CELL}
# Each file of cells with the relations it counts; those in DATED compare with the business date.
CELLS = {
    "statistics/persons": ("person_group",),
    "statistics/births": ("birth_cell",),
    "statistics/decisions": ("decision",),
    "statistics/cases": ("known_in_year", "dated_in_year", "beneficiary_age"),
    "statistics/lives": ("life_known", "beneficiary_age"),
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
DATED = (
    "statistics/person_group", "statistics/births", "statistics/beneficiary_age", "statistics/case_in_year",
    "statistics/tasks",
)  # fmt: skip
# What counts each row by itself may be asked of what a version rests on, and of its changes.
ADDED_UP = ("statistics/person_group",)
Derived = Mapping[str, tuple[str, Mapping[str, str]]]


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
    cube = _rolled_up(settings, (DERIVED, CELLS), relations, divisions, business_date)
    return cube.drop_columns("month")


def count_months(
    settings: Settings, relations: Mapping[str, Relation], divisions: pa.Table, business_date: date
) -> pa.Table:
    """Count by month what a commission follows through the year; columns as in the cube, with `month`.

    `relations` are those of `etl.statistics.relations.month_relations`.

    Raises:
        Refusal: a relation cannot be read as promised.
    """
    return _rolled_up(settings, (MONTH_DERIVED, MONTH_CELLS), relations, divisions, business_date)


def _rolled_up(
    settings: Settings,
    counting: tuple[Derived, Mapping[str, tuple[str, ...]]],
    relations: Mapping[str, Relation],
    divisions: pa.Table,
    business_date: date,
) -> pa.Table:
    derived, cells = counting
    no_month = pa.schema([("month", pa.string())]).empty_table()
    try:
        made = {
            name: _run(settings, sql, relations, sources, business_date)
            for name, (sql, sources) in derived.items()
        }
        counted = [
            _run(settings, sql, {**relations, **made}, {name: name for name in names}, business_date)
            for sql, names in cells.items()
        ]
        cell = pa.concat_tables([*counted, no_month], promote_options="permissive")
        retired = relations.get("retired_division")
        if retired is None:
            retired = all_retired_divisions(settings, business_date)
        place = place_of(settings, cell.column("division_code"), divisions, retired)
        placed = run_sql(settings, "statistics/placed_cell", {"cell": cell, "place": place})
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


def place_of(settings: Settings, codes: pa.ChunkedArray, divisions: pa.Table, retired: pa.Table) -> pa.Table:
    """Tell under which division in force each code counts as it was received, with its level."""
    code = pa.table({"received": codes.unique()})
    sources: dict[str, Relation] = {"code": code, "division": divisions, "retired_division": retired}
    return run_sql(settings, "statistics/place", sources)


def _run(
    settings: Settings,
    sql: str,
    relations: Mapping[str, Relation],
    sources: Mapping[str, str],
    business_date: date,
) -> pa.Table:
    """Run a file over those of the relations that it names."""
    named = {own: relations[name] for own, name in sources.items()}
    parameters = {"business_date": business_date} if sql in DATED else None
    if sql in ADDED_UP:
        ((name, relation),) = named.items()
        return counted_rows(settings, relation, name, sql, parameters)
    return run_sql(settings, sql, named, parameters)
