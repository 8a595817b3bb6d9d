"""Read one table of the population database: all of it, or what differs from what is known."""

from datetime import date
from pathlib import Path

from connectors.duck import open_duckdb
from connectors.extract import Chain, view_known
from connectors.settings import Settings
from connectors.source_table import PopulationSnapshot, source_schema, stamp_schema
from etl.pull.base import read_base
from etl.pull.increment import read_increment
from etl.pull.reading import Reading, ReadTable
from etl.pull.sweep import Sweep, sweep_keys
from etl.pull.versions import sweep_by_versions
from schemas.contract import Contract

# Beyond this share of a table's rows reading all of it is cheaper than asking for keys.
MOST_SHARE = 0.3
# Tables so small are never worth the question.
SMALL = 1_000


def read_table(
    settings: Settings,
    snapshot: PopulationSnapshot,
    contract: Contract,
    known: Chain | None,
    business_date: date,
    folder: Path,
    *,
    is_full: bool,
) -> ReadTable:
    """Read what differs from what is known of a table, or the whole table.

    All of it is read when nothing is known, when it is asked for, in the first night of a month, when
    the contract has other columns than the landed rows, and when most rows have to be read anyway.

    Raises:
        Refusal: the database cannot be read, or did not hold one snapshot.
    """
    folder.mkdir()
    with open_duckdb(settings) as duck:
        if known is not None and known.lacks(source_schema(contract)):
            known = None
        if known is not None:
            view_known(duck, contract, known)
        table = snapshot.versions(contract)
        horizon = table.horizon if table is not None else None
        reading = Reading(snapshot, contract, business_date, known, folder, duck, horizon)
        reason = _why_all(known, business_date, is_full=is_full)
        if known is None or reason is not None:
            return read_base(reading, reason or "first")
        sweep: Sweep | None = None
        # Of what was written nothing is known, unless the table tells.
        duck.from_arrow(stamp_schema(contract).empty_table()).create("nothing_written")
        duck.table("nothing_written").create_view("written")
        if table is not None:
            sweep = sweep_by_versions(duck, table, contract, known, business_date, folder)
        if sweep is None:
            view_known(duck, contract, known)
            sweep = sweep_keys(duck, snapshot, contract, known, business_date, folder)
            if sweep.planned > max(SMALL, MOST_SHARE * sweep.swept):
                return read_base(reading, "most rows have to be read")
        return read_increment(reading, known, sweep)


def _why_all(known: Chain | None, business_date: date, *, is_full: bool) -> str | None:
    if known is None:
        return "nothing comparable is known"
    if is_full:
        return "asked for"
    base = known.extracts[0].landing.business_date
    return "first night of a month" if base.replace(day=1) < business_date.replace(day=1) else None
