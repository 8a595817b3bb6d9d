"""Find which rows of a source table to read again: sweep all keys, compare with what is known."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import duckdb
from duckdb import ColumnExpression, ConstantExpression, FunctionExpression, StarExpression

from connectors.engine import sql_text
from connectors.extract import Chain
from connectors.source_table import PopulationSnapshot, stamp_schema
from etl.pull.reading import read_from_file
from schemas.contract import Contract

# What tells rows apart, see `with_content`.
ROW = ("row_key", "stamp", "content")


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
    again for changes that left the stamp as it was; rows without a stamp always, and those of the view
    `written`, of which it is known otherwise.
    """
    swept_rows = read_from_file(
        duck, folder / "swept.parquet", snapshot.stamps(contract), stamp_schema(contract)
    )
    swept_rows.create_view("swept")
    find_stamp_difference(duck, duck.view("known_row"))
    told = {"watermark": known.newest.facts.watermark}
    ((overlap_from,),) = duck.sql(sql_text("population/overlap"), params=told).fetchall()
    reread = duck.sql(sql_text("population/reread_key"), params={"overlap_from": overlap_from})
    swept, planned, watermark = plan_reading(duck, reread, business_date)
    return Sweep(swept, planned, overlap_from, watermark)


def find_stamp_difference(duck: duckdb.DuckDBPyConnection, known: duckdb.DuckDBPyRelation) -> None:
    """Make the table `stamp_difference`: one row per key whose stamps differ in known rows and in `swept`."""
    nothing = ConstantExpression(None)
    before, after = with_content(known, nothing), with_content(duck.view("swept"), nothing)
    make_difference(duck, "stamp_difference", before, after)


def plan_reading(
    duck: duckdb.DuckDBPyConnection, reread: duckdb.DuckDBPyRelation, business_date: date
) -> tuple[int, int, datetime | None]:
    """Make the table `reread_key` of keys to read again; count rows swept and planned; find the watermark."""
    reread.create("reread_key")
    (counted,) = duck.sql(
        sql_text("population/sweep_count"), params={"until": not_before(business_date)}
    ).fetchall()
    return counted


def not_before(business_date: date) -> datetime:
    """Tell from when on a stamp cannot have been set: the night ends within the day after its date."""
    return datetime.combine(business_date + timedelta(days=2), time())


def make_difference(
    duck: duckdb.DuckDBPyConnection,
    name: str,
    before: duckdb.DuckDBPyRelation,
    after: duckdb.DuckDBPyRelation,
) -> None:
    """Make the table `name`: one row per key whose rows (see `with_content`) differ.

    Rows that both sides have as often say nothing of that, and are left out by their hashes beforehand.
    """
    sides = {"before": before, "after": after}
    for side, rows in sides.items():
        rows.create_view(f"{side}_all")
    uneven = f"{name}_hash"
    duck.sql(sql_text("population/uneven_hash")).create(uneven)
    row_hash = FunctionExpression("hash", *(ColumnExpression(part) for part in ROW))
    for side, rows in sides.items():
        hashed = rows.select(StarExpression(), row_hash.alias("row_hash"))
        hashed.join(duck.table(uneven), "row_hash", how="semi").select(*ROW).create_view(side)
    duck.sql(sql_text("population/difference")).create(name)


def with_content(rows: duckdb.DuckDBPyRelation, content: duckdb.Expression) -> duckdb.DuckDBPyRelation:
    """Take of rows what tells them apart: `row_key`, `stamp`, `content`."""
    return rows.select(ColumnExpression("row_key"), ColumnExpression("stamp"), content.alias("content"))


def content_of(contract: Contract, *, hashed: bool = False) -> duckdb.Expression:
    """Take all columns of a row as one value, or as a hash where whole tables are compared."""
    columns = (ColumnExpression(name) for name in contract.received_columns)
    return FunctionExpression("hash" if hashed else "row", *columns)


def keys_to_read(duck: duckdb.DuckDBPyConnection, most: int) -> Iterator[Sequence[Any]]:
    """Give the keys to be read again, in portions."""
    reader = duck.table("reread_key").order("row_key").to_arrow_reader(most)
    for batch in reader:
        keys = batch.column(0).to_pylist()
        yield from (keys[start : start + most] for start in range(0, len(keys), most))
