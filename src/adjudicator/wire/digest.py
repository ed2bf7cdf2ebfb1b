"""Digests of content: the same content gives the same digest, whatever the order of fields on the wire.

SipHash-2-4 with 128 bits of result (Aumasson and Bernstein, 2012). The canonical bytes of a message are what ``encode``
writes: fields in number order, default values left out, unknown fields dropped.

* Digest of a field: SipHash of its part of the canonical bytes, tags included; 0 where it is not there.
* Digest of the content: SipHash of 24 bytes for each field that is there, in number order: the number (8 bytes,
  little-endian) and the 16 bytes of the field's digest.

A field that is added to the .proto later leaves the digests of messages without it as they are.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from adjudicator.compiled.jit import uncounted_inlined, uncounted_kernel
from adjudicator.wire.decode import CANONICAL, Decoded, as_octets
from adjudicator.wire.encode import encode
from adjudicator.wire.octets import word_at
from adjudicator.wire.schema import FIELD_NUMBER, FIELDS_END, FIELDS_START, WireSchema

_U64 = np.uint64
_ZERO, _ONE, _EIGHT = np.uint64(0), np.uint64(1), np.uint64(8)

KEY = (np.uint64(0x61646A7564696361), np.uint64(0x746F722D77697265))
"""Key of the digests. They are stored, so it never changes; it is no secret."""
_LOW, _HIGH = KEY


@uncounted_inlined
def _rotate(word, bits):
    return (word << _U64(bits)) | (word >> _U64(64 - bits))


@uncounted_inlined
def _round(v0, v1, v2, v3):
    v0 += v1
    v2 += v3
    v1 = _rotate(v1, 13) ^ v0
    v3 = _rotate(v3, 16) ^ v2
    v0 = _rotate(v0, 32) + v3
    v2 += v1
    v1 = _rotate(v1, 17) ^ v2
    v3 = _rotate(v3, 21) ^ v0
    v2 = _rotate(v2, 32)
    return v0, v1, v2, v3


@uncounted_inlined
def _start(key0, key1):
    return (
        key0 ^ _U64(0x736F6D6570736575),
        key1 ^ _U64(0x646F72616E646F6D) ^ _U64(0xEE),
        key0 ^ _U64(0x6C7967656E657261),
        key1 ^ _U64(0x7465646279746573),
    )


@uncounted_inlined
def _absorb(v0, v1, v2, v3, word):
    v3 ^= word
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v0 ^ word, v1, v2, v3


@uncounted_inlined
def _finish(v0, v1, v2, v3):
    v2 ^= _U64(0xEE)
    for _ in range(4):
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    low = v0 ^ v1 ^ v2 ^ v3
    v1 ^= _U64(0xDD)
    for _ in range(4):
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return low, v0 ^ v1 ^ v2 ^ v3


@uncounted_inlined
def siphash128(octets, start, end, key0, key1):
    """SipHash-2-4-128 of ``octets[start:end]``; all uint64. Returns (first, second) eight bytes, little-endian."""
    v0, v1, v2, v3 = _start(key0, key1)
    tail = (end - start) << _U64(56)
    while start + _EIGHT <= end:
        v0, v1, v2, v3 = _absorb(v0, v1, v2, v3, word_at(octets, start))
        start += _EIGHT
    shift = _ZERO
    while start < end:
        tail |= _U64(octets[start]) << shift
        shift += _EIGHT
        start += _ONE
    v0, v1, v2, v3 = _absorb(v0, v1, v2, v3, tail)
    return _finish(v0, v1, v2, v3)


@uncounted_kernel
def _digest_ranges(octets, starts, ends, key0, key1, out):
    for row in range(starts.shape[0]):
        row = _U64(row)
        low, high = siphash128(octets, _U64(starts[row]), _U64(ends[row]), key0, key1)
        out[row, _ZERO] = low
        out[row, _ONE] = high


@uncounted_inlined
def _varint(octets, position):
    """(value, position after) of a varint that is known to be well formed."""
    value, shift, octet = _ZERO, _ZERO, _U64(128)
    while octet >= _U64(128):
        octet = _U64(octets[position])
        value |= (octet & _U64(127)) << shift
        shift += _U64(7)
        position += _ONE
    return value, position


class Digests(NamedTuple):
    """Digests of some roots."""

    fields: np.ndarray
    """uint32[n, fields]: of each field, 0 where it is not there; columns as ``WireSchema.root_fields``."""
    contents: np.ndarray
    """uint64[n, 2]: of the whole content."""


@uncounted_kernel
def _digest_roots(octets, starts, ends, written, asked, column_of_number, out):
    """Walk the canonical bytes of the roots that are ``written`` as ``asked``, field by field.

    Their rows of ``out`` (``Digests``) are fully overwritten. Returns how many roots are written otherwise.
    """
    field_out, content_out, others = out.fields, out.contents, 0
    for root in range(written.shape[0]):
        if written[_U64(root)] != asked:
            others += 1
            continue
        for column in range(field_out.shape[1]):
            field_out[_U64(root), _U64(column)] = np.uint32(0)
        position, end = _U64(starts[_U64(root)]), _U64(ends[_U64(root)])
        v0, v1, v2, v3 = _start(_LOW, _HIGH)
        words = _ZERO
        tag, after = _ZERO, position
        if position < end:
            tag, after = _varint(octets, position)
        while position < end:
            start, number, same = position, tag >> _U64(3), True
            while same:
                wire_type = tag & _U64(7)
                if wire_type == _U64(0):
                    _, after = _varint(octets, after)
                elif wire_type == _U64(2):
                    size, after = _varint(octets, after)
                    after += size
                else:
                    after += _U64(4) if wire_type == _U64(5) else _EIGHT
                position = after
                same = False
                if position < end:
                    tag, after = _varint(octets, position)
                    same = tag >> _U64(3) == number
            low, high = siphash128(octets, start, position, _LOW, _HIGH)
            field_out[_U64(root), _U64(column_of_number[number])] = np.uint32(low)
            v0, v1, v2, v3 = _absorb(v0, v1, v2, v3, number)
            v0, v1, v2, v3 = _absorb(v0, v1, v2, v3, low)
            v0, v1, v2, v3 = _absorb(v0, v1, v2, v3, high)
            words += _U64(3)
        v0, v1, v2, v3 = _absorb(v0, v1, v2, v3, (words << _U64(3)) << _U64(56))
        low, high = _finish(v0, v1, v2, v3)
        content_out[_U64(root), _ZERO] = low
        content_out[_U64(root), _ONE] = high
    return others


def digest_ranges(buffer: bytes | np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """uint64[n, 2]: SipHash of each ``buffer[starts[i]:ends[i]]``. Raises ``ValueError`` for ranges outside."""
    octets = as_octets(buffer)
    starts, ends = np.ascontiguousarray(starts, np.int64), np.ascontiguousarray(ends, np.int64)
    if len(starts) and (starts.min() < 0 or ends.max() > len(octets) or (starts > ends).any()):
        raise ValueError("a range lies outside the buffer")
    out = np.empty((len(starts), 2), np.uint64)
    _digest_ranges(octets, starts, ends, *KEY, out)
    return out


def digest_bytes(data: bytes, key: tuple[np.uint64, np.uint64] = KEY) -> bytes:
    """Return the 16 bytes of the SipHash of ``data``.

    >>> digest_bytes(b"").hex()
    '9e7f7175be0104a4ef8ad0c8b04639c1'
    """
    out = np.empty((1, 2), np.uint64)
    _digest_ranges(as_octets(data), np.zeros(1, np.int64), np.full(1, len(data), np.int64), *key, out)
    return out.tobytes()


_IS_OTHER = 1


def digests(
    schema: WireSchema, buffer: bytes | np.ndarray, starts: np.ndarray, ends: np.ndarray, decoded: Decoded
) -> Digests:
    """Return the digests of the roots that were decoded from ``buffer[starts[i]:ends[i]]`` (int64[n]).

    A refused one has those of an empty message. What serialisers write is canonical and is hashed where it stands; only
    another root is encoded first.
    """
    columns, roots = _root_columns(schema), len(decoded.status)
    made = Digests(np.empty((roots, len(schema.root_fields)), np.uint32), np.empty((roots, 2), np.uint64))
    if _digest_roots(as_octets(buffer), starts, ends, decoded.written, CANONICAL, columns, made):
        octets, offsets = encode(schema, decoded.tables, buffer)
        octets.flags.writeable = False  # one array type, so that the kernel is compiled once
        others = (decoded.written != CANONICAL).view(np.uint8)
        _digest_roots(octets, offsets[:-1], offsets[1:], others, _IS_OTHER, columns, made)
    return made


@lru_cache(maxsize=16)
def _root_columns(schema: WireSchema) -> np.ndarray:
    """Return int64: the column of each field number of the root."""
    rows = schema.order[schema.tables[0, FIELDS_START] : schema.tables[0, FIELDS_END]]
    numbers = schema.fields[rows, FIELD_NUMBER].astype(np.int64)
    columns = np.zeros(int(numbers.max(initial=0)) + 1, np.int64)
    columns[numbers] = np.arange(len(numbers))
    return columns
