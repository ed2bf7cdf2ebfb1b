"""Kernel of ``encode``: rows become bytes, from the last byte to the first.

When the tag and size of a sub-message are due, its size is known, and one pass is enough (``wire.backward``). Every
range, row and string is checked against its table or heap.
"""
# ruff: noqa: SIM109  (`in` over a tuple is a loop in numba)

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from adjudicator.compiled.jit import uncounted_inlined, uncounted_kernel
from adjudicator.wire import schema as _schema
from adjudicator.wire.backward import SLACK, put_bytes, put_tag, put_varint, put_word

_KIND, _COLUMN, _SECOND, _HAS, _CHILD, _TAG, _TAG_SIZE = (np.uint64(n) for n in range(7))
_FIELDS_START, _FIELDS_END, _ROW_SIZE = (
    np.uint64(n) for n in (_schema.FIELDS_START, _schema.FIELDS_END, _schema.ROW_SIZE)
)
_U64 = np.uint64
_VARINT64, _UINT32, _BOOL, _SINT32, _SINT64, _FIXED32, _FIXED64 = (
    np.uint32(n)
    for n in (
        _schema.VARINT64, _schema.UINT32, _schema.BOOL, _schema.SINT32, _schema.SINT64, _schema.FIXED32,
        _schema.FIXED64,
    )
)  # fmt: skip
_STRING, _BYTES, _MESSAGE = (np.uint32(n) for n in (_schema.STRING, _schema.BYTES, _schema.MESSAGE))
_REPEATED, _PLAIN = np.uint32(_schema.REPEATED), np.uint32(15)
_ZERO, _ONE, _EIGHT = np.uint64(0), np.uint64(1), np.uint64(8)

NO_SPACE, BAD_RANGE = -1, -2


class Layout(NamedTuple):
    """The numbers of a ``WireSchema``; ``order``: fields of a message by ascending number."""

    fields: np.ndarray
    tables: np.ndarray
    order: np.ndarray


class Rows(NamedTuple):
    """The rows to write: where each table begins and how many rows it has; one block of memory seen in three widths."""

    bases: np.ndarray
    counts: np.ndarray
    words: np.ndarray
    halves: np.ndarray
    octets: np.ndarray


Shape = tuple[Layout, Rows]


class Heaps(NamedTuple):
    """uint8: bytes of strings that begin at an offset, and of those that begin at ``-1 - offset``."""

    heap: np.ndarray
    static_heap: np.ndarray


@uncounted_inlined
def _load(kind, address, words, halves, octets):
    """Return the number at a byte address as the bits that go on the wire."""
    if kind == _VARINT64 or kind == _FIXED64:
        bits = _U64(words[address >> _U64(3)])
    elif kind == _BOOL:
        bits = _U64(octets[address] != 0)
    elif kind == _SINT64:
        number = words[address >> _U64(3)]
        bits = _U64((number << 1) ^ (number >> 63))
    elif kind == _SINT32:
        half = np.int64(halves[address >> _U64(2)])
        bits = _U64((half << 1) ^ (half >> 63))
    elif kind == _UINT32 or kind == _FIXED32:
        bits = _U64(np.uint32(halves[address >> _U64(2)]))
    else:
        bits = _U64(np.int64(halves[address >> _U64(2)]))
    return bits


@uncounted_inlined
def _put_number(out, position, kind, bits):
    """Write a number by kind so that it ends at ``position``; returns where it starts."""
    if kind == _FIXED64:
        put_word(out, position - _EIGHT, bits)
        start = position - _EIGHT
    elif kind == _FIXED32:
        put_word(out, position - _EIGHT, bits << _U64(32))
        start = position - _U64(4)
    else:
        start = put_varint(out, position, bits)
    return start


@uncounted_inlined
def _put_field_tag(out: np.ndarray, position: int, entry: int, layout: Layout) -> Any:
    return put_tag(out, position, layout.fields[entry, _TAG], layout.fields[entry, _TAG_SIZE])


@uncounted_inlined
def _is_range(row: int, last_row: int, child: int, rows: Rows) -> bool:
    return row >= 0 and row <= last_row and last_row <= rows.counts[child]


@uncounted_inlined
def _put_string(out: np.ndarray, position: int, start: int, size: int, heaps: Heaps) -> Any:
    """Write the bytes of a string and its size; returns where they start, or NO_SPACE or BAD_RANGE (below 0)."""
    result = np.int64(0)
    if size < 0:
        result = np.int64(BAD_RANGE)
    elif size > np.int64(out.shape[0]) or position < _U64(SLACK) + _U64(size):
        result = np.int64(NO_SPACE)
    elif start >= 0:
        if start > heaps.heap.shape[0] - size:
            result = np.int64(BAD_RANGE)
        else:
            position = put_bytes(out, position, heaps.heap, _U64(start), _U64(size))
    elif -1 - start > heaps.static_heap.shape[0] - size:
        result = np.int64(BAD_RANGE)
    else:
        position = put_bytes(out, position, heaps.static_heap, _U64(-1 - start), _U64(size))
    if result == 0:
        result = np.int64(put_varint(out, position, _U64(size)))
    return result


@uncounted_inlined
def _put_strings(out: np.ndarray, position: int, entry: int, address: int, shape: Shape, heaps: Heaps) -> Any:
    """Write a string field, once or repeated; returns where it starts, or what is wrong (below 0)."""
    layout, rows = shape
    fields, words = layout.fields, rows.words
    repeated = fields[entry, _KIND] > _REPEATED
    column, size_column = address + _U64(fields[entry, _COLUMN]), address + _U64(fields[entry, _SECOND])
    result = np.int64(position)
    if repeated:
        child = _U64(fields[entry, _CHILD])
        row, last_row = words[column >> _U64(3)], words[size_column >> _U64(3)]
        if not _is_range(row, last_row, child, rows):
            result, last_row = np.int64(BAD_RANGE), row
        while last_row > row and result >= 0:
            last_row -= 1
            column = _U64(rows.bases[child]) + (_U64(last_row) << _U64(4))
            size = np.int64(rows.halves[(column + _EIGHT) >> _U64(2)])
            result = _put_string(out, _U64(result), words[column >> _U64(3)], size, heaps)
            if result >= 0:
                result = np.int64(_put_field_tag(out, _U64(result), entry, layout))
    else:
        size, has = np.int64(rows.halves[size_column >> _U64(2)]), _U64(fields[entry, _HAS])
        if rows.octets[address + has] != 0 if has != _ZERO else size != 0:
            result = _put_string(out, position, words[column >> _U64(3)], size, heaps)
            if result >= 0:
                result = np.int64(_put_field_tag(out, _U64(result), entry, layout))
    return result


@uncounted_inlined
def _put_scalar(out: np.ndarray, position: int, entry: int, address: int, layout: Layout, rows: Rows) -> Any:
    """Write a number that is there; returns where it starts."""
    fields = layout.fields
    plain, has = fields[entry, _KIND] & _PLAIN, _U64(fields[entry, _HAS])
    bits = _load(plain, address + _U64(fields[entry, _COLUMN]), rows.words, rows.halves, rows.octets)
    if rows.octets[address + has] != 0 if has != _ZERO else bits != _ZERO:
        position = _put_number(out, position, plain, bits)
        position = _put_field_tag(out, position, entry, layout)
    return position


@uncounted_inlined
def _put_numbers(out: np.ndarray, position: int, entry: int, address: int, layout: Layout, rows: Rows) -> Any:
    """Write a repeated field of numbers; returns where it starts, or what is wrong (below 0)."""
    fields = layout.fields
    plain = fields[entry, _KIND] & _PLAIN
    child = _U64(fields[entry, _CHILD])
    column = (address + _U64(fields[entry, _COLUMN])) >> _U64(3)
    row, last_row = rows.words[column], rows.words[column + _ONE]
    packed = fields[entry, _TAG] & np.uint32(7) == np.uint32(2)
    end, result = position, np.int64(0)
    if not _is_range(row, last_row, child, rows):
        result, last_row = np.int64(BAD_RANGE), row
    some = last_row > row
    while last_row > row and result == 0:
        last_row -= 1
        place = _U64(rows.bases[child]) + _U64(last_row) * _U64(layout.tables[child, _ROW_SIZE])
        position = _put_number(out, position, plain, _load(plain, place, rows.words, rows.halves, rows.octets))
        if not packed:
            position = _put_field_tag(out, position, entry, layout)
        if position < _U64(SLACK):
            result = np.int64(NO_SPACE)
    if packed and some and result == 0:
        position = put_varint(out, position, end - position)
        position = _put_field_tag(out, position, entry, layout)
    return np.int64(position) if result == 0 else result


@uncounted_inlined
def _write_root(out: np.ndarray, position: int, root: int, shape: Shape, heaps: Heaps, stack: np.ndarray) -> Any:
    """Write one root that ends at ``position``; return where it starts, or what is wrong (below 0)."""
    layout, rows = shape
    fields, tables, words = layout.fields, layout.tables, rows.words
    stop = position
    table, depth = _ZERO, _ZERO
    address = _U64(rows.bases[0]) + _U64(root) * _U64(tables[_ZERO, _ROW_SIZE])
    cursor, first = np.int64(tables[_ZERO, _FIELDS_END]), np.int64(tables[_ZERO, _FIELDS_START])
    element = np.int64(-1)  # rows of a repeated field still to write; -1 before the field
    result = np.int64(position)
    while result >= 0:
        position = _U64(result)
        if position < _U64(SLACK):
            result = np.int64(NO_SPACE)
            break
        if cursor == first:
            if depth == _ZERO:
                break
            position = put_varint(out, position, stop - position)
            depth -= _ONE
            table, stop = _U64(stack[depth, _U64(0)]), _U64(stack[depth, _U64(1)])
            address = _U64(stack[depth, _U64(2)])
            cursor, element = stack[depth, _U64(3)], stack[depth, _U64(4)]
            first = np.int64(tables[table, _FIELDS_START])
            position = _put_field_tag(out, position, _U64(layout.order[_U64(cursor - 1)]), layout)
            result = np.int64(position)
            if element < 0:
                cursor -= 1
                continue
        entry = _U64(layout.order[_U64(cursor - 1)])
        kind = fields[entry, _KIND]
        plain = kind & _PLAIN
        if plain == _MESSAGE:
            child = _U64(fields[entry, _CHILD])
            column = (address + _U64(fields[entry, _COLUMN])) >> _U64(3)
            row = words[column]
            if kind > _REPEATED:
                start = row
                if element < 0:
                    element = words[column + _ONE]
                    if not _is_range(start, element, child, rows):
                        result = np.int64(BAD_RANGE)
                        break
                row = element - 1
                element = np.int64(-1) if element == start else row
                if element < 0:
                    row = np.int64(-1)
            if row < 0:
                cursor -= 1
                continue
            if row >= rows.counts[child]:
                result = np.int64(BAD_RANGE)
                break
            stack[depth, _U64(0)], stack[depth, _U64(1)] = np.int64(table), np.int64(stop)
            stack[depth, _U64(2)], stack[depth, _U64(3)] = np.int64(address), cursor
            stack[depth, _U64(4)] = element
            depth += _ONE
            table, stop, element = child, position, np.int64(-1)
            address = _U64(rows.bases[table]) + _U64(row) * _U64(tables[table, _ROW_SIZE])
            cursor, first = np.int64(tables[table, _FIELDS_END]), np.int64(tables[table, _FIELDS_START])
            continue
        if plain >= _STRING:
            result = _put_strings(out, position, entry, address, shape, heaps)
        elif kind < _REPEATED:
            result = np.int64(_put_scalar(out, position, entry, address, layout, rows))
        else:
            result = _put_numbers(out, position, entry, address, layout, rows)
        cursor -= 1
    return result


@uncounted_kernel
def write_rows(
    out: np.ndarray, offsets: np.ndarray, frame_tag: int, frame_size: int,
    fields: np.ndarray, tables: np.ndarray, order: np.ndarray,
    bases: np.ndarray, counts: np.ndarray, words: np.ndarray, halves: np.ndarray, octets: np.ndarray,
    heap: np.ndarray, static_heap: np.ndarray, stack: np.ndarray,
) -> Any:  # fmt: skip
    """Write the roots from the last to the first, from the end of ``out``; returns where the first starts.

    Root i is ``out[offsets[i] : offsets[i + 1]]``, with its frame when ``frame_size`` is not 0. NO_SPACE: ``out`` is
    too small; BAD_RANGE: a range, row or string lies outside its table or heap. The arrays are arguments of their own
    because a tuple of them costs microseconds a call.
    """
    layout, rows = Layout(fields, tables, order), Rows(bases, counts, words, halves, octets)
    heaps = Heaps(heap, static_heap)
    result = np.int64(out.shape[0])
    roots = rows.counts[0]
    offsets[roots] = result
    for back in range(roots):
        root = roots - 1 - back
        stop = _U64(result)
        result = _write_root(out, stop, root, (layout, rows), heaps, stack)
        if result < 0:
            break
        if frame_size != 0:
            position = put_varint(out, _U64(result), stop - _U64(result))
            result = np.int64(put_tag(out, position, frame_tag, frame_size))
        offsets[root] = result
    return result
