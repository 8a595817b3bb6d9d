"""Gather the facts of everyone from persons, marriages and children, into a file."""

from datetime import date
from typing import Any

from connectors.lake_room import StagedRows
from etl.subsidy.facts import stage_facts
from schemas.programme_file import load_facts
from tests.benchmark.ours.relations import rows_of, settings_of


def run(inputs: dict[str, Any]) -> StagedRows:
    settings = settings_of(inputs)
    sources = {
        "population_person": rows_of(inputs, "person"),
        "marriage": rows_of(inputs, "marriage"),
        "family_child": rows_of(inputs, "child"),
    }
    return stage_facts(settings, settings.lake, sources, load_facts(), date.fromisoformat(inputs["day"]))


def answer(facts: StagedRows, inputs: dict[str, Any]) -> dict[str, Any]:
    return {"persons": facts.num_rows}
