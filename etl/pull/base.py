"""Read all rows of a table: a base, whose rows are by key.

Some sources give rows by key, as these were entered: they go straight into the extract. Of the others rows
are put down as they come and sorted from there.
"""

import logging
from collections.abc import Iterator
from datetime import datetime
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq
from duckdb import ColumnExpression, StarExpression

from connectors.engine import sql_text
from connectors.extract import ExtractFacts
from connectors.read_ahead import read_ahead
from connectors.source_table import key_of, source_schema, stamp_of
from etl.pull.extract import write_extract
from etl.pull.reading import Reading, ReadTable, in_order, keyed, row_count_of, unstamped_keys, written
from etl.pull.sweep import content_of, make_difference, not_before, with_content

LOG = logging.getLogger(__name__)
# The stubs of pyarrow do not know all functions.
pc: Any = pyarrow.compute

# Batches that tell how a source gives its rows.
LOOKED_AT = 2


def read_base(reading: Reading, reason: str) -> ReadTable:
    """Read and land all rows, and count what differs from what is known, if anything is.

    Raises:
        Refusal: the database cannot be read.
    """
    contract, schema = reading.contract, source_schema(reading.contract)
    LOG.info("%s: reading all rows (%s)", contract.name, reason)
    passing = _Passing(reading)
    batches = passing.see(reading.snapshot.rows(contract))
    rows = chain(list(islice(batches, LOOKED_AT)), batches)
    unsorted: duckdb.DuckDBPyRelation | None = None
    if passing.is_by_key:
        write_extract(contract.name, rows, schema, reading.file, lambda: passing.facts.footer())
        if not passing.is_by_key:
            moved = reading.file.rename(reading.folder / "rows.parquet")
            unsorted = reading.duck.read_parquet(str(moved))
    else:
        unsorted = _put_down(reading, rows, schema)
    if unsorted is not None:
        LOG.info("%s: sorting %d rows by key", contract.name, passing.facts.swept)
        keyed_rows = unsorted.select(*keyed(contract), StarExpression())
        in_rows = read_ahead(in_order(contract, keyed_rows, schema))
        write_extract(contract.name, in_rows, schema, reading.file, passing.facts.footer)
    return ReadTable(contract, reading.file, passing.facts.swept, passing.facts)


def _put_down(
    reading: Reading, batches: Iterator[pa.RecordBatch], schema: pa.Schema
) -> duckdb.DuckDBPyRelation:
    """Write rows as they lie in memory, which costs least, and give them to be read once."""
    file = reading.folder / "rows.arrow"
    with pa.ipc.new_stream(str(file), schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return reading.duck.from_arrow(pa.ipc.open_stream(pa.OSFile(str(file))))


class _Passing:
    """What is to be known of rows that pass by once."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._last: Any = None
        self._count = 0
        self._watermark: datetime | None = None
        self.is_by_key = True

    def see(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Let rows pass; where something is known to compare them with, their contents are kept as hashes."""
        if self._reading.known is None:
            yield from map(self._seen, batches)
            return
        kept: pq.ParquetWriter | None = None
        try:
            for batch in map(self._seen, batches):
                told = self._told(batch)
                kept = kept or pq.ParquetWriter(self._kept, told.schema, compression="lz4")
                kept.write_table(told)
                yield batch
        finally:
            if kept is not None:
                kept.close()

    @cached_property
    def facts(self) -> ExtractFacts:
        """What the extract says of itself, once all rows have passed."""
        changed, deleted, unstamped = self._compared()
        return ExtractFacts(
            kind="base",
            follows=None,
            swept=self._count,
            reread=self._count,
            unchanged=self._count - changed,
            changed=changed,
            deleted=deleted,
            unstamped=unstamped,
            watermark_from=None,
            watermark_to=written(self._watermark),
        )

    @property
    def _kept(self) -> Path:
        return self._reading.folder / "content.parquet"

    def _seen(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        keys = batch.column(str(key_of(self._reading.contract).physical_name))
        stamps = batch.column(str(stamp_of(self._reading.contract).physical_name))
        if batch.num_rows:
            follows = self._last is None or keys.null_count or self._last < keys[0].as_py()
            is_rising = not keys.null_count and pc.all(pc.less(keys[:-1], keys[1:])).as_py()
            self.is_by_key = bool(self.is_by_key and follows and is_rising)
            self._last = keys[-1].as_py()
            past = stamps.filter(pc.less(stamps, not_before(self._reading.business_date)))
            newest = [stamp for stamp in (self._watermark, pc.max(past).as_py()) if stamp is not None]
            self._watermark = max(newest, default=None)
        self._count += batch.num_rows
        return batch

    def _told(self, batch: pa.RecordBatch) -> pa.Table:
        contract, duck = self._reading.contract, self._reading.duck
        rows = duck.from_arrow(pa.Table.from_batches([batch])).select(*keyed(contract), StarExpression())
        told: pa.Table = with_content(rows, content_of(contract, hashed=True)).to_arrow_table()
        return told

    def _compared(self) -> tuple[int, int, int]:
        """Count changed rows, deleted keys, and keys that changed under an unchanged stamp."""
        contract, duck = self._reading.contract, self._reading.duck
        if self._reading.known is None:
            return self._count, 0, 0
        known = with_content(duck.view("known_row"), content_of(contract, hashed=True))
        if not self._count:
            return 0, row_count_of(known.select(ColumnExpression("row_key")).distinct()), 0
        read = duck.read_parquet(str(self._kept))
        read.create_view("read_row")
        make_difference(duck, "row_difference", known, read)
        return (
            row_count_of(duck.sql(sql_text("population/changed_row"))),
            row_count_of(duck.sql(sql_text("population/gone_key"))),
            unstamped_keys(self._reading),
        )
