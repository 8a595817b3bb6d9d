"""Changes of a version of the lake, as they are published."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable
from sqlglot import exp

from connectors.engine import Relation, run_sql, stage_sql
from connectors.lake import DatasetVersion, table_path
from connectors.lake_layer import Changes, held_by
from connectors.lake_room import StagedRows
from connectors.settings import Settings


def change_version(
    settings: Settings,
    room: Path,
    version: DatasetVersion,
    key: str,
    gone: StagedRows,
    come: StagedRows,
    num_rows: int,
) -> Changes | None:
    """Make the changes that give a version some other rows: those `gone` are all that it has of their keys.

    Changes lie upon a whole version: what lies upon it already is taken along, so that there is one layer
    at most. A row that is gone and comes again is no change. `num_rows` is how many rows there are at last.
    None: the whole version was made before a file was a version.
    """
    held = held_by(table_path(settings, version.name), version.version)
    if held.digest is None:
        return None
    columns = come.schema.names
    relations: dict[str, Relation] = {"gone": gone, "come": come}
    new = [exp.select(*columns).from_(name) for name in relations]
    sides: list[exp.Query] = [*new]
    if held.layer is not None:
        relations |= {"laid": staged_file(held.layer.rows), "replaced": staged_file(held.layer.replaced)}
        # What is gone was of the whole version, or had come with a change before.
        of_whole = new[0].join("laid", using=[key], join_type="anti")
        kept = exp.select(*columns).from_("laid").join("gone", using=[key], join_type="anti")
        sides = [
            exp.union(exp.select(*columns).from_("replaced"), of_whole, distinct=False),
            exp.union(kept, new[1], distinct=False),
        ]
    replaced, rows = sides
    by_key = [key, *(name for name in columns if name != key)]
    return Changes(
        held.whole,
        held.digest,
        stage_sql(settings, room, "replaced", _without(replaced, rows, by_key, key), relations),
        stage_sql(settings, room, "rows", _without(rows, replaced, columns, key), relations),
        num_rows,
    )


def differing_rows(settings: Settings, one: DatasetVersion, other: DatasetVersion) -> pa.Table | None:
    """List the rows that only one of two versions of a table has.

    None: they do not rest on one whole version, so that telling them apart means reading all of both.
    """
    sides = [held_by(table_path(settings, version.name), version.version) for version in (one, other)]
    if len({held.whole for held in sides}) > 1:
        return None
    schema = DeltaTable(str(table_path(settings, one.name)), version=sides[0].whole).schema()
    nothing = pa.schema(schema.to_arrow()).empty_table()
    relations: dict[str, Relation] = {}
    for number, held in enumerate(sides):
        files = {} if held.layer is None else {"laid": held.layer.rows, "replaced": held.layer.replaced}
        for name in ("laid", "replaced"):
            relations[f"{name}_{number}"] = staged_file(files[name]) if files else nothing
    columns = nothing.column_names
    differences = [
        exp.except_(
            exp.select(*columns).from_(f"{name}_{here}"), exp.select(*columns).from_(f"{name}_{there}")
        )
        for name in ("laid", "replaced")
        for here, there in ((0, 1), (1, 0))
    ]
    found = [run_sql(settings, difference.sql("duckdb"), relations) for difference in differences]
    return pa.concat_tables(found, promote_options="permissive")


def staged_file(path: Path) -> StagedRows:
    """Take a file of rows as staged; its digest is not told."""
    metadata = pq.read_metadata(path)
    return StagedRows(path, metadata.schema.to_arrow_schema(), metadata.num_rows, "")


def _without(rows: exp.Query, others: exp.Query, columns: Sequence[str], key: str) -> str:
    sides = (exp.select("*").from_(side.copy().subquery("side")) for side in (rows, others))
    difference = exp.except_(*sides)
    return exp.select(*columns).from_(difference.subquery("changed")).order_by(key).sql("duckdb")
