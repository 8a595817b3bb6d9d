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


class NothingToBuildUpon(Exception):  # noqa: N818 - no error: then everything is made anew
    """Why a night has to make everything anew; says no personal value."""


def change_version(
    settings: Settings,
    room: Path,
    version: DatasetVersion,
    key: str,
    was: StagedRows,
    becomes: StagedRows,
    num_rows: int,
) -> Changes:
    """Make the changes that give a version other rows of some keys: what it has of them, what it is to have.

    Changes lie upon a whole version: what lies upon it already is taken along, so that there is one layer
    at most. A row that stays or comes back is no change. `num_rows` is how many rows there are at last.

    Raises:
        NothingToBuildUpon: the whole version was made before a file was a version.
    """
    held = held_by(table_path(settings, version.name), version.version)
    if held.digest is None:
        raise NothingToBuildUpon(f"{version.name} was made before a file was a version")
    columns = becomes.schema.names
    relations: dict[str, Relation] = {"was": was, "becomes": becomes}
    new = [exp.select(*columns).from_(name) for name in relations]
    sides: list[exp.Query] = [*new]
    if held.layer is not None:
        relations |= {"laid": staged_file(held.layer.rows), "replaced": staged_file(held.layer.replaced)}
        # What it has is of the whole version, or came with a change before.
        of_whole = new[0].join("laid", using=[key], join_type="anti")
        kept = exp.select(*columns).from_("laid").join("was", using=[key], join_type="anti")
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


def differing_rows(settings: Settings, one: DatasetVersion, other: DatasetVersion) -> pa.Table:
    """List the rows that only one of two versions of a table has.

    Raises:
        NothingToBuildUpon: they do not rest on one whole version, so that all of both would have to be read.
    """
    sides = [held_by(table_path(settings, version.name), version.version) for version in (one, other)]
    if len({held.whole for held in sides}) > 1:
        raise NothingToBuildUpon(f"all of {one.name} was made anew since the night before")
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
