"""Sums of many keyed changes by row: the quotas and care days of every person's year while a journal is played."""

from __future__ import annotations

import numpy as np

_PAIR = np.dtype([("row", "i8"), ("key", "u8"), ("amount", "i8")])
LEAST_TO_SORT = 10_000
"""Changes that are kept unsorted; beyond them, a quarter of what is sorted, so that sorting stays cheap in all."""


class Pairs:
    """What the changes under each key of each row add up to.

    >>> pairs = Pairs()
    >>> pairs.add(np.array([3, 0, 3]), np.array([7, 7, 9]), np.array([10, 20, 30]))
    >>> pairs.add(np.array([3]), np.array([7]), np.array([-10]))
    >>> pairs.of(3), pairs.of(1)
    ({9: 30}, {})
    """

    def __init__(self) -> None:
        self._sorted = np.zeros(0, _PAIR)
        self._fresh: list[np.ndarray] = []
        self._fresh_count = 0

    def add(self, rows: np.ndarray, keys: np.ndarray, changes: np.ndarray) -> None:
        """Add changes; ``keys`` 64 bits, as uint64 or int64."""
        if not len(rows):
            return
        fresh = np.empty(len(rows), _PAIR)
        fresh["row"], fresh["key"], fresh["amount"] = rows, keys.astype(np.uint64), changes
        self._fresh.append(fresh)
        self._fresh_count += len(fresh)
        if self._fresh_count > max(LEAST_TO_SORT, len(self._sorted) // 4):
            self._sort()

    def of(self, row: int) -> dict[int, int]:
        """Return key -> amount of one row, without amounts of 0."""
        start, end = np.searchsorted(self._sorted["row"], (row, row + 1))
        found = dict(self._sorted[["key", "amount"]][start:end].tolist())
        for fresh in self._fresh:
            for key, change in fresh[["key", "amount"]][fresh["row"] == row].tolist():
                found[key] = found.get(key, 0) + change
        return {key: amount for key, amount in found.items() if amount}

    def surely_equal(self, rows: np.ndarray, offsets: np.ndarray, keys: np.ndarray, amounts: np.ndarray) -> np.ndarray:
        """Return bool[m]: which rows (int64[m], each once) surely have just the pairs ``offsets[i]`` to
        ``offsets[i + 1]``, whatever their order; one that says False may have them too.
        """
        starts, ends = (np.searchsorted(self._sorted["row"], rows, side) for side in ("left", "right"))
        counts = np.diff(offsets)
        equal: np.ndarray = ends - starts == counts
        for fresh in self._fresh:
            equal &= ~np.isin(rows, fresh["row"])
        owner = np.repeat(np.arange(len(rows)), counts)
        order = np.lexsort((keys, owner))
        kept = equal[owner]
        owner, keys, amounts = owner[kept], keys[order][kept], amounts[order][kept]
        place = starts[owner] + np.arange(len(owner)) - np.searchsorted(owner, owner)
        same = (self._sorted["key"][place] == keys) & (self._sorted["amount"][place] == amounts)
        equal[owner[~same]] = False
        return equal

    def _sort(self) -> None:
        listed = np.concatenate([self._sorted, *self._fresh])
        listed = listed[np.lexsort((listed["key"], listed["row"]))]
        first = np.ones(len(listed), bool)
        first[1:] = (listed["row"][1:] != listed["row"][:-1]) | (listed["key"][1:] != listed["key"][:-1])
        summed = listed[first]
        summed["amount"] = np.add.reduceat(listed["amount"], np.flatnonzero(first))
        self._sorted = summed[summed["amount"] != 0]
        self._fresh, self._fresh_count = [], 0
