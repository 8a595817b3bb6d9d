"""Find which rows to read again without sweeping all keys: by sums of hashes, where a source can tell them.

What is found is what `etl.pull.sweep` would find. Keys with a recent row are compared one by one. All others
are old on both sides, so that sums of hashes by buckets of keys tell where they differ, and only there their
keys are swept.
"""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
from duckdb import ColumnExpression, ConstantExpression

from connectors.engine import sql_text
from connectors.extract import Chain
from connectors.fingerprint import Adding, Fingerprint, buckets_of, fingerprint_of, nothing
from connectors.read_ahead import read_ahead
from connectors.row_file import ROWS_PER_GROUP
from connectors.source_hash import key_hashes
from connectors.source_table import AskedTable, stamp_schema
from etl.pull.reading import put_down, read_from_file, row_count_of
from etl.pull.sweep import Sweep, find_stamp_difference, not_before, overlap_of, plan_reading
from schemas.contract import Contract

LOG = logging.getLogger(__name__)

# As in sql/population/overlap.sql.
OVERLAP = timedelta(days=1)
# Beyond these shares of buckets and of rows, a sweep of everything is cheaper.
MOST_UNEVEN = 0.25
MOST_RECENT = 0.1
ROWS_AT_ONCE = 4 * ROWS_PER_GROUP


def sweep_by_fingerprint(
    duck: duckdb.DuckDBPyConnection,
    table: AskedTable,
    contract: Contract,
    known: Chain,
    business_date: date,
    folder: Path,
) -> Sweep | None:
    """Find what a sweep would find; None if all is to be swept.

    That is so where nothing recent is known or there, and where too much differs.

    Raises:
        Refusal: the database cannot be read.
    """
    watermark = known.newest.facts.watermark
    if watermark is None:
        return None
    since = watermark - OVERLAP
    at_source, file = nothing(), folder / "recent.parquet"
    with ThreadPoolExecutor(1) as pool:
        # The server adds while we do.
        asked = pool.submit(put_down, file, table.recent(since, at_source), stamp_schema(contract))
        as_known = _known_fingerprint(duck, contract, since, folder)
        asked.result()
    recent = duck.read_parquet(str(file))
    recent_count = row_count_of(recent)
    past = recent.filter(ColumnExpression("stamp") < ConstantExpression(not_before(business_date)))
    if not row_count_of(past) or recent_count > MOST_RECENT * known.newest.facts.swept:
        return None
    recent.create_view("recent")
    duck.sql(sql_text("population/concerned_key"), params={"since": since}).create("concerned_key")
    duck.sql(sql_text("population/known_concerned")).create("known_concerned")
    uneven = at_source.uneven(as_known.without(_concerned_fingerprint(duck, since)))
    LOG.info("%s: %d of %d buckets differ", contract.name, len(uneven), len(at_source.counts))
    if len(uneven) > MOST_UNEVEN * len(at_source.counts):
        return None
    _name_swept(duck, table, contract, uneven, since, folder)
    find_stamp_difference(duck, duck.sql(sql_text("population/known_compared")))
    overlap_from = overlap_of(duck, known)
    if overlap_from is not None and overlap_from < since:
        # What has appeared is older: more is read again of what is as known.
        again = duck.sql(sql_text("population/swept_again"), params={"overlap_from": overlap_from})
        again.create("swept_again_row")
        duck.table("swept_again_row").create_view("swept", replace=True)
    sweep = plan_reading(duck, overlap_from, business_date)
    return replace(sweep, swept=recent_count + int(at_source.counts.sum()))


def _known_fingerprint(
    duck: duckdb.DuckDBPyConnection, contract: Contract, since: datetime, folder: Path
) -> Fingerprint:
    """Add up what is known and old; all that is known is put down as `known_stamp`, with buckets of keys."""
    adding = Adding()
    rows = duck.view("known_row").select("row_key", "stamp").to_arrow_reader(ROWS_AT_ONCE)

    def hashed() -> Iterator[pa.RecordBatch]:
        for batch in read_ahead(rows):
            of_keys = key_hashes(batch.column("row_key"))
            old = pa.compute.fill_null(pa.compute.less(batch.column("stamp"), since), fill_value=False)
            adding.add(of_keys[old.to_numpy(zero_copy_only=False)], batch.column("stamp").filter(old))
            yield batch.append_column("bucket", pa.array(buckets_of(of_keys), pa.int64()))

    schema = stamp_schema(contract).append(pa.field("bucket", pa.int64()))
    read_from_file(duck, folder / "known.parquet", hashed(), schema).create_view("known_stamp")
    return adding.found


def _concerned_fingerprint(duck: duckdb.DuckDBPyConnection, since: datetime) -> Fingerprint:
    """Add up what is known and old of keys that have recent rows: they are compared one by one."""
    is_old = ColumnExpression("stamp") < ConstantExpression(since)
    return fingerprint_of(duck.table("known_concerned").filter(is_old).to_arrow_table())


def _name_swept(
    duck: duckdb.DuckDBPyConnection,
    table: AskedTable,
    contract: Contract,
    uneven: list[int],
    since: datetime,
    folder: Path,
) -> None:
    """Make the view `swept` of all rows at the source whose keys may have changed."""
    duck.from_arrow(pa.table({"bucket": pa.array(uneven, pa.int64())})).create("uneven_bucket")
    found = table.within(uneven, since) if uneven else iter(())
    old = read_from_file(duck, folder / "uneven.parquet", found, stamp_schema(contract))
    duck.view("recent").union(old).create_view("swept_compared")
    duck.view("swept_compared").create_view("swept")
