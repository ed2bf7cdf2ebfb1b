"""Wire bytes become columns: many messages of one buffer in one call, with the verdict of the protobuf library.

Two passes: ``count_rows`` walks the messages that have child tables and counts rows, ``fill_rows`` checks and writes
everything. Both walk ``WireSchema.fields``, so one compiled kernel reads every message. ``docs/wire.md`` lists the
rules by which a message is refused; they are those of the library (upb), which is the oracle of the tests.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from adjudicator.compiled.jit import uint64
from adjudicator.wire.decode_kernel import (
    CANONICAL,
    MALFORMED,
    MAX_DEPTH,
    OK,
    TOO_MANY_ROWS,
    Roots,
    decode_roots,
)
from adjudicator.wire.schema import Tables, WireSchema, list_schema

__all__ = [
    "BATCH_DEPTH", "CANONICAL", "MALFORMED", "MAX_DEPTH", "OK", "TOO_MANY_ROWS", "Decoded", "as_octets", "decode",
    "split_batch",
]  # fmt: skip

BATCH_DEPTH = MAX_DEPTH - 1
"""The same for a root that was cut out of a batch by ``split_batch``."""
MAX_ROWS = 1 << 40
"""No limit: the rows of a root are bounded by its bytes."""


@dataclass(frozen=True, eq=False)
class Decoded:
    """``tables``: path to record array, row i of "" is root i; ``status`` int32[n]: 0, or why the root was refused.

    The rows of a refused root are empty. String columns are offsets into the whole buffer. ``written`` uint8[n]:
    CANONICAL where the bytes of the root are those that ``encode`` would write; empty for what came as columns.
    """

    tables: Tables
    status: np.ndarray
    written: np.ndarray = field(default_factory=lambda: np.zeros(0, np.uint8))


def as_octets(buffer: bytes | bytearray | memoryview | np.ndarray) -> np.ndarray:
    """Return a read-only uint8 view of the bytes, without a copy: one array type, so that kernels are compiled once."""
    octets = np.frombuffer(buffer, np.uint8)
    if octets.flags.writeable:
        octets.flags.writeable = False
    return octets


def decode(
    schema: WireSchema,
    buffer: bytes | bytearray | memoryview | np.ndarray,
    starts: np.ndarray | None = None,
    ends: np.ndarray | None = None,
    status: np.ndarray | None = None,
    *,
    max_depth: int = MAX_DEPTH,
    max_rows: int = MAX_ROWS,
) -> Decoded:
    """Read root i from ``buffer[starts[i]:ends[i]]`` (int64[n]; without them the whole buffer is one root).

    A root whose ``status`` is already not 0 is left out. ``max_depth`` is ``BATCH_DEPTH`` for roots cut from a batch;
    a root with more than ``max_rows`` rows below it gets ``TOO_MANY_ROWS``. Raises ``ValueError`` for ranges outside
    the buffer.
    """
    octets = np.frombuffer(buffer, np.uint8)
    octets.flags.writeable = False
    if starts is None or ends is None:
        starts, ends = np.zeros(1, np.int64), np.full(1, len(octets), np.int64)
    else:
        starts, ends = np.array(starts, np.int64), np.array(ends, np.int64)
    status = np.zeros(len(starts), np.int32) if status is None else np.array(status, np.int32)
    if not len(starts) == len(ends) == len(status):
        raise ValueError("starts, ends and status differ in length")
    numbers = np.zeros((4, len(schema.paths)), np.int64)
    roots = Roots(starts, ends, status, np.empty(len(starts), np.uint8))
    arena = decode_roots(octets, roots, uint64(max_rows), uint64(max_depth), schema.held, numbers)
    counts, bases, used, _ = numbers
    if counts[0] != len(starts):
        raise ValueError("a root lies outside the buffer")
    return Decoded(Tables(schema, used, arena, bases), status, roots.written)


def split_batch(
    buffer: bytes | bytearray | memoryview | np.ndarray, field_number: int = 1, *, max_parts: int = MAX_ROWS
) -> tuple[np.ndarray, np.ndarray, int]:
    """Where the messages of a batch are: starts and ends int64[n], and the verdict on the outer message (0 ok).

    The batch is a message whose only field is the repeated message ``field_number``. Decode the parts with
    ``max_depth=BATCH_DEPTH``; the library accepts the batch when the outer message and all parts are accepted. A batch
    of more than ``max_parts`` gets ``TOO_MANY_ROWS`` and no parts.
    """
    outer = decode(list_schema(field_number), buffer, max_rows=max_parts)
    parts = outer.tables["parts"]
    starts = parts["start"].copy()
    return starts, starts + parts["size"], int(outer.status[0])
