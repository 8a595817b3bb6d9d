"""One table that is being read, and what all ways of reading it share."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from duckdb import ColumnExpression

from connectors.extract import IS_DELETED, Chain, ExtractFacts
from connectors.row_file import ROWS_PER_GROUP
from connectors.source_table import PopulationSnapshot, key_of, stamp_of
from schemas.contract import Contract

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class ReadTable:
    """One table as it was read, in a file that is not landed yet."""

    contract: Contract
    file: Path
    row_count: int
    facts: ExtractFacts
    # What the next pull asks with for what was written since; None where it cannot ask.
    horizon: str | None


@dataclass(frozen=True)
class Reading:
    """One table that is being read, with what is known of it and a folder for files on the way."""

    snapshot: PopulationSnapshot
    contract: Contract
    business_date: date
    known: Chain | None
    folder: Path
    duck: duckdb.DuckDBPyConnection
    horizon: str | None = None

    @property
    def file(self) -> Path:
        """Where the extract is written."""
        return self.folder / f"{self.contract.name}.parquet"


def in_order(
    contract: Contract, rows: duckdb.DuckDBPyRelation, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    """Give rows by key, those that share one by their other columns, whatever the database's order."""
    columns = [ColumnExpression(name) for name in contract.received_columns]
    ordered = rows.sort(ColumnExpression("row_key"), *columns).select(*columns)
    for batch in ordered.to_arrow_reader(ROWS_PER_GROUP):
        if IS_DELETED[0] in schema.names:
            kept = pa.array([False] * batch.num_rows, IS_DELETED[1])
            batch = batch.append_column(IS_DELETED[0], kept)
        yield batch.cast(schema)


def row_count_of(relation: duckdb.DuckDBPyRelation) -> int:
    """Count the rows of a relation."""
    ((count,),) = relation.count("*").fetchall()
    return int(count)


def unstamped_keys(reading: Reading) -> int:
    """Count the changed keys whose stamps are as before, and warn about them."""
    found = row_count_of(reading.duck.table("row_difference").filter(ColumnExpression("is_unstamped")))
    if found:
        LOG.warning(
            "%s: %d keys changed at the source without a new %s; that is a defect of the source",
            reading.contract.name,
            found,
            stamp_of(reading.contract).physical_name,
        )
    return found


def written(stamp: datetime | None) -> str | None:
    """Write a watermark as the footer holds it."""
    return stamp.isoformat() if stamp else None


def keyed(contract: Contract) -> tuple[duckdb.Expression, duckdb.Expression]:
    """Name the source's key and stamp `row_key` and `stamp`."""
    return (
        ColumnExpression(str(key_of(contract).physical_name)).alias("row_key"),
        ColumnExpression(str(stamp_of(contract).physical_name)).alias("stamp"),
    )


def read_from_file(
    duck: duckdb.DuckDBPyConnection, file: Path, batches: Iterable[pa.RecordBatch], schema: pa.Schema
) -> duckdb.DuckDBPyRelation:
    """Put streamed rows into a file of this pull, from which they can be read more than once."""
    put_down(file, batches, schema)
    return duck.read_parquet(str(file))


def put_down(file: Path, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> None:
    """Put streamed rows into a file of this pull; keys, of which each is another, want no dictionary."""
    with pq.ParquetWriter(file, schema, compression="lz4", use_dictionary=False) as writer:
        for batch in batches:
            writer.write_batch(batch)
