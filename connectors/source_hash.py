"""PostgreSQL's hashes of keys and stamps, computed here for many rows at once.

Hash partitions rest on them, so that they stay as they are from version to version. Who compares sums of them
with the server's finds all rows differing should they ever not be the same, never rows the same that differ.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

# The stubs of pyarrow do not know all functions.
pc: Any = pyarrow.compute

Words = npt.NDArray[np.uint32]
Hashes = npt.NDArray[np.uint64]

# What a row without a key counts as; any number but nothing, which would leave out a step of the hash.
NO_KEY = 1
START = 0x9E3779B9 + 3923095
BLOCK = 12
# PostgreSQL counts from 2000, Arrow from 1970.
MICROSECONDS_UNTIL_2000 = 946_684_800_000_000


def key_hashes(keys: pa.Array) -> Hashes:
    """Hash keys as `hashtextextended`, `hashbpcharextended` and `hashint8extended` do.

    The seed of a number is 0, that of a text one more than its bytes: `char` is hashed without the blanks at
    its end, and one that got more of them is another key. Other text that ends in blanks is hashed otherwise
    there.
    """
    missing = np.asarray(keys.is_null())
    hashes = _text(keys) if pa.types.is_string(keys.type) else _integers(_numbers(keys), None)
    hashes[missing] = NO_KEY
    return hashes


def row_hashes(of_keys: Hashes, stamps: pa.Array) -> Hashes:
    """Hash stamps as `timestamp_hash_extended` does, each with the hash of its key as seed; none is NULL."""
    return _integers(_numbers(stamps) - MICROSECONDS_UNTIL_2000, of_keys)


def _numbers(values: pa.Array) -> npt.NDArray[np.int64]:
    return np.asarray(pc.fill_null(values.cast(pa.int64()), 0))


def _integers(values: npt.NDArray[np.int64], seeds: Hashes | None) -> Hashes:
    """Hash whole numbers, folded so that a number is the same in each size."""
    high = (values >> 32).astype(np.uint32)
    folded = values.astype(np.uint32) ^ np.where(values >= 0, high, ~high)
    a, b, c = _begin(len(values), 4)
    if seeds is not None:
        a += (seeds >> np.uint64(32)).astype(np.uint32)
        b += seeds.astype(np.uint32)
        _mix(a, b, c)
    a += folded
    return _end(a, b, c)


def _text(keys: pa.Array) -> Hashes:
    """Hash text, that of each length at once."""
    texts = pc.fill_null(keys, "")
    trimmed = pc.utf8_rtrim(texts, " ").cast(pa.binary())
    lengths = np.asarray(pc.binary_length(trimmed))
    seeds = np.asarray(pc.binary_length(texts)).astype(np.uint32) + np.uint32(1)
    hashes = np.zeros(len(keys), np.uint64)
    for length in np.unique(lengths):
        places = np.flatnonzero(lengths == length)
        some = trimmed if len(places) == len(keys) else trimmed.take(pa.array(places))
        hashes[places] = _bytes(_matrix(some, int(length)), seeds[places])
    return hashes


def _matrix(texts: pa.Array, length: int) -> npt.NDArray[np.uint8]:
    """Lay texts of one length one below the other."""
    _, _, data = texts.buffers()
    if not length or data is None:
        return np.zeros((len(texts), 0), np.uint8)
    offset = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset]
    found = np.frombuffer(data, np.uint8, len(texts) * length, int(offset))
    return found.reshape(len(texts), length)


def _bytes(texts: npt.NDArray[np.uint8], seeds: Words) -> Hashes:
    """Take blocks of three words; in the last, which is never full, the third word has no lowest byte."""
    length = texts.shape[1]
    whole = length - length % BLOCK
    filled = np.zeros((len(texts), whole + BLOCK), np.uint8)
    filled[:, : min(length, whole + 8)] = texts[:, : whole + 8]
    filled[:, whole + 9 : length + 1] = texts[:, whole + 8 :]
    words = filled.view("<u4")
    a, b, c = _begin(len(texts), length)
    b += seeds
    _mix(a, b, c)
    for place in range(0, words.shape[1], 3):
        a += words[:, place]
        b += words[:, place + 1]
        c += words[:, place + 2]
        if place + 3 < words.shape[1]:
            _mix(a, b, c)
    return _end(a, b, c)


def _begin(count: int, length: int) -> tuple[Words, Words, Words]:
    start = np.full(count, (START + length) & 0xFFFFFFFF, np.uint32)
    return start, start.copy(), start.copy()


def _turned(word: Words, bits: int) -> Words:
    return (word << np.uint32(bits)) | (word >> np.uint32(32 - bits))


def _mix(a: Words, b: Words, c: Words) -> None:
    """Stir three words, as in Bob Jenkins's lookup3."""
    for x, y, z, bits in (
        (a, b, c, 4),
        (b, c, a, 6),
        (c, a, b, 8),
        (a, b, c, 16),
        (b, c, a, 19),
        (c, a, b, 4),
    ):
        x -= z
        x ^= _turned(z, bits)
        z += y


def _end(a: Words, b: Words, c: Words) -> Hashes:
    for x, y, bits in ((c, b, 14), (a, c, 11), (b, a, 25), (c, b, 16), (a, c, 4), (b, a, 14), (c, b, 24)):
        x ^= y
        x -= _turned(y, bits)
    return (b.astype(np.uint64) << np.uint64(32)) | c
