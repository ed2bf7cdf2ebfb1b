"""Reading the journal in columns: thousands of records at a time, for verify, rebuild and reconciliation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from adjudicator.claim.state import STORED
from adjudicator.errors import AdjudicatorError, E, refuse
from adjudicator.ledger import keys as names
from adjudicator.ledger.connection import Connection
from adjudicator.ledger.layout import CHECKSUM_WORD, FORMAT, HEADER, HEADER_WORDS, record_words
from adjudicator.ledger.posting import check_records
from adjudicator.ledger.record import Record, why_unreadable

CHUNK_RECORDS = 1000
DAMAGED, UNKNOWN_AMOUNT = "it is damaged", "it changes an amount that this version does not know"


@dataclass(slots=True)
class Chunk:
    """Records of one month, n rows that can be read; ``unreadable`` has the positions of those that cannot, and why.

    ``positions`` int64[n]; ``headers`` HEADER[n]; ``words`` uint64 with ``offsets`` int64[n+1]. The parts are flat:
    ``postings`` int64[p, 4] of row, scheme, fund, amount with ``posting_counties`` int64[p]; ``changes``, ``quotas``
    and ``days`` int64[d, 3] of row, number of the accumulator or key (as int64 bits), change.
    """

    month: int
    positions: np.ndarray
    headers: np.ndarray
    words: np.ndarray
    offsets: np.ndarray
    unreadable: dict[int, str]
    postings: np.ndarray
    posting_counties: np.ndarray
    changes: np.ndarray
    quotas: np.ndarray
    days: np.ndarray

    def __len__(self) -> int:
        return len(self.positions)

    def refusal(self) -> AdjudicatorError:
        """E.LEDGER_CORRUPT that names the first unreadable record of the chunk."""
        position, why = next(iter(self.unreadable.items()))
        return refuse(E.LEDGER_CORRUPT, detail=f"journal entry {position}: {why}")

    def record(self, row: int) -> Record:
        """One record, taken apart."""
        words = self.words[self.offsets[row] : self.offsets[row + 1]].copy()
        words[CHECKSUM_WORD] = self.headers["checksum"][row]
        return Record.from_bytes(words.tobytes(), int(self.positions[row]))


def parse(month: int, positions: list[int], values: list[bytes]) -> Chunk:
    """Columns of the records of a month."""
    reasons = list(map(why_unreadable, values))
    unreadable = {position: why for position, why in zip(positions, reasons, strict=True) if why}
    kept = [value for value, why in zip(values, reasons, strict=True) if not why]
    places = np.array([position for position, why in zip(positions, reasons, strict=True) if not why], np.int64)
    words = np.frombuffer(bytearray(b"".join(kept)), np.uint64)
    offsets = np.zeros(len(kept) + 1, np.int64)
    np.cumsum([len(value) // 8 for value in kept], out=offsets[1:])
    headers = _headers(words, offsets)
    good = np.zeros(len(kept), bool)
    check_records(words, offsets, good)
    good &= (headers["format"] == FORMAT) & (record_words(headers) == np.diff(offsets))
    if not good.all():
        return _without(month, places, kept, good, {**unreadable, **dict.fromkeys(places[~good].tolist(), DAMAGED)})
    starts = offsets[:-1] + HEADER_WORDS + _up(headers["institution_size"], headers["encounter_size"])
    starts += (headers["field_count"].astype(np.int64) + 1) // 2
    rows, at = _pairs_at(starts, headers["posting_count"])
    place = words[at]
    postings = np.empty((len(rows), 4), np.int64)
    postings[:, 0], postings[:, 3] = rows, words[at + 1].view(np.int64)
    postings[:, 1], postings[:, 2] = place >> np.uint64(32) & np.uint64(0xFFFF), place >> np.uint64(48)
    counties = (place & np.uint64(0xFFFFFFFF)).astype(np.int64)
    starts += 2 * headers["posting_count"].astype(np.int64)
    changes = _changes(words, starts, headers["change_count"])
    known = np.append(STORED.place_of, -1)[np.minimum(changes[:, 1], len(STORED.place_of))] >= 0
    if not known.all():
        good[changes[~known, 0]] = False
        unknown = dict.fromkeys(places[~good].tolist(), UNKNOWN_AMOUNT)
        return _without(month, places, kept, good, {**unreadable, **unknown})
    starts += _change_words(headers["change_count"].astype(np.int64))
    quotas = _keyed(words, starts, headers["quota_count"])
    starts += 2 * headers["quota_count"].astype(np.int64)
    days = _keyed(words, starts, headers["days_count"])
    return Chunk(month, places, headers, words, offsets, unreadable, postings, counties, changes, quotas, days)


def _without(
    month: int, places: np.ndarray, values: list[bytes], good: np.ndarray, unreadable: dict[int, str]
) -> Chunk:
    """Return the columns of the good records."""
    chunk = parse(
        month, places[good].tolist(), [value for value, keep in zip(values, good.tolist(), strict=True) if keep]
    )
    chunk.unreadable.update(unreadable)
    return chunk


def _headers(words: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    picked = np.ascontiguousarray(words[offsets[:-1, None] + np.arange(HEADER_WORDS)])
    headers: np.ndarray = picked.view(HEADER).reshape(-1)
    return headers


def _up(*sizes: np.ndarray) -> np.ndarray:
    words: np.ndarray = (np.sum([size.astype(np.int64) for size in sizes], axis=0) + 7) // 8
    return words


def _change_words(counts: np.ndarray) -> np.ndarray:
    """Words that so many changes of a year take."""
    words: np.ndarray = (counts + 3) // 4 + counts
    return words


def _ranges(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each part of ``counts[i]`` of them: its row i, and which one of the row it is, from 0."""
    counts = counts.astype(np.int64)
    rows = np.repeat(np.arange(len(counts)), counts)
    return rows, np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)


def _pairs_at(starts: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Row and word of each two-word part: ``counts[i]`` of them from word ``starts[i]``."""
    rows, nth = _ranges(counts)
    return rows, starts[rows] + 2 * nth


def _keyed(words: np.ndarray, starts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    rows, at = _pairs_at(starts, counts)
    return np.stack([rows, words[at].view(np.int64), words[at + 1].view(np.int64)], axis=1)


def _changes(words: np.ndarray, starts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    rows, nth = _ranges(counts)
    amounts = starts[rows] + (counts.astype(np.int64)[rows] + 3) // 4 + nth
    numbers = words.view(np.uint16)[4 * starts[rows] + nth].astype(np.int64)
    return np.stack([rows, numbers, words[amounts].view(np.int64)], axis=1)


async def scan(
    connection: Connection, pool: str, month: int, first: int = 1, last: int = 2**53
) -> AsyncIterator[Chunk]:
    """Yield the records of a month from position ``first`` to ``last``, in order."""
    key = names.journal(pool, month)
    while True:
        entries = await connection.persist(
            partial(connection.client.xrange, key, f"{first}-0", f"{last}-0", count=CHUNK_RECORDS)
        )
        if not entries:
            return
        positions = [int(entry_id.partition(b"-")[0]) for entry_id, _ in entries]
        yield parse(month, positions, [fields.get(b"r", b"") for _, fields in entries])
        if len(entries) < CHUNK_RECORDS:
            return
        first = positions[-1] + 1
