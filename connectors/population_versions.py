"""What a PostgreSQL table tells of the versions of its rows: which were written since a snapshot before.

Each version of a row names the transaction that wrote it (`xmin`). As a snapshot is taken, all transactions
below its horizon have ended; a version that one of them wrote and that a later snapshot sees was seen by it.
Versions that are new name others. Which rows are gone no version tells; where keys are unique, counting does.
Nor is told what changes without a version: a column that is dropped and made again with a default.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import sqlalchemy as sa

from connectors import source_hash
from connectors.source_hash import Buckets, buckets_of
from connectors.source_table import key_of, stamp_of, stamp_schema
from schemas.contract import Contract

# Numbers of transactions are compared within a circle of 2^32: what lies further back is not told apart.
MOST_TRANSACTIONS = 1 << 30
HASHES = {
    "text": "hashtext",
    "varchar": "hashtext",
    "bpchar": "hashbpchar",
    "int2": "hashint2",
    "int4": "hashint4",
    "int8": "hashint8",
}
COUNTS = pa.schema([("bucket", pa.int64()), ("row_count", pa.int64())])

Where = sa.ColumnElement[bool] | sa.TextClause
# Writes a question of the rows that some conditions leave.
Ask = Callable[..., sa.Select[Any]]
# Answers a question of each range of a table in turn, with these columns.
Answer = Callable[[Ask, pa.Schema], Iterator[pa.Table]]
# Answers a question of the rows with some keys.
LookUp = Callable[[sa.Select[Any], Sequence[Any], pa.Schema], Iterator[pa.Table]]


class Seen(NamedTuple):
    """What a snapshot has seen of a table's versions: those of transactions below the horizon."""

    origin: str
    horizon: int
    # At which transaction the snapshot ends.
    ends: int

    def reaches(self, told: str) -> int | None:
        """Read the horizon of an earlier snapshot; None if what was written since cannot be told from it."""
        origin, _, horizon = told.rpartition("@")
        is_near = origin == self.origin and 0 <= self.ends - int(horizon) < MOST_TRANSACTIONS
        return int(horizon) if is_near else None


class PostgresVersions:
    """One table in a snapshot, by the versions of its rows; its keys are unique, and none is missing."""

    def __init__(
        self, contract: Contract, key_type: str, seen: Seen, answer: Answer, look_up: LookUp
    ) -> None:
        self._seen, self._answer, self._look_up = seen, answer, look_up
        self._schema = stamp_schema(contract)
        self._table = sa.table(contract.name)
        self._key: sa.ColumnClause[Any] = sa.column(str(key_of(contract).physical_name))
        self._stamp: sa.ColumnClause[Any] = sa.column(str(stamp_of(contract).physical_name))
        hashed: sa.Function[int] = getattr(sa.func, HASHES[key_type])(self._key, type_=sa.Integer())
        self._bucket = hashed.bitwise_and(source_hash.BUCKETS - 1)
        self._is_padded = key_type == "bpchar"

    @property
    def horizon(self) -> str:
        """What a later snapshot is to be asked with."""
        return f"{self._seen.origin}@{self._seen.horizon}"

    def written_since(self, horizon: str) -> Iterator[pa.RecordBatch] | None:
        """Stream key and stamp of the rows written since a horizon; None if it tells nothing here."""
        oldest = self._seen.reaches(horizon)
        if oldest is None:
            return None
        # Both by how far they lie back, since numbers begin again after 2^32; below 0 half of that ago.
        is_new = sa.text(f"age(xmin) BETWEEN 0 AND age('{oldest % (1 << 32)}'::xid)")
        return _batches(self._answer(lambda *where: self._stamps(is_new, *where), self._schema))

    def counts(self) -> Iterator[pa.RecordBatch]:
        """Count rows by buckets of keys, range by range of the table."""
        return _batches(self._answer(self._counts, COUNTS))

    def buckets_of(self, keys: pa.Array) -> Buckets:
        """Tell into which buckets `counts` puts keys."""
        return buckets_of(keys, is_padded=self._is_padded)

    def there(self, keys: Sequence[Any]) -> Iterator[pa.RecordBatch]:
        """Stream key and stamp of the rows that have some keys."""
        return _batches(self._look_up(self._stamps(), keys, self._schema))

    def _counts(self, *where: Where) -> sa.Select[Any]:
        columns = self._bucket.label("bucket"), sa.func.count().label("row_count")
        return sa.select(*columns).select_from(self._table).where(*where).group_by(self._bucket)

    def _stamps(self, *where: Where) -> sa.Select[Any]:
        columns = self._key.label("row_key"), self._stamp.label("stamp")
        return sa.select(*columns).select_from(self._table).where(*where)


def _batches(answers: Iterator[pa.Table]) -> Iterator[pa.RecordBatch]:
    for rows in answers:
        yield from rows.to_batches()
