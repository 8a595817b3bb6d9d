"""Persons and children as they are, without what was planted: what a partner that asks them writes down."""

import pyarrow as pa
import pyarrow.compute as pc

# A death that the register missed is no slip of a row: partners have not heard of it either.
UNHEARD_OF = "death_not_recorded"


def rows_as_they_are(rows: pa.Table, dataset: str, defects: pa.Table) -> pa.Table:
    """Take back what was planted into rows of a dataset; the key is the first column."""
    own = defects.filter(pc.and_(pc.equal(defects["dataset"], dataset), defects["column"].is_valid()))
    own = own.filter(pc.not_equal(own["defect"], UNHEARD_OF))
    keys = rows.column(0).cast(pa.string())
    for name in pc.unique(own["column"]).to_pylist():
        planted = own.filter(pc.equal(own["column"], name))
        place = pc.index_in(keys, planted["key"].combine_chunks())
        number = rows.column_names.index(name)
        before = planted["original"].cast(rows.schema.field(name).type).take(place)
        rows = rows.set_column(number, name, pc.if_else(place.is_valid(), before, rows[name]))
    return rows


def rows_of_keys(rows: pa.Table, column: str, keys: pa.Array | pa.ChunkedArray) -> pa.Table:
    """Find for each key the row that has it in a column, in the order of the keys; nulls where none has."""
    wanted = keys.combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys
    small = rows.filter(pc.is_in(rows[column], wanted)).combine_chunks()
    place = pc.index_in(wanted, small[column].combine_chunks())
    return small.take(place)
