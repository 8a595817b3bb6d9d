"""Judge everyone under each programme, in the order in which the programmes rest on each other."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pyarrow as pa

from connectors.engine import Relation, run_sql
from connectors.settings import Settings
from etl.subsidy.compile import compile_programme
from etl.subsidy.facts import gather_facts
from schemas.policy import POLICY
from schemas.programme import Programme
from schemas.programme_file import load_facts, load_programme
from schemas.refusal import Refusal

# Special assistance comes first: whoever receives it does not receive reward assistance.
PROGRAMMES = ("special_assistance", "reward_assistance")
DECISIONS = ("eligible", "ineligible", "unknown")


def judge_everyone(
    settings: Settings, sources: Mapping[str, Relation], day: date, policy: Path = POLICY
) -> dict[str, pa.Table]:
    """Judge every person of `population_person` on a day; decisions by programme name.

    Raises:
        Refusal: policy files do not fit together, or have no value for the day.
    """
    facts = gather_facts(settings, sources, load_facts(policy), day)
    decisions: dict[str, pa.Table] = {}
    for name in PROGRAMMES:
        decisions[name] = judge_programme(settings, load_programme(name, policy), facts, decisions, day)
    return decisions


def judge_programme(
    settings: Settings, programme: Programme, facts: pa.Table, earlier: Mapping[str, pa.Table], day: date
) -> pa.Table:
    """Judge everyone under one programme, as `compile_programme` describes; `earlier` by programme name."""
    sql, values = compile_programme(programme, day)
    relations: dict[str, Relation] = {"facts": facts}
    for name, decisions in earlier.items():
        relations[f"decision_{name}"] = decisions.select(["person_id", "decision_code"])
    judged = run_sql(settings, sql, relations, values)
    if judged.num_rows != facts.num_rows:
        raise Refusal(
            "rows_vanished",
            found=f"{judged.num_rows} decisions about {facts.num_rows} persons",
            expected="one decision per person",
            to_do="report a defect of the programme's query; nothing was published",
        )
    return judged


def count_decisions(decisions: pa.Table) -> dict[str, int]:
    """Count persons by decision; every decision is named, also with nobody in it."""
    counts = decisions.group_by("decision_code").aggregate([([], "count_all")]).to_pylist()
    counted = {row["decision_code"]: row["count_all"] for row in counts}
    return {code: counted.get(code, 0) for code in DECISIONS}
