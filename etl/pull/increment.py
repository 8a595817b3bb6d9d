"""Read what differs from what is known of a table: an increment."""

from collections.abc import Iterator
from itertools import chain

import duckdb
import pyarrow as pa
from duckdb import ColumnExpression, StarExpression

from connectors.engine import sql_text
from connectors.extract import IS_DELETED, Chain, ExtractFacts
from connectors.row_file import ROWS_PER_GROUP
from connectors.source_table import key_of, source_schema
from etl.pull.extract import write_extract
from etl.pull.reading import (
    Reading,
    ReadTable,
    in_order,
    keyed,
    read_from_file,
    row_count_of,
    unstamped_keys,
    written,
)
from etl.pull.sweep import Sweep, content_of, keys_to_read, make_difference, with_content
from schemas.contract import Contract
from schemas.refusal import Refusal


def read_increment(reading: Reading, known: Chain, sweep: Sweep) -> ReadTable:
    """Read by key what a sweep found changed, and land what differs from what is known.

    Raises:
        Refusal: the database cannot be read, or did not hold one snapshot.
    """
    contract, duck = reading.contract, reading.duck
    read = _read_again(reading)
    read.create_view("read_row")
    _check_snapshot(contract, sweep.planned, row_count_of(read))
    # Put down once: all columns of all that is known are read for it.
    duck.sql(sql_text("population/known_again")).create("known_again")
    content, read_again = content_of(contract), duck.sql(sql_text("population/read_again"))
    before, after = (with_content(rows, content) for rows in (duck.table("known_again"), read_again))
    make_difference(duck, "content_difference", before, after)
    duck.sql(sql_text("population/row_difference")).create("row_difference")
    changed = duck.sql(sql_text("population/changed_row"))
    deleted = duck.sql(sql_text("population/deleted_key"))
    changed_count = row_count_of(changed)
    facts = ExtractFacts(
        kind="increment",
        follows=known.newest.landing.landing_id,
        swept=sweep.swept,
        reread=sweep.planned,
        unchanged=sweep.planned - changed_count,
        changed=changed_count,
        deleted=row_count_of(deleted),
        unstamped=unstamped_keys(reading),
        watermark_from=written(sweep.overlap_from),
        watermark_to=written(sweep.watermark),
    )
    schema = source_schema(contract).append(pa.field(*IS_DELETED))
    rows = chain(in_order(contract, changed, schema), _deleted(contract, deleted, schema))
    count = write_extract(contract.name, rows, schema, reading.file, facts.footer)
    return ReadTable(contract, reading.file, count, facts, reading.horizon)


def _read_again(reading: Reading) -> duckdb.DuckDBPyRelation:
    snapshot, contract = reading.snapshot, reading.contract
    portions = keys_to_read(reading.duck, snapshot.most_keys)
    batches = (batch for keys in portions for batch in snapshot.rows_of(contract, keys))
    file = reading.folder / "rows.parquet"
    return read_from_file(reading.duck, file, batches, source_schema(contract)).select(
        *keyed(contract), StarExpression()
    )


def _check_snapshot(contract: Contract, planned: int, read: int) -> None:
    if planned != read:
        raise Refusal(
            "snapshot_not_held",
            found=f"{contract.name}: {read} rows read again, {planned} were swept with these keys",
            expected="one snapshot of the population database for all queries of a pull",
            to_do="see docs/operating.md on snapshots by database; run again when nobody writes",
        )


def _deleted(
    contract: Contract, keys: duckdb.DuckDBPyRelation, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    key = str(key_of(contract).physical_name)
    for batch in keys.sort(ColumnExpression("row_key")).to_arrow_reader(ROWS_PER_GROUP):
        columns = {name: pa.nulls(batch.num_rows, schema.field(name).type) for name in schema.names}
        columns[key] = batch.column("row_key").cast(schema.field(key).type)
        columns[IS_DELETED[0]] = pa.array([True] * batch.num_rows, IS_DELETED[1])
        yield pa.record_batch(list(columns.values()), schema=schema)
