"""Judge everyone under each programme, in the order in which the programmes rest on each other."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute

from connectors.engine import Relation, answer_of, run_sql
from connectors.lake_room import HeldRows, StagedRows, parts_of, stage_rows
from connectors.read_ahead import read_ahead
from connectors.row_file import ROWS_PER_GROUP
from connectors.settings import Settings
from etl.subsidy.as_of import sources_as_of
from etl.subsidy.compile import asked_facts, compile_programme, decided_facts
from etl.subsidy.facts import hold_facts
from schemas.policy import POLICY
from schemas.programme import Programme
from schemas.programme_file import load_facts, load_programme
from schemas.refusal import Refusal

# The stubs of pyarrow do not know all functions.
pc: Any = pyarrow.compute

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
    batches = read_ahead(_in_order(_judged(settings, programme, facts, earlier, day), facts.num_rows))
    first = next(batches)
    return stage_rows(room, programme.name, itertools.chain((first,), batches), first.schema)


def _judged(
    settings: Settings,
    programme: Programme,
    facts: HeldRows,
    earlier: Mapping[str, StagedRows],
    day: date,
) -> Iterator[pa.Table]:
    """Judge persons as they lie in the facts; the first table tells the columns, and may have no rows.

    What another programme has decided is laid beside the facts part by part: both have the same order.
    """
    sql, values = compile_programme(programme, day)
    sources = decided_facts(programme, day)
    if not sources:
        with answer_of(settings, sql, {"facts": facts}, values) as rows:
            batches = rows.to_arrow_reader(ROWS_PER_GROUP)
            yield batches.schema.empty_table()
            yield from (pa.Table.from_batches([batch]) for batch in batches)
        return
    decided = {
        fact: parts_of(earlier[name], ("person_id", "decision_code")) for fact, name in sources.items()
    }
    for part in read_ahead(parts_of(facts)):
        for fact, decisions in decided.items():
            part = _with_decided(part, fact, next(decisions))
        yield run_sql(settings, sql, {"facts": part}, values)


def _with_decided(facts: pa.Table, fact: str, decisions: pa.Table) -> pa.Table:
    """Add to facts what another programme has decided of the same persons: yes, no, or not known."""
    if not decisions.column("person_id").equals(facts.column("person_id")):
        raise _vanished(f"{decisions.num_rows} decisions, of others than these {facts.num_rows} persons")
    code = decisions.column("decision_code")
    is_so = pc.if_else(pc.equal(code, "unknown"), None, pc.equal(code, "eligible"))
    return facts.append_column(fact, is_so)


def _in_order(judged: Iterator[pa.Table], persons: int) -> Iterator[pa.Table]:
    """Demand one decision per person, in the order of persons."""
    last, count = "", 0
    for part in judged:
        if part.num_rows:
            numbers = part.column("person_id").combine_chunks()
            if numbers[0].as_py() < last or pc.any(pc.less(numbers[1:], numbers[:-1])).as_py():
                raise _vanished("decisions out of the order of persons")
            last, count = numbers[-1].as_py(), count + part.num_rows
        yield part
    if count != persons:
        raise _vanished(f"{count} decisions about {persons} persons")


def _vanished(found: str) -> Refusal:
    return Refusal(
        "rows_vanished",
        found=found,
        expected="one decision per person, in the order of persons",
        to_do="report a defect of the programme's query; nothing was published",
    )


def count_decisions(settings: Settings, decisions: Relation) -> dict[str, int]:
    """Count persons by decision; every decision is named, also with nobody in it."""
    rows = run_sql(settings, "subsidy/decision_count", {"decision": decisions}).to_pylist()
    counted = {row["decision_code"]: row["persons"] for row in rows}
    return {code: counted.get(code, 0) for code in DECISIONS}
