"""Normalise received text: what people meant, written one way. What was received stays in the landing."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute

from schemas.private_use import moved_characters
from schemas.property import Property

WHITE_SPACE = r"[\s\x{00a0}\x{3000}\x{200b}\x{feff}]+"

PRIVATE_USE = r"[\x{e000}-\x{f8ff}]"
# Written one way already: Chinese characters of the basic block alone, or digits and capitals alone.
PLAIN = r"^([\x{4e00}-\x{9fff}]+|[0-9A-Z]+)$"

# The stubs of pyarrow know neither all functions nor that they take columns and scalars alike.
pc: Any = pyarrow.compute
Column = Any


def normalise_columns(received: pa.Table, properties: tuple[Property, ...]) -> pa.Table:
    """Normalise every text column by its form; add `has_odd_characters` and the names as received.

    Rows and their order stay. Empty text becomes NULL. `has_odd_characters` is true where a name or
    a number had full-width characters or spaces. `received_<name>` is a name as it came, where it is
    now written another way, else NULL.
    """
    odd = pa.chunked_array([pa.array([False] * received.num_rows, pa.bool_())])
    for entry in properties:
        name = str(entry.physical_name)
        column = received.column(name)
        if not _is_text(column.type):
            continue
        column = column.cast(pa.string())
        form = entry.form
        plain = normalise_text(column, form)
        if form in ("person_name", "document_number"):
            compared = pc.utf8_rtrim(column, " ") if entry.physical_type.startswith("char(") else column
            one_width = _where_not_plain(column, partial(_one_width, form=form))
            odd = pc.or_(odd, pc.fill_null(pc.not_equal(compared, one_width), False))
        if form == "person_name":
            received = received.append_column(received_name(entry), _where_other(compared, plain))
        received = received.set_column(received.schema.get_field_index(name), name, plain)
    return received.append_column("has_odd_characters", odd)


def normalise_text(column: Column, form: str | None) -> Column:
    """Normalise one text column: names, document numbers, codes, or any other text (trimmed only)."""
    if form is None:
        return _without_empty(pc.utf8_trim_whitespace(column))
    return _where_not_plain(column, partial(_normalised, form=form))


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


def _where_not_plain(column: Column, change: Callable[[Column], Column]) -> Column:
    """Change the values that are not plainly written; every change would leave the many others alone."""
    is_odd = pc.fill_null(pc.invert(pc.match_substring_regex(column, PLAIN)), False)
    if isinstance(is_odd, pa.ChunkedArray):
        is_odd = is_odd.combine_chunks()
    if not pc.any(is_odd).as_py():
        return column
    odd = change(column.filter(is_odd))
    if isinstance(odd, pa.ChunkedArray):
        odd = odd.combine_chunks()
    return pc.replace_with_mask(column, is_odd, odd)


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


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind))
