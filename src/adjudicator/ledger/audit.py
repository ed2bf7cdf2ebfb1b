"""``verify``: are totals, states and index what the journal says? Works beside a running service."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import numpy as np

from adjudicator.columns import ACCUMULATOR_NAMES
from adjudicator.errors import AdjudicatorError
from adjudicator.ledger import keys as names
from adjudicator.ledger.connection import Connection, Script
from adjudicator.ledger.journal import Chunk, read_places, scan
from adjudicator.ledger.key_table import KeyTable, as_words
from adjudicator.ledger.layout import RECORDS_MASK
from adjudicator.ledger.names import parse_total_field, total_field
from adjudicator.ledger.replay import Replay, Settling, describe_total
from adjudicator.ledger.state_kernel import GOOD
from adjudicator.ledger.statement_kernel import digest_entries
from adjudicator.ledger.statements import parse as parse_runs
from adjudicator.ledger.states import StateRead, parse_each
from adjudicator.ledger.totals import TOTALS

STATES, STATEMENTS, COUNTS = Script("states.lua"), Script("statements.lua"), Script("counts.lua")
CHUNK_KEYS, SCANNED_KEYS = 1000, 5000
MAX_DIFFERENCES = 1000
"""A report names this many differences; a ledger with more is wholly wrong and the first ones tell why."""


Progress = Callable[[int, int], None]


def no_progress(_done: int, _of: int) -> None:
    """For callers who do not watch."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as the journal says. ``kind``: journal, version, total, state, chain, index,
    statement, key."""

    kind: str
    where: str
    stored: str
    expected: str

    def __str__(self) -> str:
        return f"{self.kind} {self.where}: stored {self.stored}, expected {self.expected}"


@dataclass(slots=True)
class Verification:
    """Result of a check of a whole pool up to position ``version``."""

    pool: str
    version: int = 0
    records: int = 0
    states: int = 0
    totals: int = 0
    seconds: float = 0.0
    differences: list[Difference] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether all is as the journal says."""
        return not self.differences

    def note(self, kind: str, where: str, stored: object, expected: object) -> None:
        """Add a difference."""
        if len(self.differences) < MAX_DIFFERENCES:
            self.differences.append(Difference(kind, where, str(stored), str(expected)))


class WrongPlace(NamedTuple):
    """A settlement whose index entry is not where its record stands."""

    key: bytes
    stored: str
    right: str


class WrongStatement(NamedTuple):
    """An institution's month whose index differs from the journal."""

    name: bytes
    value: bytes
    version: int
    """Position of the journal that ``value`` stands for."""
    stored: str
    expected: str


class WrongTotal(NamedTuple):
    """A total that differs from the journal; ``stored`` None: there is none."""

    month: int
    name: str
    stored: str | None
    expected: int


@dataclass(slots=True)
class FoundKeys:
    """The keys that a pool has in the store."""

    months: set[int] = field(default_factory=set)
    total_months: set[int] = field(default_factory=set)
    states: np.ndarray = field(default_factory=lambda: np.empty((0, 2), np.uint64))
    """Keys of states, uint64[m, 2], each once."""
    statements: set[bytes] = field(default_factory=set)
    unknown: list[str] = field(default_factory=list)


async def verify(connection: Connection, pool: str, progress: Progress = no_progress) -> Verification:
    """Check that totals are the sum of the journal, states the replay of its deltas, the index one to one with it.

    Exact also while others commit: each part is compared with the journal up to the position at which it was read.
    ``progress`` is told how many of how many records have been read. Errors: E.STORE_AWAY.
    """
    started, check, replay = time.monotonic(), Verification(pool), Replay()
    found = await find_keys(connection, pool)
    version, check.version, stored = await read_totals_with_end(connection, pool, found)
    if version != str(check.version):
        check.note("version", names.version(pool), version, check.version)
    wrong = await extend(connection, pool, replay, check.version, stored.keys(), check, progress)
    for place in wrong:
        check.note("index", f"{place.key.hex()[:12]}…", place.stored or "absent", place.right)
    check.records, check.totals = replay.records, len(replay.totals)
    check_positions(replay, check)
    in_set = await connection.persist(lambda: connection.client.smembers(names.months(pool)))
    for month in sorted(replay.months - set(map(int, in_set))):
        check.note("version", "months", "absent", f"{month:06d}")
    for total in wrong_totals(stored, replay):
        check.note("total", _describe(total.month, total.name), total.stored or "absent", total.expected)
    if await index_differs(connection, pool, sum(not place.stored for place in wrong)):
        async for _, key, surplus in surplus_places(connection, pool):
            check.note("index", f"{key.hex()[:12]}…", surplus, "no such settlement")
    async for wrong_one in wrong_statements(
        connection, pool, replay, replay.statements.keys() | found.statements, check
    ):
        check.note("statement", wrong_one.name.decode("utf-8", "replace"), wrong_one.stored, wrong_one.expected)
    async for key, value, expected in wrong_states(connection, pool, replay, replay.states_with(found.states), check):
        for name, have, want in _state_differences(value, expected):
            check.note("state", f"{key.hex()[:12]}… {name}".rstrip(), have, want)
    check.states = len(replay.years)
    for name in found.unknown:
        check.note("key", name, "present", "no key of the ledger")
    check.seconds = time.monotonic() - started
    return check


async def find_keys(connection: Connection, pool: str) -> FoundKeys:
    found, prefix, cursor, states = FoundKeys(), names.prefix(pool).encode(), -1, []
    state, size = names.states(pool), len(names.states(pool)) + 16
    while cursor != 0:
        at = max(cursor, 0)
        cursor, keys = await connection.persist(partial(connection.scan, prefix, at, SCANNED_KEYS))
        of_states = [key for key in keys if len(key) == size and key.startswith(state)]
        states += of_states
        if len(of_states) < len(keys):
            for key in set(keys).difference(of_states):
                _sort_in(key, prefix, found)
    digests = np.frombuffer(b"".join(states), np.uint8).reshape(-1, size)[:, -16:]
    found.states = _each_once(as_words(digests))
    return found


def _each_once(keys: np.ndarray) -> np.ndarray:
    """Return keys uint64[n, 2], each once: a scan may name a key twice."""
    table = KeyTable()
    table.add(keys)
    return table.words[: len(table)]


def _sort_in(key: bytes, prefix: bytes, found: FoundKeys) -> None:
    kind, _, rest = key[len(prefix) :].partition(b":")
    if kind in (b"journal", b"totals") and rest.isdigit():
        (found.months if kind == b"journal" else found.total_months).add(int(rest))
    elif kind == b"statement" and rest[:6].isdigit():
        found.statements.add(rest)
    elif kind not in (b"index", b"liability", b"version", b"months", b"counties", b"rebuilding", b"fence"):
        found.unknown.append(prefix.decode() + kind.decode("ascii", "replace"))


async def extend(
    connection: Connection,
    pool: str,
    replay: Replay,
    version: int,
    months: Iterable[int],
    check: Verification,
    progress: Progress = no_progress,
) -> list[WrongPlace]:
    """Plays the journal on to a position; returns the index entries that do not name the record's place."""
    wrong, read = [], 0
    for month in sorted(set(months)):
        async for chunk in scan(connection, pool, month, replay.version + 1, version):
            for position, why in chunk.unreadable.items():
                check.note("journal", f"entry {position}", f"unreadable, {why}", "a record")
            _check_headers(chunk, pool, check)
            # In a thread, so that answers of the store are read meanwhile.
            of_chunk, _ = await asyncio.gather(
                _wrong_places(connection, pool, chunk), asyncio.to_thread(replay.add, chunk)
            )
            wrong += of_chunk
            read += len(chunk)
            progress(read, version)
    replay.version = max(replay.version, version)
    return wrong


async def _wrong_places(connection: Connection, pool: str, chunk: Chunk) -> list[WrongPlace]:
    keys, wrong = chunk.keys.tobytes(), []
    month = f"{chunk.month:06d}-"
    right = [month + position for position in map(str, chunk.positions.tolist())]
    stored = await read_places(connection, pool, keys)
    if b"\n".join(stored) == "\n".join(right).encode():
        return []
    for row, place in enumerate(right):
        if stored[row] != place.encode():
            wrong.append(WrongPlace(keys[16 * row : 16 * row + 16], stored[row].decode("ascii", "replace"), place))
    return wrong


def _check_headers(chunk: Chunk, pool: str, check: Verification) -> None:
    for name, found, expected in (("pool", chunk.pools, int(pool)), ("month", chunk.months, chunk.month)):
        for row in np.flatnonzero(found != expected).tolist():
            check.note("journal", f"entry {chunk.positions[row]}", f"{name} {found[row]}", expected)


def check_positions(replay: Replay, check: Verification) -> None:
    missing, twice = replay.missing_positions()
    for position in missing[:MAX_DIFFERENCES]:
        check.note("journal", f"entry {position}", "missing", "a record")
    for position in twice:
        check.note("journal", f"entry {position}", "two records", "one record")
    for position in sorted(replay.repeated):
        check.note("journal", f"entry {position}", "a settlement that has a record already", "each settlement once")
    for position in replay.broken_chains():
        check.note("chain", f"entry {position}", "does not follow the person's record before it", "one chain")


def _hash(values: list[bytes]) -> dict[str, str]:
    return {
        name.decode("ascii", "replace"): amount.decode("ascii", "replace")
        for name, amount in zip(values[::2], values[1::2], strict=True)
    }


async def read_totals_with_end(
    connection: Connection, pool: str, found: FoundKeys
) -> tuple[str, int, dict[int, dict[str, str]]]:
    """Return the stored version, where the journal ends, and all totals by month, as of one moment."""
    months = sorted(found.months | found.total_months)
    arguments = [names.prefix(pool), "", "journal", *(f"{month:06d}" for month in months)]
    version, end, *totals = await connection.call(TOTALS, names.version(pool), arguments)
    stored = {int(month): _hash(values) for month, values in zip(totals[::2], totals[1::2], strict=True)}
    return version.decode("ascii", "replace"), int(end), stored


def wrong_totals(stored: dict[int, dict[str, str]], replay: Replay) -> list[WrongTotal]:
    """Return the totals that are not what the journal says; one of nothing may be absent or 0."""
    expected: dict[int, dict[str, int]] = {}
    for (month, county, scheme, fund), amount in replay.totals.items():
        expected.setdefault(month, {})[total_field(county, scheme, fund)] = amount
    return [
        WrongTotal(month, name, stored.get(month, {}).get(name), expected.get(month, {}).get(name, 0))
        for month in sorted(stored.keys() | expected.keys())
        for name in sorted(stored.get(month, {}).keys() | expected.get(month, {}).keys())
        if stored.get(month, {}).get(name, "0") != str(expected.get(month, {}).get(name, 0))
    ]


def _describe(month: int, name: str) -> str:
    try:
        return describe_total(month, *parse_total_field(name))
    except (KeyError, ValueError):
        return f"{month:06d} {name}"


async def surplus_places(connection: Connection, pool: str) -> AsyncIterator[tuple[str, bytes, str]]:
    """Index entries without a record of that key, or in the wrong bucket: bucket, key, stored place."""
    for number in range(names.INDEX_BUCKETS):
        bucket, cursor = names.prefix(pool) + f"index:{number:x}", None
        while cursor != 0:
            cursor, entries = await connection.persist(
                partial(connection.client.hscan, bucket, cursor or 0, count=CHUNK_KEYS)
            )
            for settlement, place in entries.items():
                month, _, position = place.partition(b"-")
                right_bucket = names.index_bucket(pool, settlement) == bucket
                if not (right_bucket and await _stands_at(connection, pool, settlement, month, position)):
                    yield bucket, settlement, place.decode("ascii", "replace")


async def _stands_at(connection: Connection, pool: str, settlement: bytes, month: bytes, position: bytes) -> bool:
    if not (month.isdigit() and position.isdigit()):
        return False
    async for chunk in scan(connection, pool, int(month), int(position), int(position)):
        return len(chunk) == 1 and chunk.keys[0].tobytes() == settlement
    return False


async def index_differs(connection: Connection, pool: str, absent: int) -> bool:
    """Whether the index has more or fewer entries than records, ``absent`` of which are known to have none."""
    entries, records = await connection.call(COUNTS, names.version(pool), [names.prefix(pool)])
    return int(entries) != int(records) - absent


async def wrong_statements(
    connection: Connection, pool: str, replay: Replay, listed: Iterable[bytes], check: Verification
) -> AsyncIterator[WrongStatement]:
    """Months of institutions among those ``listed`` whose index is not what the journal says.

    Plays on what others commit.
    """
    in_order = sorted(listed)
    for at in range(0, len(in_order), CHUNK_KEYS):
        part = in_order[at : at + CHUNK_KEYS]
        version, values = await connection.call(STATEMENTS, names.version(pool), [names.prefix(pool), *part])
        await play_on(connection, pool, replay, int(version) if version.isdigit() else 0, check)
        runs, first = parse_runs(values), 0
        digests = np.empty(len(runs.positions), np.uint64)
        digest_entries(runs.positions, runs.codes, runs.amounts, digests)
        for name, value, count in zip(part, values, runs.counts.tolist(), strict=True):
            digest = int(digests[first : first + max(count, 0)].sum(dtype=np.uint64))
            stored, expected = Settling(count, digest), replay.statements.get(name, Settling())
            first += max(count, 0)
            if stored != expected:
                told = "unreadable" if count < 0 else f"{count} settlements, {digest:016x}"
                right = f"{expected.settlements} settlements, {expected.digest:016x}"
                yield WrongStatement(name, value, replay.version, told, right)


async def play_on(connection: Connection, pool: str, replay: Replay, version: int, check: Verification) -> None:
    """Play what others have committed up to a position."""
    if version > replay.version:
        months = await connection.persist(lambda: connection.client.smembers(names.months(pool)))
        await extend(connection, pool, replay, version, [*replay.months, *map(int, months)], check)


async def wrong_states(
    connection: Connection, pool: str, replay: Replay, keys: np.ndarray, check: Verification
) -> AsyncIterator[tuple[bytes, bytes, bytes]]:
    """States among those of ``keys`` uint64[m, 2] that are not what the replay says: key, stored value, right value.

    Plays on what others commit.
    """
    for at in range(0, len(keys), CHUNK_KEYS):
        part = keys[at : at + CHUNK_KEYS]
        reply = await connection.call(STATES, names.version(pool), [names.prefix(pool), part.tobytes()])
        await play_on(connection, pool, replay, int(reply[0]) if reply[0].isdigit() else 0, check)
        rows = replay.years.rows(part)
        for place in np.flatnonzero(~_surely_right(replay, rows, reply[1])).tolist():
            value, expected = reply[1][place], replay.state_value(int(rows[place]))
            if value != expected and (not value or not expected or _canonical(value) != _canonical(expected)):
                yield part[place].tobytes(), value, expected


def _surely_right(replay: Replay, rows: np.ndarray, values: list[bytes]) -> np.ndarray:
    """Which states are plainly equal, by columns; the doubtful ones are looked at one by one."""
    found, stored = parse_each(np.zeros((len(rows), 16), np.uint8), values)
    right: np.ndarray = (found == GOOD) & (rows >= 0)
    right &= replay.quotas.equal(rows, stored.quota_offsets, stored.quotas["key"], stored.quotas["used_fen"])
    right &= replay.days.equal(rows, stored.days_offsets, stored.days["key"], stored.days["days"])
    right &= (stored.versions & RECORDS_MASK).astype(np.int64) == replay.versions.take(rows, mode="clip")
    right &= (as_words(stored.last) == replay.last.take(rows, axis=0, mode="clip")).all(axis=1)
    right &= (stored.slots == replay.slots.take(rows, axis=0, mode="clip")).all(axis=1)
    return right


def _canonical(value: bytes) -> tuple[bytes, dict[int, int], dict[int, int]] | None:
    """Return a state without the order of its quotas and care days, and without those of nothing."""
    try:
        state = StateRead.parse(np.zeros((1, 16), np.uint8), [value])
    except AdjudicatorError:
        return None
    fixed = (state.versions & RECORDS_MASK).tobytes() + state.last.tobytes() + state.slots.tobytes()
    quotas, days = ({key: amount for key, amount in of(0).items() if amount} for of in (state.quotas_of, state.days_of))
    return fixed, quotas, days


def _state_differences(stored: bytes, expected: bytes) -> list[tuple[str, object, object]]:
    if not stored or not expected or _canonical(stored) is None:
        words = ["a state" if value else "absent" for value in (stored, expected)]
        return [("", "unreadable" if stored and _canonical(stored) is None else words[0], words[1])]
    have, want = (StateRead.parse(np.zeros((1, 16), np.uint8), [value]) for value in (stored, expected))
    found: list[tuple[str, object, object]] = []
    have_records, want_records = (int(state.versions[0]) & RECORDS_MASK for state in (have, want))
    if have_records != want_records:
        found.append(("version", have_records, want_records))
    if have.last.tobytes() != want.last.tobytes():
        found.append(("last settlement", have.last.tobytes().hex()[:12] + "…", want.last.tobytes().hex()[:12] + "…"))
    for slot in np.flatnonzero(have.slots[0] != want.slots[0]).tolist():
        found.append((ACCUMULATOR_NAMES[slot], have.slots[0, slot], want.slots[0, slot]))
    for name, old, new in (
        ("quota", have.quotas_of(0), want.quotas_of(0)),
        ("care days", have.days_of(0), want.days_of(0)),
    ):
        for key in sorted(old.keys() | new.keys()):
            if old.get(key, 0) != new.get(key, 0):
                found.append((f"{name} {key:016x}", old.get(key, 0), new.get(key, 0)))
    return found
