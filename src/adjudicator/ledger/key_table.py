"""A table of 16-byte keys: which row each key has, numbered as they come. One probe a key, no object of Python."""

from __future__ import annotations

import numpy as np

from adjudicator.compiled.jit import uncounted_inlined, uncounted_kernel
from adjudicator.ledger.checksums import SEED, fold_word

FEWEST_PLACES = 1 << 12
FREE, ABSENT = -1, -1

_U64 = np.uint64


@uncounted_inlined
def find_place(places: np.ndarray, words: np.ndarray, low: int, high: int) -> int:
    """Return the place of a key, or the free place where it belongs."""
    most = _U64(places.shape[0] - 1)
    at = fold_word(fold_word(SEED, low), high) & most
    row = places[at]
    while row != FREE and (words[_U64(row), 0] != low or words[_U64(row), 1] != high):
        at = (at + _U64(1)) & most
        row = places[at]
    return at


@uncounted_kernel
def add_keys(places: np.ndarray, words: np.ndarray, count: int, keys: np.ndarray, rows: np.ndarray) -> int:
    """Find the rows of ``keys`` uint64[n, 2], ``rows`` int64[n] out; new ones get the next rows. Return the new count.

    ``places`` int64, a power of two long, has more than twice as many places as keys; ``words`` uint64[m, 2] has room.
    """
    for i in range(keys.shape[0]):
        place = find_place(places, words, keys[i, 0], keys[i, 1])
        if places[place] == FREE:
            places[place] = count
            words[_U64(count), 0], words[_U64(count), 1] = keys[i, 0], keys[i, 1]
            count += 1
        rows[i] = places[place]
    return count


@uncounted_kernel
def find_keys(places: np.ndarray, words: np.ndarray, keys: np.ndarray, rows: np.ndarray) -> None:
    """Find the rows of ``keys`` uint64[n, 2], ``rows`` int64[n] out; ABSENT for one that is not there."""
    for i in range(keys.shape[0]):
        rows[i] = places[find_place(places, words, keys[i, 0], keys[i, 1])]


@uncounted_kernel
def place_keys(places: np.ndarray, words: np.ndarray, count: int) -> None:
    """Fill ``places``, all free, with the first ``count`` keys of ``words``."""
    for row in range(count):
        places[find_place(places, words, words[_U64(row), 0], words[_U64(row), 1])] = row


class KeyTable:
    """Keys of two words of 64 bits and their rows.

    >>> table = KeyTable()
    >>> table.add(np.array([[1, 2], [3, 4], [1, 2]], np.uint64)).tolist(), len(table)
    ([0, 1, 0], 2)
    >>> table.rows(np.array([[3, 4], [4, 3]], np.uint64)).tolist()
    [1, -1]
    """

    def __init__(self) -> None:
        self.places = np.full(FEWEST_PLACES, FREE, np.int64)
        self.words = np.empty((FEWEST_PLACES // 2, 2), np.uint64)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def room(self) -> int:
        """Rows that arrays beside the table need."""
        return len(self.words)

    def add(self, keys: np.ndarray) -> np.ndarray:
        """Return the row of each key, uint64[n, 2] to int64[n]; a new key gets the next row."""
        self.make_room(len(keys))
        rows = np.empty(len(keys), np.int64)
        self._count = add_keys(self.places, self.words, self._count, keys, rows)
        return rows

    def rows(self, keys: np.ndarray) -> np.ndarray:
        """Return the row of each key, uint64[n, 2] to int64[n]; ABSENT where there is none."""
        rows = np.empty(len(keys), np.int64)
        find_keys(self.places, self.words, keys, rows)
        return rows

    def make_room(self, more: int) -> None:
        """Make room for so many keys more."""
        size = len(self.places)
        while size < 2 * (self._count + more) + 2:
            size *= 2
        if size > len(self.places):
            self.places = np.full(size, FREE, np.int64)
            place_keys(self.places, self.words, self._count)
            self.words = grown(self.words, size // 2)


def grown(array: np.ndarray, rows: int) -> np.ndarray:
    """Return an array with so many rows, zeros behind those that it has."""
    larger = np.zeros((rows, *array.shape[1:]), array.dtype)
    larger[: len(array)] = array
    return larger


def as_words(digests: np.ndarray) -> np.ndarray:
    """Return digests uint8[n, 16] as uint64[n, 2]."""
    return np.ascontiguousarray(digests).view(np.uint64).reshape(-1, 2)
