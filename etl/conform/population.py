"""Conform the extracts of the population database: persons, children, marriages.

Tables of a whole city are never held: they are read, conformed and written part by part.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlalchemy.engine import Connection

from connectors.extract import Chain, extract_chain, known_parts
from connectors.lake_room import lake_room
from connectors.landing import Landing, landings_on
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.conform.context import find_missing_persons, find_shared_numbers, stage_person_ids
from etl.conform.parts import join_parts, side_by_side
from etl.conform.returned import tell_returned, waiting_before
from etl.conform.stage import conform_rows, record_conformed
from schemas.contract import Contract, load_contract
from schemas.refusal import Refusal

DATASETS = ("population_person", "family_child", "marriage")


@dataclass(frozen=True)
class Known:
    """What was known of a table on the business date, and the extracts that tell it."""

    settings: Settings
    contract: Contract
    landings: list[Landing]
    chains: list[Chain]

    def read(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """Read the rows part by part; columns that are not asked for are NULL."""
        for chain in self.chains:
            yield from known_parts(self.settings, self.contract, chain, columns=columns)


def conform_population(settings: Settings, business_date: date) -> dict[str, Any]:
    """Conform what was extracted for a business date into staging and quarantine.

    Versions are put on record but not pointed at; that is the gate's. Returns per dataset the counts,
    the versions and how many rows broke each rule.

    Raises:
        Refusal: nothing was landed for the date, or an extract lacks a column of its contract.
    """
    with registry_session(settings) as connection:
        known = {name: _known(connection, settings, name, business_date) for name in DATASETS}
    persons, children = known["population_person"], known["family_child"]
    with lake_room(settings) as room:
        where = (settings, room)
        shared = find_shared_numbers(*where, persons.contract, persons.read, business_date)
        ids = stage_person_ids(room, persons.contract, persons.read)
        missing = find_missing_persons(*where, children.contract, children.read, business_date, ids)
        context: dict[str, dict[str, pa.Table]] = {
            "population_person": {"shared_number": shared},
            "family_child": {"missing_person": missing},
            "marriage": {},
        }
        # Whether a child is an orphan rests on the persons received with it.
        rests_on = {"family_child": persons.landings}
        told = [
            _stage(room, known[name], business_date, context[name], rests_on.get(name, []))
            for name in DATASETS
        ]
    return {"datasets": told}


def _stage(
    room: Path,
    known: Known,
    business_date: date,
    relations: Mapping[str, pa.Table],
    rests_on: list[Landing],
) -> dict[str, Any]:
    settings, contract = known.settings, known.contract
    with registry_session(settings) as connection:
        before = waiting_before(connection, settings, contract, business_date)
    asked = set(before.column("row_key").to_pylist())

    conform = partial(
        conform_rows, settings, contract, business_date=business_date, relations=relations, asked=asked
    )
    conformed = join_parts(room, contract, side_by_side(conform, known.read()))
    # The source's table is read whole: what it has and is rejected waits, whatever came before.
    returned = tell_returned(
        settings, contract, before, conformed.rejected, conformed.answers, conformed.judged_by
    )
    inputs = [landing.landing_id for landing in (*known.landings, *rests_on)]
    with registry_session(settings) as connection:
        return record_conformed(
            connection, settings, conformed, business_date, inputs=inputs, returned=returned
        )


def _known(connection: Connection, settings: Settings, name: str, business_date: date) -> Known:
    landings = landings_on(connection, name, business_date)
    if not landings:
        raise Refusal(
            "nothing_landed",
            found=f"no landed extract of {name} for {business_date}",
            expected="an extract of that business date",
            to_do="run pull_population for this business date first",
        )
    chains = [extract_chain(connection, settings, landing) for landing in landings]
    return Known(settings, load_contract(name), landings, chains)
