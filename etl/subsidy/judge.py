"""Judge everyone under each programme, in the order in which the programmes rest on each other."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from connectors.engine import Readable, Relation, run_sql, stage_sql
from connectors.lake_room import HeldRows, StagedRows
from connectors.settings import Settings
from etl.subsidy.as_of import sources_as_of
from etl.subsidy.compile import asked_facts, compile_programme
from etl.subsidy.facts import hold_facts
from schemas.policy import POLICY
from schemas.programme import Programme
from schemas.programme_file import load_facts, load_programme
from schemas.refusal import Refusal

# What a night decides. Special assistance comes first: who receives it does not receive reward assistance.
PROGRAMMES = ("special_assistance", "reward_assistance")
# What is decided of whoever has applied (etl/subsidy/applications.py), and of everyone in a simulation only.
ON_REQUEST = ("surgical_complication", "single_child_reward", "single_child_bonus", "single_child_help")
EVERY_PROGRAMME = (*PROGRAMMES, *ON_REQUEST)
DECISIONS = ("eligible", "ineligible", "unknown")


def judge_everyone(
    settings: Settings,
    room: Path,
    sources: Mapping[str, Relation],
    day: date,
    policy: Path = POLICY,
    names: Sequence[str] = PROGRAMMES,
    known_at: date | None = None,
) -> dict[str, StagedRows]:
    """Judge every person of `population_person` on a day, into files of a room; decisions by programme name.

    `names` are programmes, each after those that it rests on. With `known_at` the policy is that known on
    another day, and rows tell what was so on the day (etl/subsidy/as_of.py); without, both are of the day.

    Raises:
        Refusal: policy files do not fit together, or have no value for the day.
    """
    programmes = [_programme(name, policy, known_at) for name in names]
    of_facts = load_facts(policy)
    if known_at is not None:
        of_facts = of_facts.as_known_at(known_at)
        sources = sources_as_of(settings, room, sources, day)
    facts = hold_facts(settings, room, sources, of_facts, day, asked_facts(programmes, day))
    return judge_facts(settings, room, facts, day, policy, names, known_at)


def _programme(name: str, policy: Path, known_at: date | None) -> Programme:
    programme = load_programme(name, policy)
    return programme if known_at is None else programme.as_known_at(known_at)


def judge_facts(
    settings: Settings,
    room: Path,
    facts: HeldRows,
    day: date,
    policy: Path = POLICY,
    names: Sequence[str] = PROGRAMMES,
    known_at: date | None = None,
) -> dict[str, StagedRows]:
    """Judge the persons of some facts; decisions by programme name."""
    decisions: dict[str, StagedRows] = {}
    for name in names:
        programme = _programme(name, policy, known_at)
        decisions[name] = _judge_programme(settings, room, programme, facts, decisions, day)
    return decisions


def _judge_programme(
    settings: Settings,
    room: Path,
    programme: Programme,
    facts: HeldRows,
    earlier: Mapping[str, StagedRows],
    day: date,
) -> StagedRows:
    """Judge everyone under one programme, as `compile_programme` describes; `earlier` by programme name."""
    sql, values = compile_programme(programme, day)
    relations: dict[str, Readable] = {"facts": facts}
    relations |= {f"decision_{name}": decisions for name, decisions in earlier.items()}
    judged = stage_sql(settings, room, programme.name, sql, relations, values)
    if judged.num_rows != facts.num_rows:
        raise Refusal(
            "rows_vanished",
            found=f"{judged.num_rows} decisions about {facts.num_rows} persons",
            expected="one decision per person",
            to_do="report a defect of the programme's query; nothing was published",
        )
    return judged


def count_decisions(settings: Settings, decisions: Relation) -> dict[str, int]:
    """Count persons by decision; every decision is named, also with nobody in it."""
    rows = run_sql(settings, "subsidy/decision_count", {"decision": decisions}).to_pylist()
    counted = {row["decision_code"]: row["persons"] for row in rows}
    return {code: counted.get(code, 0) for code in DECISIONS}
