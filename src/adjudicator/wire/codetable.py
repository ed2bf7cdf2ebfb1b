"""Codes to numbers: a table keyed by bytes, looked up straight in the request buffer.

Open addressing with linear probes; a slot holds the position of a code and 32 bits of its hash, so that a probe that
does not match costs no look at the bytes. At most half of the slots are taken.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from adjudicator.compiled.jit import uncounted_inlined, uncounted_kernel
from adjudicator.wire.octets import word_at

_U64 = np.uint64
_ONE = np.uint64(1)


@uncounted_inlined
def hash_bytes(octets, start, size):
    """64-bit hash of ``octets[start : start + size]``; uint64 in and out. Not for data of strangers: it has no key."""
    hashed = size * _U64(0x9E3779B97F4A7C15)
    end = start + size
    while start + _U64(8) <= end:
        hashed = (hashed ^ word_at(octets, start)) * _U64(0xFF51AFD7ED558CCD)
        hashed ^= hashed >> _U64(32)
        start += _U64(8)
    tail = _U64(0)
    shift = _U64(0)
    while start < end:
        tail |= _U64(octets[start]) << shift
        shift += _U64(8)
        start += _ONE
    hashed = (hashed ^ tail) * _U64(0xFF51AFD7ED558CCD)
    return hashed ^ (hashed >> _U64(32))


@uncounted_inlined
def _same_bytes(octets, start, keys, key_start, size):
    offset = _U64(0)
    while offset + _U64(8) <= size and word_at(octets, start + offset) == word_at(keys, key_start + offset):
        offset += _U64(8)
    while offset < size and octets[start + offset] == keys[key_start + offset]:
        offset += _ONE
    return offset == size


@uncounted_inlined
def find_code(
    buffer: np.ndarray, start: int, size: int, keys: np.ndarray, offsets: np.ndarray, slots: np.ndarray,
    tags: np.ndarray,
) -> int:  # fmt: skip
    """Position of the code ``buffer[start : start + size]`` in the table, int64; -1 unknown.

    ``keys``, ``offsets``, ``slots``, ``tags`` are ``CodeTable.arrays``.
    """
    start, size = _U64(start), _U64(size)
    mask = _U64(slots.shape[0] - 1)
    hashed = hash_bytes(buffer, start, size)
    slot = hashed & mask
    tag = np.uint32(hashed >> _U64(32))
    found = np.int64(-1)
    while slots[slot] >= 0 and found < 0:
        if tags[slot] == tag:
            code = _U64(slots[slot])
            key_start = _U64(offsets[code])
            if _U64(offsets[code + _ONE]) - key_start == size and _same_bytes(buffer, start, keys, key_start, size):
                found = np.int64(code)
        slot = (slot + _ONE) & mask
    return found


@uncounted_kernel
def find_all(
    buffer: np.ndarray, starts: np.ndarray, sizes: np.ndarray, arrays: tuple[np.ndarray, ...], out: np.ndarray
) -> None:
    """Write to ``out`` int64[n] the position of each code ``buffer[starts[i] : starts[i] + sizes[i]]``, -1 unknown."""
    for row in range(starts.shape[0]):
        row = _U64(row)
        out[row] = find_code(buffer, starts[row], sizes[row], arrays[0], arrays[1], arrays[2], arrays[3])


@uncounted_kernel
def _build(keys, offsets, slots, tags):
    """Fill the slots; returns the first code that is there twice, -1 none."""
    mask = _U64(slots.shape[0] - 1)
    twice = np.int64(-1)
    for code in range(offsets.shape[0] - 1):
        start = _U64(offsets[_U64(code)])
        size = _U64(offsets[_U64(code + 1)]) - start
        if find_code(keys, start, size, keys, offsets, slots, tags) >= 0:
            if twice < 0:
                twice = np.int64(code)
        else:
            hashed = hash_bytes(keys, start, size)
            slot = hashed & mask
            while slots[slot] >= 0:
                slot = (slot + _ONE) & mask
            slots[slot] = code
            tags[slot] = np.uint32(hashed >> _U64(32))
    return twice


class CodeTable:
    """Immutable map from code (text, UTF-8) to its position in ``codes``.

    ``arrays`` = (keys uint8[:], offsets int64[n+1], slots int32[2**k], tags uint32[2**k]), as ``find_code`` takes them.
    Raises ``ValueError`` when a code is there twice.

    >>> table = CodeTable(["A01", "B02"])
    >>> table.find("B02"), table.find("C03")
    (1, -1)
    """

    def __init__(self, codes: Sequence[str]):
        self.codes = tuple(codes)
        encoded = [code.encode() for code in self.codes]
        self.keys = np.frombuffer(b"".join(encoded), np.uint8)
        self.offsets = np.concatenate(([0], np.cumsum([len(code) for code in encoded]))).astype(np.int64)
        size = 1 << max(1, (2 * len(encoded) - 1).bit_length())
        self.slots, self.tags = np.full(size, -1, np.int32), np.zeros(size, np.uint32)
        twice = _build(self.keys, self.offsets, self.slots, self.tags)
        if twice >= 0:
            raise ValueError(f"code {self.codes[twice]!r} is in the table twice")
        for array in (self.offsets, self.slots, self.tags):
            array.setflags(write=False)
        self.arrays: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] = (
            self.keys,
            self.offsets,
            self.slots,
            self.tags,
        )
        """Arguments of ``find_code`` and ``find_all``; read-only."""

    def __len__(self) -> int:
        return len(self.codes)

    def __contains__(self, code: str) -> bool:
        return self.find(code) >= 0

    def find(self, code: str) -> int:
        """Position of a code, -1 unknown."""
        octets = np.frombuffer(code.encode(), np.uint8)
        return int(self.find_all(octets, np.zeros(1, np.int64), np.full(1, len(octets), np.int32))[0])

    def find_all(self, buffer: np.ndarray, starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        """int64[n] positions of the codes at ``starts``, ``sizes`` in ``buffer`` uint8[:]; -1 unknown."""
        out = np.empty(len(starts), np.int64)
        find_all(buffer, starts, sizes, self.arrays, out)
        return out
