"""Rows in one Parquet file whose bytes are a function of the rows, written as they come."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors.few_values import encode, has_few, plainly, with_few_values

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
    nor any time is stored: equal rows in equal order with an equal footer give equal bytes, also where text
    comes with each value once (see `connectors.few_values`), the same columns in all batches. `footer` is
    asked for after the last row; `seen` is shown each group before it is written.
    """
    count = 0
    groups = _groups(batches)
    first = next(groups, schema.empty_table())
    few = _of_few_values(first)
    groups = itertools.chain([first] if first.num_rows else [], groups)
    # Here and below: a group is let go before the next one is made.
    del first
    with pq.ParquetWriter(
        path,
        with_few_values(schema, few),
        compression="zstd",
        version="2.6",
        store_schema=False,
        use_dictionary=few,
        write_statistics=_compared(schema),
    ) as writer:
        for group in groups:
            if seen is not None:
                seen(group)
            writer.write_table(_encoded(group, few), row_group_size=ROWS_PER_GROUP)
            count += group.num_rows
            del group
        writer.add_key_value_metadata(dict(footer()))
    return count


def _compared(schema: pa.Schema) -> list[str]:
    """Name the columns whose least and greatest value are kept: the first, and those that are no text.

    Readers skip groups by them, and rows lie by the first. Those of names, numbers and addresses
    span everything and cost a good part of the writing.
    """
    return [
        field.name for place, field in enumerate(schema) if not place or not pa.types.is_string(field.type)
    ]


def _of_few_values(group: pa.Table) -> list[str]:
    """Name the columns that are worth a dictionary, by the first group; names and numbers are not."""
    return [
        column
        for column in group.column_names
        if (values := _values_of(group.column(column))) is not None and values < max(1, group.num_rows // 2)
    ]


def _values_of(column: pa.ChunkedArray) -> int | None:
    """Count the values of a column of text; another has none that counts."""
    if has_few(column.type):
        return len(encode(column).dictionary)
    return pc.count_distinct(column).as_py() if pa.types.is_string(column.type) else None


def _groups(batches: Iterable[pa.RecordBatch | pa.Table]) -> Iterator[pa.Table]:
    held: list[pa.Table] = []
    count = 0
    for batch in batches:
        held.append(batch if isinstance(batch, pa.Table) else pa.Table.from_batches([batch]))
        count += batch.num_rows
        if count >= ROWS_PER_GROUP:
            rows = pa.concat_tables(held)
            whole = count - count % ROWS_PER_GROUP
            held.clear()
            for start in range(0, whole, ROWS_PER_GROUP):
                yield rows.slice(start, ROWS_PER_GROUP).combine_chunks()
            held, count = [rows.slice(whole)], count - whole
            del rows
    if count:
        yield pa.concat_tables(held).combine_chunks()


def _encoded(group: pa.Table, few: Sequence[str]) -> pa.Table:
    """Give columns of few values each value once, in the order in which rows have them; others plainly."""
    for number, name in enumerate(group.column_names):
        column = group.column(number)
        if name in few:
            group = group.set_column(number, name, encode(column))
        elif has_few(column.type):
            group = group.set_column(number, name, plainly(column))
    return group
