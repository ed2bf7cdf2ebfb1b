"""Columns become wire bytes, byte for byte what the protobuf library's SerializeToString writes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from adjudicator.wire.decode import as_octets
from adjudicator.wire.encode_kernel import BAD_RANGE, write_rows
from adjudicator.wire.schema import Tables, WireSchema, varint_bytes


def _gather(schema: WireSchema, tables: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Arena, bases and counts of the tables; arrays that are not of one arena are copied into one."""
    if isinstance(tables, Tables) and tables.schema is schema:
        return tables.arena, tables.bases, tables.counts
    counts = np.array([len(tables[path]) if path in tables else 0 for path in schema.paths], np.int64)
    arena, bases = schema.arena(counts)
    copy = Tables(schema, counts, arena, bases)
    for path, dtype in zip(schema.paths, schema.dtypes, strict=True):
        if path in tables:
            if tables[path].dtype != dtype:
                raise TypeError(f"table {path!r} is not of the schema's record type")
            copy[path][:] = tables[path]
    return arena, bases, counts


def _encode(
    schema: WireSchema,
    tables: Mapping[str, np.ndarray],
    heap: bytes | np.ndarray,
    static_heap: bytes | np.ndarray,
    frame_number: int,
) -> tuple[np.ndarray, np.ndarray]:
    arena, bases, counts = _gather(schema, tables)
    heap, static_heap = as_octets(heap), as_octets(static_heap)
    frame = varint_bytes(frame_number << 3 | 2) if frame_number else b""
    offsets = np.empty(counts[0] + 1, np.int64)
    stack = np.empty((len(schema.paths), 5), np.int64)
    size = 4096 + arena.nbytes + len(heap)
    while True:
        out = np.empty(size, np.uint8)
        start = write_rows(
            out, offsets, np.uint32(int.from_bytes(frame, "little")), np.uint32(len(frame)), schema.fields,
            schema.tables, schema.order, bases, counts, arena, arena.view(np.int32), arena.view(np.uint8), heap,
            static_heap, stack,
        )  # fmt: skip
        if start == BAD_RANGE:
            raise ValueError("a range, row or string lies outside its table or heap")
        if start >= 0:
            return out[start:], offsets - start
        size *= 2


def encode(
    schema: WireSchema,
    tables: Mapping[str, np.ndarray],
    heap: bytes | np.ndarray = b"",
    static_heap: bytes | np.ndarray = b"",
) -> tuple[np.ndarray, np.ndarray]:
    """Bytes uint8[:] of all rows of table "", and int64[n + 1] offsets: root i is ``out[offsets[i]:offsets[i + 1]]``.

    Strings start at ``heap[start]``, or, where ``start`` is negative, at ``static_heap[-1 - start]``. Default values
    are left out as proto3 does; ``optional`` fields follow their ``has_`` column. ``WireSchema.allocate`` gives tables
    that are written without a copy. Raises ``ValueError`` when a range or string lies outside its table or heap.
    """
    return _encode(schema, tables, heap, static_heap, 0)


def encode_batch(
    schema: WireSchema,
    tables: Mapping[str, np.ndarray],
    heap: bytes | np.ndarray = b"",
    static_heap: bytes | np.ndarray = b"",
    field_number: int = 1,
) -> np.ndarray:
    """Bytes uint8[:] of one message that holds each root as an element of its repeated field ``field_number``."""
    return _encode(schema, tables, heap, static_heap, field_number)[0]
