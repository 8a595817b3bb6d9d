"""Rows in one Parquet file whose bytes are a function of the rows, written as they come."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

# Engines read groups side by side; a writer holds one.
ROWS_PER_GROUP = 65_536


def write_rows(
    batches: Iterable[pa.RecordBatch | pa.Table],
    schema: pa.Schema,
    path: Path,
    *,
    footer: Callable[[], Mapping[str, str]] = dict,
    seen: Callable[[pa.Table], None] | None = None,
) -> int:
    """Write rows as they come, hold at most one group of them, and count them.

    Groups have a fixed size however the rows were cut into batches, and no schema of a writing library
    nor any time is stored: equal rows in equal order with an equal footer give equal bytes. `footer` is
    asked for after the last row; `seen` is shown each group before it is written.
    """
    count = 0
    groups = _groups(batches, schema)
    first = next(groups, schema.empty_table())
    with pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        version="2.6",
        store_schema=False,
        use_dictionary=_of_few_values(first),
    ) as writer:
        for group in itertools.chain([first] if first.num_rows else [], groups):
            if seen is not None:
                seen(group)
            writer.write_table(group, row_group_size=ROWS_PER_GROUP)
            count += group.num_rows
        writer.add_key_value_metadata(dict(footer()))
    return count


def _of_few_values(group: pa.Table) -> list[str]:
    """Name the columns that are worth a dictionary, by the first group; names and numbers are not."""
    return [
        column
        for column in group.column_names
        if pa.types.is_string(group.schema.field(column).type)
        and pc.count_distinct(group.column(column)).as_py() < max(1, group.num_rows // 2)
    ]


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
