"""Several connections that see one snapshot of a PostgreSQL database, and read ranges of a table at once.

The driver turns what comes into Arrow in one thread per connection, and the server works in one process per
connection: a single one leaves a processor idle. Ranges are of pages, so that rows come in the order in which
they lie there, as one connection reads them; each is read whole, and few are held.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from queue import SimpleQueue

import pyarrow as pa
from adbc_driver_postgresql import dbapi

from connectors.read_ahead import side_by_side

LANES = 2
# 8 MB of a table: some tens of thousands of rows.
PAGES_PER_RANGE = 1_024
# 256 MB, for questions that are answered by few rows.
PAGES_PER_QUESTION = 32_768
BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


@contextmanager
def open_lanes(url: str) -> Iterator[Sequence[dbapi.Cursor]]:
    """Open connections that see one snapshot; a standby is read on one, since more were not tried there."""
    with ExitStack() as stack:
        first = _cursor(stack, url)
        first.execute(BEGIN)
        first.execute("SELECT pg_is_in_recovery()")
        (is_standby,) = first.fetchone() or (True,)
        if is_standby:
            yield [first]
            return
        first.execute("SELECT pg_export_snapshot()")
        (snapshot,) = first.fetchone() or ("",)
        others = [_cursor(stack, url) for _ in range(LANES - 1)]
        for other in others:
            other.execute(BEGIN)
            other.execute(f"SET TRANSACTION SNAPSHOT '{snapshot}'")
        yield [first, *others]


def _cursor(stack: ExitStack, url: str) -> dbapi.Cursor:
    return stack.enter_context(stack.enter_context(dbapi.connect(url, autocommit=True)).cursor())


def page_ranges(pages: int, at_once: int | None = None) -> list[str]:
    """Write the conditions that cut a table of so many pages into ranges; the last one has no end."""
    at_once = at_once or PAGES_PER_RANGE
    starts = range(0, max(1, pages), at_once)
    return [
        f"ctid >= '({start},0)'" + (f" AND ctid < '({start + at_once},0)'" if start != starts[-1] else "")
        for start in starts
    ]


def in_lanes(
    lanes: Sequence[dbapi.Cursor], texts: Iterable[str], read: Callable[[dbapi.Cursor, str], pa.Table]
) -> Iterator[pa.Table]:
    """Give what each of some queries reads, in their order; as many as there are lanes are read at once."""
    free = SimpleQueue[dbapi.Cursor]()
    for lane in lanes:
        free.put(lane)

    def read_in_one(text: str) -> pa.Table:
        lane = free.get()
        try:
            return read(lane, text)
        finally:
            free.put(lane)

    return side_by_side(read_in_one, texts, len(lanes))
