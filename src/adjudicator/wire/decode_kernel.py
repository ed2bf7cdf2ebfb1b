"""Kernels of ``decode``: pass one counts rows, pass two checks everything and writes the values.

They walk the numbers of a ``WireSchema`` and know no message. Every read is checked against the end of its message,
every row against the rows counted in pass one. Helpers and kernels stay in one file: the compile cache is keyed by the
file.
"""
# ruff: noqa: SIM109  (`in` over a tuple is a loop in numba)

from __future__ import annotations

import numpy as np

from adjudicator.compiled.bits import trailing_zeros
from adjudicator.compiled.jit import uncounted_inlined, uncounted_kernel
from adjudicator.wire import schema as _schema
from adjudicator.wire.octets import word_at

OK, MALFORMED, TOO_MANY_ROWS = 0, 1, 2
"""Status of a root message."""

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
def _varint_value(buffer, position, end):
    """Value of the varint in [position, end), which ``_varint_end`` checked; bits over 64 are dropped."""
    value = _ZERO
    shift = _ZERO
    size = end - position
    if size <= _EIGHT and position + _EIGHT <= _U64(buffer.shape[0]):
        value = word_at(buffer, position) & (~_ZERO >> ((_EIGHT - size) << _U64(3)))
        value = (value & _U64(0x007F007F007F007F)) | (value & _U64(0x7F007F007F007F00)) >> _U64(1)
        value = (value & _U64(0x00003FFF00003FFF)) | (value & _U64(0x3FFF00003FFF0000)) >> _U64(2)
        value = (value & _U64(0x000000000FFFFFFF)) | (value & _U64(0x0FFFFFFF00000000)) >> _U64(4)
    else:
        while position < end:
            value |= (_U64(buffer[position]) & _U64(127)) << shift
            shift += _U64(7)
            position += _ONE
    return value


@uncounted_inlined
def _limit(position, end, size):
    """The nearer of ``end`` and ``position + size``."""
    return position + size if end - position > size else end


@uncounted_inlined
def _is_ascii(buffer, position, end):
    """No byte of [position, end) has its high bit set."""
    bits = _ZERO
    if position + _EIGHT <= end:
        while position + _EIGHT <= end:
            bits |= word_at(buffer, position)
            position += _EIGHT
        bits |= word_at(buffer, end - _EIGHT)
    elif position < end and position + _EIGHT <= _U64(buffer.shape[0]):
        bits = word_at(buffer, position) << ((position + _EIGHT - end) << _U64(3))
    else:
        while position < end:
            bits |= _U64(buffer[position])
            position += _ONE
    return bits & _HIGH_BITS == _ZERO


@uncounted_inlined
def _is_utf8(buffer, position, end):
    """Well-formed UTF-8 (no surrogates, no overlong forms, nothing above U+10FFFF)."""
    valid = True
    while position < end and valid:
        lead = buffer[position]
        if lead < 0x80:
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
def _start_row(table, row, bases, tables, template, ranges, used, words):
    """Write an empty row; returns its byte address in the arena."""
    size = _U64(tables[table, _ROW_SIZE])
    address = _U64(bases[table]) + row * size
    source = _U64(tables[table, _TEMPLATE])
    for word in range(size >> _U64(3)):
        words[(address >> _U64(3)) + _U64(word)] = template[source + _U64(word)]
    for number in range(tables[table, _RANGES_START], tables[table, _RANGES_END]):
        column = (address + _U64(ranges[_U64(number), _ZERO])) >> _U64(3)
        first = used[_U64(ranges[_U64(number), _ONE])]
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
def _copy_counts(source, target):
    for number in range(source.shape[0]):
        target[_U64(number)] = source[_U64(number)]
    return _ZERO


# --- Pass one: how many rows ---


@uncounted_kernel
def count_rows(buffer, starts, ends, status, max_depth, max_rows, fields, tables, counts, saved, bases, stack):
    """Upper bounds of the rows, ``counts`` int64[tables], from zero; sets ``status`` of the roots that are refused.

    Returns the words of an arena for so many rows, with the byte offset of each table in ``bases``; -1 when a root lies
    outside the buffer.
    """
    size_of_buffer = np.int64(buffer.shape[0])
    for root in range(starts.shape[0]):
        if starts[root] < 0 or starts[root] > ends[root] or ends[root] > size_of_buffer:
            return np.int64(-1)
    group_table = _U64(tables.shape[0] - 1)
    for root in range(starts.shape[0]):
        position, end = _U64(starts[root]), _U64(ends[root])
        table, group, depth, bad = _ZERO, _ZERO, _ZERO, False
        if status[root] != 0:
            continue
        _copy_counts(counts, saved)
        while not bad:
            if position >= end:
                if group != _ZERO or depth == _ZERO:
                    bad = group != _ZERO
                    break
                depth -= _ONE
                table, end, group = stack[depth, _U64(0)], stack[depth, _U64(1)], stack[depth, _U64(2)]
                continue
            cursor = _varint_end(buffer, position, _limit(position, end, _U64(5)))
            if cursor == _BAD:
                bad = True
                break
            tag = _varint_value(buffer, position, cursor)
            position = cursor
            number, wire_type = tag >> _U64(3), tag & _U64(7)
            last = _U64(tables[table, _LAST])
            bad = tag >> _U64(32) != _ZERO or (number == _ZERO and last != _ZERO)
            kind, child = np.uint32(0), _ZERO
            if number <= last:
                entry = _U64(tables[table, _FIRST]) + number
                kind, child = fields[entry, _KIND], _U64(fields[entry, _CHILD])
            plain = kind & _PLAIN
            if wire_type == _U64(0):
                position = _varint_end(buffer, position, _limit(position, end, _U64(10)))
                bad |= position == _BAD
                if kind > _REPEATED and plain <= _SINT64:
                    counts[child] += 1
            elif wire_type == _U64(2):
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
                        stack[depth, _U64(0)], stack[depth, _U64(1)], stack[depth, _U64(2)] = table, end, group
                        depth += _ONE
                        table, end, group = child, position + size, _ZERO
                        continue
                elif kind > _REPEATED:
                    if plain >= _STRING:
                        counts[child] += 1
                    elif plain == _FIXED32:
                        counts[child] += np.int64(size >> _U64(2))
                    elif plain == _FIXED64:
                        counts[child] += np.int64(size >> _U64(3))
                    else:
                        for offset in range(size):
                            counts[child] += np.int64(buffer[position + _U64(offset)] < 128)
                position += size
            elif wire_type == _U64(5) or wire_type == _U64(1):
                size = _U64(4) if wire_type == _U64(5) else _U64(8)
                bad |= size > end - position
                position += size
                if kind > _REPEATED and plain == (_FIXED32 if wire_type == _U64(5) else _FIXED64):
                    counts[child] += 1
            elif wire_type == _U64(3) and depth < max_depth:
                stack[depth, _U64(0)], stack[depth, _U64(1)], stack[depth, _U64(2)] = table, end, group
                depth += _ONE
                table, group = group_table, number + _ONE
            elif wire_type == _U64(4) and group == number + _ONE:
                depth -= _ONE
                table, group = stack[depth, _U64(0)], stack[depth, _U64(2)]
            else:
                bad = True
        rows = _ZERO
        for number in range(counts.shape[0]):
            rows += _U64(counts[number] - saved[number])
        if bad or rows > max_rows:
            status[root] = MALFORMED if bad else TOO_MANY_ROWS
            _copy_counts(saved, counts)
    counts[_ZERO] = starts.shape[0]
    base = _ZERO
    for number in range(group_table):
        bases[_U64(number)] = np.int64(base)
        size = _U64(counts[_U64(number)]) * _U64(tables[_U64(number), _ROW_SIZE])
        base += (size + _U64(63)) & ~_U64(63)
    return np.int64(base >> _U64(3))


# --- Pass two: the values ---


@uncounted_kernel
def fill_rows(
    buffer, starts, ends, status, max_depth, fields, tables, template, ranges, bases, capacity, used, saved, stack,
    words, halves, octets,
):  # fmt: skip
    """Writes the rows of each root; ``used`` int64[tables] ends as the number of rows in use."""
    group_table = _U64(tables.shape[0] - 1)
    for root in range(starts.shape[0]):
        address = _start_row(_ZERO, _U64(root), bases, tables, template, ranges, used, words)
        if status[root] != 0:
            continue
        position, end = _U64(starts[root]), _U64(ends[root])
        table, group, depth, bad = _ZERO, _ZERO, _ZERO, False
        first, last = _U64(tables[_ZERO, _FIRST]), _U64(tables[_ZERO, _LAST])
        _copy_counts(used, saved)
        while not bad:
            if position >= end:
                if group != _ZERO or depth == _ZERO:
                    bad = group != _ZERO
                    break
                depth -= _ONE
                table, end, group = stack[depth, _U64(0)], stack[depth, _U64(1)], stack[depth, _U64(2)]
                address = stack[depth, _U64(3)]
                first, last = _U64(tables[table, _FIRST]), _U64(tables[table, _LAST])
                continue
            tag = _U64(buffer[position])
            if tag < _U64(128):
                position += _ONE
            else:
                cursor = _varint_end(buffer, position, _limit(position, end, _U64(5)))
                if cursor == _BAD:
                    bad = True
                    break
                tag = _varint_value(buffer, position, cursor)
                position = cursor
            number, wire_type = tag >> _U64(3), tag & _U64(7)
            bad = tag >> _U64(32) != _ZERO or (number == _ZERO and last != _ZERO)
            entry = first + number if number <= last else _ZERO
            kind = fields[entry, _KIND]
            plain = kind & _PLAIN
            if wire_type == _U64(0):
                value = _U64(buffer[position]) if position < end else _U64(128)
                cursor = position + _ONE
                if value >= _U64(128):
                    cursor = _varint_end(buffer, position, _limit(position, end, _U64(10)))
                    if cursor == _BAD:
                        bad = True
                        break
                    value = _varint_value(buffer, position, cursor)
                if plain != 0 and plain <= _SINT64:
                    target = address + _U64(fields[entry, _COLUMN])
                    if kind > _REPEATED:
                        child = _U64(fields[entry, _CHILD])
                        row = used[child]
                        if row >= capacity[child]:
                            bad = True
                            break
                        used[child] = row + 1
                        words[(address + _U64(fields[entry, _SECOND])) >> _U64(3)] = row + 1
                        target = _U64(bases[child]) + _U64(row) * _U64(tables[child, _ROW_SIZE])
                    _store(plain, value, target, words, halves, octets)
                    if fields[entry, _HAS] != 0:
                        octets[address + _U64(fields[entry, _HAS])] = 1
                position = cursor
            elif wire_type == _U64(2):
                size = _U64(buffer[position]) if position < end else _U64(128)
                if size < _U64(128):
                    position += _ONE
                else:
                    cursor = _varint_end(buffer, position, _limit(position, end, _U64(5)))
                    if cursor == _BAD:
                        bad = True
                        break
                    size = _varint_value(buffer, position, cursor)
                    position = cursor
                if size > end - position:
                    bad = True
                    break
                if plain == _STRING or plain == _BYTES:
                    if plain == _STRING and not _is_ascii(buffer, position, position + size):
                        bad = not _is_utf8(buffer, position, position + size)
                        if bad:
                            break
                    start_column = address + _U64(fields[entry, _COLUMN])
                    size_column = address + _U64(fields[entry, _SECOND])
                    if kind > _REPEATED:
                        child = _U64(fields[entry, _CHILD])
                        row = used[child]
                        if row >= capacity[child]:
                            bad = True
                            break
                        used[child] = row + 1
                        words[size_column >> _U64(3)] = row + 1
                        start_column = _U64(bases[child]) + (_U64(row) << _U64(4))
                        size_column = start_column + _U64(8)
                    words[start_column >> _U64(3)] = np.int64(position)
                    halves[size_column >> _U64(2)] = np.int32(size)
                    if fields[entry, _HAS] != 0:
                        octets[address + _U64(fields[entry, _HAS])] = 1
                    position += size
                elif plain == _MESSAGE:
                    if depth >= max_depth:
                        bad = True
                        break
                    child = _U64(fields[entry, _CHILD])
                    column = (address + _U64(fields[entry, _COLUMN])) >> _U64(3)
                    row = used[child] if kind > _REPEATED else words[column]
                    fresh = kind > _REPEATED or row < 0
                    if fresh:
                        row = used[child]
                        if row >= capacity[child]:
                            bad = True
                            break
                        used[child] = row + 1
                        if kind > _REPEATED:
                            words[column + _ONE] = row + 1
                        else:
                            words[column] = row
                    stack[depth, _U64(0)], stack[depth, _U64(1)], stack[depth, _U64(2)] = table, end, group
                    stack[depth, _U64(3)] = address
                    depth += _ONE
                    table, end, group = child, position + size, _ZERO
                    if fresh:
                        address = _start_row(table, _U64(row), bases, tables, template, ranges, used, words)
                    else:
                        address = _U64(bases[table]) + _U64(row) * _U64(tables[table, _ROW_SIZE])
                    first, last = _U64(tables[table, _FIRST]), _U64(tables[table, _LAST])
                elif kind > _REPEATED:
                    child = _U64(fields[entry, _CHILD])
                    stop = position + size
                    width = _U64(4) if plain == _FIXED32 else _U64(8)
                    fixed = plain == _FIXED32 or plain == _FIXED64
                    bad |= fixed and size & (width - _ONE) != _ZERO
                    while position < stop and not bad:
                        cursor = position + width
                        if not fixed:
                            cursor = _varint_end(buffer, position, _limit(position, stop, _U64(10)))
                        row = used[child]
                        if cursor == _BAD or row >= capacity[child]:
                            bad = True
                        else:
                            if fixed:
                                value = _fixed(buffer, position, width)
                            else:
                                value = _varint_value(buffer, position, cursor)
                            target = _U64(bases[child]) + _U64(row) * _U64(tables[child, _ROW_SIZE])
                            _store(plain, value, target, words, halves, octets)
                            used[child] = row + 1
                            position = cursor
                    words[(address + _U64(fields[entry, _SECOND])) >> _U64(3)] = used[child]
                else:
                    position += size
            elif wire_type == _U64(5) or wire_type == _U64(1):
                size = _U64(4) if wire_type == _U64(5) else _U64(8)
                if size > end - position:
                    bad = True
                    break
                if plain == (_FIXED32 if wire_type == _U64(5) else _FIXED64):
                    target = address + _U64(fields[entry, _COLUMN])
                    if kind > _REPEATED:
                        child = _U64(fields[entry, _CHILD])
                        row = used[child]
                        if row >= capacity[child]:
                            bad = True
                            break
                        used[child] = row + 1
                        words[(address + _U64(fields[entry, _SECOND])) >> _U64(3)] = row + 1
                        target = _U64(bases[child]) + _U64(row) * _U64(tables[child, _ROW_SIZE])
                    _store(plain, _fixed(buffer, position, size), target, words, halves, octets)
                    if fields[entry, _HAS] != 0:
                        octets[address + _U64(fields[entry, _HAS])] = 1
                position += size
            elif wire_type == _U64(3) and depth < max_depth:
                stack[depth, _U64(0)], stack[depth, _U64(1)], stack[depth, _U64(2)] = table, end, group
                stack[depth, _U64(3)] = address
                depth += _ONE
                table, group = group_table, number + _ONE
                first, last = _ZERO, _ZERO
            elif wire_type == _U64(4) and group == number + _ONE:
                depth -= _ONE
                table, group, address = stack[depth, _U64(0)], stack[depth, _U64(2)], stack[depth, _U64(3)]
                first, last = _U64(tables[table, _FIRST]), _U64(tables[table, _LAST])
            else:
                bad = True
        if bad:
            status[root] = MALFORMED
            _copy_counts(saved, used)
            _start_row(_ZERO, _U64(root), bases, tables, template, ranges, used, words)
    used[_ZERO] = starts.shape[0]
