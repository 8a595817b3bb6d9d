"""Find which rows to read again without sweeping all keys, where a source tells which were written since.

What was written is all that came or changed, whatever its stamp says. What is gone nothing tells but numbers
of rows: they are counted by buckets of keys, and where there are fewer than are left of what is known, the
known keys of buckets that have lost rows are looked for.
"""

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from duckdb import ColumnExpression

from connectors.engine import sql_text
from connectors.extract import Chain, among, base_keys, base_places, extract_rows, view_known
from connectors.few_rows import PLACE
from connectors.read_ahead import side_by_side
from connectors.source_hash import BUCKETS, Buckets
from connectors.source_table import VersionedTable, stamp_of, stamp_schema
from etl.pull.reading import read_from_file, row_count_of
from etl.pull.sweep import Sweep, find_stamp_difference, plan_reading
from schemas.contract import Contract

LOG = logging.getLogger(__name__)

Numbers = npt.NDArray[np.int64]

# Beyond these shares of rows and of buckets, a sweep of everything is cheaper.
MOST_WRITTEN = 0.1
MOST_UNEVEN = 0.25


def sweep_by_versions(
    duck: duckdb.DuckDBPyConnection,
    table: VersionedTable,
    contract: Contract,
    known: Chain,
    business_date: date,
    folder: Path,
) -> Sweep | None:
    """Find what a sweep would find, and changes without a new stamp; None if all is to be swept.

    That is so where the pull before cannot be reached from this one, where too much was written, and where
    the number of rows cannot be explained. Of the base, `known_row` has afterwards what was written without a
    new stamp alone.

    Raises:
        Refusal: the database cannot be read.
    """
    newest, name = known.newest, contract.name
    coming = table.written_since(newest.landing.horizon) if newest.landing.horizon else None
    if coming is None:
        LOG.info("%s: what was written since the pull before cannot be told", name)
        return None
    written = read_from_file(duck, folder / "written.parquet", coming, stamp_schema(contract))
    written.create_view("written", replace=True)
    count = row_count_of(written)
    if count > MOST_WRITTEN * newest.facts.swept:
        LOG.info("%s: %d rows written, too many to look them up", name, count)
        return None
    finding = _Finding(duck, table, contract, known, folder)
    with ThreadPoolExecutor(1) as pool:
        # The server counts while we look up.
        counting = pool.submit(finding.counts)
        finding.name_written()
        counts = counting.result()
    swept = int(counts.sum())
    gone = newest.facts.swept - row_count_of(duck.table("known_written")) + count - swept
    LOG.info("%s: %d rows written, %d gone", name, count, gone)
    nothing = written.limit(0)
    for view in ("known_uneven", "left_row"):
        nothing.create_view(view)
    if gone and not finding.name_uneven(counts, gone):
        LOG.info("%s: buckets of keys do not tell which are gone", name)
        return None
    duck.sql(sql_text("population/written_or_left")).create_view("swept")
    find_stamp_difference(duck, duck.sql(sql_text("population/known_compared")))
    reread = duck.sql(sql_text("population/written_key"))
    _, planned, seen = plan_reading(duck, reread, business_date)
    finding.name_alike()
    stamps = [stamp for stamp in (newest.facts.watermark, seen) if stamp is not None]
    return Sweep(swept, planned, None, max(stamps, default=None))


@dataclass(frozen=True)
class _Finding:
    """What is known and what is there of keys that may differ."""

    duck: duckdb.DuckDBPyConnection
    table: VersionedTable
    contract: Contract
    known: Chain
    folder: Path

    def counts(self) -> Numbers:
        """Let the source count its rows by buckets of keys."""
        found = np.zeros(BUCKETS, np.int64)
        for batch in self.table.counts():
            np.add.at(found, np.asarray(batch.column("bucket")), np.asarray(batch.column("row_count")))
        return found

    def name_written(self) -> None:
        """Put down as `known_written` what is known of keys that were written."""
        self._view_known_of(self.duck.view("written"))
        self._sql("known_written").create("known_written")

    def name_alike(self) -> None:
        """Leave in `known_row`, of the base, what was written without a new stamp: its contents tell."""
        written, stamped = self.duck.view("written"), self.duck.table("stamp_difference")
        self._view_known_of(written.join(stamped, "row_key", how="anti"))

    def name_uneven(self, counts: Numbers, gone: int) -> bool:
        """Name what is known and what is left in buckets that have lost rows: `known_uneven`, `left_row`.

        False if that does not explain how many are gone.
        """
        self._sql("brought").create("brought")
        brought, written = _keys(self.duck.table("brought")), _keys(self.duck.view("written"))
        base = self._base_buckets()
        if base is None or brought.null_count:
            # Rows without a key, from when the source had such.
            return False
        of_brought = self.table.buckets_of(brought)
        moved = self._places_of(_keys(self._sql("moved_key")))
        expected = _by_bucket(base) - _by_bucket(base[moved])
        expected += _by_bucket(of_brought) + _by_bucket(self.table.buckets_of(written))
        lost = expected - counts
        is_uneven = lost > 0
        LOG.info("%s: %d of %d buckets of keys differ", self.contract.name, is_uneven.sum(), BUCKETS)
        if lost.min() < 0 or is_uneven.mean() > MOST_UNEVEN:
            return False
        places = np.setdiff1d(np.flatnonzero(is_uneven[base]), moved, assume_unique=True)
        known = self._known_uneven(places, pa.array(is_uneven[of_brought]))
        known.create("known_of_buckets")
        self.duck.table("known_of_buckets").create_view("known_uneven", replace=True)
        asked = _keys(self.duck.view("known_uneven").select("row_key").distinct())
        there = self.table.there(asked.to_pylist())
        file, schema = self.folder / "left.parquet", stamp_schema(self.contract)
        read_from_file(self.duck, file, there, schema).create_view("left_row", replace=True)
        return len(asked) - row_count_of(self.duck.view("left_row")) == gone

    def _known_uneven(self, places: Numbers, is_brought: pa.Array) -> duckdb.DuckDBPyRelation:
        stamp = ColumnExpression(str(stamp_of(self.contract).physical_name)).alias("stamp")
        base, at = self.known.extracts[0], pa.table({PLACE: places})
        of_base = extract_rows(self.duck, self.contract, base, 0, [stamp], at).select("row_key", "stamp")
        brought = self.duck.table("brought").to_arrow_table().filter(is_brought)
        return of_base.union(self.duck.from_arrow(brought))

    def _view_known_of(self, keys: duckdb.DuckDBPyRelation) -> None:
        view_known(self.duck, self.contract, self.known, pa.table({PLACE: self._places_of(_keys(keys))}))

    def _places_of(self, keys: pa.Array) -> Numbers:
        """Tell where the base has rows of some keys."""
        if not len(keys):
            return np.array([], np.int64)
        places = base_places(self.contract, self.known.extracts[0], lambda some: among(some, keys))
        return np.asarray(places.column(PLACE), np.int64)

    def _base_buckets(self) -> Buckets | None:
        parts = base_keys(self.contract, self.known.extracts[0])

        def buckets(keys: pa.ChunkedArray) -> Buckets | None:
            return None if keys.null_count else self.table.buckets_of(keys.combine_chunks())

        found = list(side_by_side(buckets, parts))
        whole = [part for part in found if part is not None]
        return np.concatenate(whole) if len(whole) == len(found) else None

    def _sql(self, relation: str) -> duckdb.DuckDBPyRelation:
        return self.duck.sql(sql_text(f"population/{relation}"))


def _keys(rows: duckdb.DuckDBPyRelation) -> pa.Array:
    return rows.select("row_key").to_arrow_table().column(0).combine_chunks()


def _by_bucket(buckets: Buckets) -> Numbers:
    return np.bincount(buckets, minlength=BUCKETS)
