"""Rows in one Parquet file whose bytes are a function of the rows, written as they come."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

# Engines read groups side by side; a writer holds one.
ROWS_PER_GROUP = 65_536


def write_rows(
    batches: Iterable[pa.RecordBatch | pa.Table],
    schema: pa.Schema,
    path: Path,
    *,
    footer: Mapping[str, str] | None = None,
    seen: Callable[[pa.Table], None] | None = None,
) -> int:
    """Write rows as they come, hold at most one group of them, and count them.

    Groups have a fixed size however the rows were cut into batches, and no schema of a writing library
    nor any time is stored: equal rows in equal order with an equal footer give equal bytes. `seen` is
    shown each group before it is written.
    """
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd", version="2.6", store_schema=False) as writer:
        for group in _groups(batches, schema):
            if seen is not None:
                seen(group)
            writer.write_table(group, row_group_size=ROWS_PER_GROUP)
            count += group.num_rows
        writer.add_key_value_metadata(dict(footer or {}))
    return count


def _groups(batches: Iterable[pa.RecordBatch | pa.Table], schema: pa.Schema) -> Iterator[pa.Table]:
    held: list[pa.Table] = []
    count = 0
    for batch in batches:
        held.append(batch if isinstance(batch, pa.Table) else pa.Table.from_batches([batch]))
        count += batch.num_rows
        if count >= ROWS_PER_GROUP:
            rows = pa.concat_tables(held)
            whole = count - count % ROWS_PER_GROUP
            for start in range(0, whole, ROWS_PER_GROUP):
                yield rows.slice(start, ROWS_PER_GROUP).combine_chunks()
            held, count = [rows.slice(whole)], count - whole
    if count:
        yield pa.concat_tables([schema.empty_table(), *held]).combine_chunks()
