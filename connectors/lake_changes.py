"""Changes of a version of the lake, as they are published."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from sqlglot import exp

from connectors.engine import stage_sql
from connectors.lake import DatasetVersion, table_path
from connectors.lake_layer import Changes, held_by
from connectors.lake_room import StagedRows, stage_rows
from connectors.settings import Settings


def change_version(
    settings: Settings,
    room: Path,
    version: DatasetVersion,
    replaced: pa.Table,
    rows: StagedRows,
    num_rows: int,
) -> Changes | None:
    """Make the changes that give a version some other rows: `replaced` keys count no more, `rows` are new.

    Changes lie upon a whole version: what lies upon it already is taken along, so that there is one layer
    at most. `num_rows` is how many rows there are in the end.
    None: the whole version was made before a file was a version.
    """
    held = held_by(table_path(settings, version.name), version.version)
    if held.digest is None:
        return None
    if held.layer is None:
        keys = stage_rows(room, "replaced", [replaced], replaced.schema)
        return Changes(held.whole, held.digest, keys, rows, num_rows)
    key = held.layer.key
    laid_rows, laid_keys = (_staged(path) for path in (held.layer.rows, held.layer.replaced))
    kept = exp.select("*").from_("laid").join("replaced", using=[key], join_type="anti")
    all_rows = exp.union(kept, exp.select("*").from_("new"), distinct=False).order_by(key)
    all_keys = exp.union(exp.select(key).from_("laid"), exp.select(key).from_("replaced")).order_by(key)
    relations = {"replaced": replaced, "new": rows}
    return Changes(
        held.whole,
        held.digest,
        stage_sql(
            settings, room, "replaced", all_keys.sql("duckdb"), {"replaced": replaced, "laid": laid_keys}
        ),
        stage_sql(settings, room, "rows", all_rows.sql("duckdb"), {**relations, "laid": laid_rows}),
        num_rows,
    )


def _staged(path: Path) -> StagedRows:
    metadata = pq.read_metadata(path)
    return StagedRows(path, metadata.schema.to_arrow_schema(), metadata.num_rows, "")
