"""Our reconciliation of births: fold, link in exact passes, classify, find who acts."""

from datetime import date
from typing import Any

from etl.births.match import MatchedBirths, match_births
from etl.births.model import model_on
from schemas.division import load_divisions
from tests.benchmark.linkage import links_told
from tests.benchmark.ours.relations import rows_of, settings_of


def run(inputs: dict[str, Any]) -> MatchedBirths:
    day = date.fromisoformat(inputs["day"])
    staging = {
        "mch_birth": rows_of(inputs, "mch_birth"),
        "family_child": rows_of(inputs, "birth_child"),
        "population_person": rows_of(inputs, "mother"),
    }
    return match_births(settings_of(inputs), staging, load_divisions(day), day, model_on(day))


def answer(matched: MatchedBirths, inputs: dict[str, Any]) -> dict[str, Any]:
    rows = matched.matches.select(["mch_record_id", "relation_id"]).to_pylist()
    both = [row for row in rows if row["mch_record_id"] is not None and row["relation_id"] is not None]
    return links_told([(row["mch_record_id"], row["relation_id"]) for row in both], inputs)
