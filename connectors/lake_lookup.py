"""Few rows of a version of the lake: those of some keys, those that a question chooses, and what it counts.

The whole version is asked, and what lies upon it is laid upon the answer. The view that everything else
reads joins all rows with those that count no more, before anything is chosen.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

from connectors.duck import open_duckdb
from connectors.engine import Relation, run_sql
from connectors.few_rows import PLACE, numbered_rows, rows_at
from connectors.lake import DatasetVersion, table_path
from connectors.lake_changes import NothingToBuildUpon, staged_file
from connectors.lake_layer import Layer, held_by
from connectors.settings import Settings

# The stubs of pyarrow do not know all functions.
pc: Any = pyarrow.compute


def rows_of_keys(settings: Settings, version: DatasetVersion, key: str, keys: pa.Table) -> pa.Table:
    """Read the rows of some keys (the one column of `keys`), in order of their key; none has a missing one.

    Raises:
        NothingToBuildUpon: the whole version was made before a file was a version.
    """
    whole, layer = _held(settings, version)
    asked = keys.rename_columns([key])
    if layer is None:
        return _at_keys(settings, whole, key, asked).sort_by(key)
    rows = _at_keys(settings, whole, key, _not_replaced(asked, key, layer))
    laid = pq.read_table(layer.rows)
    come = laid.filter(pc.is_in(laid.column(key), asked.column(0).combine_chunks(), skip_nulls=True))
    return pa.concat_tables([rows, come.cast(rows.schema)]).sort_by(key)


def chosen_rows(
    settings: Settings,
    version: DatasetVersion,
    key: str,
    sql: str,
    relations: Mapping[str, Relation],
    parameters: Mapping[str, Any] | None = None,
) -> pa.Table:
    """Ask a SELECT that chooses rows of `accepted`, the version, each by itself; it gives their key, too.

    Raises:
        NothingToBuildUpon: the whole version was made before a file was a version.
    """
    whole, layer = _held(settings, version)

    def ask(path: Path) -> pa.Table:
        return run_sql(settings, sql, {**relations, "accepted": staged_file(path)}, parameters)

    if layer is None:
        return ask(whole)
    return pa.concat_tables([_not_replaced(ask(whole), key, layer), ask(layer.rows)])


def counted_rows(
    settings: Settings,
    relation: Relation,
    name: str,
    sql: str,
    parameters: Mapping[str, Any] | None = None,
) -> pa.Table:
    """Ask a SELECT that counts rows of `name`, each by itself, as `value`; its answers are to be added up.

    What is gone from a whole version is counted below zero, so that no row is looked for.
    """

    def ask(rows: Relation) -> pa.Table:
        return run_sql(settings, sql, {name: rows}, parameters)

    if not isinstance(relation, DatasetVersion):
        return ask(relation)
    held = held_by(table_path(settings, relation.name), relation.version)
    if held.layer is None:
        return ask(relation)
    gone, come = (ask(staged_file(file)) for file in (held.layer.replaced, held.layer.rows))
    less = gone.drop_columns("value").append_column("value", pc.negate(gone.column("value")))
    whole = ask(DatasetVersion(relation.name, held.whole))
    return pa.concat_tables([whole, less.select(whole.column_names), come])


def _held(settings: Settings, version: DatasetVersion) -> tuple[Path, Layer | None]:
    held = held_by(table_path(settings, version.name), version.version)
    if held.digest is None:
        raise NothingToBuildUpon(f"{version.name} was made before a file was a version")
    return held.files[0], held.layer


def _at_keys(settings: Settings, path: Path, key: str, asked: pa.Table) -> pa.Table:
    with open_duckdb(settings) as duck:
        wanted = duck.from_arrow(asked)
        places = numbered_rows(duck, path).select(key, PLACE).join(wanted, key, how="semi").select(PLACE)
        return rows_at(duck, path, places).to_arrow_table().drop_columns([PLACE])


def _not_replaced(rows: pa.Table, key: str, layer: Layer) -> pa.Table:
    replaced = pq.read_table(layer.replaced, columns=[key]).column(0).combine_chunks()
    # Nobody can be named by a key that is missing: such a row is replaced by none.
    return rows.filter(pc.invert(pc.is_in(rows.column(key), replaced, skip_nulls=True)))
