"""Whose a row is: the division that answers for it, told by the row itself."""

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from connectors.divisions import divisions_on, retired_divisions
from connectors.engine import run_sql
from connectors.settings import Settings
from schemas.contract import Contract

CODES = ("code_1", "code_2", "code_3", "code_4")
Codes = tuple[str | None, ...]


def said_codes(contract: Contract, received: pa.Table) -> pa.Table:
    """Take the columns of received rows that name their division, first choice first, as CODES."""
    columns = [
        pc.utf8_trim_whitespace(received.column(name).cast(pa.string()))
        for name in contract.responsible_columns
    ]
    nothing = pa.nulls(received.num_rows, pa.string())
    return pa.table([*columns, *[nothing] * (len(CODES) - len(columns))], list(CODES))


def responsible_divisions(settings: Settings, said: pa.Table, business_date: date) -> pa.Table:
    """Tell for each combination of said codes the division of the business date, and its level."""
    said = said.group_by(list(CODES)).aggregate([])
    codes = [code for name in CODES for code in said.column(name).unique().to_pylist()]
    relations = {
        "said": said,
        "division": divisions_on(settings, business_date),
        "retired_division": retired_divisions(settings, codes, business_date),
    }
    return run_sql(settings, "quality/responsible_division", relations)


def responsible_by_codes(
    settings: Settings, said: pa.Table, business_date: date
) -> dict[Codes, tuple[str, str]]:
    """Tell the same as a mapping from said codes to division and level."""
    return {
        tuple(row[code] for code in CODES): (row["division_code"], row["level_code"])
        for row in responsible_divisions(settings, said, business_date).to_pylist()
    }
