"""The checksum of the journal (docs/ledger.md): it detects damage, not malice."""

from __future__ import annotations

import numpy as np

from adjudicator.compiled.jit import uncounted_inlined, uncounted_kernel
from adjudicator.wire.octets import word_at

SEED = np.uint64(0x9E3779B97F4A7C15)
_PRIME, _SHIFT = np.uint64(0xFF51AFD7ED558CCD), np.uint64(29)
_U64 = np.uint64
_ZERO, _ONE, _EIGHT = np.uint64(0), np.uint64(1), np.uint64(8)


@uncounted_inlined
def fold_word(value: int, word: int) -> int:
    """Fold eight bytes into a checksum."""
    value = (value ^ word) * _PRIME
    return value ^ (value >> _SHIFT)


@uncounted_inlined
def fold_octets(octets: np.ndarray, start: int, end: int, value: int) -> int:
    """Fold bytes into a checksum of 64 bits, eight at a time, the last ones filled up with zeros."""
    at, stop = _U64(start), _U64(end)
    while at + _EIGHT <= stop:
        value = fold_word(value, word_at(octets, at))
        at += _EIGHT
    if at < stop:
        word, shift = _ZERO, _ZERO
        while at < stop:
            word |= _U64(octets[at]) << shift
            shift += _EIGHT
            at += _ONE
        value = fold_word(value, word)
    return value


@uncounted_kernel
def _checksum_of(octets: np.ndarray, value: int) -> int:
    return fold_octets(octets, 0, octets.shape[0], value)


def checksum(data: bytes, value: int = int(SEED)) -> int:
    """Return the checksum of some bytes, 64 bits, going on from ``value``: it detects damage, not malice."""
    return int(_checksum_of(np.frombuffer(data, np.uint8), np.uint64(value)))
