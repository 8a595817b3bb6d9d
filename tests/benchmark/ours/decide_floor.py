"""The floor: the query of special assistance alone, into memory. No file, no digest, no check."""

from datetime import date
from typing import Any

import duckdb

from etl.subsidy.compile import compile_programme
from schemas.programme_file import load_programme


def run(inputs: dict[str, Any]) -> duckdb.DuckDBPyRelation:
    sql, values = compile_programme(load_programme("special_assistance"), date.fromisoformat(inputs["day"]))
    duck = duckdb.connect(config={"threads": 2})
    duck.read_parquet(inputs["facts"]).create_view("facts")
    duck.sql(sql, params=values).create("decision")
    return duck.table("decision")


def answer(decisions: duckdb.DuckDBPyRelation, inputs: dict[str, Any]) -> dict[str, Any]:
    counted = decisions.aggregate("decision_code, count(*) AS persons").fetchall()
    return {"eligible": 0, "ineligible": 0, "unknown": 0} | dict(counted)
