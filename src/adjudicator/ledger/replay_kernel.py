"""Kernels of the replay: what the records of a journal add to the years of persons, and whether they form chains.

Digests are two words of 64 bits.
"""

from __future__ import annotations

import numpy as np

from adjudicator.compiled.jit import uncounted_kernel

_U64 = np.uint64
Newest = tuple[np.ndarray, np.ndarray]


@uncounted_kernel
def add_changes(row_of: np.ndarray, changes: np.ndarray, place_of: np.ndarray, slots: np.ndarray) -> None:
    """Add ``changes`` int64[d, 3] of record, number of the accumulator, change, to the years ``slots`` int64[m, a].

    ``row_of`` int64[n]: year of each record; ``place_of`` as in claim.state.StoredOrder.
    """
    for i in range(changes.shape[0]):
        slots[row_of[changes[i, 0]], place_of[changes[i, 1]]] += changes[i, 2]


@uncounted_kernel
def add_records(
    rows: np.ndarray, positions: np.ndarray, last: np.ndarray, versions: np.ndarray, newest: Newest
) -> None:
    """Count the records of each year and keep what stands last after its newest one.

    ``rows``, ``positions`` int64[n], ``last`` uint64[n, 2] of the records; ``versions`` int64[m] of the years, and
    ``newest``: position int64[m] and last uint64[m, 2] of the newest record so far.
    """
    newest_positions, newest_last = newest
    for i in range(rows.shape[0]):
        row = rows[i]
        versions[row] += 1
        if positions[i] > newest_positions[row]:
            newest_positions[row] = positions[i]
            newest_last[row, 0], newest_last[row, 1] = last[i, 0], last[i, 1]


@uncounted_kernel
def note_firsts(rows: np.ndarray, positions: np.ndarray, firsts: np.ndarray, repeated: np.ndarray) -> int:
    """Keep the first position of each settlement, ``firsts`` int64[m], 0 for one that is new.

    Return how many records have a key that an earlier one has, and their positions in ``repeated`` int64[n].
    """
    count = 0
    for i in range(rows.shape[0]):
        first = firsts[rows[i]]
        if first == 0:
            firsts[rows[i]] = positions[i]
        else:
            repeated[count] = max(first, positions[i])
            firsts[rows[i]] = min(first, positions[i])
            count += 1
    return count


@uncounted_kernel
def find_broken(links: tuple[np.ndarray, ...], ends: np.ndarray, order: np.ndarray, broken: np.ndarray) -> None:
    """Say which records do not follow on the record of the same year before them, ``broken`` bool[n] out.

    ``links``: year int64[n], position int64[n], digest before and after uint64[n, 2] of each record. ``ends`` int64[m]:
    records of the years up to each; ``order`` int64[n] is scratch.
    """
    rows, positions, previous, last = links
    for back in range(rows.shape[0]):
        i = rows.shape[0] - 1 - back
        ends[rows[i]] -= 1
        order[ends[rows[i]]] = i
    # ``ends`` are starts now. Records come nearly in order, so that each is moved a few places at most.
    for i in range(rows.shape[0]):
        at, first = i, ends[rows[order[i]]]
        one = order[i]
        while at > first and positions[order[at - 1]] > positions[one]:
            order[at] = order[at - 1]
            at -= 1
        order[at] = one
    for i in range(rows.shape[0]):
        one = order[i]
        low, high = _U64(0), _U64(0)
        if i > ends[rows[one]]:
            low, high = last[order[i - 1], 0], last[order[i - 1], 1]
        broken[one] = previous[one, 0] != low or previous[one, 1] != high
