"""Codes of divisions in rows: which of them are retired, and what is in their place on the business date."""

from collections.abc import Iterable
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute

from connectors.divisions import retired_divisions, tree_version
from connectors.settings import Settings
from schemas.contract import Contract

# Shorter codes name a county, as in a place of birth; those are never replaced.
LENGTH = 12

# The stubs of pyarrow do not know all functions.
pc: Any = pyarrow.compute


def retired_in_received(
    settings: Settings, contract: Contract, received: pa.Table, business_date: date
) -> pa.Table:
    """Tell which codes of received rows are retired: `retired_code`, `successor_code`."""
    columns = [str(entry.physical_name) for entry in contract.received if _is_division(entry.name)]
    return _retired(settings, received, columns, business_date)


def bring_into_force(settings: Settings, rows: pa.Table, business_date: date) -> pa.Table:
    """Replace codes that were retired since rows were staged by their successors; all else stays."""
    columns = [name for name in rows.column_names if _is_division(name) and not name.startswith("received_")]
    retired = _retired(settings, rows, columns, business_date)
    for name in columns if retired.num_rows else ():
        column = rows.column(name)
        places = pc.index_in(column, retired.column("retired_code").combine_chunks())
        successors = pc.take(retired.column("successor_code").combine_chunks(), places)
        rows = rows.set_column(rows.schema.get_field_index(name), name, pc.coalesce(successors, column))
    return rows


def cited_tree(settings: Settings, contract: Contract, business_date: date) -> list[str]:
    """Name the tree among the inputs of a dataset, if its rows name divisions."""
    names_divisions = any(_is_division(entry.name) for entry in contract.received)
    return [tree_version(settings, business_date)] if names_divisions else []


def _is_division(name: str) -> bool:
    return name.endswith("division_code")


def _retired(settings: Settings, rows: pa.Table, columns: Iterable[str], business_date: date) -> pa.Table:
    found = {code for name in columns for code in rows.column(name).unique().to_pylist() if code}
    return retired_divisions(settings, (code for code in found if len(code) == LENGTH), business_date)
