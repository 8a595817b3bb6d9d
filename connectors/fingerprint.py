"""Sums of hashes of keys and stamps, by buckets of keys: where two are the same, so are the rows."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from connectors.source_hash import Hashes, key_hashes, row_hashes

# So few that a server's sums lie in its nearest memory: four times as many took it twice the time.
# Of 22 million rows each has some 5,400.
BUCKETS = 1 << 12


@dataclass(frozen=True)
class Fingerprint:
    """How many rows each bucket has, and the sum of their hashes modulo 2^64."""

    counts: npt.NDArray[np.int64]
    sums: Hashes

    def uneven(self, other: "Fingerprint") -> list[int]:
        """Name the buckets in which the two differ."""
        differs = (self.counts != other.counts) | (self.sums != other.sums)
        return [int(bucket) for bucket in np.flatnonzero(differs)]

    def without(self, other: "Fingerprint") -> "Fingerprint":
        """Take rows away that it has."""
        return Fingerprint(self.counts - other.counts, self.sums - other.sums)


class Adding:
    """A fingerprint of rows as they pass by."""

    def __init__(self) -> None:
        self._found = nothing()

    def add(self, of_keys: Hashes, stamps: pa.Array) -> None:
        """Add rows that have a stamp; their keys come as hashes."""
        buckets = buckets_of(of_keys)
        self._found.counts[:] += np.bincount(buckets, minlength=BUCKETS)
        np.add.at(self._found.sums, buckets, row_hashes(of_keys, stamps))

    @property
    def found(self) -> Fingerprint:
        """What all of them come to."""
        return self._found


def nothing() -> Fingerprint:
    """Give the fingerprint of no rows."""
    return Fingerprint(np.zeros(BUCKETS, np.int64), np.zeros(BUCKETS, np.uint64))


def fingerprint_of(rows: pa.Table) -> Fingerprint:
    """Make the fingerprint of rows `row_key`, `stamp`, each with a stamp."""
    adding = Adding()
    for batch in rows.to_batches():
        adding.add(key_hashes(batch.column("row_key")), batch.column("stamp"))
    return adding.found


def buckets_of(of_keys: Hashes) -> npt.NDArray[np.int64]:
    """Tell into which buckets keys fall, by their hashes."""
    return (of_keys & np.uint64(BUCKETS - 1)).astype(np.int64)
