"""Put rows by key, however many there are: sorted in runs that fit into little memory, then merged.

Each run is put down by key, in blocks. A range of keys is made of what all runs have of it, so that memory
holds one range, and a block of each run.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute

from connectors.read_ahead import read_ahead
from connectors.row_file import ROWS_PER_GROUP

# The stubs of pyarrow do not know all functions.
pc: Any = pyarrow.compute

ROWS_PER_RUN = ROWS_PER_GROUP // 2
ROWS_PER_BLOCK = 512
BLOCKS_PER_RANGE = 32


def rises(rows: pa.Table, key: str) -> bool:
    """Tell whether each key is there, and beyond the one before."""
    keys = rows.select([key]).combine_chunks().column(key)
    return not keys.null_count and bool(pc.all(pc.less(keys[:-1], keys[1:])).as_py())


def sorted_by_key(rows: Iterable[pa.Table], key: str, file: Path) -> Iterator[pa.Table]:
    """Give rows by key, those without one last, those that share one by their other columns.

    On the way they are put into `file`; the last of them is read before the first is given.
    """
    runs = _put_down(rows, key, file)
    if runs:
        with pa.OSFile(str(file)) as opened:
            yield from read_ahead(_merged(runs, key, pa.ipc.open_file(opened)))


class _Run:
    """What is left of a run that was put down: blocks by their first keys, and of one block the rest."""

    def __init__(self, key: str, blocks: Iterable[tuple[Any, int]]) -> None:
        self.blocks = deque(blocks)
        self._key = key
        self._rest: pa.Table | None = None

    def below(self, bound: pa.Scalar | None, file: pa.RecordBatchFileReader) -> Iterator[pa.Table]:
        """Give the rows not yet given whose keys are below a bound; None: all that are left."""
        while self._rest is not None or self._reaches_below(bound):
            rows, self._rest = self._rest, None
            if rows is None:
                _, place = self.blocks.popleft()
                rows = pa.Table.from_batches([file.get_batch(place)])
            count = rows.num_rows
            if bound is not None:
                count = pc.sum(pc.less(rows.column(self._key), bound)).as_py() or 0
            yield rows.slice(0, count)
            if count < rows.num_rows:
                self._rest = rows.slice(count)
                return

    def _reaches_below(self, bound: pa.Scalar | None) -> bool:
        if not self.blocks:
            return False
        first, _ = self.blocks[0]
        return bound is None or (first is not None and first < bound.as_py())


def _put_down(rows: Iterable[pa.Table], key: str, file: Path) -> Sequence[_Run]:
    runs, place, writer = list[_Run](), 0, None
    try:
        for run in _runs(rows, key):
            if writer is None:
                writer = pa.ipc.new_file(str(file), run.schema)
            writer.write_table(run, max_chunksize=ROWS_PER_BLOCK)
            firsts = run.column(key).take(pa.array(range(0, run.num_rows, ROWS_PER_BLOCK))).to_pylist()
            runs.append(_Run(key, zip(firsts, range(place, place + len(firsts)), strict=True)))
            place += len(firsts)
    finally:
        if writer is not None:
            writer.close()
    return runs


def _runs(rows: Iterable[pa.Table], key: str) -> Iterator[pa.Table]:
    held, count = list[pa.Table](), 0
    for some in rows:
        held.append(some)
        count += some.num_rows
        if count >= ROWS_PER_RUN:
            yield _by_key(held, key)
            held, count = [], 0
    if count:
        yield _by_key(held, key)


def _by_key(parts: Sequence[pa.Table], key: str) -> pa.Table:
    rows = pa.concat_tables(parts).combine_chunks()
    return rows if rises(rows, key) else rows.take(pc.sort_indices(rows.column(key)))


def _merged(runs: Sequence[_Run], key: str, file: pa.RecordBatchFileReader) -> Iterator[pa.Table]:
    kind = file.schema.field(key).type
    for bound in [*(pa.scalar(first, kind) for first in _bounds(runs)), None]:
        parts = [part for run in runs for part in run.below(bound, file)]
        if parts:
            rows = _by_key(parts, key)
            yield rows if rises(rows, key) else _settled(rows, key)


def _bounds(runs: Sequence[_Run]) -> Sequence[Any]:
    """Cut the keys into ranges of about so many rows; all rows of a key lie in one of them."""
    firsts = sorted(first for run in runs for first, _ in run.blocks if first is not None)
    return list(dict.fromkeys(firsts[BLOCKS_PER_RANGE::BLOCKS_PER_RANGE]))


def _settled(rows: pa.Table, key: str) -> pa.Table:
    """Put rows that share a key by their other columns, so that the order follows from the rows alone."""
    names = [key, *(name for name in rows.column_names if name != key)]
    return rows.take(pc.sort_indices(rows, sort_keys=[(name, "ascending") for name in names]))
