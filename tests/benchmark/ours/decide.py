"""Decide special assistance for everyone from the facts: decision, amount, documents, every clause."""

from datetime import date
from typing import Any

from connectors.engine import stage_sql
from connectors.lake_room import StagedRows
from etl.subsidy.compile import compile_programme
from etl.subsidy.judge import count_decisions
from schemas.programme_file import load_programme
from tests.benchmark.ours.relations import rows_of, settings_of


def run(inputs: dict[str, Any]) -> StagedRows:
    sql, values = compile_programme(load_programme("special_assistance"), date.fromisoformat(inputs["day"]))
    settings = settings_of(inputs)
    return stage_sql(settings, settings.lake, "decision", sql, {"facts": rows_of(inputs, "facts")}, values)


def answer(decisions: StagedRows, inputs: dict[str, Any]) -> dict[str, Any]:
    return count_decisions(settings_of(inputs), decisions)
