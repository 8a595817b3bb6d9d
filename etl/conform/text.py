"""Normalise received text: what people meant, written one way. What was received stays in the landing."""

from typing import Any

import pyarrow as pa
import pyarrow.compute

from schemas.property import Property

WHITE_SPACE = r"[\s\x{00a0}\x{3000}\x{200b}\x{feff}]+"

# GB 18030-2022 gave these characters code points of their own; older systems still send private ones.
PRIVATE_USE = r"[\x{e000}-\x{f8ff}]"
MOVED_CHARACTERS = {
    "\ue816": "\U00020087",
    "\ue817": "\U00020089",
    "\ue818": "\U000200cc",
    "\ue81e": "\u9fb4",
    "\ue826": "\u9fb5",
    "\ue82b": "\u9fb6",
    "\ue82c": "\u9fb7",
    "\ue831": "\U000215d7",
    "\ue832": "\u9fb8",
    "\ue83b": "\U0002298f",
    "\ue843": "\u9fb9",
    "\ue854": "\u9fba",
    "\ue855": "\U000241fe",
    "\ue864": "\u9fbb",
}

# The stubs of pyarrow know neither all functions nor that they take columns and scalars alike.
pc: Any = pyarrow.compute
Column = Any


def normalise_columns(received: pa.Table, properties: tuple[Property, ...]) -> pa.Table:
    """Normalise every text column by its form and add `has_odd_characters`.

    Rows and their order stay. Empty text becomes NULL. `has_odd_characters` is true where a name or
    a number had full-width characters or spaces.
    """
    odd = pa.chunked_array([pa.array([False] * received.num_rows, pa.bool_())])
    for entry in properties:
        name = str(entry.physical_name)
        column = received.column(name)
        if not _is_text(column.type):
            continue
        column = column.cast(pa.string())
        plain = normalise_text(column, entry.form)
        if entry.form in ("person_name", "document_number"):
            compared = pc.utf8_rtrim(column, " ") if entry.physical_type.startswith("char(") else column
            odd = pc.or_(odd, pc.fill_null(pc.not_equal(compared, _one_width(column, entry.form)), False))
        received = received.set_column(received.schema.get_field_index(name), name, plain)
    return received.append_column("has_odd_characters", odd)


def normalise_text(column: Column, form: str | None) -> Column:
    """Normalise one text column: names, document numbers, codes, or any other text (trimmed only)."""
    column = pc.utf8_trim_whitespace(column)
    if form is not None:
        column = _one_width(column, form)
    if form == "document_number":
        column = pc.utf8_upper(column)
    if form == "person_name" and pc.any(pc.match_substring_regex(column, PRIVATE_USE)).as_py():
        for private, public in MOVED_CHARACTERS.items():
            column = pc.replace_substring(column, private, public)
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)


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
