"""Tables that compiled code has filled become wire bytes, without leaving compiled code."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjudicator.compiled.jit import inlined, uint32, uncounted_inlined
from adjudicator.wire.encode_kernel import BAD_RANGE, write_rows

NO_TEXTS = np.frombuffer(b" ", np.uint8)
"""The heap of constant texts of a message that has none."""
_SLACK = 4096


@uncounted_inlined
def place_tables(counts: np.ndarray, row_bytes: np.ndarray, bases: np.ndarray) -> int:
    """Write the first byte of each table with ``counts`` int64[tables] rows; returns the words of all."""
    base = 0
    for number in range(counts.shape[0]):
        bases[number] = base
        base += (counts[number] * row_bytes[number] + 63) // 64 * 64
    return base // 8


@inlined
def encode_tables(
    schema: Any, counts: np.ndarray, bases: np.ndarray, words: np.ndarray, heap: np.ndarray, static_heap: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the bytes of all roots, and int64[n + 1] where each begins; the last is -1 for a text outside its heap.

    ``schema``: anything with ``fields``, ``tables`` and ``order`` of a ``WireSchema``; ``counts`` and ``bases``
    int64[tables]: rows and first byte of each table in ``words``; the heaps as in ``wire.encode``.
    """
    offsets, stack = np.empty(counts[0] + 1, np.int64), np.empty((counts.shape[0], 5), np.int64)
    halves, octets = words.view(np.int32), words.view(np.uint8)
    size = _SLACK + octets.shape[0]
    out = np.empty(size, np.uint8)
    start = np.int64(-1)
    while start < 0 and start != BAD_RANGE:
        if out.shape[0] < size:
            out = np.empty(size, np.uint8)
        start = write_rows(
            out, offsets, uint32(0), uint32(0), schema.fields, schema.tables, schema.order, bases, counts, words,
            halves, octets, heap, static_heap, stack,
        )  # fmt: skip
        size *= 2
    if start >= 0:
        offsets -= start
    else:
        offsets[counts[0]] = -1
    return out[max(start, 0) :], offsets
