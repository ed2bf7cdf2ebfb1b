"""Columns become wire bytes, byte for byte what the protobuf library's SerializeToString writes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from adjudicator.compiled.jit import uint32
from adjudicator.wire.encode_kernel import BAD_RANGE, write_rows
from adjudicator.wire.schema import Tables, WireSchema, varint_bytes


def _gather(schema: WireSchema, tables: Mapping[str, np.ndarray]) -> Tables:
    """Return tables of one arena with copies of arrays that are not."""
    counts = {path: len(tables[path]) for path in schema.paths if path in tables}
    copy = schema.allocate(counts, clear=False)
    for path, dtype in zip(schema.paths, schema.dtypes, strict=True):
        if path in tables:
            if tables[path].dtype != dtype:
                raise TypeError(f"table {path!r} is not of the schema's record type")
            copy[path][:] = tables[path]
    return copy


def encode(
    schema: WireSchema,
    tables: Mapping[str, np.ndarray],
    heap: bytes | np.ndarray = b"",
    static_heap: bytes | np.ndarray = b"",
    frame: bytes = b"",
) -> tuple[np.ndarray, np.ndarray]:
    """Return the bytes uint8[:] of all rows of table "", and int64[n + 1] offsets of the roots.

    Root i is ``out[offsets[i]:offsets[i + 1]]``. Strings start at ``heap[start]``, or, where ``start`` is negative, at
    ``static_heap[-1 - start]``. Default values are left out as proto3 does; ``optional`` fields follow their ``has_``
    column. ``WireSchema.allocate`` gives tables that are written without a copy. ``frame`` is the tag that stands
    before each root and its length, none without it. Raises ``ValueError`` when a range or string lies outside its
    table or heap.
    """
    if not isinstance(tables, Tables) or tables.schema is not schema:
        tables = _gather(schema, tables)
    arena, counts = tables.arena, tables.counts
    texts, static_texts = np.frombuffer(heap, np.uint8), np.frombuffer(static_heap, np.uint8)
    texts.flags.writeable = static_texts.flags.writeable = False  # one array type, so that kernels are compiled once
    offsets = np.empty(counts[0] + 1, np.int64)
    stack = np.empty((len(schema.paths), 5), np.int64)
    size = 4096 + arena.nbytes + len(texts)
    while True:
        out = np.empty(size, np.uint8)
        start = write_rows(
            out, offsets, uint32(int.from_bytes(frame, "little")), uint32(len(frame)), schema.fields,
            schema.tables, schema.order, tables.bases, counts, arena, arena.view(np.int32), arena.view(np.uint8), texts,
            static_texts, stack,
        )  # fmt: skip
        if start == BAD_RANGE:
            raise ValueError("a range, row or string lies outside its table or heap")
        if start >= 0:
            return out[start:], offsets - start
        size *= 2


def encode_batch(
    schema: WireSchema,
    tables: Mapping[str, np.ndarray],
    heap: bytes | np.ndarray = b"",
    static_heap: bytes | np.ndarray = b"",
    field_number: int = 1,
) -> np.ndarray:
    """Return the bytes uint8[:] of one message that holds each root as an element of a repeated field."""
    return encode(schema, tables, heap, static_heap, varint_bytes(field_number << 3 | 2))[0]
