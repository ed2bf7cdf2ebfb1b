"""Sums of many keyed changes by row: the quotas and care days of every person's year while a journal is played."""

from __future__ import annotations

import numpy as np

from adjudicator.compiled.jit import uint64, uncounted_kernel
from adjudicator.ledger.key_table import ABSENT, KeyTable, find_place, grown

Columns = tuple[np.ndarray, ...]
_LAST = -1
"""Behind the last pair of a row."""


class Pairs:
    """What the changes under each key of each row add up to.

    >>> pairs = Pairs()
    >>> pairs.add(np.array([3, 0, 3]), np.array([7, 7, 9]), np.array([10, 20, 30]))
    >>> pairs.add(np.array([3]), np.array([7]), np.array([-10]))
    >>> pairs.of(3), pairs.of(1)
    ({9: 30}, {})
    """

    def __init__(self) -> None:
        self._table = KeyTable()
        self._amounts = np.zeros(self._table.room, np.int64)
        self._next = np.zeros(self._table.room, np.int64)
        """Pair of the same row that came before, _LAST for none."""
        self._compared = np.zeros(self._table.room, np.int64)
        self._comparisons = 0
        self._newest = np.full(1024, _LAST, np.int64)
        """Of each row its newest pair."""

    def add(self, rows: np.ndarray, keys: np.ndarray, changes: np.ndarray) -> None:
        """Add changes; ``keys`` 64 bits, as uint64 or int64."""
        if not len(rows):
            return
        if (most := int(rows.max())) >= len(self._newest):
            filled = np.full(max(2 * len(self._newest), most + 1), _LAST, np.int64)
            filled[: len(self._newest)] = self._newest
            self._newest = filled
        before = len(self._table)
        named = np.stack([rows.astype(np.uint64), keys.astype(np.uint64)], axis=1)
        pairs = self._table.add(named)
        if self._table.room > len(self._amounts):
            self._amounts, self._next, self._compared = (
                grown(array, self._table.room) for array in (self._amounts, self._next, self._compared)
            )
        _add_changes(pairs, changes.astype(np.int64), self._amounts)
        _chain(self._table.words, before, len(self._table), self._newest, self._next)

    def of(self, row: int) -> dict[int, int]:
        """Return key -> amount of one row, without amounts of 0."""
        pair = int(self._newest[row]) if row < len(self._newest) else _LAST
        found = {}
        while pair != _LAST:
            found[int(self._table.words[pair, 1])] = int(self._amounts[pair])
            pair = int(self._next[pair])
        return {key: amount for key, amount in reversed(found.items()) if amount}

    def equal(self, rows: np.ndarray, offsets: np.ndarray, keys: np.ndarray, amounts: np.ndarray) -> np.ndarray:
        """Return bool[m]: which rows (int64[m]) have just the pairs ``offsets[i]`` to ``offsets[i + 1]``.

        The order of the pairs does not matter; one of 0, and one whose key stands twice, makes a row unequal.
        """
        self._comparisons += 1
        same = np.empty(len(rows), bool)
        columns = (np.ascontiguousarray(keys, np.uint64), np.ascontiguousarray(amounts, np.int64))
        _compare(
            (self._table.places, self._table.words), (self._amounts, self._next, self._newest),
            (rows, offsets, *columns), (self._compared, self._comparisons), same,
        )  # fmt: skip
        return same


@uncounted_kernel
def _add_changes(pairs: np.ndarray, changes: np.ndarray, amounts: np.ndarray) -> None:
    for i in range(pairs.shape[0]):
        amounts[pairs[i]] += changes[i]


@uncounted_kernel
def _chain(words: np.ndarray, first: int, last: int, newest: np.ndarray, before: np.ndarray) -> None:
    """Hang the pairs ``first`` to ``last`` to their rows."""
    for pair in range(first, last):
        row = np.int64(words[uint64(pair), 0])
        before[pair] = newest[row]
        newest[row] = pair


@uncounted_kernel
def _compare(table: Columns, sums: Columns, given: Columns, compared: tuple[np.ndarray, int], same: np.ndarray) -> None:
    """Compare the pairs of rows with those given; ``compared``: of each pair the last comparison that found it."""
    places, words = table
    amounts, before, newest = sums
    rows, offsets, keys, values = given
    marks, number = compared
    for i in range(rows.shape[0]):
        row, wanted = rows[i], 0
        pair = newest[row] if 0 <= row < newest.shape[0] else _LAST
        while pair != _LAST:
            wanted += 1 if amounts[pair] != 0 else 0
            pair = before[pair]
        good = row >= 0 and offsets[i + 1] - offsets[i] == wanted
        for k in range(offsets[i], offsets[i + 1] if good else offsets[i]):
            pair = places[find_place(places, words, uint64(row), keys[k])]
            good = good and pair != ABSENT
            if good:
                good = amounts[pair] == values[k] and values[k] != 0 and marks[pair] != number
                marks[pair] = number
        same[i] = good
