"""A lake with persons of an invented city, as many as one likes, for measurements."""

import shutil
from pathlib import Path

import deltalake

from connectors.engine import open_duckdb
from connectors.lake import DatasetVersion, table_path
from connectors.settings import PROJECT, Settings
from quality.domain_functions import parse_sql
from schemas.contract import load_contract
from schemas.division import load_divisions
from tests.support.received import TODAY

ROWS_PER_FILE = 1_000_000


def build_persons(settings: Settings, persons: int) -> DatasetVersion:
    """Write `staging.population_person`, in files of a million rows."""
    name = "staging.population_person"
    folder = table_path(settings, name)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    text = (PROJECT / "tests" / "benchmark" / "persons.sql").read_text(encoding="utf-8")
    statement = parse_sql(text).sql(dialect="duckdb")
    with open_duckdb(Path(settings.var) / "spill") as connection:
        connection.register("division", load_divisions(TODAY))
        rows = connection.sql(statement, params={"persons": persons})
        for place, batch in enumerate(rows.to_arrow_reader(ROWS_PER_FILE)):
            part = batch.cast(load_contract("population_person").staging_schema)
            mode = "append" if place else "overwrite"
            deltalake.write_deltalake(str(folder), part, mode=mode)
    return DatasetVersion(name, deltalake.DeltaTable(str(folder)).version())
