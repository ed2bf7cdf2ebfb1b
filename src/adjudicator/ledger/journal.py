"""Reading the journal in columns: thousands of records at a time, for verify, rebuild and reconciliation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import numpy as np

from adjudicator.ledger import keys as names
from adjudicator.ledger.connection import Connection
from adjudicator.ledger.posting import check_records
from adjudicator.ledger.record import CHECKSUM_WORD, FORMAT, HEADER, Record

CHUNK_RECORDS = 1000
_HEADER_WORDS = HEADER.itemsize // 8


@dataclass(slots=True)
class Chunk:
    """Records of one month, n rows that can be read; ``unreadable`` are the positions of those that cannot.

    ``positions`` int64[n]; ``headers`` HEADER[n]; ``words`` uint64 with ``offsets`` int64[n+1]. The parts are flat:
    ``postings`` int64[p, 4] of row, scheme, fund, amount with ``posting_counties`` int64[p]; ``deltas`` and ``quotas``
    int64[d, 3] of row, slot or key (as int64 bits), change.
    """

    month: int
    positions: np.ndarray
    headers: np.ndarray
    words: np.ndarray
    offsets: np.ndarray
    unreadable: list[int]
    postings: np.ndarray
    posting_counties: np.ndarray
    deltas: np.ndarray
    quotas: np.ndarray

    def __len__(self) -> int:
        return len(self.positions)

    def record(self, row: int) -> Record:
        """One record, taken apart."""
        words = self.words[self.offsets[row] : self.offsets[row + 1]].copy()
        words[CHECKSUM_WORD] = self.headers["checksum"][row]
        return Record.from_bytes(words.tobytes(), int(self.positions[row]))


def parse(month: int, positions: list[int], values: list[bytes]) -> Chunk:
    """Columns of the records of a month."""
    fits = [len(value) >= HEADER.itemsize and len(value) % 8 == 0 for value in values]
    unreadable = [position for position, fit in zip(positions, fits, strict=True) if not fit]
    kept = [value for value, fit in zip(values, fits, strict=True) if fit]
    places = np.array([position for position, fit in zip(positions, fits, strict=True) if fit], np.int64)
    words = np.frombuffer(bytearray(b"".join(kept)), np.uint64)
    offsets = np.zeros(len(kept) + 1, np.int64)
    np.cumsum([len(value) // 8 for value in kept], out=offsets[1:])
    headers = _headers(words, offsets)
    good = np.zeros(len(kept), bool)
    check_records(words, offsets, CHECKSUM_WORD, good)
    good &= (headers["format"] == FORMAT) & (_size_words(headers) == np.diff(offsets))
    if not good.all():
        unreadable += places[~good].tolist()
        return _with_unreadable(parse(month, places[good].tolist(), _select(kept, good)), unreadable)
    starts = offsets[:-1] + _HEADER_WORDS + _up(headers["institution_size"], headers["encounter_size"])
    starts += (headers["field_count"].astype(np.int64) + 1) // 2
    rows, at = _ranges(starts, headers["posting_count"])
    place = words[at]
    postings = np.empty((len(rows), 4), np.int64)
    postings[:, 0], postings[:, 3] = rows, words[at + 1].view(np.int64)
    postings[:, 1], postings[:, 2] = place >> np.uint64(32) & np.uint64(0xFFFF), place >> np.uint64(48)
    counties = (place & np.uint64(0xFFFFFFFF)).astype(np.int64)
    starts += 2 * headers["posting_count"].astype(np.int64)
    deltas = _pairs(words, starts, headers["delta_count"])
    starts += 2 * headers["delta_count"].astype(np.int64)
    quotas = _pairs(words, starts, headers["quota_count"])
    return Chunk(month, places, headers, words, offsets, unreadable, postings, counties, deltas, quotas)


def _headers(words: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    picked = words[offsets[:-1, None] + np.arange(_HEADER_WORDS)]
    return np.ascontiguousarray(picked).view(HEADER).reshape(-1)


def _size_words(headers: np.ndarray) -> np.ndarray:
    pairs = sum(headers[name].astype(np.int64) for name in ("posting_count", "delta_count", "quota_count"))
    fields = (headers["field_count"].astype(np.int64) + 1) // 2
    names_size = _up(headers["institution_size"], headers["encounter_size"])
    answers = _up(headers["answer_size"])
    return _HEADER_WORDS + names_size + fields + 2 * pairs + answers + headers["basis_words"].astype(np.int64)


def _up(*sizes: np.ndarray) -> np.ndarray:
    return (sum(size.astype(np.int64) for size in sizes) + 7) // 8


def _ranges(starts: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Row and word of each two-word part: ``counts[i]`` of them from word ``starts[i]``."""
    counts = counts.astype(np.int64)
    rows = np.repeat(np.arange(len(starts)), counts)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    return rows, starts[rows] + 2 * within


def _pairs(words: np.ndarray, starts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    rows, at = _ranges(starts, counts)
    return np.stack([rows, words[at].view(np.int64), words[at + 1].view(np.int64)], axis=1)


def _select(values: list[bytes], good: np.ndarray) -> list[bytes]:
    return [value for value, keep in zip(values, good.tolist(), strict=True) if keep]


def _with_unreadable(chunk: Chunk, unreadable: list[int]) -> Chunk:
    chunk.unreadable = unreadable
    return chunk


async def scan(
    connection: Connection, pool: str, month: int, first: int = 1, last: int = 2**53
) -> AsyncIterator[Chunk]:
    """The records of a month from position ``first`` to ``last``, in order."""
    key = names.journal(pool, month)
    while True:
        entries = await connection.persist(
            lambda first=first: connection.client.xrange(key, f"{first}-0", f"{last}-0", count=CHUNK_RECORDS)
        )
        if not entries:
            return
        positions = [int(entry_id.partition(b"-")[0]) for entry_id, _ in entries]
        yield parse(month, positions, [fields.get(b"r", b"") for _, fields in entries])
        if len(entries) < CHUNK_RECORDS:
            return
        first = positions[-1] + 1
