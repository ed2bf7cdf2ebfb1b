"""Kernels of ``decode``: pass one counts rows, pass two checks everything and writes the values.

They walk the numbers of a ``WireSchema`` and know no message. Every read is checked against the end of its message,
every row against the rows counted in pass one. Helpers and kernels stay in one file: the compile cache is keyed by the
file.
"""
# ruff: noqa: SIM109  (`in` over a tuple is a loop in numba)

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from adjudicator.compiled.bits import trailing_zeros
from adjudicator.compiled.held import Held
from adjudicator.compiled.jit import kernel, uncounted_inlined
from adjudicator.compiled.unowned import unowned
from adjudicator.wire import schema as _schema
from adjudicator.wire.octets import word_at

OK, MALFORMED, TOO_MANY_ROWS = 0, 1, 2
"""Status of a root message."""
CANONICAL, OTHERWISE, BAD = 0, 1, 2
"""How the bytes of a root are written: as ``encode`` writes them, in another way, not at all."""

_KIND, _COLUMN, _SECOND, _HAS = (np.uint64(n) for n in range(4))
_CHILD = np.uint64(_schema.CHILD)
_FIRST, _LAST, _ROW_SIZE, _TEMPLATE = (np.uint64(n) for n in range(4))
_RANGES_START, _RANGES_END, _INNER = (np.uint64(n) for n in (_schema.RANGES_START, _schema.RANGES_END, _schema.INNER))
_U64 = np.uint64
_BAD = np.uint64(1 << 62)
_BOOL, _SINT32, _SINT64, _FIXED32, _FIXED64 = (
    np.uint32(n) for n in (_schema.BOOL, _schema.SINT32, _schema.SINT64, _schema.FIXED32, _schema.FIXED64)
)
_VARINT64, _INT32, _UINT32, _STRING, _BYTES, _MESSAGE = (
    np.uint32(n)
    for n in (_schema.VARINT64, _schema.INT32, _schema.UINT32, _schema.STRING, _schema.BYTES, _schema.MESSAGE)
)
_REPEATED, _PLAIN = np.uint32(_schema.REPEATED), np.uint32(15)
_ZERO, _ONE, _EIGHT = np.uint64(0), np.uint64(1), np.uint64(8)
_HIGH_BITS = np.uint64(0x8080808080808080)
_TABLE, _END, _GROUP, _ADDRESS, _BEFORE = (np.uint64(n) for n in range(5))
"""What a row of the stack holds of a message that is not read to its end."""
STACK_WIDTH = 5
MAX_DEPTH = 100
"""Messages and groups inside each other below the root that the library accepts."""
_VARINT, _WIDE, _SIZED, _GROUP_START, _GROUP_END, _NARROW = (np.uint64(n) for n in range(6))
"""Wire types: varint, 8 bytes, length-delimited, start and end of a group, 4 bytes."""


class Layout(NamedTuple):
    """The numbers of a ``WireSchema``, and how deep its messages may be nested."""

    fields: np.ndarray
    tables: np.ndarray
    template: np.ndarray
    ranges: np.ndarray
    max_depth: np.uint64


class Arena(NamedTuple):
    """Where the rows go: ``bases``, ``capacity`` and ``used`` int64[tables]; one block of memory in three widths."""

    bases: np.ndarray
    capacity: np.ndarray
    used: np.ndarray
    words: np.ndarray
    halves: np.ndarray
    octets: np.ndarray


# --- Helpers: one exit, a scalar back, or the buffer's reference count is updated in every loop ---


@uncounted_inlined
def _varint_end(buffer, position, end):
    """Position after the varint at ``position``; _BAD when it is cut by ``end``."""
    cursor = position
    octet = _U64(128)
    stop = _ZERO
    if position + _EIGHT <= end:
        stop = ~word_at(buffer, position) & _HIGH_BITS
    if stop != _ZERO:
        cursor = position + ((trailing_zeros(stop) + _ONE) >> _U64(3))
        octet = _ZERO
    else:
        while octet >= _U64(128) and cursor < end:
            octet = _U64(buffer[cursor])
            cursor += _ONE
    return cursor if octet < _U64(128) else _BAD


@uncounted_inlined
def _packed(word):
    """Return the number of which each byte of a word holds seven bits."""
    value = (word & _U64(0x007F007F007F007F)) | (word & _U64(0x7F007F007F007F00)) >> _U64(1)
    value = (value & _U64(0x00003FFF00003FFF)) | (value & _U64(0x3FFF00003FFF0000)) >> _U64(2)
    return (value & _U64(0x000000000FFFFFFF)) | (value & _U64(0x0FFFFFFF00000000)) >> _U64(4)


@uncounted_inlined
def _varint_value(buffer, position, end):
    """Value of the varint in [position, end), which ``_varint_end`` checked; bits over 64 are dropped."""
    value = _ZERO
    shift = _ZERO
    size = end - position
    if size <= _EIGHT and position + _EIGHT <= _U64(buffer.shape[0]):
        value = _packed(word_at(buffer, position) & (~_ZERO >> ((_EIGHT - size) << _U64(3))))
    else:
        while position < end:
            value |= (_U64(buffer[position]) & _U64(127)) << shift
            shift += _U64(7)
            position += _ONE
    return value


@uncounted_inlined
def _read_varint(buffer, position, end, most):
    """Return the position after a varint of at most so many bytes, _BAD when there is none, and its value.

    One word holds nearly every varint: where it stops and what it says are then read together.
    """
    value, stop, word = _ZERO, _ZERO, _ZERO
    if position + _EIGHT <= end:
        word = word_at(buffer, position)
        stop = ~word & _HIGH_BITS
    if stop != _ZERO:
        cursor = position + ((trailing_zeros(stop) + _ONE) >> _U64(3))
        value = _packed(word & (stop ^ (stop - _ONE)))
        cursor = cursor if cursor <= position + most else _BAD
    else:
        cursor = _varint_end(buffer, position, _limit(position, end, most))
        if cursor != _BAD:
            value = _varint_value(buffer, position, cursor)
    return cursor, value


@uncounted_inlined
def _read_number(buffer, position, end, most):
    """Return the same; most numbers are one byte."""
    value, cursor = _U64(128), position + _ONE
    if position < end:
        value = _U64(buffer[position])
    if value >= _U64(128):
        cursor, value = _read_varint(buffer, position, end, most)
    return cursor, value


@uncounted_inlined
def _limit(position, end, size):
    """Return the nearer of ``end`` and ``position + size``."""
    return position + size if end - position > size else end


@uncounted_inlined
def _is_ascii(buffer, position, end):
    """No byte of [position, end) has its high bit set."""
    bits = _ZERO
    if position + _EIGHT <= end:
        bits = word_at(buffer, position) | word_at(buffer, end - _EIGHT)
        position += _EIGHT
        while position + _EIGHT < end:
            bits |= word_at(buffer, position)
            position += _EIGHT
    elif position < end and position + _EIGHT <= _U64(buffer.shape[0]):
        bits = word_at(buffer, position) << ((position + _EIGHT - end) << _U64(3))
    else:
        while position < end:
            bits |= _U64(buffer[position])
            position += _ONE
    return bits & _HIGH_BITS == _ZERO


@uncounted_inlined
def _is_plain_three(buffer, position):
    """Whether three bytes are a character as nearly all Chinese ones are, of a lead that bounds no second byte."""
    lead = buffer[position]
    three = _U64(lead) << _U64(16) | _U64(buffer[position + _ONE]) << _U64(8) | _U64(buffer[position + _U64(2)])
    return (three & _U64(0xF0C0C0) == _U64(0xE08080)) & (lead != 0xE0) & (lead != 0xED)


@uncounted_inlined
def _is_utf8(buffer, position, end):
    """Well-formed UTF-8 (no surrogates, no overlong forms, nothing above U+10FFFF)."""
    valid = True
    while position < end and valid:
        lead = buffer[position]
        if position + _U64(3) <= end and _is_plain_three(buffer, position):
            position += _U64(3)
        elif lead < 0x80:
            position += _ONE
        elif lead < 0xC2 or lead > 0xF4:
            valid = False
        else:
            more = _U64(1) if lead < 0xE0 else (_U64(2) if lead < 0xF0 else _U64(3))
            if position + more >= end:
                valid = False
            else:
                second = buffer[position + _ONE]
                if (
                    second & 0xC0 != 0x80
                    or (lead == 0xE0 and second < 0xA0)
                    or (lead == 0xED and second > 0x9F)
                    or (lead == 0xF0 and second < 0x90)
                    or (lead == 0xF4 and second > 0x8F)
                ):
                    valid = False
                if more >= _U64(2) and buffer[position + _U64(2)] & 0xC0 != 0x80:
                    valid = False
                if more == _U64(3) and buffer[position + _U64(3)] & 0xC0 != 0x80:
                    valid = False
                position += more + _ONE
    return valid


@uncounted_inlined
def _start_row(table: int, row: int, layout: Layout, arena: Arena) -> Any:
    """Write an empty row; returns its byte address in the arena."""
    tables, words = layout.tables, arena.words
    size = _U64(tables[table, _ROW_SIZE])
    address = _U64(arena.bases[table]) + row * size
    source = _U64(tables[table, _TEMPLATE])
    for word in range(size >> _U64(3)):
        words[(address >> _U64(3)) + _U64(word)] = layout.template[source + _U64(word)]
    for number in range(tables[table, _RANGES_START], tables[table, _RANGES_END]):
        column = (address + _U64(layout.ranges[_U64(number), _ZERO])) >> _U64(3)
        first = arena.used[_U64(layout.ranges[_U64(number), _ONE])]
        words[column] = first
        words[column + _ONE] = first
    return address


@uncounted_inlined
def _store(kind, value, address, words, halves, octets):
    """Write a number at a byte address, by kind."""
    if kind == _VARINT64 or kind == _FIXED64:
        words[address >> _U64(3)] = np.int64(value)
    elif kind == _INT32 or kind == _UINT32 or kind == _FIXED32:
        halves[address >> _U64(2)] = np.int32(value)
    elif kind == _BOOL:
        octets[address] = np.uint8(value != _ZERO)
    elif kind == _SINT64:
        words[address >> _U64(3)] = np.int64(value >> _ONE) ^ -np.int64(value & _ONE)
    else:
        low = value & _U64(0xFFFFFFFF)
        halves[address >> _U64(2)] = np.int32(np.int64(low >> _ONE) ^ -np.int64(low & _ONE))
    return _ZERO


@uncounted_inlined
def _fixed(buffer, position, size):
    """Little-endian number of 4 or 8 bytes."""
    value = _ZERO
    for offset in range(size):
        value |= _U64(buffer[position + _U64(offset)]) << (_U64(offset) << _U64(3))
    return value


@uncounted_inlined
def _copy_counts(source: np.ndarray, target: np.ndarray) -> Any:
    for number in range(source.shape[0]):
        target[_U64(number)] = source[_U64(number)]
    return _ZERO


@uncounted_inlined
def _is_bad_tag(tag: int, last: int) -> bool:
    """More than 32 bits, or field number 0 in a message (a group has no fields, its ``last`` is 0)."""
    return tag >> _U64(32) != _ZERO or (tag >> _U64(3) == _ZERO and last != _ZERO)


@uncounted_inlined
def _push(stack: np.ndarray, depth: int, table: int, end: int, group: int, address: int, number: int) -> Any:
    """Keep the message that is left for one inside it, its field ``number``; returns the new depth."""
    stack[depth, _TABLE] = table
    stack[depth, _END] = end
    stack[depth, _GROUP] = group
    stack[depth, _ADDRESS] = address
    stack[depth, _BEFORE] = number
    return depth + _ONE


# --- Whether a message is canonical: byte for byte what ``encode`` would write ---


@uncounted_inlined
def _is_shortest(buffer: np.ndarray, position: int, end: int) -> bool:
    """Whether a varint has no byte more than it needs, nor bits that are dropped."""
    size, last = end - position, buffer[end - _ONE]
    return size == _ONE or (last != 0 and (size < _U64(10) or last == 1))


@uncounted_inlined
def _is_next(number: int, before: int, kind: int, wire_type: int) -> bool:
    """Whether a field may follow another in a canonical message; of 4 or 8 bytes none is looked at, they are rare."""
    fitting = wire_type == _VARINT or wire_type == _SIZED
    return fitting and (number > before or (number == before and kind > _REPEATED))


@uncounted_inlined
def _is_written(entry: int, value: int, layout: Layout) -> bool:
    """Whether a number of a field is one that it holds, and not its default, which is left out."""
    kind = layout.fields[entry, _KIND]
    held = kind == _VARINT64 or kind == _SINT64
    if kind == _INT32:
        held = np.int64(value) == np.int64(np.int32(value))
    elif kind == _UINT32 or kind == _SINT32:
        held = value >> _U64(32) == _ZERO
    elif kind == _BOOL:
        held = value <= _ONE
    return held and (value != _ZERO or layout.fields[entry, _HAS] != 0)


@uncounted_inlined
def _is_written_text(entry: int, size: int, layout: Layout) -> bool:
    """Whether a length-delimited value is not a default, which is left out, and not a list of numbers."""
    kind = layout.fields[entry, _KIND]
    plain = kind & _PLAIN
    text = plain == _STRING or plain == _BYTES
    return text and (size != _ZERO or kind > _REPEATED or layout.fields[entry, _HAS] != 0)


# --- Pass one: how many rows ---


@uncounted_inlined
def _elements(plain: int, buffer: np.ndarray, position: int, size: int) -> Any:
    """Rows that a length-delimited value of a repeated field may need."""
    found = np.int64(0)
    if plain >= _STRING:
        found = np.int64(1)
    elif plain == _FIXED32:
        found = np.int64(size >> _U64(2))
    elif plain == _FIXED64:
        found = np.int64(size >> _U64(3))
    else:
        for offset in range(size):
            found += np.int64(buffer[position + _U64(offset)] < 128)
    return found


@uncounted_inlined
def _count_root(
    buffer: np.ndarray, position: int, end: int, layout: Layout, counts: np.ndarray, stack: np.ndarray
) -> bool:
    """Count the rows of one root; whether it is malformed."""
    fields, tables, max_depth = layout.fields, layout.tables, layout.max_depth
    table, group, depth, bad = _ZERO, _ZERO, _ZERO, False
    while not bad:
        if position >= end:
            if group != _ZERO or depth == _ZERO:
                bad = group != _ZERO
                break
            depth -= _ONE
            table, end, group = stack[depth, _TABLE], stack[depth, _END], stack[depth, _GROUP]
            continue
        cursor = _varint_end(buffer, position, _limit(position, end, _U64(5)))
        if cursor == _BAD:
            bad = True
            break
        tag = _varint_value(buffer, position, cursor)
        position = cursor
        number, wire_type = tag >> _U64(3), tag & _U64(7)
        last = _U64(tables[table, _LAST])
        bad = _is_bad_tag(tag, last)
        kind, child = np.uint32(0), _ZERO
        if number <= last:
            entry = _U64(tables[table, _FIRST]) + number
            kind, child = fields[entry, _KIND], _U64(fields[entry, _CHILD])
        plain = kind & _PLAIN
        if wire_type == _VARINT:
            position = _varint_end(buffer, position, _limit(position, end, _U64(10)))
            bad |= position == _BAD
            if kind > _REPEATED and plain <= _SINT64:
                counts[child] += 1
        elif wire_type == _SIZED:
            cursor = _varint_end(buffer, position, _limit(position, end, _U64(5)))
            if cursor == _BAD:
                bad = True
                break
            size = _varint_value(buffer, position, cursor)
            position = cursor
            if size > end - position:
                bad = True
                break
            if plain == _MESSAGE:
                counts[child] += 1
                if tables[child, _INNER] != 0:
                    if depth >= max_depth:
                        bad = True
                        break
                    depth = _push(stack, depth, table, end, group, _ZERO, number)
                    table, end, group = child, position + size, _ZERO
                    continue
            elif kind > _REPEATED:
                counts[child] += _elements(plain, buffer, position, size)
            position += size
        elif wire_type == _NARROW or wire_type == _WIDE:
            size = _U64(4) if wire_type == _NARROW else _U64(8)
            bad |= size > end - position
            position += size
            if kind > _REPEATED and plain == (_FIXED32 if wire_type == _NARROW else _FIXED64):
                counts[child] += 1
        elif wire_type == _GROUP_START and depth < max_depth:
            depth = _push(stack, depth, table, end, group, _ZERO, number)
            table, group = _U64(tables.shape[0] - 1), number + _ONE
        elif wire_type == _GROUP_END and group == number + _ONE:
            depth -= _ONE
            table, group = stack[depth, _TABLE], stack[depth, _GROUP]
        else:
            bad = True
    return bad


@uncounted_inlined
def _are_inside(starts: np.ndarray, ends: np.ndarray, size: int) -> bool:
    """Every root lies inside the buffer."""
    inside = True
    for root in range(starts.shape[0]):
        inside &= starts[root] >= 0 and starts[root] <= ends[root] and ends[root] <= size
    return inside


@uncounted_inlined
def _place_tables(layout: Layout, counts: np.ndarray, bases: np.ndarray) -> Any:
    """Give each table its byte offset in an arena; returns the arena's words."""
    base = _ZERO
    for number in range(layout.tables.shape[0] - 1):
        bases[_U64(number)] = np.int64(base)
        size = _U64(counts[_U64(number)]) * _U64(layout.tables[_U64(number), _ROW_SIZE])
        base += (size + _U64(63)) & ~_U64(63)
    return np.int64(base >> _U64(3))


class Roots(NamedTuple):
    """Where the roots are in the buffer, and what is found of each."""

    starts: np.ndarray  # int64[n]
    ends: np.ndarray  # int64[n]
    status: np.ndarray  # int32[n]: a root whose status is not OK is left out
    written: np.ndarray  # uint8[n] out: CANONICAL for a root whose bytes are just what ``encode`` would write


class Numbers(NamedTuple):
    """One number a table of the schema, int64[tables]."""

    counts: np.ndarray  # upper bounds of the rows, zero before
    bases: np.ndarray  # out: byte offset in the arena
    used: np.ndarray  # out: rows, zero before
    saved: np.ndarray  # work area


@uncounted_inlined
def _count_rows(
    buffer: np.ndarray, roots: Roots, most_rows: int, layout: Layout, numbers: Numbers, stack: np.ndarray
) -> Any:
    """Find upper bounds of the rows and set the status of the roots that are refused.

    Returns the words of an arena for so many rows.
    """
    starts, ends, status, counts, saved = roots.starts, roots.ends, roots.status, numbers.counts, numbers.saved
    for root in range(starts.shape[0]):
        if status[root] == OK:
            _copy_counts(counts, saved)
            bad = _count_root(buffer, _U64(starts[root]), _U64(ends[root]), layout, counts, stack)
            rows = _ZERO
            for number in range(counts.shape[0]):
                rows += _U64(counts[number] - saved[number])
            if bad or rows > most_rows:
                status[root] = MALFORMED if bad else TOO_MANY_ROWS
                _copy_counts(saved, counts)
    counts[_ZERO] = starts.shape[0]
    return _place_tables(layout, counts, numbers.bases)


# --- Pass two: the values ---


@uncounted_inlined
def _take_row(child: int, arena: Arena) -> Any:
    """Return the number of a new row of a table, _BAD when pass one counted fewer."""
    row = arena.used[child]
    if row < arena.capacity[child]:
        arena.used[child] = row + 1
        number = _U64(row)
    else:
        number = _BAD
    return number


@uncounted_inlined
def _new_place(child: int, layout: Layout, arena: Arena) -> Any:
    """Return the byte address of a new row of a table; _BAD when pass one counted fewer."""
    row = _take_row(child, arena)
    place = _BAD
    if row != _BAD:
        place = _U64(arena.bases[child]) + row * _U64(layout.tables[child, _ROW_SIZE])
    return place


@uncounted_inlined
def _place_of(entry: int, address: int, layout: Layout, arena: Arena) -> Any:
    """Byte address at which a scalar field of the row at ``address`` is written; _BAD when there is no row for it."""
    fields = layout.fields
    place = address + _U64(fields[entry, _COLUMN])
    if fields[entry, _KIND] > _REPEATED:
        child = _U64(fields[entry, _CHILD])
        place = _new_place(child, layout, arena)
        if place != _BAD:
            arena.words[(address + _U64(fields[entry, _SECOND])) >> _U64(3)] = arena.used[child]
    return place


@uncounted_inlined
def _put_scalar(value: int, entry: int, address: int, layout: Layout, arena: Arena) -> bool:
    """Write a number of the row at ``address``; whether there is no row for it."""
    place = _place_of(entry, address, layout, arena)
    kind = layout.fields[entry, _KIND] & _PLAIN  # read before anything is written, or it is read again
    if place != _BAD:
        _store(kind, value, place, arena.words, arena.halves, arena.octets)
        _put_has(entry, address, layout, arena)
    return place == _BAD


@uncounted_inlined
def _put_has(entry: int, address: int, layout: Layout, arena: Arena) -> Any:
    """Note that an ``optional`` field was there."""
    column = _U64(layout.fields[entry, _HAS])
    if column != _ZERO:
        arena.octets[address + column] = 1
    return _ZERO


@uncounted_inlined
def _put_text(
    buffer: np.ndarray, position: int, size: int, entry: int, address: int, layout: Layout, arena: Arena
) -> bool:
    """Write where a string or bytes field is; whether it is not UTF-8 or there is no row for it."""
    fields = layout.fields
    kind = fields[entry, _KIND]
    bad = False
    if kind & _PLAIN == _STRING and not _is_ascii(buffer, position, position + size):
        bad = not _is_utf8(buffer, position, position + size)
    if not bad:
        place = _place_of(entry, address, layout, arena)
        bad = place == _BAD
        if not bad:
            second = place + _EIGHT if kind > _REPEATED else address + _U64(fields[entry, _SECOND])
            arena.words[place >> _U64(3)] = np.int64(position)
            arena.halves[second >> _U64(2)] = np.int32(size)
            _put_has(entry, address, layout, arena)
    return bad


@uncounted_inlined
def _put_packed(
    buffer: np.ndarray, position: int, size: int, entry: int, address: int, layout: Layout, arena: Arena
) -> bool:
    """Write the numbers of a packed field; whether one is malformed or there are more than pass one counted."""
    fields = layout.fields
    plain = fields[entry, _KIND] & _PLAIN
    child = _U64(fields[entry, _CHILD])
    stop = position + size
    width = _U64(4) if plain == _FIXED32 else _U64(8)
    fixed = plain == _FIXED32 or plain == _FIXED64
    bad = fixed and size & (width - _ONE) != _ZERO
    while position < stop and not bad:
        cursor = position + width
        if not fixed:
            cursor = _varint_end(buffer, position, _limit(position, stop, _U64(10)))
        bad = cursor == _BAD
        if not bad:
            place = _new_place(child, layout, arena)
            bad = place == _BAD
        if not bad:
            value = _fixed(buffer, position, width) if fixed else _varint_value(buffer, position, cursor)
            _store(plain, value, place, arena.words, arena.halves, arena.octets)
            position = cursor
    arena.words[(address + _U64(fields[entry, _SECOND])) >> _U64(3)] = arena.used[child]
    return bad


@uncounted_inlined
def _put_sized(
    buffer: np.ndarray, position: int, size: int, entry: int, address: int, layout: Layout, arena: Arena
) -> bool:
    """Write a length-delimited value that is no message; whether it is malformed. An unknown field is passed over."""
    kind = layout.fields[entry, _KIND]
    bad = False
    if kind & _PLAIN == _STRING or kind & _PLAIN == _BYTES:
        bad = _put_text(buffer, position, size, entry, address, layout, arena)
    elif kind > _REPEATED:
        bad = _put_packed(buffer, position, size, entry, address, layout, arena)
    return bad


@uncounted_inlined
def _put_fixed(
    buffer: np.ndarray, position: int, size: int, entry: int, address: int, layout: Layout, arena: Arena
) -> bool:
    """Write a value of 4 or 8 bytes where the field is of that width; whether there is no row for it."""
    wanted = _FIXED32 if size == _U64(4) else _FIXED64
    bad = False
    if layout.fields[entry, _KIND] & _PLAIN == wanted:
        bad = _put_scalar(_fixed(buffer, position, size), entry, address, layout, arena)
    return bad


@uncounted_inlined
def _enter(entry: int, address: int, layout: Layout, arena: Arena) -> Any:
    """Byte address of the row of a message field, a new one or the one that it has; _BAD when there is none for it."""
    fields = layout.fields
    child = _U64(fields[entry, _CHILD])
    column = (address + _U64(fields[entry, _COLUMN])) >> _U64(3)
    repeated = fields[entry, _KIND] > _REPEATED
    inner = _BAD
    if repeated or arena.words[column] < 0:
        row = _take_row(child, arena)
        if row != _BAD:
            if repeated:
                arena.words[column + _ONE] = np.int64(row + _ONE)
            else:
                arena.words[column] = np.int64(row)
            inner = _start_row(child, row, layout, arena)
    else:
        inner = _U64(arena.bases[child]) + _U64(arena.words[column]) * _U64(layout.tables[child, _ROW_SIZE])
    return inner


@uncounted_inlined
def _fill_root(
    buffer: np.ndarray, position: int, end: int, address: int, layout: Layout, arena: Arena, stack: np.ndarray
) -> int:
    """Write the rows of one root, whose own row is at ``address``; CANONICAL, OTHERWISE or BAD."""
    fields, tables = layout.fields, layout.tables
    table, group, depth, bad = _ZERO, _ZERO, _ZERO, False
    canonical, before = True, _ZERO
    first, last = _U64(tables[_ZERO, _FIRST]), _U64(tables[_ZERO, _LAST])
    while not bad:
        if position >= end:
            if group != _ZERO or depth == _ZERO:
                bad = group != _ZERO
                break
            depth -= _ONE
            table, end, group = stack[depth, _TABLE], stack[depth, _END], stack[depth, _GROUP]
            address, before = stack[depth, _ADDRESS], stack[depth, _BEFORE]
            first, last = _U64(tables[table, _FIRST]), _U64(tables[table, _LAST])
            continue
        cursor, tag = _read_number(buffer, position, end, _U64(5))
        if cursor == _BAD:
            bad = True
            break
        canonical &= _is_shortest(buffer, position, cursor)
        position = cursor
        number, wire_type = tag >> _U64(3), tag & _U64(7)
        entry = first + number if number <= last else _ZERO
        plain = fields[entry, _KIND] & _PLAIN
        bad = plain == 0 and _is_bad_tag(tag, last)
        canonical &= _is_next(number, before, fields[entry, _KIND], wire_type)
        before = number
        if wire_type == _VARINT or wire_type == _SIZED:
            most = _U64(10) if wire_type == _VARINT else _U64(5)
            cursor, value = _read_number(buffer, position, end, most)
            if cursor == _BAD:
                bad = True
                break
            canonical &= _is_shortest(buffer, position, cursor)
            position = cursor
            if wire_type == _VARINT:
                canonical &= _is_written(entry, value, layout)
                if plain != 0 and plain <= _SINT64:
                    bad |= _put_scalar(value, entry, address, layout, arena)
            elif value > end - position:
                bad = True
            elif plain == _MESSAGE:
                inner = _enter(entry, address, layout, arena) if depth < layout.max_depth else _BAD
                bad |= inner == _BAD
                depth = _push(stack, depth, table, end, group, address, number) if inner != _BAD else depth
                before = _ZERO
                table, end, group, address = _U64(fields[entry, _CHILD]), position + value, _ZERO, inner
                first, last = _U64(tables[table, _FIRST]), _U64(tables[table, _LAST])
            else:
                canonical &= _is_written_text(entry, value, layout)
                bad |= _put_sized(buffer, position, value, entry, address, layout, arena)
                position += value
        elif wire_type == _NARROW or wire_type == _WIDE:
            size = _U64(4) if wire_type == _NARROW else _U64(8)
            bad = bad or size > end - position or _put_fixed(buffer, position, size, entry, address, layout, arena)
            position += size
        elif wire_type == _GROUP_START and depth < layout.max_depth:
            depth = _push(stack, depth, table, end, group, address, number)
            table, group, first, last = _U64(tables.shape[0] - 1), number + _ONE, _ZERO, _ZERO
        elif wire_type == _GROUP_END and group == number + _ONE:
            depth -= _ONE
            table, group, address = stack[depth, _TABLE], stack[depth, _GROUP], stack[depth, _ADDRESS]
            first, last = _U64(tables[table, _FIRST]), _U64(tables[table, _LAST])
        else:
            bad = True
    return BAD if bad else (CANONICAL if canonical else OTHERWISE)


@uncounted_inlined
def _fill_rows(
    buffer: np.ndarray, roots: Roots, layout: Layout, numbers: Numbers, words: np.ndarray, stack: np.ndarray
) -> None:
    """Write the rows of each root."""
    starts, ends, status, used, saved = roots.starts, roots.ends, roots.status, numbers.used, numbers.saved
    arena = Arena(numbers.bases, numbers.counts, used, words, words.view(np.int32), words.view(np.uint8))
    for root in range(starts.shape[0]):
        address = _start_row(_ZERO, _U64(root), layout, arena)
        roots.written[root] = BAD
        if status[root] == OK:
            _copy_counts(used, saved)
            found = _fill_root(buffer, _U64(starts[root]), _U64(ends[root]), address, layout, arena, stack)
            roots.written[root] = found
            if found == BAD:
                status[root] = MALFORMED
                _copy_counts(saved, used)
                _start_row(_ZERO, _U64(root), layout, arena)
    used[_ZERO] = starts.shape[0]


@kernel
def decode_roots(
    buffer: np.ndarray, roots: Roots, most_rows: int, max_depth: int, held: Held, numbers_of_tables: np.ndarray
) -> np.ndarray:
    """Return the arena (int64) of the rows of the roots; one word where a root lies outside the buffer.

    ``held``: ``WireSchema.held``. ``numbers_of_tables`` int64[4, tables] is zero before and takes the four of
    ``Numbers``.
    """
    schema = held.it
    numbers = Numbers(numbers_of_tables[0], numbers_of_tables[1], numbers_of_tables[2], numbers_of_tables[3])
    layout = Layout(
        unowned(schema.fields), unowned(schema.tables), unowned(schema.template), unowned(schema.ranges), max_depth
    )
    if not _are_inside(roots.starts, roots.ends, np.int64(buffer.shape[0])):
        return np.zeros(1, np.int64)
    stack = np.empty((MAX_DEPTH + 1, STACK_WIDTH), np.uint64)
    words = np.empty(_count_rows(buffer, roots, most_rows, layout, numbers, stack), np.int64)
    _fill_rows(buffer, roots, layout, numbers, words, stack)
    return words
