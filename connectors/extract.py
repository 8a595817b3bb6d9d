"""Extracts of a source table, and what is known of it from them.

An extract is one Parquet file: a base holds all rows, an increment all rows of each changed key
and, with `is_deleted`, the keys that are gone. Its footer tells which of the two it is and which
extract it follows, so that landed bytes alone give back every state that was ever known.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from duckdb import ColumnExpression, ConstantExpression
from sqlalchemy.engine import Connection

from connectors.engine import open_duckdb, sql_text
from connectors.lake_room import spill_folder
from connectors.landing import Landing, find_landing, landed_file, newest_landing
from connectors.row_file import ROWS_PER_GROUP
from connectors.settings import Settings
from connectors.source_table import key_of, source_schema, stamp_of
from schemas.contract import LINEAGE, Contract
from schemas.refusal import Refusal

FOOTER = b"padis.extract"
# So many rows are held at once where all of them are read.
ROWS_PER_PART = 2 * ROWS_PER_GROUP
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


def view_known(duck: duckdb.DuckDBPyConnection, contract: Contract, chain: Chain) -> None:
    """Make the view `known_row`: the source's rows as last landed.

    Columns: `row_key`, `stamp`, `landing_id`, `landing_row`, `position` and the received ones.
    """
    base, *increments = chain.extracts
    columns = [ColumnExpression(name) for name in contract.received_columns]
    base_row = _rows(duck, contract, base, 0, columns)
    is_deleted = [*columns, ColumnExpression(IS_DELETED[0])]
    increment_row = base_row.select(
        duckdb.StarExpression(), ConstantExpression(value=False).alias(IS_DELETED[0])
    ).filter(ConstantExpression(value=False))
    for position, increment in enumerate(increments, start=1):
        increment_row = increment_row.union(_rows(duck, contract, increment, position, is_deleted))
    base_row.create_view("base_row")
    increment_row.create_view("increment_row")
    duck.sql(sql_text("population/known_row")).create_view("known_row")


def _rows(
    duck: duckdb.DuckDBPyConnection,
    contract: Contract,
    extract: Extract,
    position: int,
    columns: Sequence[duckdb.Expression],
) -> duckdb.DuckDBPyRelation:
    read = duck.read_parquet(str(extract.path), file_row_number=True)
    return read.select(
        ColumnExpression(str(key_of(contract).physical_name)).alias("row_key"),
        ColumnExpression(str(stamp_of(contract).physical_name)).alias("stamp"),
        ConstantExpression(extract.landing.landing_id).alias("landing_id"),
        (ColumnExpression("file_row_number") + ConstantExpression(1)).alias("landing_row"),
        ConstantExpression(position).alias("position"),
        *columns,
    )


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
    landing = chain.newest.landing
    missing = chain.lacks(source_schema(contract))
    if missing:
        raise Refusal(
            "column_missing",
            found=f"extracts of {contract.name} up to {landing.landing_id} without {', '.join(missing)}",
            expected=f"the columns of contract {contract.name} {contract.version}",
            to_do="hold the source table against the contract; change the contract if the source changed",
        )
    count = 0
    with open_duckdb(spill_folder(settings)) as duck:
        view_known(duck, contract, chain)
        read = [name for name in contract.received_columns if columns is None or name in columns]
        chosen = [ColumnExpression(name) for name in (*read, *(name for name, _ in LINEAGE))]
        for part in _key_ranges(contract, chain.extracts[0]):
            rows = duck.view("known_row").filter(part).order("position, landing_row").select(*chosen)
            table: pa.Table = rows.to_arrow_table().combine_chunks()
            count += table.num_rows
            yield _with_nulls(contract, table)
    if count != chain.newest.facts.swept:
        raise Refusal(
            "rows_vanished",
            found=f"{count} rows of {contract.name} folded from {len(chain.extracts)} extracts",
            expected=f"{chain.newest.facts.swept}, as many as the source had",
            to_do="run pull_population with --full; report a defect of the increments",
        )


def _with_nulls(contract: Contract, table: pa.Table) -> pa.Table:
    """Complete the received columns by those that were not read."""
    read = set(table.column_names)
    columns = {
        field.name: table.column(field.name) if field.name in read else pa.nulls(table.num_rows, field.type)
        for field in source_schema(contract)
    }
    return pa.table({**columns, **{name: table.column(name) for name, _ in LINEAGE}})


def _key_ranges(contract: Contract, base: Extract) -> Iterator[duckdb.Expression]:
    """Cut all keys into ranges of about so many rows each, measured by the base, whose rows are by key."""
    key = str(key_of(contract).physical_name)
    file = pq.ParquetFile(base.path)
    groups = range(0, file.num_row_groups, max(1, ROWS_PER_PART // ROWS_PER_GROUP))
    firsts = {file.read_row_group(group, columns=[key]).column(0)[0].as_py() for group in groups[1:]}
    row_key = ColumnExpression("row_key")
    above = ConstantExpression(value=True)
    for first in sorted(firsts - {None}):
        yield above & (row_key < ConstantExpression(first))
        above = row_key >= ConstantExpression(first)
    yield above | row_key.isnull()
