"""Extracts of a source table, and what is known of it from them.

An extract is one Parquet file: a base holds all rows, an increment all rows of each changed key
and, with `is_deleted`, the keys that are gone. Its footer tells which of the two it is and which
extract it follows, so that landed bytes alone give back every state that was ever known.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute
import pyarrow.compute as pc
import pyarrow.parquet as pq
from duckdb import ColumnExpression, ConstantExpression
from sqlalchemy.engine import Connection

from connectors.duck import open_duckdb
from connectors.engine import sql_text
from connectors.few_rows import PLACE, numbered_rows, rows_at
from connectors.few_values import repeated_value
from connectors.landing import Landing, find_landing, landed_file, newest_landing
from connectors.read_ahead import side_by_side
from connectors.row_file import ROWS_PER_GROUP
from connectors.settings import Settings
from connectors.source_table import key_of, source_schema, stamp_of
from schemas.contract import LINEAGE, Contract
from schemas.refusal import Refusal

FOOTER = b"padis.extract"
# So many rows are held at once where all of them are read.
ROWS_PER_PART = 4 * ROWS_PER_GROUP
IS_DELETED = ("is_deleted", pa.bool_())


@dataclass(frozen=True)
class ExtractFacts:
    """What an extract is and what the pull counted; rows read = unchanged + changed."""

    kind: str
    # Landing id of the extract that this increment is to be laid upon.
    follows: str | None
    swept: int
    reread: int
    unchanged: int
    changed: int
    deleted: int
    # Changed keys whose stamps are as before: a defect of the source.
    unstamped: int
    # From which stamp on rows were read again; the newest stamp that is not in the future.
    watermark_from: str | None
    watermark_to: str | None

    @property
    def watermark(self) -> datetime | None:
        """The newest stamp that this extract has seen."""
        return datetime.fromisoformat(self.watermark_to) if self.watermark_to else None

    def footer(self) -> dict[str, str]:
        """Write the facts as a Parquet footer holds them."""
        return {FOOTER.decode(): json.dumps(asdict(self), sort_keys=True)}


def read_facts(path: Path) -> ExtractFacts:
    """Read what an extract tells of itself; one without a footer holds all rows, as the first nights' did."""
    metadata = pq.read_metadata(path)
    told = (metadata.metadata or {}).get(FOOTER)
    if told is None:
        rows = metadata.num_rows
        return ExtractFacts("base", None, rows, rows, 0, rows, 0, 0, None, None)
    return ExtractFacts(**json.loads(told))


@dataclass(frozen=True)
class Extract:
    """A landed extract whose bytes are as they were landed."""

    landing: Landing
    path: Path
    facts: ExtractFacts


@dataclass(frozen=True)
class Chain:
    """A base and the increments upon it, in order."""

    extracts: tuple[Extract, ...]

    @property
    def newest(self) -> Extract:
        """The extract that was landed last."""
        return self.extracts[-1]

    @property
    def landing_ids(self) -> list[str]:
        """Landing ids from the base on."""
        return [extract.landing.landing_id for extract in self.extracts]

    def lacks(self, schema: pa.Schema) -> list[str]:
        """Name the columns that any of the extracts is without, or has with another type."""
        held = [pq.read_schema(extract.path) for extract in self.extracts]
        return [
            field.name
            for field in schema
            if not all(field.name in had.names and had.field(field.name).type == field.type for had in held)
        ]


def extract_chain(connection: Connection, settings: Settings, landing: Landing) -> Chain:
    """Walk from an extract back to its base; every file is held against its digest.

    Raises:
        Refusal: an extract of the chain is not on record, or its bytes are gone or changed.
    """
    extracts: list[Extract] = []
    follows: str | None = landing.landing_id
    while follows is not None:
        if extracts:
            landing = _followed(connection, landing, follows)
        path = landed_file(settings, landing)
        extracts.append(Extract(landing, path, read_facts(path)))
        follows = extracts[-1].facts.follows
    return Chain(tuple(reversed(extracts)))


def _followed(connection: Connection, landing: Landing, landing_id: str) -> Landing:
    """Find an earlier extract; content that was landed on several dates counts as of the last of them."""
    found = newest_landing(connection, landing.dataset_name, landing.business_date, landing_id)
    return found or find_landing(connection, landing.dataset_name, landing_id)


def view_known(
    duck: duckdb.DuckDBPyConnection, contract: Contract, chain: Chain, places: pa.Table | None = None
) -> None:
    """Make the view `known_row`: the source's rows as last landed; or of those of the base some places alone.

    Columns: `row_key`, `stamp`, `landing_id`, `landing_row`, `position` and the received ones.
    """
    stamp = ColumnExpression(str(stamp_of(contract).physical_name)).alias("stamp")
    columns = [stamp, *(ColumnExpression(name) for name in contract.received_columns)]
    base = extract_rows(duck, contract, chain.extracts[0], 0, columns, places)
    base.create_view("base_row", replace=True)
    _increment_rows(duck, contract, chain, columns).create_view("increment_row", replace=True)
    duck.sql(sql_text("population/known_row")).create_view("known_row", replace=True)


def _increment_rows(
    duck: duckdb.DuckDBPyConnection, contract: Contract, chain: Chain, columns: Sequence[duckdb.Expression]
) -> duckdb.DuckDBPyRelation:
    """Read all increments of a chain at once, with `is_deleted`; a month has thirty of them."""
    base, *increments = chain.extracts
    if not increments:
        none_deleted = ConstantExpression(value=False).alias(IS_DELETED[0])
        rows = extract_rows(duck, contract, base, 0, [*columns, none_deleted])
        return rows.filter(ConstantExpression(value=False))
    paths = [str(increment.path) for increment in increments]
    told = {
        "filename": paths,
        "landing_id": [increment.landing.landing_id for increment in increments],
        "position": pa.array(range(1, len(increments) + 1), pa.int32()),
    }
    rows = duck.read_parquet(paths, filename=True, file_row_number=True)
    return rows.join(duck.from_arrow(pa.table(told)), "filename").select(
        *_way_back(contract, ColumnExpression("landing_id"), ColumnExpression("position")),
        *columns,
        ColumnExpression(IS_DELETED[0]),
    )


def extract_rows(
    duck: duckdb.DuckDBPyConnection,
    contract: Contract,
    extract: Extract,
    position: int,
    columns: Sequence[duckdb.Expression],
    places: pa.Table | None = None,
) -> duckdb.DuckDBPyRelation:
    """Read an extract with `row_key`, its way back, its place in the chain, and some columns.

    Of all rows, in their order; or of those at some places, in any.
    """
    path = extract.path
    read = numbered_rows(duck, path) if places is None else rows_at(duck, path, duck.from_arrow(places))
    landing_id = ConstantExpression(extract.landing.landing_id)
    return read.select(*_way_back(contract, landing_id, ConstantExpression(position)), *columns)


def _way_back(
    contract: Contract, landing_id: duckdb.Expression, position: duckdb.Expression
) -> list[duckdb.Expression]:
    """Give the key of a row, and where it lies."""
    return [
        ColumnExpression(str(key_of(contract).physical_name)).alias("row_key"),
        landing_id.alias("landing_id"),
        (ColumnExpression(PLACE) + ConstantExpression(1)).alias("landing_row"),
        position.alias("position"),
    ]


def known_parts(
    settings: Settings,
    contract: Contract,
    chain: Chain,
    *,
    columns: Sequence[str] | None = None,
) -> Iterator[pa.Table]:
    """Read the source's rows as last landed, each with `landing_id` and `landing_row`, part by part.

    A part holds all rows of a range of keys, one part following the other; there is at least one. Received
    columns that are not asked for are NULL.

    Raises:
        Refusal: an extract lacks a column of the contract, or the rows are not as many as were swept.
    """
    _check_columns(contract, chain)
    read = [name for name in contract.received_columns if columns is None or name in columns]
    count = 0
    with open_duckdb(settings) as duck:
        of_columns = [ColumnExpression(name) for name in read]
        increment_row = _increment_rows(duck, contract, chain, of_columns)
        for keys, rows in _base_parts(contract, chain.extracts[0], read):
            if len(chain.extracts) > 1:
                increment_row.filter(keys).create_view("increment_row", replace=True)
                duck.register("base_row", rows)
                rows = _in_order(duck.sql(sql_text("population/known_row")).to_arrow_table())
            count += rows.num_rows
            yield _with_nulls(contract, rows)
    if count != chain.newest.facts.swept:
        raise Refusal(
            "rows_vanished",
            found=f"{count} rows of {contract.name} folded from {len(chain.extracts)} extracts",
            expected=f"{chain.newest.facts.swept}, as many as the source had",
            to_do="run pull_population with --full; report a defect of the increments",
        )


def _check_columns(contract: Contract, chain: Chain) -> None:
    missing = chain.lacks(source_schema(contract))
    if missing:
        raise Refusal(
            "column_missing",
            found=f"extracts of {contract.name} up to {chain.newest.landing.landing_id} without "
            f"{', '.join(missing)}",
            expected=f"the columns of contract {contract.name} {contract.version}",
            to_do="hold the source table against the contract; change the contract if the source changed",
        )


def _with_nulls(contract: Contract, table: pa.Table) -> pa.Table:
    """Complete the received columns by those that were not read."""
    read = set(table.column_names)
    columns = {
        field.name: table.column(field.name) if field.name in read else pa.nulls(table.num_rows, field.type)
        for field in source_schema(contract)
    }
    return pa.table({**columns, **{name: table.column(name) for name, _ in LINEAGE}})


def _in_order(rows: pa.Table) -> pa.Table:
    return rows.sort_by([("position", "ascending"), ("landing_row", "ascending")])


def _base_parts(
    contract: Contract, base: Extract, columns: Sequence[str]
) -> Iterator[tuple[duckdb.Expression, pa.Table]]:
    """Cut the base, whose rows are by key, into ranges of keys of about so many rows each.

    The last key of a part is left to the next one: more of its rows may follow.
    """
    row_key = ColumnExpression("row_key")
    above, held = ConstantExpression(value=True), list[pa.Table]()
    for rows in _numbered_groups(contract, base, columns):
        held.append(rows)
        if sum(part.num_rows for part in held) < ROWS_PER_PART:
            continue
        part = pa.concat_tables(held)
        keys = part.column("row_key")
        last = keys[-1].as_py()
        until = pc.index(keys, last).as_py() if last is not None else 0
        held = [part.slice(until)]
        if until:
            yield above & (row_key < ConstantExpression(last)), part.slice(0, until)
            above = row_key >= ConstantExpression(last)
    yield above | row_key.isnull(), pa.concat_tables(held)


def _of_few_values(path: Path, columns: Sequence[str]) -> list[str]:
    """Name those of some columns that lie in a file as text of few values, by its first group."""
    metadata = pq.read_metadata(path)
    if not metadata.num_row_groups:
        return []
    group = metadata.row_group(0)
    chunks = (group.column(number) for number in range(group.num_columns))
    return [
        chunk.path_in_schema
        for chunk in chunks
        if chunk.path_in_schema in columns
        and chunk.physical_type == "BYTE_ARRAY"
        and "RLE_DICTIONARY" in chunk.encodings
    ]


def _numbered_groups(contract: Contract, base: Extract, columns: Sequence[str]) -> Iterator[pa.Table]:
    """Read the base some groups at a time, as `view_known` has its rows but for their stamp.

    Columns that lie there as text of few values come so, but for the key.
    """
    key = str(key_of(contract).physical_name)
    wanted, count = [*dict.fromkeys([key, *columns])], 0
    few = _of_few_values(base.path, [name for name in columns if name != key])
    file = pq.ParquetFile(base.path, read_dictionary=few, memory_map=True)
    for groups in _several_groups(file):
        rows, count = file.read_row_groups(groups, columns=wanted), count + _row_count(file, groups)
        yield _numbered(base, rows, key, columns, np.arange(count - rows.num_rows, count))


def base_places(contract: Contract, base: Extract, choose: Callable[[Any], Any]) -> pa.Table:
    """Tell where the rows of a base lie whose keys are chosen: `file_row_number`. Only keys are read."""
    count, found = 0, [pa.array([], pa.int64())]
    parts = base_keys(contract, base)
    for length, places in side_by_side(lambda keys: (len(keys), pc.indices_nonzero(choose(keys))), parts):
        found.append(pa.array(places.to_numpy().astype(np.int64) + count))
        count += length
    return pa.table({PLACE: pa.chunked_array(found)})


def base_keys(contract: Contract, base: Extract) -> Iterator[pa.ChunkedArray]:
    """Read the keys of a base in their order, part by part; there is at least one."""
    key, file = str(key_of(contract).physical_name), pq.ParquetFile(base.path, memory_map=True)
    return (file.read_row_groups(groups, columns=[key]).column(key) for groups in _several_groups(file))


def among(keys: Any, asked: pa.Array) -> Any:  # noqa: ANN401 - columns of pyarrow
    """Tell which of some keys that lie close together are asked for.

    Looking up few is quicker: what is asked for elsewhere is left out.
    """
    span = pc.min_max(keys)
    near = pc.and_(pc.greater_equal(asked, span["min"]), pc.less_equal(asked, span["max"]))
    return pc.is_in(keys, asked.filter(near))


def _several_groups(file: pq.ParquetFile) -> Iterator[list[int]]:
    """Cut a file into groups of about a part of rows; one without any has nothing to read."""
    at_once = max(1, ROWS_PER_PART // ROWS_PER_GROUP)
    groups = list(range(file.num_row_groups))
    yield from (groups[start : start + at_once] for start in range(0, max(1, len(groups)), at_once))


def _row_count(file: pq.ParquetFile, groups: Sequence[int]) -> int:
    return sum(file.metadata.row_group(group).num_rows for group in groups)


def _numbered(
    base: Extract, rows: pa.Table, key: str, columns: Sequence[str], places: npt.NDArray[Any]
) -> pa.Table:
    lineage = {
        "row_key": rows.column(key),
        "landing_id": repeated_value(base.landing.landing_id, rows.num_rows),
        "landing_row": pa.array(places + 1, pa.int64()),
        "position": pa.repeat(pa.scalar(0, pa.int32()), rows.num_rows),
    }
    return pa.table({**lineage, **{name: rows.column(name) for name in columns}})
