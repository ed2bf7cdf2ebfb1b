"""Keeps memory that a batch has let go for the next one, in processes that do nothing but re-price.

The C library gives large arrays back to the operating system, which clears every page anew when the next batch asks for
it: a tenth of the CPU of re-pricing. Linux with the GNU C library; elsewhere nothing changes.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress

import pyarrow as pa

# Parameters of mallopt (malloc.h).
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
LARGEST_KEPT_BYTES, KEPT_BYTES, GROWTH_BYTES = 1 << 30, (1 << 31) - 1, 64 << 20


def keep_memory() -> None:
    """Let this process keep what it frees; arrays of Arrow come from the same memory."""
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        for parameter, value in (
            (_MMAP_THRESHOLD, LARGEST_KEPT_BYTES), (_TRIM_THRESHOLD, KEPT_BYTES), (_TOP_PAD, GROWTH_BYTES),
        ):  # fmt: skip
            mallopt(parameter, value)
        pa.set_memory_pool(pa.system_memory_pool())
