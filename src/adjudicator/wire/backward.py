"""Writing wire bytes from the last to the first: when the tag and size of a part are due, its size is known.

Eight bytes are stored at once; what falls in front of a value is written over next. Every function takes the position
that the bytes must end at and returns where they start; positions are uint64.
"""

from __future__ import annotations

import numpy as np

from adjudicator.compiled.bits import leading_zeros
from adjudicator.compiled.jit import uncounted_inlined
from adjudicator.wire.octets import word_at

_U64 = np.uint64
_ZERO, _ONE, _EIGHT = np.uint64(0), np.uint64(1), np.uint64(8)

SLACK = 64
"""Bytes that must be free in front of a value: eight of a word, two tags and a size."""


@uncounted_inlined
def put_word(out, position, word):
    out[position] = np.uint8(word)
    out[position + _U64(1)] = np.uint8(word >> _U64(8))
    out[position + _U64(2)] = np.uint8(word >> _U64(16))
    out[position + _U64(3)] = np.uint8(word >> _U64(24))
    out[position + _U64(4)] = np.uint8(word >> _U64(32))
    out[position + _U64(5)] = np.uint8(word >> _U64(40))
    out[position + _U64(6)] = np.uint8(word >> _U64(48))
    out[position + _U64(7)] = np.uint8(word >> _U64(56))
    return _ZERO


@uncounted_inlined
def put_varint(out, position, value):
    """Write a varint that ends at ``position``; returns where it starts."""
    start = position
    if value < _U64(1 << 56):  # up to eight bytes: spread the groups of seven bits, then one store
        bits = _U64(64) - leading_zeros(value | _ONE)
        size = (bits * _U64(9) + _U64(64)) >> _U64(6)
        empty = (_EIGHT - size) << _U64(3)
        value = (value & _U64(0x000000000FFFFFFF)) | (value & _U64(0x00FFFFFFF0000000)) << _U64(4)
        value = (value & _U64(0x00003FFF00003FFF)) | (value & _U64(0x0FFFC0000FFFC000)) << _U64(2)
        value = (value & _U64(0x007F007F007F007F)) | (value & _U64(0x3F803F803F803F80)) << _U64(1)
        value = (value | _U64(0x8080808080808080)) << empty
        value &= _U64(0x7FFFFFFFFFFFFFFF)  # the last byte has no other after it
        put_word(out, position - _EIGHT, value)
        start = position - size
    else:
        start = position - _U64(10) if value >> _U64(63) else position - _U64(9)
        cursor = start
        while value >= _U64(128):
            out[cursor] = np.uint8(value & _U64(127)) | np.uint8(128)
            value >>= _U64(7)
            cursor += _ONE
        out[cursor] = np.uint8(value)
    return start


@uncounted_inlined
def put_tag(out, position, tag, size):
    """Write the ``size`` bytes of a tag so that they end at ``position``; returns where it starts."""
    put_word(out, position - _EIGHT, _U64(tag) << ((_EIGHT - _U64(size)) << _U64(3)))
    return position - _U64(size)


@uncounted_inlined
def put_bytes(out, position, source, start, size):
    """Copy bytes so that they end at ``position``; returns where they start."""
    done = _ZERO
    if start >= _EIGHT:
        while done < size:
            done += _EIGHT
            put_word(out, position - done, word_at(source, start + size - done))
    else:
        while done < size:
            done += _ONE
            out[position - done] = source[start + size - done]
    return position - size
