"""Rows of words in few bytes: of each column of words only the bytes in which its rows differ are kept."""

from __future__ import annotations

import numpy as np

from adjudicator.compiled.jit import int32, int64, uint64, uncounted_kernel

COLUMN = np.dtype(
    [
        ("at", "i8"),  # word of the first row
        ("step", "i8"),  # words from row to row
        ("least", "i8"),  # what is taken off every row
        ("size", "i8"),  # bytes that are kept of what is left, 0 to 4
        ("place", "i8"),  # first of these bytes in a packed row
    ]
)  # fmt: skip
"""One column of words: where it lies, and how it is packed."""
TWO_BYTES, THREE_BYTES, FOUR_BYTES = 2, 3, 4
ROWS_AT_ONCE = 32
"""Rows whose columns are packed one after the other, so that words and bytes stay in the processor's cache."""


@uncounted_kernel
def extremes(words: np.ndarray, least: np.ndarray, most: np.ndarray) -> None:
    """Lower ``least`` and raise ``most`` int32[width] to the extremes of the columns of ``words`` int32[n, width]."""
    for row in range(words.shape[0]):
        for column in range(words.shape[1]):
            value = words[uint64(row), uint64(column)]
            least[uint64(column)] = min(least[uint64(column)], value)
            most[uint64(column)] = max(most[uint64(column)], value)


@uncounted_kernel
def pack(words: np.ndarray, columns: np.ndarray, out: np.ndarray) -> None:
    """Write the rows of ``words`` int32[any] in the columns COLUMN[k] to ``out`` uint8[n, bytes], bytes low first.

    Columns without bytes, whose rows are all alike, are left out of ``columns``.
    """
    for begin in range(0, out.shape[0], ROWS_AT_ONCE):
        end = min(out.shape[0], begin + ROWS_AT_ONCE)
        for number in range(columns.shape[0]):
            column = columns[uint64(number)]
            at, step, least, size, place = column.at, column.step, column.least, column.size, uint64(column.place)
            for row in range(begin, end):
                rest = int64(words[uint64(at + row * step)]) - least
                out[uint64(row), place] = rest & 255
                if size >= TWO_BYTES:
                    out[uint64(row), place + uint64(1)] = (rest >> 8) & 255
                if size >= THREE_BYTES:
                    out[uint64(row), place + uint64(2)] = (rest >> 16) & 255
                if size == FOUR_BYTES:
                    out[uint64(row), place + uint64(3)] = rest >> 24


@uncounted_kernel
def unpack(rows: np.ndarray, columns: np.ndarray, targets: np.ndarray, words: np.ndarray) -> None:
    """Write packed ``rows`` uint8[n, bytes] to the rows ``targets`` int64[n] of ``words`` int32[any]."""
    for begin in range(0, rows.shape[0], ROWS_AT_ONCE):
        end = min(rows.shape[0], begin + ROWS_AT_ONCE)
        for number in range(columns.shape[0]):
            column = columns[uint64(number)]
            at, step, least, size, place = column.at, column.step, column.least, column.size, uint64(column.place)
            for row in range(begin, end):
                rest = int64(0)
                if size > 0:
                    rest = int64(rows[uint64(row), place])
                if size >= TWO_BYTES:
                    rest |= int64(rows[uint64(row), place + uint64(1)]) << 8
                if size >= THREE_BYTES:
                    rest |= int64(rows[uint64(row), place + uint64(2)]) << 16
                if size == FOUR_BYTES:
                    rest |= int64(rows[uint64(row), place + uint64(3)]) << 24
                words[uint64(at + targets[uint64(row)] * step)] = int32(rest + least)


@uncounted_kernel
def turn(rows: np.ndarray, out: np.ndarray) -> None:
    """Write the rows of ``rows`` int64[n, width] as columns of ``out`` int64[width, n]."""
    for begin in range(0, rows.shape[0], 64):
        end = min(rows.shape[0], begin + 64)
        for column in range(rows.shape[1]):
            for row in range(begin, end):
                out[uint64(column), uint64(row)] = rows[uint64(row), uint64(column)]
