"""Read all rows of a table: a base, whose rows are by key.

Some sources give rows by key, as these were entered: they go straight into the extract. Of the others rows
are put down as they come and sorted from there.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq
from duckdb import ColumnExpression, StarExpression

from connectors.engine import sql_text
from connectors.extract import ExtractFacts
from connectors.source_table import key_of, source_schema, stamp_of
from etl.pull.by_key import rises, sorted_by_key
from etl.pull.extract import write_extract
from etl.pull.reading import Reading, ReadTable, keyed, row_count_of, unstamped_keys, written
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
    contract = reading.contract
    LOG.info("%s: reading all rows (%s)", contract.name, reason)
    key = str(key_of(contract).physical_name)
    coming = (pa.Table.from_batches([batch]) for batch in reading.snapshot.rows(contract))
    looked_at = list(islice(coming, LOOKED_AT))
    rows = chain(looked_at, coming)
    if looked_at and not rises(pa.concat_tables(looked_at), key):
        return _sorted(reading, rows, key)
    rising = _Rising(rows, key)
    passed = _write(reading, rising, is_whole=lambda: rising.left is None)
    if rising.left is None:
        return passed.read
    moved = reading.file.rename(reading.folder / "risen.parquet")
    return _sorted(reading, chain(_risen(moved), rising.left), key)


def _sorted(reading: Reading, rows: Iterable[pa.Table], key: str) -> ReadTable:
    """Write rows that come in no order."""
    LOG.info("%s: putting rows by key", reading.contract.name)
    return _write(reading, sorted_by_key(rows, key, reading.folder / "rows.arrow")).read


def _risen(file: Path) -> Iterator[pa.Table]:
    written = pq.ParquetFile(file)
    return (written.read_row_group(group) for group in range(written.num_row_groups))


def _write(
    reading: Reading, rows: Iterable[pa.Table], *, is_whole: Callable[[], bool] = lambda: True
) -> "_Passing":
    """Write rows that come by key; what is to be said of them is known once all have passed."""
    name, schema, passing = reading.contract.name, source_schema(reading.contract), _Passing(reading)

    def footer() -> Mapping[str, str]:
        return passing.read.facts.footer() if is_whole() else {}

    write_extract(name, passing.see(rows), schema, reading.file, footer)
    return passing


class _Rising:
    """Rows as long as their keys rise; the others are left."""

    def __init__(self, rows: Iterator[pa.Table], key: str) -> None:
        self._rows, self._key = rows, key
        self.left: Iterator[pa.Table] | None = None

    def __iter__(self) -> Iterator[pa.Table]:
        last: Any = None
        for rows in self._rows:
            keys = rows.column(self._key)
            if rows.num_rows and not (rises(rows, self._key) and (last is None or last < keys[0].as_py())):
                self.left = chain([rows], self._rows)
                return
            yield rows
            last = keys[-1].as_py() if rows.num_rows else last


class _Passing:
    """What is to be known of rows that pass by once."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._count = 0
        self._watermark: datetime | None = None

    def see(self, groups: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """Let rows pass; where something is known to compare them with, their contents are kept as hashes."""
        if self._reading.known is None:
            yield from map(self._seen, groups)
            return
        kept: pq.ParquetWriter | None = None
        try:
            for group in map(self._seen, groups):
                told = self._told(group)
                kept = kept or pq.ParquetWriter(self._kept, told.schema, compression="lz4")
                kept.write_table(told)
                yield group
        finally:
            if kept is not None:
                kept.close()

    @cached_property
    def read(self) -> ReadTable:
        """What was read, and what the extract says of itself."""
        changed, deleted, unstamped = self._compared()
        facts = ExtractFacts(
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
        return ReadTable(
            self._reading.contract, self._reading.file, self._count, facts, self._reading.horizon
        )

    @property
    def _kept(self) -> Path:
        return self._reading.folder / "content.parquet"

    def _seen(self, group: pa.Table) -> pa.Table:
        stamps = group.column(str(stamp_of(self._reading.contract).physical_name))
        past = stamps.filter(pc.less(stamps, not_before(self._reading.business_date)))
        newest = [stamp for stamp in (self._watermark, pc.max(past).as_py()) if stamp is not None]
        self._watermark = max(newest, default=None)
        self._count += group.num_rows
        return group

    def _told(self, group: pa.Table) -> pa.Table:
        contract, duck = self._reading.contract, self._reading.duck
        rows = duck.from_arrow(group).select(*keyed(contract), StarExpression())
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
