"""Text of few values: each value once, and for each row its place among them (Arrow's dictionaries).

Codes and names of divisions come so from a Parquet file. What is asked of a value is asked once, not once per
row. A column is held so only while it passes through: rows that are compared or kept have plain text.
"""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute

# The stubs of pyarrow do not know all functions.
pc: Any = pyarrow.compute
Column = Any


def has_few(kind: pa.DataType) -> bool:
    """Tell whether a column of a type holds each value once."""
    return bool(pa.types.is_dictionary(kind))


def few_of(column: Column) -> pa.DictionaryArray:
    """Bring a column of few values into one piece with one list of values."""
    one = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    assert isinstance(one, pa.DictionaryArray)  # noqa: S101 - who asks has looked at the type
    return one


def told_of(few: pa.DictionaryArray, told: Column) -> Column:
    """Give each row what is told of its value: text as a column of few values, anything else plainly.

    Values that are told the same text become one; those that are told none are missing.
    """
    if not pa.types.is_string(told.type):
        return pc.take(told, few.indices)
    once = told.dictionary_encode()
    return pa.DictionaryArray.from_arrays(pc.take(once.indices, few.indices), once.dictionary)


def plainly(column: Column) -> Column:
    """Write out a column of few values; others stay as they are."""
    return column.cast(column.type.value_type) if has_few(column.type) else column


def repeated_value(value: str, count: int) -> pa.DictionaryArray:
    """Make a column of one value."""
    return pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), count), pa.array([value]))


def encode(column: Column) -> pa.DictionaryArray:
    """Give a column of text each value once, in the order in which rows have them; none that no row has."""
    if not has_few(column.type):
        return few_of(column.combine_chunks().dictionary_encode())
    few = few_of(column)
    used = pc.dictionary_encode(few.indices)
    return pa.DictionaryArray.from_arrays(used.indices, pc.take(few.dictionary, used.dictionary))


def with_few_values(schema: pa.Schema, names: Sequence[str]) -> pa.Schema:
    """Tell of some columns of text in a schema that they hold each value once."""
    kind = pa.dictionary(pa.int32(), pa.string())
    return pa.schema([field.with_type(kind) if field.name in names else field for field in schema])
