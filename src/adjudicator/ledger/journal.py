"""Reading the journal in columns: thousands of records at a time, for verify, rebuild and reconciliation."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from adjudicator.claim.state import STORED
from adjudicator.errors import AdjudicatorError, E, refuse
from adjudicator.ledger import keys as names
from adjudicator.ledger.connection import Connection
from adjudicator.ledger.layout import BLOCK_SCHEMA, FORMAT, RECORD_SCHEMA
from adjudicator.ledger.record import OTHER_FORMAT, Record
from adjudicator.ledger.record_kernel import MOST_RECORDS, check_records
from adjudicator.wire.decode import decode
from adjudicator.wire.schema import Tables

MOST_READ_AT_ONCE = 64
"""Records that are read one by one with one wait: each comes with its block."""
CHUNK_BLOCKS, CHUNK_BYTES = 1000, 8 << 20
CHUNKS_AHEAD = max(2, os.cpu_count() or 1)
"""Chunks that are fetched before they are used: memory is bounded by them."""
DAMAGED, UNKNOWN_AMOUNT = "it is damaged", "it changes an amount that this version does not know"
_DIGESTS = ("key", "content", "person", "state_key", "previous", "last", "original")


@dataclass(slots=True)
class Chunk:
    """Records of one month, n rows that can be read; ``unreadable`` has the positions of those that cannot, and why.

    ``positions`` int64[n]; ``pools`` and ``months`` as the blocks say, ``kinds``, ``dates``, ``schemes`` int64[n];
    ``institution_starts``, ``institution_sizes`` int64[n] in ``octets``; ``keys``, ``state_keys``, ``previous``,
    ``last`` uint8[n, 16]; ``with_state`` bool[n]. The parts are flat: ``postings`` int64[p, 4] of row, scheme, fund,
    amount with ``posting_counties`` int64[p]; ``changes``, ``quotas`` and ``days`` int64[d, 3] of row, number of the
    accumulator or key (as int64 bits), change. ``root``: n rows of JournalRecord with all its columns; texts and bytes
    stand in ``octets``.
    """

    month: int
    positions: np.ndarray
    pools: np.ndarray
    months: np.ndarray
    kinds: np.ndarray
    dates: np.ndarray
    schemes: np.ndarray
    institution_starts: np.ndarray
    institution_sizes: np.ndarray
    with_state: np.ndarray
    keys: np.ndarray
    state_keys: np.ndarray
    previous: np.ndarray
    last: np.ndarray
    postings: np.ndarray
    posting_counties: np.ndarray
    changes: np.ndarray
    quotas: np.ndarray
    days: np.ndarray
    unreadable: dict[int, str]
    root: np.ndarray
    _stored: _Stored
    _rows: np.ndarray

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def octets(self) -> np.ndarray:
        """Bytes of the blocks."""
        return self._stored.octets

    def refusal(self) -> AdjudicatorError:
        """E.LEDGER_CORRUPT that names the first unreadable record of the chunk."""
        position, why = next(iter(self.unreadable.items()))
        return refuse(E.LEDGER_CORRUPT, detail=f"journal entry {position}: {why}")

    def digests(self, name: str, rows: np.ndarray) -> np.ndarray:
        """Return a digest of some records, uint8[n, 16]; zeros where it is left out."""
        return _digests(self.octets, self.root.take(rows), name)

    def record(self, row: int) -> Record:
        """One record, taken apart."""
        return Record.from_bytes(self._stored.alone(int(self._rows[row])), int(self.positions[row]))


@dataclass(slots=True)
class _Stored:
    """Records where they stand in some blocks, m of them, readable or not."""

    octets: np.ndarray
    heads: tuple[np.ndarray, np.ndarray]
    """int64[m], int64[m]: where the head of each record's block begins and ends."""
    starts: np.ndarray
    ends: np.ndarray
    tags: np.ndarray
    """int64[m]: where each record begins with its tag and size."""

    def alone(self, row: int) -> bytes:
        """Return a block with this record alone."""
        begin, end = int(self.heads[0][row]), int(self.heads[1][row])
        head, record = self.octets[begin:end], self.octets[int(self.tags[row]) : int(self.ends[row])]
        return head.tobytes() + record.tobytes()


def parse(
    month: int, last_positions: Sequence[int], blocks: Sequence[bytes], bounds: tuple[int, int] = (1, 2**53)
) -> Chunk:
    """Columns of the records of some blocks of a month, each with the position of its last record.

    ``bounds``: first and last position of those that are wanted.
    """
    octets = np.frombuffer(b"".join(blocks), np.uint8)
    offsets = np.zeros(len(blocks) + 1, np.int64)
    np.cumsum([len(block) for block in blocks], out=offsets[1:])
    decoded = decode(BLOCK_SCHEMA, octets, offsets[:-1], offsets[1:])
    outer, unreadable = decoded.tables[""], {}
    counts, formats = outer["records_end"] - outer["records_start"], outer["format"]
    good = (decoded.status == 0) & (formats == FORMAT) & (counts > 0)
    for number in np.flatnonzero(~good).tolist():
        other = decoded.status[number] == 0 and formats[number] not in (0, FORMAT)
        unreadable[last_positions[number]] = OTHER_FORMAT.format(formats[number]) if other else DAMAGED
    counts = np.where(good, counts, 0)
    of_block, nth = _ranges(counts)
    places = np.array(last_positions, np.int64)[of_block] - counts[of_block] + 1 + nth
    rows = outer["records_start"][of_block] + nth
    texts = decoded.tables["records"]
    starts = np.ascontiguousarray(texts["start"][rows])
    ends = starts + texts["size"][rows]
    tags = np.where(nth == 0, starts, np.append(0, ends)[:-1])
    first = nth == 0
    tags[first] = _heads_end(octets, starts[first])
    heads = (offsets[:-1][of_block], tags[first][np.cumsum(first) - 1] if len(tags) else tags)
    stored = _Stored(octets, heads, starts, ends, tags)
    wanted, whole = (places >= bounds[0]) & (places <= bounds[1]), np.zeros(len(starts), bool)
    check_records(octets, heads, starts, ends, whole)
    unreadable |= dict.fromkeys(places[wanted & ~whole].tolist(), DAMAGED)
    above = outer["pool"][of_block].astype(np.int64), outer["month"][of_block].astype(np.int64)
    return _columns(month, places, above, wanted & whole, unreadable, stored)


def _heads_end(octets: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return where the tags of records stand whose bytes begin at ``starts``: behind each is a size of some bytes."""
    ends = starts - 2
    while (more := octets[ends] > 127).any():
        ends = ends - more
    return ends


def _columns(
    month: int, places: np.ndarray, above: tuple[np.ndarray, np.ndarray], chosen: np.ndarray,
    unreadable: dict[int, str], stored: _Stored,
) -> Chunk:  # fmt: skip
    """Return the columns of the records that are ``chosen`` (bool[m]); ``above``: pool and month of their blocks."""
    rows = np.flatnonzero(chosen)
    decoded = decode(RECORD_SCHEMA, stored.octets, stored.starts[rows], stored.ends[rows])
    tables = decoded.tables
    changes = _pairs(tables, "change_numbers", "changes")
    known = np.append(STORED.place_of, -1)[np.clip(changes[:, 1], 0, len(STORED.place_of))] >= 0
    readable = (decoded.status == 0) & _has_digests(tables[""])
    if not (readable.all() and known.all()):
        unknown = np.unique(changes[~known, 0])
        wrong = np.union1d(np.flatnonzero(~readable), unknown)
        for row in wrong.tolist():
            unreadable[int(places[rows[row]])] = UNKNOWN_AMOUNT if row in unknown else DAMAGED
        chosen = chosen.copy()
        chosen[rows[wrong]] = False
        return _columns(month, places, above, chosen, unreadable, stored)
    root, octets = tables[""], stored.octets
    postings = _pairs(tables, "posting_funds", "posting_amounts")
    given = [
        _given(tables, name, root[usual], postings[:, 0])
        for name, usual in (("posting_schemes", "scheme"), ("posting_counties", "county"))
    ]
    keys, state_keys = _digests(octets, root, "key"), _digests(octets, root, "state_key")
    with_state, settles = root["state_key_size"] > 0, root["kind"] == 1
    last = np.where((settles & with_state)[:, None], keys, np.uint8(0))
    told = root["has_last"] != 0
    last[told] = _digests(octets, root[told], "last")
    columns = {name: root[name].astype(np.int64) for name in ("kind", "settlement_date", "scheme")}
    return Chunk(
        month, places[rows], above[0][rows], above[1][rows],
        columns["kind"], columns["settlement_date"], columns["scheme"], 
        root["institution_start"].astype(np.int64), root["institution_size"].astype(np.int64),
        with_state, keys, state_keys, _digests(octets, root, "previous"), last,
        np.stack([postings[:, 0], given[0], postings[:, 1], postings[:, 2]], axis=1), given[1], changes,
        _pairs(tables, "quota_keys", "quota_changes"), _pairs(tables, "days_keys", "days_changes"), unreadable, root,
        stored, rows,
    )  # fmt: skip


def _has_digests(root: np.ndarray) -> np.ndarray:
    """Whether each digest of a record has 16 bytes or is left out."""
    right: np.ndarray = root["key_size"] == 16
    for name in _DIGESTS:
        right &= (root[f"{name}_size"] == 16) | (root[f"{name}_size"] == 0)
    return right


def _digests(octets: np.ndarray, root: np.ndarray, name: str) -> np.ndarray:
    """Return digests uint8[n, 16], zeros for those that are left out."""
    there = root[f"{name}_size"] == 16
    digests = np.zeros((len(root), 16), np.uint8)
    digests[there] = octets[root[f"{name}_start"][there, None] + np.arange(16)]
    return digests


def _ranges(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each part of ``counts[i]`` of them: its row i, and which one of the row it is, from 0."""
    counts = counts.astype(np.int64)
    rows = np.repeat(np.arange(len(counts)), counts)
    return rows, np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)


def _pairs(tables: Tables, names_: str, amounts: str) -> np.ndarray:
    """Return two lists of each record that belong together: int64[d, 3] of row, first, second."""
    root = tables[""]
    rows, nth = _ranges(root[f"{names_}_end"] - root[f"{names_}_start"])
    first = tables[names_]["value"][root[f"{names_}_start"][rows] + nth]
    place = np.minimum(root[f"{amounts}_start"][rows] + nth, max(len(tables[amounts]) - 1, 0))
    second = tables[amounts]["value"][place]
    if first.dtype == np.uint64:
        first = first.view(np.int64)
    return np.stack([rows, first.astype(np.int64), second], axis=1)


def _given(tables: Tables, name: str, usual: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return what a list of a record says for each posting (of the record ``rows[i]``), or the record's usual value."""
    root, values = tables[""], tables[name]["value"]
    chosen: np.ndarray = usual[rows].astype(np.int64)
    said = root[f"{name}_end"][rows] > root[f"{name}_start"][rows]
    if said.any():
        nth = np.arange(len(rows)) - np.searchsorted(rows, rows)
        chosen[said] = values[(root[f"{name}_start"][rows] + nth)[said]]
    return chosen


async def scan(
    connection: Connection, pool: str, month: int, first: int = 1, last: int = 2**52
) -> AsyncIterator[Chunk]:
    """Yield the records of a month from position ``first`` to ``last``, in order.

    While one chunk is used the next ones are fetched, and read in threads: their kernels hold no lock.
    """
    waiting: asyncio.Queue[asyncio.Future[Chunk] | None] = asyncio.Queue(CHUNKS_AHEAD)
    fetching = asyncio.create_task(_fetch(connection, names.journal(pool, month), (month, first, last), waiting))
    try:
        while (chunk := await waiting.get()) is not None:
            yield await chunk
        await fetching
    finally:
        fetching.cancel()
        while not waiting.empty():
            if (chunk := waiting.get_nowait()) is not None:
                chunk.cancel()


async def _fetch(
    connection: Connection, key: str, bounds: tuple[int, int, int], waiting: asyncio.Queue[asyncio.Future[Chunk] | None]
) -> None:
    """Fetch the blocks of a month, from first to last position, and have them read; None is the end."""
    month, first, last = bounds
    count, wanted = CHUNK_BLOCKS, (first, last)
    end = f"{last + MOST_RECORDS - 1}-{2**63}"  # an entry is named by its last record
    try:
        while True:
            entries = await connection.entries(key, f"{first}-0", end, count)
            if not entries:
                return
            positions = [int(entry_id.partition(b"-")[0]) for entry_id, _ in entries]
            blocks = [block for _, block in entries]
            await waiting.put(asyncio.ensure_future(asyncio.to_thread(parse, month, positions, blocks, wanted)))
            if len(entries) < count:
                return
            first = positions[-1] + 1
            count = max(1, min(CHUNK_BLOCKS, CHUNK_BYTES * len(blocks) // (1 + sum(map(len, blocks)))))
    finally:
        await waiting.put(None)


async def read_places(connection: Connection, pool: str, keys: bytes) -> list[bytes]:
    """Return where the index says that settlements stand, ``YYYYMM-POSITION`` or nothing; ``keys`` 16 bytes each."""
    listed = [keys[at : at + 16] for at in range(0, len(keys), 16)]
    rows_of: dict[int, list[int]] = {}
    for row, first in enumerate(keys[::16]):
        rows_of.setdefault(first >> 4, []).append(row)
    places = [b""] * len(listed)

    async def read(rows: list[int]) -> None:
        bucket = names.index_bucket(pool, listed[rows[0]])
        for row, place in zip(rows, await connection.values(bucket, [listed[row] for row in rows]), strict=True):
            places[row] = place or b""

    await asyncio.gather(*map(read, rows_of.values()))
    return places


async def records_at(
    connection: Connection, pool: str, months: np.ndarray, positions: np.ndarray
) -> AsyncIterator[Record]:
    """Yield the records of some places, ``months`` int64[n] in groups. Errors: E.LEDGER_CORRUPT for one not there."""
    for month in dict.fromkeys(months.tolist()):
        listed = np.sort(positions[months == month]).tolist()
        for first in range(0, len(listed), MOST_READ_AT_ONCE):
            wanted = listed[first : first + MOST_READ_AT_ONCE]
            entries = await connection.persist(partial(_entries_of, connection, names.journal(pool, month), wanted))
            chunk = parse(month, list(entries), list(entries.values()))
            rows = np.searchsorted(chunk.positions, wanted).tolist()
            for row, position in zip(rows, wanted, strict=True):
                if position in chunk.unreadable:
                    raise chunk.refusal()
                if row == len(chunk) or chunk.positions[row] != position:
                    raise refuse(E.LEDGER_CORRUPT, detail=f"journal entry {position}: missing")
                yield chunk.record(row)


async def _entries_of(connection: Connection, journal: str, positions: Sequence[int]) -> dict[int, bytes]:
    """Return the blocks that hold some records, ascending, by the position of their last record."""
    pipeline = connection.client.pipeline(transaction=False)
    for position in positions:
        pipeline.xrange(journal, f"{position}-0", "+", count=1)
    found = [entry for entries in await pipeline.execute() for entry in entries]
    return {int(entry_id.partition(b"-")[0]): fields.get(b"r", b"") for entry_id, fields in found}
