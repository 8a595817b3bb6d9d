"""Hold two sets of rows against each other and count: what is added, removed, changed, and worth what."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from connectors.engine import run_sql
from connectors.settings import Settings
from schemas.contract import LINEAGE

# What is known, and what was rebuilt.
Sides = tuple[pa.Table, pa.Table]
NO_ROWS = {"added": 0, "removed": 0, "changed": 0}
# Where a row came from is not what it says.
NOT_CONTENT = frozenset(name for name, _ in LINEAGE)
DIFFERING_KEY = pa.schema([("row_key", pa.string())])


def differing_rows(settings: Settings, sides: Sides, keys: Sequence[str] = ()) -> pa.Table:
    """List the keys whose rows differ (sql/rebuild/differing_row.sql), in the columns that both sides have.

    Without keys the rows are a bag: one more and one less, never one that changed.
    """
    known, rebuilt = sides
    names = [name for name in known.schema.names if name in rebuilt.schema.names and name not in NOT_CONTENT]
    relations = {
        "known_row": _keyed(known.select(names), keys),
        "rebuilt_row": _keyed(rebuilt.select(names), keys),
    }
    return run_sql(settings, "rebuild/differing_row", relations)


def _keyed(rows: pa.Table, keys: Sequence[str]) -> pa.Table:
    if not keys:
        return rows.append_column("row_key", pa.nulls(rows.num_rows, pa.string()))
    parts = [rows.column(name).cast(pa.string()).combine_chunks() for name in keys]
    joined = parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, "\x1f")
    return rows.append_column("row_key", joined)


def count_rows(settings: Settings, differing: pa.Table) -> dict[str, int]:
    """Count rows added, removed and changed."""
    (counts,) = run_sql(settings, "rebuild/difference", {"differing_row": differing}).to_pylist()
    return {name: int(counts[name]) for name in NO_ROWS}


def differing_decisions(settings: Settings, sides: Sides) -> pa.Table:
    """List programmes and persons about whom something else is decided (sql/rebuild/decision.sql)."""
    known, rebuilt = sides
    relations = {"known_decision": known, "rebuilt_decision": rebuilt}
    return run_sql(settings, "rebuild/decision", relations)


def count_decisions(settings: Settings, differing: pa.Table) -> dict[str, dict[str, int | str]]:
    """Count by programme whose decision was gained, lost, changed or left open, and the fen of each way."""
    rows = run_sql(settings, "rebuild/programme", {"differing_decision": differing}).to_pylist()
    return {row.pop("programme_code"): row for row in rows}


def count_persons(settings: Settings, differing_persons: pa.Table, decisions: pa.Table) -> int:
    """Count the persons of whom anything known or decided differs."""
    relations = {"differing_person": differing_persons, "differing_decision": decisions}
    (row,) = run_sql(settings, "rebuild/person", relations).to_pylist()
    return int(row["persons"])
