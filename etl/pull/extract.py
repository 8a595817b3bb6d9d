"""Write what a pull reads as one Parquet file, telling how far it has come."""

import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pyarrow as pa

from connectors.row_file import ROWS_PER_GROUP, write_rows

LOG = logging.getLogger(__name__)

ROWS_PER_REPORT = 8 * ROWS_PER_GROUP


def write_extract(
    name: str,
    batches: Iterable[pa.RecordBatch | pa.Table],
    schema: pa.Schema,
    path: Path,
    footer: Callable[[], Mapping[str, str]],
) -> int:
    """Write rows as they come (see connectors/row_file.py), report on the way, and count them."""
    count = 0

    def report(group: pa.Table) -> None:
        nonlocal count
        count += group.num_rows
        if count % ROWS_PER_REPORT == 0:
            LOG.info("%s: %d rows so far", name, count)

    rows = write_rows(batches, schema, path, footer=footer, seen=report)
    LOG.info("%s: %d rows", name, rows)
    return rows
