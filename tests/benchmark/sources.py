"""What contenders read from PostgreSQL: the city's persons, and for one peer the rows to validate."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import sqlalchemy as sa
from adbc_driver_postgresql import dbapi

from connectors.settings import Settings
from schemas.contract import load_contract
from tests.benchmark.city import url_of
from tests.benchmark.rules import CODED, KEYS, PATTERNS, REQUIRED

DATABASE = "benchmark"


def prepare_sources(settings: Settings) -> dict[str, Any]:
    """Tell where to pull from, and what."""
    contract = load_contract("population_person")
    columns = [str(entry.physical_name) for entry in contract.received]
    return {
        "city": str(settings.var),
        "population_url": url_of(settings, "population"),
        "columns": columns,
        "query": str(sa.select(*map(sa.column, columns)).select_from(sa.table("population_person"))),
    }


def load_rows(settings: Settings, tables: Mapping[str, Path]) -> str:
    """Load files of persons into tables of a database of their own, in the columns that are judged."""
    engine = sa.create_engine(
        settings.database_url("postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
    )
    with engine.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)"))
        connection.execute(sa.text(f"CREATE DATABASE {DATABASE} ENCODING 'UTF8' TEMPLATE template0"))
    url = url_of(settings, "postgres").replace("/postgres?", f"/{DATABASE}?")
    columns = sorted({*REQUIRED, *CODED, *PATTERNS, *KEYS})
    with dbapi.connect(url) as connection, connection.cursor() as cursor:
        for table, file in tables.items():
            for place, batch in enumerate(pq.ParquetFile(file).iter_batches(100_000, columns=columns)):
                cursor.adbc_ingest(table, batch, mode="append" if place else "create")
            cursor.execute(f"ANALYZE {table}")
        connection.commit()
    return url
