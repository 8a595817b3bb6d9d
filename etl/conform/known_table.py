"""A table of the population database as it was known on a date, and the extracts that tell it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
from sqlalchemy.engine import Connection

from connectors.extract import Chain, extract_chain, known_parts
from connectors.landing import Landing, landings_on
from connectors.program import program_version
from connectors.registry import registry_session
from connectors.settings import Settings
from etl.conform.stage import Outcome, record_outcome
from schemas.contract import Contract, load_contract
from schemas.refusal import Refusal

DATASETS = ("population_person", "family_child", "marriage")


@dataclass(frozen=True)
class KnownTable:
    """What was known of a table on the business date, and the extracts that tell it."""

    settings: Settings
    contract: Contract
    landings: list[Landing]
    chains: list[Chain]

    @property
    def landing_ids(self) -> list[str]:
        """Landing ids of the date's own extracts."""
        return [landing.landing_id for landing in self.landings]

    def read(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """Read the rows part by part; columns that are not asked for are NULL."""
        for chain in self.chains:
            yield from known_parts(self.settings, self.contract, chain, columns=columns)


def known_table(connection: Connection, settings: Settings, name: str, business_date: date) -> KnownTable:
    """Find what tells a table on a business date.

    Raises:
        Refusal: nothing was landed for the date, or an extract is gone.
    """
    landings = landings_on(connection, name, business_date)
    if not landings:
        raise Refusal(
            "nothing_landed",
            found=f"no landed extract of {name} for {business_date}",
            expected="an extract of that business date",
            to_do="run pull_population for this business date first",
        )
    chains = [extract_chain(connection, settings, landing) for landing in landings]
    return KnownTable(settings, load_contract(name), landings, chains)


def rests_on(known: Mapping[str, KnownTable], name: str) -> list[str]:
    """List the landing ids that a table's rows are made from; whether a child is an orphan, persons tell."""
    beside = known["population_person"].landing_ids if name == "family_child" else []
    return [*known[name].landing_ids, *beside]


def record_table(
    settings: Settings,
    known: Mapping[str, KnownTable],
    outcome: Outcome,
    returned: pa.Table,
    business_date: date,
) -> dict[str, Any]:
    """Put on record what a table was conformed to, and by which program (see `record_outcome`)."""
    with registry_session(settings) as connection:
        return record_outcome(
            connection,
            settings,
            outcome,
            business_date,
            inputs=rests_on(known, outcome.contract.name),
            returned=returned,
            made_by=program_version(),
        )
