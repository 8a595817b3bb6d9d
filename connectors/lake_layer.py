"""What a version of a table holds: rows of its own, or a whole version and the changes laid upon it.

Changes lie in two files: the rows of the whole version that count no more, and the rows that are there
instead. The names of the files tell upon which version they lie, so that a table tells everything by itself.
There is one layer at most: who changes a changed version takes along what lies upon the whole one already.
What was counted of a whole version is so counted of a changed one: less what is gone, plus what has come.
"""

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq
from deltalake import DeltaTable

from connectors.lake_room import StagedRows

WHOLE = re.compile(r"(?P<digest>[0-9a-f]{64})\.parquet")
LAID = re.compile(r"(?P<digest>[0-9a-f]{64})\.upon-(?P<upon>[0-9]+)\.parquet")


@dataclass(frozen=True)
class Changes:
    """Rows that take the place of others, laid upon a whole version of the same table.

    `replaced` are rows of the whole version, with the key as their first column: they count no more, and no
    other row there has one of these keys. `rows` are there instead. Both are in order of the key and have no
    row in common. `upon_digest` is that of the whole version; `num_rows` is how many rows there are at last.
    """

    upon: int
    upon_digest: str
    replaced: StagedRows
    rows: StagedRows
    num_rows: int

    @property
    def schema(self) -> pa.Schema:
        """Columns of the rows."""
        return self.rows.schema

    @property
    def digest(self) -> str:
        """Digest of the changed version: the whole one's own where nothing is changed."""
        if not self.replaced.num_rows + self.rows.num_rows:
            return self.upon_digest
        parts = (self.upon_digest, self.replaced.digest, self.rows.digest)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@dataclass(frozen=True)
class Layer:
    """The files of changes: rows that count no more, by key, and rows that are there instead."""

    replaced: Path
    rows: Path

    @property
    def key(self) -> str:
        """Name of the key."""
        return str(pq.read_schema(self.replaced).names[0])


@dataclass(frozen=True)
class Held:
    """The whole version that a version rests on, its files, and what lies upon it.

    `digest` is that of the whole version, None where its files do not tell it: one was made before a file
    was a version.
    """

    whole: int
    files: tuple[Path, ...]
    digest: str | None
    layer: Layer | None


def held_by(table: Path, version: int) -> Held:
    """Find what holds a version of a table."""
    files = _files(table, version)
    laid = LAID.fullmatch(files[0].name) if len(files) == 1 else None
    if laid is None:
        return Held(version, files, _digest(files), None)
    whole = int(laid["upon"])
    below = _files(table, whole)
    layer = Layer(table / replaced_name(laid["digest"]), files[0])
    return Held(whole, below, _digest(below), layer)


def laid_name(digest: str, upon: int) -> str:
    """Name the file of the rows of a changed version."""
    return f"{digest}.upon-{upon}.parquet"


def replaced_name(digest: str) -> str:
    """Name the file of the rows that count no more in a changed version."""
    return f"{digest}.replaced.parquet"


def read_whole(table: Path, version: int, columns: list[str] | None) -> pa.Table:
    """Read the rows of a whole version."""
    return DeltaTable(str(table), version=version).to_pyarrow_table(columns=columns)


def lay_rows(whole: pa.Table, layer: Layer) -> pa.Table:
    """Lay changes upon the rows of a whole version; both need their key."""
    replaced = pq.read_table(layer.replaced, columns=[layer.key]).column(0).combine_chunks()
    # Nobody can be named by a key that is missing: such a row is replaced by none.
    is_kept = pa.compute.invert(pa.compute.is_in(whole.column(layer.key), replaced, skip_nulls=True))
    rows = pq.read_table(layer.rows, columns=whole.column_names).cast(whole.schema)
    return pa.concat_tables([whole.filter(is_kept), rows])


@lru_cache(maxsize=4096)
def _files(table: Path, version: int) -> tuple[Path, ...]:
    """Name the files of a version, which stay the same for ever."""
    return tuple(Path(uri) for uri in DeltaTable(str(table), version=version).file_uris())


def _digest(files: tuple[Path, ...]) -> str | None:
    told = WHOLE.fullmatch(files[0].name) if len(files) == 1 else None
    return told["digest"] if told else None
