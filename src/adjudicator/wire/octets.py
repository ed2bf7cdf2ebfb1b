"""Reading bytes in words, for every kernel of the wire."""

from __future__ import annotations

import numpy as np

from adjudicator.compiled.jit import uncounted_inlined

_U64 = np.uint64


@uncounted_inlined
def word_at(octets, position):
    """Eight bytes as one little-endian number; the compiler makes one load of it."""
    return (
        _U64(octets[position])
        | _U64(octets[position + _U64(1)]) << _U64(8)
        | _U64(octets[position + _U64(2)]) << _U64(16)
        | _U64(octets[position + _U64(3)]) << _U64(24)
        | _U64(octets[position + _U64(4)]) << _U64(32)
        | _U64(octets[position + _U64(5)]) << _U64(40)
        | _U64(octets[position + _U64(6)]) << _U64(48)
        | _U64(octets[position + _U64(7)]) << _U64(56)
    )
