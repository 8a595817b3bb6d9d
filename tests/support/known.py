"""What is known of a population table, and how its source is at this moment."""

from collections import Counter
from datetime import date
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from connectors.extract import Chain, ExtractFacts, extract_chain, known_parts
from connectors.landing import landings_on
from connectors.registry import registry_session
from connectors.settings import Settings
from schemas.contract import load_contract

Rows = Counter[tuple[Any, ...]]


def chain_on(settings: Settings, dataset: str, business_date: date) -> Chain:
    """Walk the extracts that a date rests on."""
    with registry_session(settings) as connection:
        (landing,) = landings_on(connection, dataset, business_date)
        return extract_chain(connection, settings, landing)


def facts_on(settings: Settings, dataset: str, business_date: date) -> ExtractFacts:
    """Tell what the extract of a date says of itself."""
    return chain_on(settings, dataset, business_date).newest.facts


def known_on(settings: Settings, dataset: str, business_date: date) -> Rows:
    """Count each row known on a date; the way back is left out."""
    contract = load_contract(dataset)
    rows = pa.concat_tables(known_parts(settings, contract, chain_on(settings, dataset, business_date)))
    columns = rows.select(list(contract.received_columns)).to_pydict().values()
    return Counter(zip(*columns, strict=True))


def at_source(settings: Settings, dataset: str) -> Rows:
    """Count each row that the source has now, as its owner reads it."""
    columns = [sa.column(name) for name in load_contract(dataset).received_columns]
    engine = sa.create_engine(settings.database_url("population"), poolclass=sa.NullPool)
    with engine.connect() as connection:
        rows = connection.execute(sa.select(*columns).select_from(sa.table(dataset)))
        return Counter(tuple(row) for row in rows)
