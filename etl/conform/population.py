"""Conform the extracts of the population database: persons, children, marriages."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pyarrow as pa
from sqlalchemy.engine import Connection

from connectors.extract import extract_chain, known_rows
from connectors.landing import Landing, landings_on
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.conform.returned import tell_returned, waiting_before
from etl.conform.stage import Conformed, conform_rows, record_conformed
from etl.conform.text import normalise_text
from schemas.contract import Contract, load_contract
from schemas.refusal import Refusal


def conform_population(settings: Settings, business_date: date) -> dict[str, Any]:
    """Conform what was extracted for a business date into staging and quarantine.

    Versions are put on record but not pointed at; that is the gate's. Returns per dataset the counts,
    the versions and how many rows broke each rule.

    Raises:
        Refusal: nothing was landed for the date, or an extract lacks a column of its contract.
    """
    with registry_session(settings) as connection:
        landed = {
            name: _landed(connection, name, business_date)
            for name in ("population_person", "family_child", "marriage")
        }
    persons = _received(settings, load_contract("population_person"), landed["population_person"])
    person_ids = normalise_text(persons.column("person_id"), None).unique()
    known = pa.table({"person_id": person_ids})
    told = [_stage(settings, business_date, "population_person", persons, landed, {})]
    for name in ("family_child", "marriage"):
        rows = _received(settings, load_contract(name), landed[name])
        told.append(_stage(settings, business_date, name, rows, landed, {"received_person": known}))
    return {"datasets": told}


def _stage(
    settings: Settings,
    business_date: date,
    name: str,
    received: pa.Table,
    landed: Mapping[str, list[Landing]],
    relations: Mapping[str, pa.Table],
) -> dict[str, Any]:
    contract = load_contract(name)
    with registry_session(settings) as connection:
        before = waiting_before(connection, settings, contract, business_date)
    asked = set(before.column("row_key").to_pylist())
    conformed: Conformed = conform_rows(
        settings, contract, received, business_date, relations=relations, asked=asked
    )
    # The source's table is read whole: what it has and is rejected waits, whatever came before.
    returned = tell_returned(
        settings, contract, before, conformed.rejected, conformed.answers, conformed.judged_by
    )
    # Whether a child is an orphan rests on the persons received with it.
    rests_on = [name, *(["population_person"] if name == "family_child" else [])]
    inputs = [landing.landing_id for part in rests_on for landing in landed[part]]
    with registry_session(settings) as connection:
        return record_conformed(
            connection, settings, conformed, business_date, inputs=inputs, returned=returned
        )


def _landed(connection: Connection, name: str, business_date: date) -> list[Landing]:
    landings = landings_on(connection, name, business_date)
    if not landings:
        raise Refusal(
            "nothing_landed",
            found=f"no landed extract of {name} for {business_date}",
            expected="an extract of that business date",
            to_do="run pull_population for this business date first",
        )
    return landings


def _received(settings: Settings, contract: Contract, landings: list[Landing]) -> pa.Table:
    """Read the rows that were known on the date, folded from its extract and those before it."""
    with registry_session(settings) as connection:
        chains = [extract_chain(connection, settings, landing) for landing in landings]
    return pa.concat_tables([known_rows(contract, chain) for chain in chains]).combine_chunks()
