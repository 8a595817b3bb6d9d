"""Find which rows of a source table to read again: sweep all keys, compare with what is known."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from duckdb import ColumnExpression, ConstantExpression, FunctionExpression

from connectors.engine import sql_text
from connectors.extract import Chain
from connectors.source_table import PopulationSnapshot, stamp_schema
from schemas.contract import Contract


@dataclass(frozen=True)
class Sweep:
    """What a sweep of all keys found; tables `stamp_difference` and `reread_key` hold which keys."""

    swept: int
    planned: int
    overlap_from: datetime | None
    watermark: datetime | None


def sweep_keys(
    duck: duckdb.DuckDBPyConnection,
    snapshot: PopulationSnapshot,
    contract: Contract,
    known: Chain,
    business_date: date,
    folder: Path,
) -> Sweep:
    """Compare key and stamp of every row at the source with `known_row`, and plan what to read again.

    New, changed and deleted keys are found whatever their stamps are, so a transaction that stamped
    early and committed late is not lost, nor one whose clock was wrong. Rows of the overlap are read
    again for changes that left the stamp as it was; rows without a stamp always.
    """
    view_file(duck, "swept", folder / "swept.parquet", snapshot.stamps(contract), stamp_schema(contract))
    nothing = ConstantExpression(None)
    make_difference(duck, "stamp_difference", duck.view("known_row"), duck.view("swept"), nothing)
    watermark = known.newest.facts.watermark
    ((overlap_from,),) = duck.sql(sql_text("population/overlap"), params={"watermark": watermark}).fetchall()
    reread = duck.sql(sql_text("population/reread_key"), params={"overlap_from": overlap_from})
    reread.create("reread_key")
    ((swept, planned, newest),) = duck.sql(
        sql_text("population/sweep_count"), params={"until": not_before(business_date)}
    ).fetchall()
    return Sweep(swept, planned, overlap_from, newest)


def not_before(business_date: date) -> datetime:
    """Tell from when on a stamp cannot have been set: the night ends within the day after its date."""
    return datetime.combine(business_date + timedelta(days=2), time())


def make_difference(
    duck: duckdb.DuckDBPyConnection,
    name: str,
    before: duckdb.DuckDBPyRelation,
    after: duckdb.DuckDBPyRelation,
    content: duckdb.Expression,
) -> None:
    """Make the table `name`: one row per key whose rows differ in stamp or content."""
    for side, relation in (("before", before), ("after", after)):
        columns = (ColumnExpression("row_key"), ColumnExpression("stamp"), content.alias("content"))
        relation.select(*columns).create_view(side)
    duck.sql(sql_text("population/difference")).create(name)


def content_of(contract: Contract, *, hashed: bool = False) -> duckdb.Expression:
    """Take all columns of a row as one value, or as a hash where whole tables are compared."""
    columns = (ColumnExpression(name) for name in contract.received_columns)
    return FunctionExpression("hash" if hashed else "row", *columns)


def view_file(
    duck: duckdb.DuckDBPyConnection,
    name: str,
    file: Path,
    batches: Iterator[pa.RecordBatch],
    schema: pa.Schema,
) -> None:
    """Put streamed rows into a file of this pull and make a view of them."""
    with pq.ParquetWriter(file, schema, compression="lz4") as writer:
        for batch in batches:
            writer.write_batch(batch)
    duck.read_parquet(str(file)).create_view(name)


def keys_to_read(duck: duckdb.DuckDBPyConnection, most: int) -> Iterator[Sequence[Any]]:
    """Give the keys to be read again, in portions."""
    reader = duck.table("reread_key").order("row_key").to_arrow_reader(most)
    for batch in reader:
        keys = batch.column(0).to_pylist()
        yield from (keys[start : start + most] for start in range(0, len(keys), most))
