"""Received rows on their way back to the source: each with its key, its stamp and all that was received."""

import hashlib
from typing import Any

import pyarrow as pa
import pyarrow.compute

from schemas.contract import FAILED_RULES, LINEAGE, Contract

# What no key begins with that a source makes: a row without one is known by its content, an unreadable
# one by its place.
KEYLESS = "?"
# The stubs of pyarrow do not know all functions.
pc: Any = pyarrow.compute


def reports_of(contract: Contract, received: pa.Table, judged: pa.Table) -> pa.Table:
    """Take judged rows as they were received, with the columns of the contract's `report_schema`.

    `judged` are conformed rows with `received_row`, their places in `received`.
    """
    rows = judged.column("received_row")
    content = as_struct(
        contract, pa.table({name: received.column(name).take(rows) for name in contract.received_columns})
    )
    keys = judged.column(contract.key).cast(pa.string()).combine_chunks()
    columns = [
        _with_keyless(keys, content),
        judged.column("source_updated_at"),
        *(judged.column(name) for name, _ in LINEAGE),
        content,
    ]
    return pa.table(columns, names=contract.report_schema.names).cast(contract.report_schema)


def unreadable_reports(contract: Contract, malformed: pa.Table) -> pa.Table:
    """Make the reports of rows that could not be read into columns: nothing but their place."""
    places = malformed.select([name for name, _ in LINEAGE]).to_pylist()
    rows = [
        {"row_key": f"{KEYLESS}{place['landing_id']}#{place['landing_row']}", **place} for place in places
    ]
    return pa.Table.from_pylist(rows, schema=contract.report_schema)


def as_struct(contract: Contract, rows: pa.Table, is_unread: pa.ChunkedArray | None = None) -> pa.StructArray:
    """Put the received columns of rows into one, as text; a column that is not there is NULL.

    So is the whole of a row that could not be read.
    """
    nothing = pa.nulls(rows.num_rows, pa.string())
    columns = [
        rows.column(name).combine_chunks().cast(pa.string()) if name in rows.column_names else nothing
        for name in contract.received_columns
    ]
    mask = None if is_unread is None else is_unread.combine_chunks()
    return pa.StructArray.from_arrays(columns, list(contract.received_columns), mask=mask)


def received_of(contract: Contract, reports: pa.Table) -> pa.Table:
    """Give reports the columns that conforming takes: those received, and the way back."""
    content = reports.column("received").combine_chunks()
    had = {field.name for field in content.type}
    nothing = pa.nulls(reports.num_rows, pa.string())
    columns = [
        pc.struct_field(content, name) if name in had else nothing for name in contract.received_columns
    ]
    lineage = [reports.column(name) for name, _ in LINEAGE]
    return pa.table([*columns, *lineage], [*contract.received_columns, *(name for name, _ in LINEAGE)])


def quarantine_of(contract: Contract, rejected: pa.Table) -> pa.Table:
    """Give rejected reports the columns of `quarantine.<dataset>`, in order of receipt."""
    rows = received_of(contract, rejected).append_column(FAILED_RULES[0], rejected.column(FAILED_RULES[0]))
    return in_order_of_receipt(rows.cast(contract.quarantine_schema))


def in_order_of_receipt(rows: pa.Table) -> pa.Table:
    """Put rows in order of the landed file and the line that they came from."""
    return rows.sort_by([(name, "ascending") for name, _ in LINEAGE]).combine_chunks()


def _with_keyless(keys: Any, content: pa.StructArray) -> pa.Array:  # noqa: ANN401 - an array of text
    if not keys.null_count:
        return keys
    told = keys.to_pylist()
    for place in pc.indices_nonzero(pc.is_null(keys)).to_pylist():
        text = repr(list(content[place].as_py().values()))
        told[place] = f"{KEYLESS}{hashlib.sha256(text.encode()).hexdigest()[:32]}"
    return pa.array(told, pa.string())
