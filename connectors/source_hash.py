"""PostgreSQL's hashes of keys, computed here for many at once, and buckets of keys by them.

Hash partitions rest on them, so that they stay as they are from version to version. Should they ever not be
the same, buckets have other numbers of rows than the server counts, which is seen.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

# The stubs of pyarrow do not know all functions.
pc: Any = pyarrow.compute

Words = npt.NDArray[np.uint32]
Buckets = npt.NDArray[np.uint16]

# So few that a server's counts lie in its nearest memory. Of 22 million rows each has some 2,700.
BUCKETS = 1 << 13
START = 0x9E3779B9 + 3923095
BLOCK = 12


def buckets_of(keys: pa.Array, *, is_padded: bool) -> Buckets:
    """Tell into which buckets keys fall; none is missing."""
    return (key_hashes(keys, is_padded=is_padded) & np.uint32(BUCKETS - 1)).astype(np.uint16)


def key_hashes(keys: pa.Array, *, is_padded: bool) -> Words:
    """Hash keys as `hashtext`, `hashint4` and `hashint8` do; padded ones as `hashbpchar`, without blanks."""
    if not pa.types.is_string(keys.type):
        return _integers(np.asarray(keys.cast(pa.int64())))
    return _text(pc.utf8_rtrim(keys, " ") if is_padded else keys)


def _integers(values: npt.NDArray[np.int64]) -> Words:
    """Hash whole numbers, folded so that a number is the same in each size."""
    high = (values >> 32).astype(np.uint32)
    a, b, c = _begin(len(values), 4)
    a += values.astype(np.uint32) ^ np.where(values >= 0, high, ~high)
    return _end(a, b, c)


def _text(keys: pa.Array) -> Words:
    """Hash text, that of each length at once."""
    texts = keys.cast(pa.binary())
    lengths = np.asarray(pc.binary_length(texts))
    hashes = np.zeros(len(keys), np.uint32)
    for length in np.unique(lengths):
        places = np.flatnonzero(lengths == length)
        some = texts if len(places) == len(keys) else texts.take(pa.array(places))
        hashes[places] = _bytes(_matrix(some, int(length)))
    return hashes


def _matrix(texts: pa.Array, length: int) -> npt.NDArray[np.uint8]:
    """Lay texts of one length one below the other."""
    _, _, data = texts.buffers()
    if not length or data is None:
        return np.zeros((len(texts), 0), np.uint8)
    offset = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset]
    found = np.frombuffer(data, np.uint8, len(texts) * length, int(offset))
    return found.reshape(len(texts), length)


def _bytes(texts: npt.NDArray[np.uint8]) -> Words:
    """Take blocks of three words; in the last, which is never full, the third word has no lowest byte."""
    length = texts.shape[1]
    whole = length - length % BLOCK
    filled = np.zeros((len(texts), whole + BLOCK), np.uint8)
    filled[:, : min(length, whole + 8)] = texts[:, : whole + 8]
    filled[:, whole + 9 : length + 1] = texts[:, whole + 8 :]
    words = filled.view("<u4")
    a, b, c = _begin(len(texts), length)
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


def _end(a: Words, b: Words, c: Words) -> Words:
    for x, y, bits in ((c, b, 14), (a, c, 11), (b, a, 25), (c, b, 16), (a, c, 4), (b, a, 14), (c, b, 24)):
        x ^= y
        x -= _turned(y, bits)
    return c
