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
import sqlalchemy as sa

from connectors import fingerprint
from connectors.fingerprint import Fingerprint
from connectors.source_hash import NO_KEY
from connectors.source_table import key_of, stamp_of, stamp_schema
from schemas.contract import Contract

HASHES = {
    "text": "hashtextextended",
    "varchar": "hashtextextended",
    "bpchar": "hashbpcharextended",
    "int2": "hashint2extended",
    "int4": "hashint4extended",
    "int8": "hashint8extended",
}
TEXTS = ("text", "varchar", "bpchar")
SUMS = pa.schema([("bucket", pa.int64()), ("row_count", pa.int64()), ("hash_sum", pa.string())])

# Writes a question of the rows that some conditions leave.
Ask = Callable[..., sa.Select[Any]]
Question = tuple[Ask, pa.Schema]
# Answers some questions of each range of a table in turn, all of one range before those of the next.
Answer = Callable[[Sequence[Question]], Iterator[pa.Table]]


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
        """Stream recent rows and add up the others, range by range, so that a page is read from disk once."""
        is_recent = (self._stamp >= since) | self._stamp.is_(None)
        of_recent = partial(self._stamps, is_recent), self._schema
        of_others = partial(self._sums, self._stamp < since), SUMS
        answers = self._answer([of_recent, of_others])
        for recent, sums in zip(answers, answers, strict=True):
            yield from recent.to_batches()
            _add(sums, others)

    def within(self, buckets: Sequence[int], before: datetime) -> Iterator[pa.RecordBatch]:
        """Stream old rows of some buckets."""
        bucket = self._of_key.op("&", return_type=sa.BigInteger())(fingerprint.BUCKETS - 1)
        question = partial(self._stamps, self._stamp < before, bucket.in_(buckets))
        for rows in self._answer([(question, self._schema)]):
            yield from rows.to_batches()

    def _sums(self, *where: sa.ColumnElement[bool]) -> sa.Select[Any]:
        columns = self._of_key.label("of_key"), self._stamp.label("stamp")
        # A subquery that is not taken apart, so that each key is hashed once.
        row = sa.select(*columns).select_from(self._table).where(*where).offset(0).subquery()
        hashes: sa.ColumnElement[Any] = sa.func.timestamp_hash_extended(row.c.stamp, row.c.of_key)
        return sa.select(
            row.c.of_key.op("&")(fingerprint.BUCKETS - 1).label("bucket"),
            sa.func.count().label("row_count"),
            sa.cast(sa.func.sum(hashes), sa.Text()).label("hash_sum"),
        ).group_by(sa.text("1"))

    def _stamps(self, *where: sa.ColumnElement[bool]) -> sa.Select[Any]:
        columns = self._key.label("row_key"), self._stamp.label("stamp")
        return sa.select(*columns).select_from(self._table).where(*where)


def _add(answer: pa.Table, found: Fingerprint) -> None:
    """Add sums as the server tells them, in full."""
    buckets = np.asarray(answer.column("bucket"))
    sums = [int(text) % (1 << 64) for text in answer.column("hash_sum").to_pylist()]
    np.add.at(found.counts, buckets, np.asarray(answer.column("row_count")))
    np.add.at(found.sums, buckets, np.array(sums, np.uint64))
