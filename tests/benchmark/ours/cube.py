"""Count persons by sex, age and registration for every division of four levels."""

from datetime import date
from typing import Any

import pyarrow as pa

from connectors.divisions import all_retired_divisions
from connectors.engine import run_sql
from etl.statistics.cube import place_of
from schemas.division import load_divisions
from tests.benchmark.ours.relations import rows_of, settings_of


def run(inputs: dict[str, Any]) -> pa.Table:
    settings, day = settings_of(inputs), date.fromisoformat(inputs["day"])
    divisions = load_divisions(day)
    persons = {"population_person": rows_of(inputs, "person")}
    group = run_sql(settings, "statistics/person_group", persons, {"business_date": day})
    cell = run_sql(settings, "statistics/persons", {"person_group": group})
    cell = cell.append_column("month", pa.nulls(cell.num_rows, pa.string()))
    retired = all_retired_divisions(settings, day)
    place = place_of(settings, cell.column("division_code"), divisions, retired)
    placed = run_sql(settings, "statistics/placed_cell", {"cell": cell, "place": place})
    return run_sql(settings, "statistics/cube", {"placed": placed, "division": divisions})


def answer(cube: pa.Table, inputs: dict[str, Any]) -> dict[str, Any]:
    return {"cells": cube.num_rows, "persons_in_cells": sum(cube["value"].to_pylist())}
