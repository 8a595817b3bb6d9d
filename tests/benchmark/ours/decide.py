"""Decide special assistance for everyone from the facts: decision, amount, documents, every clause."""

from datetime import date
from typing import Any

from connectors.lake_room import StagedRows
from etl.subsidy.judge import count_decisions, judge_facts
from tests.benchmark.ours.relations import rows_of, settings_of

PROGRAMME = "special_assistance"


def run(inputs: dict[str, Any]) -> StagedRows:
    settings, day = settings_of(inputs), date.fromisoformat(inputs["day"])
    return judge_facts(settings, settings.lake, rows_of(inputs, "facts"), day, names=[PROGRAMME])[PROGRAMME]


def answer(decisions: StagedRows, inputs: dict[str, Any]) -> dict[str, Any]:
    return count_decisions(settings_of(inputs), decisions)
