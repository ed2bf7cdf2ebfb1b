"""Records inside a kernel: one on its stack, amounts copied between two records by name, numbers at an address.

A record of an array is memory that other arrays may overlap, so the compiler writes each amount and reads it back. A
record on the stack is not: its amounts stay in registers, and what is known to be 0 takes no time. Offsets are known
when a kernel is compiled, so copying by name is a row of moves.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from adjudicator.compiled.jit import interpreted
from adjudicator.compiled.unowned import INTERPRETED, itself

_WORD = 8
_OCTET, _LONG = ir.IntType(8), ir.IntType(64)


def _words(source: Any, target: Any) -> Iterator[tuple[int, int]]:
    """Yield the places in bytes of the int64 words that have the same name in two records of Numba."""
    for name, field in source.fields.items():
        other = target.fields.get(name)
        size = getattr(field.type, "size", _WORD) if isinstance(field.type, types.NestedArray) else _WORD
        base = getattr(field.type, "dtype", field.type)
        if other is not None and other.type == field.type and base == types.int64:
            yield from ((field.offset + at, other.offset + at) for at in range(0, size, _WORD))


def _at(builder: Any, record: Any, offset: int) -> Any:
    """Return a pointer to the int64 word of a record."""
    start = builder.bitcast(record, _OCTET.as_pointer())
    return builder.bitcast(builder.gep(start, [_LONG(offset)]), _LONG.as_pointer())


def _on_stack(typing_context: Any, array: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        allocate: Any = cgutils.alloca_once
        memory = allocate(builder, ir.ArrayType(_OCTET, array.dtype.size))
        memory.align = _WORD
        return builder.bitcast(memory, context.get_value_type(array.dtype))

    return array.dtype(array), code


def _cleared(typing_context: Any, record: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        start = builder.bitcast(arguments[0], _OCTET.as_pointer())
        fill: Any = cgutils.memset
        fill(builder, start, _LONG(record.size), 0)
        return context.get_dummy_value()

    return types.void(record), code


def _copied(typing_context: Any, source: Any, target: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        for begin, end in _words(source, target):
            builder.store(builder.load(_at(builder, arguments[0], begin)), _at(builder, arguments[1], end))
        return context.get_dummy_value()

    return types.void(source, target), code


def _added(typing_context: Any, source: Any, target: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        for begin, end in _words(source, target):
            place = _at(builder, arguments[1], end)
            builder.store(builder.add(builder.load(place), builder.load(_at(builder, arguments[0], begin))), place)
        return context.get_dummy_value()

    return types.void(source, target), code


def _summed(typing_context: Any, record: Any, names: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        total = _LONG(0)
        for begin, _ in _words(record, names):
            total = builder.add(total, builder.load(_at(builder, arguments[0], begin)))
        return total

    return types.int64(record, names), code


def _number_at(typing_context: Any, address: Any, index: Any, form: Any) -> Any:
    kind = form.dtype

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], context.get_value_type(kind).as_pointer())
        value = builder.load(builder.gep(pointer, [arguments[1]]), align=1)
        return context.cast(builder, value, kind, types.int64)

    return types.int64(types.uint64, types.uint64, form), code


def _put_number(typing_context: Any, address: Any, index: Any, value: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], _LONG.as_pointer())
        builder.store(arguments[2], builder.gep(pointer, [arguments[1]]), align=1)
        return context.get_dummy_value()

    return types.void(types.uint64, types.uint64, types.int64), code


# ---------------------------------------------------------------- the same by the interpreter


def _names(source: Any, target: Any) -> list[str]:
    both = [name for name in source.dtype.names if name in target.dtype.names]
    return [name for name in both if source.dtype[name] == target.dtype[name] and source.dtype[name].base == np.int64]


def _row(array: Any) -> Any:
    return constant(array[:1].copy())[0]


def _clear(record: Any) -> None:
    for name in record._row.dtype.names:
        record._row[name] = 0


def _copy(source: Any, target: Any) -> None:
    for name in _names(source._row, target._row):
        target._row[name] = source._row[name]


def _add(source: Any, target: Any) -> None:
    for name in _names(source._row, target._row):
        target._row[name] += source._row[name]


def _sum(record: Any, names: Any) -> Any:
    return np.int64(sum(record._row[name] for name in _names(record._row, names._row)))


def _read(address: Any, index: Any, form: Any) -> Any:
    size = np.dtype(form).itemsize
    return np.int64(np.frombuffer(ctypes.string_at(int(address) + int(index) * size, size), form)[0])


def _write(address: Any, index: Any, value: Any) -> None:
    ctypes.c_int64.from_address(int(address) + int(index) * _WORD).value = int(value)


def constant(array: np.ndarray) -> np.ndarray:
    """Return a record array that a kernel reads as a constant; by the interpreter its rows have attributes too."""
    attributed: np.ndarray = interpreted(itself)(array)
    return attributed if INTERPRETED else array


def _of(compiled: Callable[..., Any], python: Callable[..., Any]) -> Callable[..., Any]:
    return python if INTERPRETED else cast("Callable[..., Any]", intrinsic(compiled))


on_stack: Callable[[Any], Any] = _of(_on_stack, _row)
"""A record on the stack of the kernel, of the type of a record array, with any content."""
clear: Callable[[Any], None] = _of(_cleared, _clear)
"""Set every word of a record to 0."""
copy_common: Callable[[Any, Any], None] = _of(_copied, _copy)
"""Copy the int64 amounts that have the same name in two records."""
add_common: Callable[[Any, Any], None] = _of(_added, _add)
"""Add the int64 amounts of a record to those of the same name in another."""
sum_common: Callable[[Any, Any], int] = _of(_summed, _sum)
"""The sum of the int64 amounts of a record that have the names of another record."""
number_at: Callable[[Any, Any, Any], int] = _of(_number_at, _read)
"""The number at (address, index, form); the caller of the kernel keeps the column and knows its length."""
put_number: Callable[[Any, Any, int], None] = _of(_put_number, _write)
"""Write an int64 to (address, index)."""
