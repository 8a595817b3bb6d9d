"""Read one table of the population database: all of it, or what differs from what is known."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain
from pathlib import Path

import duckdb
import pyarrow as pa
from duckdb import ColumnExpression, StarExpression

from connectors.engine import open_duckdb, sql_text
from connectors.extract import IS_DELETED, Chain, ExtractFacts, view_known
from connectors.row_file import ROWS_PER_GROUP
from connectors.source_table import PopulationSnapshot, key_of, source_schema, stamp_of
from etl.pull.extract import write_extract
from etl.pull.sweep import (
    Sweep,
    content_of,
    keys_to_read,
    make_difference,
    not_before,
    sweep_keys,
    view_file,
)
from schemas.contract import Contract
from schemas.refusal import Refusal

LOG = logging.getLogger(__name__)

# Beyond this share of a table's rows reading all of it is cheaper than asking for keys.
MOST_SHARE = 0.3
# Tables so small are never worth the question.
SMALL = 1_000


@dataclass(frozen=True)
class ReadTable:
    """One table as it was read, in a file that is not landed yet."""

    contract: Contract
    file: Path
    row_count: int
    facts: ExtractFacts


@dataclass(frozen=True)
class Reading:
    """One table that is being read, with what is known of it and a folder for files on the way."""

    snapshot: PopulationSnapshot
    contract: Contract
    business_date: date
    known: Chain | None
    folder: Path
    duck: duckdb.DuckDBPyConnection


def read_table(
    snapshot: PopulationSnapshot,
    contract: Contract,
    known: Chain | None,
    business_date: date,
    folder: Path,
    *,
    is_full: bool,
) -> ReadTable:
    """Read what differs from what is known of a table, or the whole table.

    All of it is read when nothing is known, when it is asked for, in the first night of a month, when
    the contract has other columns than the landed rows, and when most rows have to be read anyway.

    Raises:
        Refusal: the database cannot be read, or did not hold one snapshot.
    """
    folder.mkdir()
    with open_duckdb(folder / "spill") as duck:
        if known is not None and known.lacks(source_schema(contract)):
            known = None
        if known is not None:
            view_known(duck, contract, known)
        reading = Reading(snapshot, contract, business_date, known, folder, duck)
        reason = _why_all(known, business_date, is_full=is_full)
        if known is None or reason is not None:
            return _read_base(reading, reason or "first")
        sweep = sweep_keys(duck, snapshot, contract, known, business_date, folder)
        if sweep.planned > max(SMALL, MOST_SHARE * sweep.swept):
            return _read_base(reading, "most rows have to be read")
        return _read_increment(reading, known, sweep)


def _why_all(known: Chain | None, business_date: date, *, is_full: bool) -> str | None:
    if known is None:
        return "nothing comparable is known"
    if is_full:
        return "asked for"
    base = known.extracts[0].landing.business_date
    return "first night of a month" if base.replace(day=1) < business_date.replace(day=1) else None


def _read_base(reading: Reading, reason: str) -> ReadTable:
    contract, duck = reading.contract, reading.duck
    LOG.info("%s: reading all rows (%s)", contract.name, reason)
    _view_read_rows(reading, reading.snapshot.rows(contract))
    read = duck.view("read_row")
    rows = _count(read)
    changed, deleted, unstamped = rows, 0, 0
    if reading.known is not None:
        content = content_of(contract, hashed=True)
        make_difference(duck, "row_difference", duck.view("known_row"), read, content)
        changed = _count(duck.sql(sql_text("population/changed_row")))
        deleted = _count(duck.sql(sql_text("population/gone_key")))
        unstamped = _unstamped(reading)
    until = {"until": not_before(reading.business_date)}
    ((watermark,),) = duck.sql(sql_text("population/watermark"), params=until).fetchall()
    facts = ExtractFacts(
        kind="base",
        follows=None,
        swept=rows,
        reread=rows,
        unchanged=rows - changed,
        changed=changed,
        deleted=deleted,
        unstamped=unstamped,
        watermark_from=None,
        watermark_to=_written(watermark),
    )
    schema = source_schema(contract)
    return _write(reading, _in_order(contract, read, schema), schema, facts)


def _read_increment(reading: Reading, known: Chain, sweep: Sweep) -> ReadTable:
    contract, duck = reading.contract, reading.duck
    _view_read_rows(reading, _read_again(reading))
    read = duck.view("read_row")
    _check_snapshot(contract, sweep.planned, _count(read))
    known_again = duck.sql(sql_text("population/known_again"))
    make_difference(duck, "row_difference", known_again, read, content_of(contract))
    changed = duck.sql(sql_text("population/changed_row"))
    deleted = duck.sql(sql_text("population/deleted_key"))
    changed_count = _count(changed)
    facts = ExtractFacts(
        kind="increment",
        follows=known.newest.landing.landing_id,
        swept=sweep.swept,
        reread=sweep.planned,
        unchanged=sweep.planned - changed_count,
        changed=changed_count,
        deleted=_count(deleted),
        unstamped=_unstamped(reading),
        watermark_from=_written(sweep.overlap_from),
        watermark_to=_written(sweep.watermark),
    )
    schema = source_schema(contract).append(pa.field(*IS_DELETED))
    rows = chain(_in_order(contract, changed, schema), _deleted(contract, deleted, schema))
    return _write(reading, rows, schema, facts)


def _view_read_rows(reading: Reading, batches: Iterator[pa.RecordBatch]) -> None:
    contract, file = reading.contract, reading.folder / "rows.parquet"
    view_file(reading.duck, "read_file", file, batches, source_schema(contract))
    key = ColumnExpression(str(key_of(contract).physical_name)).alias("row_key")
    stamp = ColumnExpression(str(stamp_of(contract).physical_name)).alias("stamp")
    reading.duck.view("read_file").select(key, stamp, StarExpression()).create_view("read_row")


def _read_again(reading: Reading) -> Iterator[pa.RecordBatch]:
    for keys in keys_to_read(reading.duck, reading.snapshot.most_keys):
        yield from reading.snapshot.rows_of(reading.contract, keys)


def _check_snapshot(contract: Contract, planned: int, read: int) -> None:
    if planned != read:
        raise Refusal(
            "snapshot_not_held",
            found=f"{contract.name}: {read} rows read again, {planned} were swept with these keys",
            expected="one snapshot of the population database for all queries of a pull",
            to_do="see docs/operating.md on snapshots by database; run again when nobody writes",
        )


def _count(relation: duckdb.DuckDBPyRelation) -> int:
    ((count,),) = relation.count("*").fetchall()
    return int(count)


def _unstamped(reading: Reading) -> int:
    found = _count(reading.duck.table("row_difference").filter(ColumnExpression("is_unstamped")))
    if found:
        LOG.warning(
            "%s: %d keys changed at the source without a new %s; that is a defect of the source",
            reading.contract.name,
            found,
            stamp_of(reading.contract).physical_name,
        )
    return found


def _written(stamp: datetime | None) -> str | None:
    return stamp.isoformat() if stamp else None


def _in_order(
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


def _deleted(
    contract: Contract, keys: duckdb.DuckDBPyRelation, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    key = str(key_of(contract).physical_name)
    for batch in keys.sort(ColumnExpression("row_key")).to_arrow_reader(ROWS_PER_GROUP):
        columns = {name: pa.nulls(batch.num_rows, schema.field(name).type) for name in schema.names}
        columns[key] = batch.column("row_key").cast(schema.field(key).type)
        columns[IS_DELETED[0]] = pa.array([True] * batch.num_rows, IS_DELETED[1])
        yield pa.record_batch(list(columns.values()), schema=schema)


def _write(
    reading: Reading, batches: Iterator[pa.RecordBatch], schema: pa.Schema, facts: ExtractFacts
) -> ReadTable:
    name = reading.contract.name
    file = reading.folder / f"{name}.parquet"
    rows = write_extract(name, batches, schema, file, facts.footer())
    return ReadTable(reading.contract, file, rows, facts)
