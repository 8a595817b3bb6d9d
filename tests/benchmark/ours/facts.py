"""Gather the facts of everyone from persons, marriages and children, into a file."""

from datetime import date
from typing import Any

from connectors.lake_room import StagedRows
from etl.subsidy.compile import asked_facts
from etl.subsidy.facts import hold_facts
from etl.subsidy.judge import PROGRAMMES
from schemas.programme_file import load_facts, load_programme
from tests.benchmark.ours.relations import rows_of, settings_of


def run(inputs: dict[str, Any]) -> StagedRows:
    settings = settings_of(inputs)
    sources = {
        "population_person": rows_of(inputs, "person"),
        "marriage": rows_of(inputs, "marriage"),
        "family_child": rows_of(inputs, "child"),
    }
    day = date.fromisoformat(inputs["day"])
    asked = asked_facts([load_programme(name) for name in PROGRAMMES], day)
    return hold_facts(settings, settings.lake, sources, load_facts(), day, asked)


def answer(facts: StagedRows, inputs: dict[str, Any]) -> dict[str, Any]:
    return {"persons": facts.num_rows}
