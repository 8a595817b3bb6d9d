"""Write streamed rows as one Parquet file whose bytes are a function of the rows."""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

LOG = logging.getLogger(__name__)

ROWS_PER_GROUP = 65_536
GROUPS_PER_REPORT = 8


def write_extract(
    name: str,
    batches: Iterator[pa.RecordBatch],
    schema: pa.Schema,
    path: Path,
    footer: Mapping[str, str] | None = None,
) -> int:
    """Write rows as they come, hold at most one row group in memory, and count them.

    Row groups have a fixed size however the rows were cut into batches, and no schema of a writing
    library nor any time is stored: equal rows in equal order with an equal footer give equal bytes.
    """
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd", version="2.6", store_schema=False) as writer:
        for number, group in enumerate(_groups(batches, schema), start=1):
            writer.write_table(group, row_group_size=ROWS_PER_GROUP)
            count += group.num_rows
            if number % GROUPS_PER_REPORT == 0:
                LOG.info("%s: %d rows so far", name, count)
        writer.add_key_value_metadata(dict(footer or {}))
    LOG.info("%s: %d rows", name, count)
    return count


def _groups(batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    held = schema.empty_table()
    for batch in batches:
        held = pa.concat_tables([held, pa.Table.from_batches([batch])])
        while held.num_rows >= ROWS_PER_GROUP:
            yield held.slice(0, ROWS_PER_GROUP).combine_chunks()
            held = held.slice(ROWS_PER_GROUP)
    if held.num_rows:
        yield held.combine_chunks()
