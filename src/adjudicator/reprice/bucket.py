"""The claims of one bucket, in the order in which they are priced."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from adjudicator.reprice.job import Job
from adjudicator.reprice.kernels import number_keys
from adjudicator.reprice.packing import Frame, Piece, read_pieces
from adjudicator.reprice.prepare import COUNTS, FIXED, KEPT, RAGGED, paths_of

_DAY_BITS, _SEQUENCE_BITS = 17, 6


class Bucket(NamedTuple):
    """The claims of some persons in the order in which they are priced."""

    arrays: dict[str, np.ndarray]
    """As ``prepare.FIXED``."""
    ragged: dict[str, tuple[np.ndarray, np.ndarray]]
    """Name -> (int64[n + 1] where the entries of each claim begin, entries)."""
    notes: dict[int, dict[str, Any]]
    """Row of the input -> what a special claim brings."""
    years: np.ndarray
    """int64[n]: number of the claim's person-year."""
    year_count: int

    @property
    def size(self) -> int:
        """Claims of the bucket."""
        return len(self.years)


class Opening(NamedTuple):
    """What persons' years hold before the first claim of the input, by number of the person-year."""

    slots: np.ndarray
    """int64[years, ACCUMULATOR_COUNT]"""
    quotas: dict[tuple[int, int], int]
    """(number of the person-year, quota key) -> fen."""


def read_bucket(job: Job, number: int) -> Bucket:
    """Return the claims of a bucket, in order."""
    parts = [read_pieces(paths_of(job, unit)[0], number) for unit in range(len(job.source.units))]
    claims, *entries, noted = zip(*parts, strict=True) if parts else ((), *((),) * len(RAGGED), ())
    arrays = joined(claims, KEPT)
    ragged = {}
    for (name, kind), pieces in zip(RAGGED.items(), entries, strict=True):
        if any(len(piece.columns) for piece in pieces):
            ragged[name] = offsets_of(arrays[COUNTS[name]]), joined(pieces, {name: kind})[name]
    notes = [note for piece in noted if len(piece.rows) for note in json.loads(piece.rows.tobytes())]
    return ordered({name: arrays[name] for name in FIXED}, ragged, {note["row"]: note for note in notes})


def joined(pieces: Sequence[Piece], kinds: Mapping[str, np.dtype[Any]]) -> dict[str, np.ndarray]:
    """Return the arrays of some pieces, one after the other."""
    frame = Frame(kinds, sum(len(piece.rows) for piece in pieces))
    first = 0
    for piece in pieces:
        piece.into(frame, np.arange(first, first + len(piece.rows)))
        first += len(piece.rows)
    return frame.arrays


def offsets_of(counts: np.ndarray) -> np.ndarray:
    """Return int64[n + 1]: where the entries of each begin."""
    offsets = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    return offsets


def ordered(
    arrays: dict[str, np.ndarray], ragged: dict[str, tuple[np.ndarray, np.ndarray]], notes: dict[int, dict[str, Any]]
) -> Bucket:
    """Return claims by person-year, and within a year in the order in which they are priced."""
    years, count = dense(arrays["states"], arrays["claims"]["pack"])
    order = order_of(arrays, years)
    taken = {name: array.take(order, axis=0) for name, array in arrays.items()}  # much faster than indexing a record
    rows = {}
    for name, (offsets, entries) in ragged.items():
        begins, counts = offsets[:-1][order], np.diff(offsets)[order]
        own = offsets_of(counts)
        rows[name] = own, entries[np.repeat(begins - own[:-1], counts) + np.arange(own[-1])]
    if "in_scope" in rows:
        taken["claims"]["line_start"], taken["claims"]["line_end"] = rows["in_scope"][0][:-1], rows["in_scope"][0][1:]
    return Bucket(taken, rows, notes, years[order], count)


def dense(keys: np.ndarray, packs: np.ndarray) -> tuple[np.ndarray, int]:
    """Return int64[n] the number of each (pack, key uint64[n, 2]) from 0, and how many there are."""
    count = len(keys)
    table = np.full(1 << max(4, (2 * count).bit_length()), -1, np.int32)
    firsts, out = np.empty(max(count, 1), np.int64), np.empty(count, np.int64)
    found = number_keys(np.ascontiguousarray(keys), np.ascontiguousarray(packs), table, firsts, out)
    return out, int(found)


def order_of(arrays: dict[str, np.ndarray], years: np.ndarray) -> np.ndarray:
    """Return int64[n]: claims by person-year, settlement date, admission, sequence and key."""
    claims, sequences, keys = arrays["claims"], arrays["sequences"], arrays["keys"]
    days = [_day(np.ascontiguousarray(claims[name])) for name in ("settlement_date", "admission_date")]
    sequence = np.minimum(sequences, (1 << _SEQUENCE_BITS) - 1)
    if len(years) >= 1 << (63 - 2 * _DAY_BITS - _SEQUENCE_BITS):
        whole: np.ndarray = np.lexsort((keys[:, 0], keys[:, 1], sequences, *days[::-1], years))
        return whole
    packed = ((years << _DAY_BITS | days[0]) << _DAY_BITS | days[1]) << _SEQUENCE_BITS | sequence
    order: np.ndarray = np.argsort(packed, kind="stable")
    tied = np.flatnonzero(np.diff(packed[order]) == 0)
    if tied.size:  # claims of one person on the same days: by their keys
        members = np.union1d(tied, tied + 1)
        rows = order[members]
        order[members] = rows[np.lexsort((keys[rows, 0], keys[rows, 1], sequences[rows], packed[rows]))]
    return order


def _day(dates: np.ndarray) -> np.ndarray:
    """Return a number of YYYYMMDD that orders as the date and has at most 17 bits."""
    years, months, days = dates // 10_000 - 1900, dates // 100 % 100, dates % 100
    numbers: np.ndarray = ((years * 12 + months) * 31 + days).astype(np.int64)
    return numbers
