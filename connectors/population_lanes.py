"""Several connections that see one snapshot of a PostgreSQL database, and read ranges of a table at once.

The driver turns what comes into Arrow in one thread per connection, and the server works in one process per
connection: a single one leaves a processor idle. Ranges are of pages, so that rows come in the order in which
they lie there, as one connection reads them; each is read whole, and few are held.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pyarrow as pa
from adbc_driver_postgresql import dbapi

LANES = 2
# 8 MB of a table: some tens of thousands of rows.
PAGES_PER_RANGE = 1_024
BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


@contextmanager
def open_lanes(url: str) -> Iterator[Sequence[dbapi.Cursor]]:
    """Open connections that see one snapshot; a standby, which lends none, has one of them."""
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


def page_ranges(pages: int) -> list[str]:
    """Write the conditions that cut a table of so many pages into ranges; the last one has no end."""
    starts = range(0, max(1, pages), PAGES_PER_RANGE)
    return [
        f"ctid >= '({start},0)'"
        + (f" AND ctid < '({start + PAGES_PER_RANGE},0)'" if start != starts[-1] else "")
        for start in starts
    ]


def in_lanes(
    lanes: Sequence[dbapi.Cursor], texts: Sequence[str], read: Callable[[dbapi.Cursor, str], pa.Table]
) -> Iterator[pa.Table]:
    """Give what each of some queries reads, in their order; every lane reads one, and waits with it."""
    with ExitStack() as stack:
        pools = [stack.enter_context(ThreadPoolExecutor(1)) for _ in lanes]
        coming: deque[Future[pa.Table]] = deque()
        for place, text in enumerate(texts):
            lane = place % len(lanes)
            if len(coming) == len(lanes):
                yield coming.popleft().result()
            coming.append(pools[lane].submit(read, lanes[lane], text))
        while coming:
            yield coming.popleft().result()
