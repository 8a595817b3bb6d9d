"""Rows on their way into the lake: in a file of a room that vanishes with the step that made it."""

import fcntl
import hashlib
import itertools
import os
import platform
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

from connectors.few_values import plainly
from connectors.row_file import ROWS_PER_GROUP, write_rows
from connectors.settings import Settings

# The stubs of pyarrow do not know all functions.
pc: Any = pyarrow.compute

PREFIX, HELD, DOOR = ".room-", "held", ".rooms"
SPILL = ".spill-"
# What `parts_of` reads at once: about a million rows.
GROUPS_PER_PART = 16
_spills = itertools.count()


@dataclass(frozen=True)
class HeldRows:
    """Rows in a file of a room, for the step that put them down and for nobody else."""

    path: Path
    schema: pa.Schema
    num_rows: int


@dataclass(frozen=True)
class StagedRows(HeldRows):
    """Rows in a file that no version holds yet; `digest` is that of the rows (see `digest_of`)."""

    digest: str


class RowDigest:
    """The SHA-256 of rows in their order, shown group by group as `write_rows` cuts them.

    It covers names, types and values, not how Arrow happens to hold them.
    """

    def __init__(self, schema: pa.Schema) -> None:
        columns = [f"{field.name}: {_kind(field.type)}" for field in schema]
        self._digest = hashlib.sha256("\n".join(columns).encode())

    def see(self, group: pa.Table) -> None:
        """Take the next group of rows."""
        if group.num_rows:
            for column in group.combine_chunks().columns:
                for part in _plain(plainly(column.chunk(0))):
                    self._digest.update(part)

    def hexdigest(self) -> str:
        """Tell the digest of what was seen."""
        return self._digest.hexdigest()


def _kind(kind: pa.DataType) -> str:
    """Name a type; what a list calls its elements is left out, since every writer calls them otherwise."""
    if pa.types.is_list(kind):
        return f"list<{_kind(kind.value_type)}>"
    if pa.types.is_struct(kind):
        return f"struct<{', '.join(f'{field.name}: {_kind(field.type)}' for field in kind)}>"
    return str(kind)


def _plain(values: Any) -> Iterator[Any]:  # noqa: ANN401 - the stubs of pyarrow know too few functions
    """Give values as bytes: how many, which are missing, then those that are there."""
    yield len(values).to_bytes(8, "little")
    if values.null_count:
        yield from _plain(values.is_null())
        values = values.drop_null()
    kind = values.type
    if pa.types.is_struct(kind):
        for number in range(kind.num_fields):
            yield from _plain(pc.struct_field(values, number))
    elif pa.types.is_list(kind):
        yield from _plain(pc.list_value_length(values))
        yield from _plain(pc.list_flatten(values))
    elif pa.types.is_decimal(kind):
        yield from _plain(values.cast(pa.string()))
    elif pa.types.is_string(kind) or pa.types.is_binary(kind):
        yield from _plain(pc.binary_length(values))
        if len(values):
            _, offsets, content = values.buffers()
            places = np.frombuffer(offsets, np.int32)[values.offset : values.offset + len(values) + 1]
            yield memoryview(content)[places[0] : places[-1]]
    elif not pa.types.is_null(kind):
        yield np.ascontiguousarray(values.to_numpy(zero_copy_only=False))


def rows_of(staged: StagedRows) -> pa.Table:
    """Read staged rows, of which there are few."""
    return pq.read_table(staged.path)


def digest_of(table: pa.Table) -> str:
    """Compute the SHA-256 of a table's rows in their order, however they are cut into chunks."""
    digest = RowDigest(table.schema)
    for start in range(0, table.num_rows, ROWS_PER_GROUP):
        digest.see(table.slice(start, ROWS_PER_GROUP))
    return digest.hexdigest()


def stage_rows(
    room: Path, name: str, batches: Iterable[pa.RecordBatch | pa.Table], schema: pa.Schema
) -> StagedRows:
    """Write rows into a file of a room as they come; memory holds one group of them."""
    path, schema = room / f"{name}.parquet", schema.remove_metadata()
    digest = RowDigest(schema)
    rows = (batch.replace_schema_metadata(None) for batch in batches)
    count = write_rows(rows, schema, path, seen=digest.see)
    return StagedRows(path, schema, count, digest.hexdigest())


def hold_rows(room: Path, name: str, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> HeldRows:
    """Put rows down as they come, to be read again soon: quick to write, and of no promised bytes."""
    path, count = room / f"{name}.parquet", 0
    with pq.ParquetWriter(path, schema, compression="lz4", write_statistics=False) as writer:
        for batch in batches:
            writer.write_batch(batch)
            count += batch.num_rows
    return HeldRows(path, schema, count)


def parts_of(rows: HeldRows, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """Read rows part by part, cut at the same rows in every file; at least one part, which may be empty."""
    with pq.ParquetFile(rows.path) as file:
        groups = file.iter_batches(ROWS_PER_GROUP, columns=columns)
        part = list(itertools.islice(groups, GROUPS_PER_PART))
        yield pa.Table.from_batches(part, None if part else _chosen(rows.schema, columns))
        while part := list(itertools.islice(groups, GROUPS_PER_PART)):
            yield pa.Table.from_batches(part)


def _chosen(schema: pa.Schema, columns: Sequence[str] | None) -> pa.Schema:
    return schema if columns is None else pa.schema([schema.field(name) for name in columns])


@contextmanager
def lake_room(settings: Settings) -> Iterator[Path]:
    """Have a folder beside the tables for files on the way; what killed steps left is swept out."""
    settings.lake.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ExitStack() as stay:
        # One at a time: a room that is made and not held yet looks like one that was left.
        with (settings.lake / DOOR).open("w") as door:
            fcntl.flock(door, fcntl.LOCK_EX)
            _sweep(settings.lake)
            room = Path(tempfile.mkdtemp(dir=settings.lake, prefix=PREFIX))
            stay.callback(shutil.rmtree, room, ignore_errors=True)
            held = stay.enter_context((room / HELD).open("w"))
            fcntl.flock(held, fcntl.LOCK_EX)
        yield room


def spill_folder(settings: Settings) -> Path:
    """Name a folder for what the engine cannot hold; it makes it when it spills, and removes it."""
    return settings.lake / f"{SPILL}{platform.node()}-{os.getpid()}-{next(_spills)}"


def _sweep(lake: Path) -> None:
    # Of this machine alone: of another one nobody here can tell which processes live.
    for spilt in lake.glob(f"{SPILL}{platform.node()}-*"):
        _, owner, _ = spilt.name.rsplit("-", 2)
        if not psutil.pid_exists(int(owner)):
            shutil.rmtree(spilt, ignore_errors=True)
    for room in lake.glob(f"{PREFIX}*"):
        try:
            with (room / HELD).open("r") as held:
                is_left = _is_free(held)
        except FileNotFoundError:
            # Killed before it was held, or just gone.
            is_left = True
        if is_left:
            shutil.rmtree(room, ignore_errors=True)


def _is_free(held: IO[str]) -> bool:
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
