"""The rows that contenders work on: plain Parquet files of an invented city, the same for the same size.

They are made by the files in `sql/` in a moment at any size. Nights and the pull take a whole city instead,
with its databases and partners (city.py).
"""

import csv
import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from connectors.duck import open_duckdb
from connectors.settings import PROJECT, Settings
from etl.subsidy.compile import asked_facts
from etl.subsidy.facts import fact_parameters, facts_in
from etl.subsidy.judge import PROGRAMMES
from quality.domain_functions import parse_sql
from schemas.division import load_divisions
from schemas.programme_file import load_facts, load_programme
from tests.benchmark.rules import suite_of

TODAY = date(2026, 6, 1)
SQL = PROJECT / "tests" / "benchmark" / "sql"
BIRTHS_PER_PERSON, RECORDS_PER_PERSON = 0.2, 0.5
# The largest city has no more births in a year, and no more to report at once, than a million such persons.
MOST_WITH_EVENTS = 1_000_000


def make_inputs(folder: Path, persons: int) -> dict[str, Any]:
    """Write what is missing of the files of a size, and tell where they lie and what they hold."""
    told = folder / "inputs.json"
    if not told.exists():
        folder.mkdir(parents=True, exist_ok=True)
        settings = Settings(var=folder)
        settings.make_folders()
        with open_duckdb(settings) as connection:
            connection.register("division", load_divisions(TODAY))
            rows = {name: _write(connection, folder, name, text) for name, text in _statements(persons)}
            rows["facts"] = _write_facts(connection, folder)
        counted = {"persons": persons, "day": TODAY.isoformat(), "rows": rows}
        told.write_text(json.dumps(counted), encoding="utf-8")
    found: dict[str, Any] = json.loads(told.read_text(encoding="utf-8"))
    suite = folder / "suite.json"
    suite.write_text(json.dumps(suite_of(TODAY), ensure_ascii=False), encoding="utf-8")
    return {**found, "suite": str(suite), **{name: str(folder / f"{name}.parquet") for name in found["rows"]}}


def _statements(persons: int) -> list[tuple[str, tuple[str, Mapping[str, Any]]]]:
    with_events = min(persons, MOST_WITH_EVENTS)
    births, records = round(with_events * BIRTHS_PER_PERSON / 0.95), round(with_events * RECORDS_PER_PERSON)
    rates = _rates()

    def bound(name: str, **values: Any) -> tuple[str, Mapping[str, Any]]:
        text = (SQL / f"{name}.sql").read_text(encoding="utf-8")
        asked = {rate: value for rate, value in rates.items() if f"${rate}" in text}
        return text, {**asked, **values}

    return [
        ("division", ("SELECT division_code, level_code, division_name FROM division", {})),
        ("person", bound("persons", persons=persons)),
        ("marriage", bound("marriages", persons=persons)),
        ("child", bound("children", persons=persons)),
        ("birth", bound("births", births=births)),
        ("mch_birth", bound("mch_births")),
        ("birth_child", bound("population_children")),
        ("mother", bound("mothers")),
        ("record", bound("records", records=records)),
    ]


def _rates() -> dict[str, float]:
    """Read the rates at which the sandbox plants what is wrong with births."""
    text = (PROJECT / "sandbox" / "reference" / "defect_rates.csv").read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    chosen = {"mch_birth", "family_child"}
    return {row["defect"]: float(row["rate"]) for row in csv.DictReader(lines) if row["dataset"] in chosen}


def _write(
    connection: duckdb.DuckDBPyConnection, folder: Path, name: str, asked: tuple[str, Mapping[str, Any]]
) -> int:
    text, values = asked
    file = folder / f"{name}.parquet"
    statement = parse_sql(text).sql(dialect="duckdb")
    _write_once(connection.sql(statement, params=dict(values)), file)
    if name != "division":
        connection.read_parquet(str(file)).create_view(name)
    return _count(connection, file)


def _write_once(rows: duckdb.DuckDBPyRelation, file: Path) -> None:
    """Write a file that is there whole or not at all; what an earlier try has finished stays."""
    if not file.exists():
        part = file.with_suffix(".part")
        rows.write_parquet(str(part), compression="zstd")
        part.rename(file)


def _write_facts(connection: duckdb.DuckDBPyConnection, folder: Path) -> int:
    """Write what decisions start from, by our own query, in the order of persons."""
    for name, ours in (("population_person", "person"), ("family_child", "child")):
        connection.table(ours).create_view(name)
    asked = asked_facts([load_programme(name) for name in PROGRAMMES], TODAY)
    file = folder / "facts.parquet"
    facts = facts_in(connection, fact_parameters(load_facts(), TODAY, asked), asked)
    _write_once(facts.order("person_id"), file)
    return _count(connection, file)


def _count(connection: duckdb.DuckDBPyConnection, file: Path) -> int:
    ((count,),) = connection.read_parquet(str(file)).count("*").fetchall()
    return int(count)
