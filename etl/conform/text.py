"""Normalise received text: what people meant, written one way. What was received stays in the landing."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from connectors.few_values import few_of, has_few, told_of
from schemas.private_use import moved_characters
from schemas.property import Property

WHITE_SPACE = r"[\s\x{00a0}\x{3000}\x{200b}\x{feff}]+"

PRIVATE_USE = r"[\x{e000}-\x{f8ff}]"
# Written one way already: Chinese characters of the basic block alone, or digits and capitals alone.
PLAIN = r"^([\x{4e00}-\x{9fff}]+|[0-9A-Z]+)$"

# The stubs of pyarrow know neither all functions nor that they take columns and scalars alike.
pc: Any = pyarrow.compute
Column = Any


@dataclass(frozen=True)
class Normal:
    """A normalised text column; of names and numbers whether each was oddly written.

    `as_received` has names as they came where they are now written another way, else NULL.
    """

    plain: Column
    is_odd: Column = None
    as_received: Column = None


def normalise_columns(received: pa.Table, properties: tuple[Property, ...]) -> pa.Table:
    """Normalise every text column by its form; add `has_odd_characters` and the names as received.

    Rows and their order stay. Empty text becomes NULL. `has_odd_characters` is true where a name or
    a number had full-width characters or spaces. `received_<name>` is a name as it came, where it is
    now written another way, else NULL. A column of few values stays one.
    """
    odd = pa.chunked_array([np.zeros(received.num_rows, bool)])
    for entry in properties:
        name = str(entry.physical_name)
        column = received.column(name)
        if not is_text(column.type):
            continue
        normal = _few_normal(column, entry) if has_few(column.type) else _normal(column, entry)
        if normal.is_odd is not None:
            odd = pc.or_(odd, pc.fill_null(normal.is_odd, False))
        if normal.as_received is not None:
            received = received.append_column(received_name(entry), normal.as_received)
        received = received.set_column(received.schema.get_field_index(name), name, normal.plain)
    return received.append_column("has_odd_characters", odd)


def _few_normal(column: Column, entry: Property) -> Normal:
    few = few_of(column)
    normal = _normal(few.dictionary, entry)
    return Normal(*(None if told is None else told_of(few, told) for told in vars(normal).values()))


def _normal(column: Column, entry: Property) -> Normal:
    column, form = column.cast(pa.string()), entry.form
    if form not in ("person_name", "document_number"):
        return Normal(normalise_text(column, form))
    compared = pc.utf8_rtrim(column, " ") if entry.physical_type.startswith("char(") else column
    not_plain = _not_plain(column)
    one_width = _where(not_plain, column, partial(_one_width, form=form))
    plain = _where(not_plain, column, partial(_normalised, form=form))
    is_odd = pc.not_equal(compared, one_width)
    return Normal(plain, is_odd, _where_other(compared, plain) if form == "person_name" else None)


def normalise_text(column: Column, form: str | None) -> Column:
    """Normalise one text column: names, document numbers, codes, or any other text (trimmed only)."""
    if form is None:
        return _without_empty(pc.utf8_trim_whitespace(column))
    return _where(_not_plain(column), column, partial(_normalised, form=form))


def _normalised(column: Column, form: str) -> Column:
    column = pc.utf8_trim_whitespace(column)
    if form == "person_name":
        column = _out_of_private_use(column)
    column = _one_width(column, form)
    if form == "document_number":
        column = pc.utf8_upper(column)
    return _without_empty(column)


def _without_empty(column: Column) -> Column:
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)


def _not_plain(column: Column) -> Column:
    """Tell which values are not plainly written; every change would leave the many others alone."""
    is_odd = pc.fill_null(pc.invert(pc.match_substring_regex(column, PLAIN)), False)
    return is_odd.combine_chunks() if isinstance(is_odd, pa.ChunkedArray) else is_odd


def _where(is_chosen: Column, column: Column, change: Callable[[Column], Column]) -> Column:
    """Change the chosen values."""
    if not pc.any(is_chosen).as_py():
        return column
    changed = change(column.filter(is_chosen))
    if isinstance(changed, pa.ChunkedArray):
        changed = changed.combine_chunks()
    return pc.replace_with_mask(column, is_chosen, changed)


def received_name(entry: Property) -> str:
    """Name the column that keeps a name as it was received."""
    return f"received_{entry.name}"


def _where_other(column: Column, plain: Column) -> Column:
    differs = pc.fill_null(pc.not_equal(column, plain), False)
    return pc.if_else(differs, column, pa.scalar(None, pa.string()))


def _out_of_private_use(column: Column) -> Column:
    """Write the public character for the private one; only the few names that have one are touched."""
    has_private = pc.fill_null(pc.match_substring_regex(column, PRIVATE_USE), False)
    if isinstance(has_private, pa.ChunkedArray):
        has_private = has_private.combine_chunks()
    if not pc.any(has_private).as_py():
        return column
    table = str.maketrans(moved_characters())
    moved = [name.translate(table) for name in column.filter(has_private).to_pylist()]
    return pc.replace_with_mask(column, has_private, pa.array(moved, pa.string()))


def _one_width(column: Column, form: str | None) -> Column:
    """Write half-width, without spaces; a name in Latin letters keeps single spaces between words."""
    column = pc.utf8_normalize(column, form="NFKC")
    without = pc.replace_substring_regex(column, WHITE_SPACE, "")
    if form != "person_name":
        return without
    spaced = pc.utf8_trim_whitespace(pc.replace_substring_regex(column, WHITE_SPACE, " "))
    return pc.if_else(pc.match_substring_regex(column, r"\p{Han}"), without, spaced)


def is_text(kind: pa.DataType) -> bool:
    """Tell whether values of a type are text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind))
