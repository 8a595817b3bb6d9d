"""Numbers as text without a Python loop: digits side by side in fixed width."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sandbox.city.chance import Column

ZERO = ord("0")
# A multiplier without common factors with 10 scatters consecutive serials over all numbers of that length.
SCATTER = 7_368_787_237
SHIFT = 4_130_179_651


def digits(numbers: Column, width: int) -> Column:
    """Write whole numbers with leading zeros: one row of ASCII codes each."""
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    written: Column = (numbers.astype(np.int64)[:, None] // powers % 10 + ZERO).astype(np.uint8)
    return written


def same_letters(text: str, count: int) -> Column:
    """Repeat an ASCII text on every row."""
    return np.tile(np.frombuffer(text.encode("ascii"), dtype=np.uint8), (count, 1))


def day_digits(days: Column) -> Column:
    """Write days as YYYYMMDD: one row of ASCII codes each."""
    months = days.astype("datetime64[M]")
    year = months.astype("datetime64[Y]").astype(np.int64) + 1970
    month = months.astype(np.int64) % 12 + 1
    of_month = (days - months.astype("datetime64[D]")).astype(np.int64) + 1
    return digits(year * 10_000 + month * 100 + of_month, 8)


def texts(letters: Column) -> pa.Array:
    """Turn rows of ASCII codes into Arrow strings."""
    count, width = letters.shape
    offsets = np.arange(count + 1, dtype=np.int64) * width
    content = np.ascontiguousarray(letters)
    return pa.LargeStringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(content)).cast(
        pa.string()
    )


def scattered(serials: Column, width: int) -> Column:
    """Map serials one to one to numbers of `width` digits that do not betray their order."""
    size = 10**width
    mapped: Column = (serials.astype(np.int64) * SCATTER + SHIFT) % size
    return mapped


def chosen(values: Sequence[str] | Column, positions: Column) -> pa.Array:
    """Look up a text for each position; -1 gives null."""
    wanted = pa.array(positions.astype(np.int64), mask=positions < 0)
    return pa.array(list(values), pa.string()).take(wanted)


def joined(*parts: pa.Array | str) -> pa.Array:
    """Join texts row by row; a null part makes the row null."""
    return pc.binary_join_element_wise(*parts, "")


def where(condition: Column, values: pa.Array) -> pa.Array:
    """Keep the values where the condition holds; null elsewhere."""
    return pc.if_else(pa.array(condition), values, pa.scalar(None, values.type))


def otherwise(condition: Column, values: pa.Array, instead: pa.Array) -> pa.Array:
    """Take the value where the condition holds, else the other one."""
    return pc.if_else(pa.array(condition), values, instead)
