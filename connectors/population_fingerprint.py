"""What a PostgreSQL table tells of its keys and stamps without giving them: sums of hashes, by buckets.

The server hashes, groups and adds; a few thousand sums come instead of every key. Buckets whose sums are as
known hold the rows that are known.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
import sqlalchemy as sa

from connectors import fingerprint
from connectors.fingerprint import Fingerprint
from connectors.source_hash import NO_KEY
from connectors.source_table import key_of, stamp_of, stamp_schema
from schemas.contract import Contract

# The stubs of pyarrow do not know all functions.
pc: Any = pyarrow.compute

HASHES = {
    "text": "hashtextextended",
    "varchar": "hashtextextended",
    "bpchar": "hashbpcharextended",
    "int2": "hashint2extended",
    "int4": "hashint4extended",
    "int8": "hashint8extended",
}
TEXTS = ("text", "varchar", "bpchar")
SUMS = pa.schema([("row_count", pa.int64()), ("hash_sum", pa.string())])
# In place of the bucket of a recent row.
RECENT = -1

# Writes a question of the rows that some conditions leave.
Ask = Callable[..., sa.Select[Any]]
# Answers a question of each range of a table in turn, with these columns.
Answer = Callable[[Ask, pa.Schema], Iterator[pa.Table]]


class PostgresFingerprint:
    """One table in a snapshot, as PostgreSQL hashes it."""

    def __init__(self, contract: Contract, key_type: str, answer: Answer) -> None:
        self._table = sa.table(contract.name)
        self._key: sa.ColumnClause[Any] = sa.column(str(key_of(contract).physical_name))
        self._stamp: sa.ColumnClause[Any] = sa.column(str(stamp_of(contract).physical_name), sa.DateTime())
        self._schema = stamp_schema(contract)
        seed = sa.func.octet_length(self._key) + 1 if key_type in TEXTS else sa.literal(0)
        hashed = getattr(sa.func, HASHES[key_type])(self._key, seed)
        self._of_key: sa.ColumnElement[Any] = sa.func.coalesce(hashed, sa.literal(NO_KEY))
        self._answer = answer

    def recent(self, since: datetime, others: Fingerprint) -> Iterator[pa.RecordBatch]:
        """Stream recent rows and add up the others, in one pass."""
        fields = [pa.field("bucket", pa.int64()), *self._schema, *SUMS]
        for answer in self._answer(partial(self._recent_and_sums, since), pa.schema(fields)):
            is_recent = pc.equal(answer.column("bucket"), RECENT)
            yield from self._repeated(answer.filter(is_recent)).to_batches()
            _add(answer.filter(pc.invert(is_recent)), others)

    def within(self, buckets: Sequence[int], before: datetime) -> Iterator[pa.RecordBatch]:
        """Stream old rows of some buckets."""
        bucket = self._of_key.op("&", return_type=sa.BigInteger())(fingerprint.BUCKETS - 1)
        question = partial(self._stamps, self._stamp < before, bucket.in_(buckets))
        for rows in self._answer(question, self._schema):
            yield from rows.to_batches()

    def _recent_and_sums(self, since: datetime, *where: sa.ColumnElement[bool]) -> sa.Select[Any]:
        """Ask for groups: recent rows are groups of their own, the others are grouped by buckets."""
        columns = self._key.label("row_key"), self._stamp.label("stamp"), self._of_key.label("of_key")
        # A subquery that is not taken apart, so that each key is hashed once.
        row = sa.select(*columns).select_from(self._table).where(*where).offset(0).subquery()
        is_old = row.c.stamp < since
        bucket = row.c.of_key.op("&", return_type=sa.BigInteger())(fingerprint.BUCKETS - 1)
        hashes: sa.ColumnElement[Any] = sa.func.timestamp_hash_extended(row.c.stamp, row.c.of_key)
        return sa.select(
            sa.case((is_old, bucket), else_=RECENT).label("bucket"),
            sa.case((is_old, None), else_=row.c.row_key).label("row_key"),
            sa.case((is_old, None), else_=row.c.stamp).label("stamp"),
            sa.func.count().label("row_count"),
            sa.cast(sa.func.sum(hashes), sa.Text()).label("hash_sum"),
        ).group_by(sa.text("1, 2, 3"))

    def _repeated(self, groups: pa.Table) -> pa.Table:
        """Give each row as often as it is there."""
        places = np.repeat(np.arange(groups.num_rows), groups.column("row_count").to_numpy())
        return groups.select(self._schema.names).take(pa.array(places))

    def _stamps(self, *where: sa.ColumnElement[bool]) -> sa.Select[Any]:
        columns = self._key.label("row_key"), self._stamp.label("stamp")
        return sa.select(*columns).select_from(self._table).where(*where)


def _add(answer: pa.Table, found: Fingerprint) -> None:
    """Add sums as the server tells them, in full."""
    buckets = np.asarray(answer.column("bucket"))
    sums = [int(text) % (1 << 64) for text in answer.column("hash_sum").to_pylist()]
    np.add.at(found.counts, buckets, np.asarray(answer.column("row_count")))
    np.add.at(found.sums, buckets, np.array(sums, np.uint64))
