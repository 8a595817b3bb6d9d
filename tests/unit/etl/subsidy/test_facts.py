"""The facts that the query computes are the facts that the policy declares, name by name and type by type."""

from datetime import date
from pathlib import Path

import pyarrow as pa

from connectors.settings import Settings
from etl.subsidy.compile import asked_facts, compile_programme, decided_facts
from etl.subsidy.facts import gather_facts
from etl.subsidy.judge import EVERY_PROGRAMME, PROGRAMMES
from schemas.programme_file import load_documents, load_facts, load_programme, programme_names
from tests.support.families import as_tables, child, man, marriage, woman

TODAY = date(2026, 6, 1)
TYPES = {"boolean": pa.bool_(), "integer": pa.int32(), "text": pa.string(), "date": pa.date32()}


def test_the_query_yields_the_declared_facts() -> None:
    family = as_tables([woman(), man()], [child()], [marriage()])
    facts = gather_facts(Settings(var=Path("/nonexistent")), family, load_facts(), TODAY)
    declared = {
        fact.name: TYPES[fact.type_name] for fact in load_facts().facts.values() if fact.source is None
    }
    computed = dict(zip(facts.schema.names, facts.schema.types, strict=True))
    assert computed.pop("person_id") == pa.string()
    assert computed == declared


def test_every_declared_document_is_asked_for_by_some_clause() -> None:
    asked = {
        code
        for name in EVERY_PROGRAMME
        for clause in load_programme(name).clauses
        for code in clause.missing_documents
    }
    assert asked == set(load_documents())


def test_values_are_bound_and_never_written_into_the_query() -> None:
    for name in EVERY_PROGRAMME:
        programme = load_programme(name)
        sql, values = compile_programme(programme, TODAY)
        assert all(f"${value}" in sql for value in values)
        assert set(programme.parameters) <= set(values)
        assert not any(
            str(amount) in sql for amount in values.values() if isinstance(amount, int) and amount > 100
        )


def test_only_reward_assistance_rests_on_another_decision() -> None:
    resting = {name: decided_facts(load_programme(name), TODAY) for name in EVERY_PROGRAMME}
    assert resting.pop("reward_assistance") == {"is_special_assistance_object": "special_assistance"}
    assert not any(resting.values())


def test_every_programme_of_the_policy_is_decided() -> None:
    assert set(EVERY_PROGRAMME) == set(programme_names())


def test_a_night_asks_for_no_fact_that_only_other_programmes_ask_for() -> None:
    """What a night asks for has its reason in `sql/subsidy/touched_person.sql`; these have none."""
    asked = asked_facts([load_programme(name) for name in PROGRAMMES], TODAY)
    assert not set(asked) & {
        "has_minor_child", "has_only_twins", "complication_level", "has_complication_certificate",
    }  # fmt: skip
