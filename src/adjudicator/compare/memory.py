"""How many claims a comparison looks at together, so that it keeps within a memory.

The figures are those of ``benchmarks/compare_memory.py``.
"""

from __future__ import annotations

from typing import NamedTuple

from adjudicator.errors import E, refuse
from adjudicator.reprice.results import ROWS_AT_ONCE

MEBIBYTE = 1 << 20
BASE_BYTES = 440 * MEBIBYTE
"""Memory of the process with the rules of both sides and a row group of what differs."""
LINES_BYTES = 170 * MEBIBYTE
"""Memory for fee lines of both sides, where they are compared."""
CLAIM_BYTES = 80
"""What is kept of each claim to the end, and what sorting the persons takes."""
CASE_BYTES = 210
"""What the clearing keeps of a case of DRG points of a side."""
ROW_BYTES = 2_000
"""Memory for a claim while its answers are compared."""
LEAST_ROWS = 8_192
"""Claims at a time below which it makes no sense."""


class Room(NamedTuple):
    """What a comparison is going to take."""

    rows: int
    """Claims at a time."""
    memory_bytes: int
    """Most memory."""


def room_for(memory: int, claims: int, cases: int, with_lines: bool = False) -> Room:
    """Return how many claims to compare at a time. Errors: E.MEMORY_TOO_SMALL with what is needed at least.

    ``cases``: of DRG points, both sides, where the comparison goes on to clearing.
    """
    kept = BASE_BYTES + (LINES_BYTES if with_lines else 0) + claims * CLAIM_BYTES + cases * CASE_BYTES
    least = kept + LEAST_ROWS * ROW_BYTES
    if memory < least:
        raise refuse(E.MEMORY_TOO_SMALL, "memory", f"{-(-least // MEBIBYTE)} MiB")
    rows = min(ROWS_AT_ONCE, (memory - kept) // ROW_BYTES)
    return Room(rows, kept + min(rows, claims) * ROW_BYTES)
