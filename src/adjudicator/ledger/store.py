"""The ledger (统筹台账) in Redis or Valkey: one atomic write a batch, one record a settlement, totals that add up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any

import numpy as np

from adjudicator.claim.keys import DIRECTION_REVERSE, settlement_key
from adjudicator.codes import Scheme
from adjudicator.errors import E, refuse
from adjudicator.ledger import keys as names
from adjudicator.ledger.audit import Progress, Verification, no_progress, verify
from adjudicator.ledger.batch import CommitBatch, pack_records, posting_record
from adjudicator.ledger.cluster import connect
from adjudicator.ledger.connection import Connection, Script
from adjudicator.ledger.layout import ZERO_DIGEST
from adjudicator.ledger.rebuild import Rebuilt, rebuild
from adjudicator.ledger.reconcile import history, reconcile
from adjudicator.ledger.record import Record
from adjudicator.ledger.resettlement import resettlement_key, resettlements_of, with_resettlements
from adjudicator.ledger.reversal import (
    NO_GUARDS,
    Guards,
    check_date,
    is_latest,
    not_latest,
    reversal_of,
    reversible,
    same_reversal,
)
from adjudicator.ledger.states import StateRead
from adjudicator.ledger.totals import Selection, Totals, read_totals
from adjudicator.ledger.watching import Watching
from adjudicator.v1 import pooling_pb2

COMMIT, READ = Script("buckets.lua", "commit.lua"), Script("buckets.lua", "blocks.lua", "read.lua")

MAX_REVERSAL_ATTEMPTS = 8
"""Other settlements of a person may come in between; more than this at one moment is no hospital."""

# What the commit script answers first.
NOT_WRITTEN, WRITTEN, REBUILDING = range(3)


MOST_LATER_SETTLEMENTS = 1_000
"""Settlements of a person's year that are looked at before one is taken back out of order."""

FirstDependent = Callable[[Record, Sequence[Record], StateRead], Awaitable[Record | None]]
"""Of a settlement, the later ones of the year in order, and the year as it is: the first later one that would come out
differently without the settlement."""


FirstElsewhere = Callable[[Record], Awaitable[tuple[Record | None, Guards]]]
"""Of a settlement: the first later one in another year of the person that would come out differently without it, and
the states that must not move until it is taken back."""


async def _none_elsewhere(_: Record) -> tuple[Record | None, Guards]:
    """Return nothing: without the rules nobody knows what counts over all schemes."""
    return None, NO_GUARDS


async def _any_later(_: Record, later: Sequence[Record], __: StateRead) -> Record | None:
    """Return the latest: without the rules nobody can tell, so that the order is kept."""
    return later[-1]


@dataclass(frozen=True, slots=True)
class Read:
    """What is known of a batch. ``known``: index of the asked key -> its record."""

    known: dict[int, Record]
    states: StateRead


@dataclass(frozen=True, slots=True)
class Committed:
    """Outcome of a commit. Not ``done``: nothing was written; read these again and price them again.

    ``version``: position of the last record; ``known``: indices of records whose key has been settled (or
    stands twice in the batch); ``moved``: indices of states that others changed since they were read.
    """

    done: bool
    version: int = 0
    known: tuple[int, ...] = ()
    moved: tuple[int, ...] = ()


class Ledger:
    """A ledger store with any number of pools. Belongs to one event loop.

    >>> async with await Ledger.open("redis://localhost") as ledger:  # doctest: +SKIP
    ...     totals = await ledger.totals("330100")
    """

    def __init__(self, connection: Connection):
        self.connection = connection
        self._watching = Watching(connection)
        self._registered: set[str] = set()

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        timeout_seconds: float = 5.0,
        attempt_seconds: float = 2.0,
        allow_volatile: bool = False,
        replicas: int = 0,
    ) -> Ledger:
        """Connect and proves that the store keeps its writes.

        Args: ``url`` redis://, rediss://, unix:// or redis+cluster:// (see :func:`.cluster.connect`);
        ``timeout_seconds`` for a whole call with its repeats, ``attempt_seconds`` for one try; ``allow_volatile``
        takes a store that forgets (tests, re-pricing); ``replicas`` that must have the write on disk too.
        Errors: E.STORE_AWAY, STORE_NOT_DURABLE, STORE_EVICTS, STORE_LACKS.
        """
        ledger = cls(connect(url, timeout_seconds, attempt_seconds, allow_volatile, replicas))
        try:
            await ledger.ping()
        except BaseException:
            await ledger.close()
            raise
        return ledger

    async def close(self) -> None:
        """Close the connections; the store goes on."""
        await self._watching.close()
        await self.connection.close()

    async def __aenter__(self) -> Ledger:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def ping(self) -> None:
        """Wait until the store answers, and look whether it has what the ledger needs.

        Errors: E.STORE_AWAY, STORE_NOT_DURABLE, STORE_EVICTS, STORE_LACKS.
        """
        await self.connection.persist(self.connection.look)

    async def pools(self) -> list[str]:
        """Pools that have a ledger here."""
        found = await self.connection.persist(lambda: self.connection.client.smembers(names.POOLS))
        return sorted(pool.decode() for pool in found)

    async def version(self, pool: str) -> int:
        """Position of the last record of a pool."""
        return int(await self.connection.persist(lambda: self.connection.client.get(names.version(pool))) or 0)

    async def read(self, pool: str, settlement_keys: bytes, state_keys: bytes) -> Read:
        """Which settlements are known, with their records, and the states, all as of one moment.

        The keys are 16 bytes each, one after the other.
        """
        state_rows = np.frombuffer(state_keys, np.uint8).reshape(-1, 16)
        arguments = [names.prefix(pool), settlement_keys, state_keys]
        known, values = await self.connection.call(READ, names.version(pool), arguments)
        if known and self.connection.waits_for_disk:
            known, values = await self.connection.persist(partial(self._read_fenced, pool, arguments))
        records = {}
        for index, position, data in zip(known[::3], known[1::3], known[2::3], strict=True):
            records[int(index)] = Record.from_bytes(data, int(position))
        return Read(records, StateRead.parse(state_rows, values))

    async def _read_fenced(self, pool: str, arguments: Sequence[Any]) -> Any:
        """Read, and then wait until what was read is on the disk; both again where the store is another one by then."""
        reply = await self.connection.call(READ, names.version(pool), arguments)
        await self.connection.fence(names.prefix(pool))
        return reply

    async def get(self, pool: str, key: bytes) -> Record | None:
        """Return the record of a settlement."""
        return (await self.read(pool, key, b"")).known.get(0)

    async def accumulators(self, pool: str, state_key: bytes) -> StateRead:
        """Return a person's year: one row, version 0 where there is none."""
        return (await self.read(pool, b"", state_key)).states

    async def commit(self, batch: CommitBatch) -> Committed:
        """Write a batch wholly or not at all, on the disk when it returns; the same batch again is done already.

        Calling it again with the same batch after an error is safe. Errors: E.STORE_AWAY (unknown whether it
        was written: ask again), E.STORE_FULL, E.LEDGER_CORRUPT (nothing was written).
        """
        if not batch.keys:
            return Committed(True, await self.version(batch.pool))
        if len(batch) > 1 and (twice := _standing_twice(batch.keys)):
            return Committed(False, known=twice)
        if batch.pool not in self._registered:
            await self._register(batch.pool)
        arguments = batch.arguments()
        reply = await self.connection.call(COMMIT, names.version(batch.pool), arguments, durable=True)
        if reply[0] == WRITTEN:
            return Committed(True, int(reply[1]))
        if reply[0] == NOT_WRITTEN and len(reply[1]) == len(batch):
            # An earlier attempt may have reached the store, and only its answer was lost.
            return await self.connection.persist(partial(self._commit_again, batch, arguments))
        return _committed(reply)

    async def _commit_again(self, batch: CommitBatch, arguments: Sequence[Any]) -> Committed:
        """Commit a batch all of whose keys were known; it is done already where they stand there by this very batch."""
        reply = await self.connection.call(COMMIT, names.version(batch.pool), arguments, durable=True)
        if reply[0] == NOT_WRITTEN and len(reply[1]) == len(batch) and (version := await self._own(batch)):
            return Committed(True, version)
        return _committed(reply)

    async def reverse(
        self,
        pool: str,
        key: bytes,
        reversal_key: bytes,
        *,
        person: bytes | None = None,
        date: int = 0,
        first_dependent: FirstDependent = _any_later,
        first_elsewhere: FirstElsewhere = _none_elsewhere,
    ) -> Record:
        """Take a settlement back, exactly once; asked again with the same date or none, give the stored reversal.

        Args: ``person`` digest to compare with the settlement's; ``date`` of the reversal, YYYYMMDD, 0: as settled;
        ``first_dependent`` tells which of the later settlements of the year would come out differently without it, and
        ``first_elsewhere`` which of those in the person's other years, and what must stay as it is meanwhile.
        Errors: E.SETTLEMENT_NOT_FOUND, REVERSAL_OF_REVERSAL, PERSON_MISMATCH, NOT_LATEST_SETTLEMENT (names the one to
        reverse first), ALREADY_REVERSED (with another date), DATE_ORDER, CONFLICT, and those of :meth:`commit`.
        """
        for _ in range(MAX_REVERSAL_ATTEMPTS):
            known = (await self.read(pool, key + reversal_key + resettlement_key(pool, key, 1), b"")).known
            record = reversible(known.get(0), person)
            if 1 in known:
                return same_reversal(known[1], date)
            again = await resettlements_of(self, pool, key) if 2 in known else []
            record = with_resettlements(record, again)
            check_date(record, date)
            elsewhere, guards = await first_elsewhere(record)
            if elsewhere is not None:
                raise not_latest(record, elsewhere)
            # A later part of the stay may stand in the next benefit year, where the year's own order does not see it.
            name = (record.institution, record.encounter, record.sequence + 1)
            following = await self.get(pool, settlement_key(*name))
            if following is not None and not await self._is_reversed(pool, following):
                raise not_latest(record, following)
            states = await self.accumulators(pool, record.state_key or bytes(16))
            last = states.last[0].tobytes()
            if is_latest(record, states):
                last = (await self._standing_before(pool, record)) if record.state_key is not None else ZERO_DIGEST
            elif (await self.get(pool, reversal_key)) is not None:
                continue  # somebody else reversed it between our two looks
            else:
                later = await self._later(pool, record, last)
                dependent = await first_dependent(record, later, states) if later else None
                if dependent is not None or not later:
                    raise not_latest(record, dependent)
            batch = reversal_of(record, reversal_key, states, date, last, guards, seal=_seal(pool, record, len(again)))
            if (await self.commit(batch)).done:
                break
        reversal = await self.get(pool, reversal_key)
        if reversal is None:
            raise refuse(E.CONFLICT)
        return same_reversal(reversal, date)

    async def _standing_before(self, pool: str, record: Record) -> bytes:
        """Return the key of the settlement of the person's year before one that stands, zeros where there is none."""
        key = record.previous
        while key != ZERO_DIGEST:
            before = await self.get(pool, key)
            if before is None or not await self._is_reversed(pool, before):
                break
            key = before.previous
        return key

    async def _later(self, pool: str, record: Record, last: bytes) -> list[Record]:
        """Return the standing settlements of the person's year after one, in order; none where they cannot be read."""
        later: list[Record] = []
        async for one in self.standing(pool, last):
            if one.key == record.key:
                return later[::-1]
            later.append(one)
        return []

    async def standing(self, pool: str, last: bytes) -> AsyncIterator[Record]:
        """Yield the settlements of a person's year that stand, the latest (``StateRead.last``) first.

        It ends at the first of the year, or at one that cannot be read, or after MOST_LATER_SETTLEMENTS.
        """
        key = last
        for _ in range(MOST_LATER_SETTLEMENTS):
            one = await self.get(pool, key) if key != ZERO_DIGEST else None
            if one is None:
                return
            if not await self._is_reversed(pool, one):
                yield one
            key = one.previous

    async def _is_reversed(self, pool: str, record: Record) -> bool:
        name = (record.institution, record.encounter, record.sequence)
        return (await self.get(pool, settlement_key(*name, DIRECTION_REVERSE))) is not None

    async def post(
        self,
        pool: str,
        key: bytes,
        month: int,
        postings: Sequence[tuple[int, int, int, int]],
        note: dict[str, object] | None = None,
    ) -> bool:
        """Add amounts that come from no claim, such as a month's clearing differences; exactly once for a key.

        Args: ``month`` YYYYMM; ``postings`` county, codes.Scheme, payers.Fund, amount in fen; ``note`` is kept as JSON.
        Returns False when the key had been posted with the same amounts. Errors: E.KEY_REUSED and those of commit.
        """
        record = posting_record(pool, key, month, postings, note)
        if (await self.commit(pack_records(pool, [record], []))).done:
            return True
        stored = await self.get(pool, key)
        if stored is None or stored.content != record.content:
            raise refuse(E.KEY_REUSED, detail="postings")
        return False

    async def _own(self, batch: CommitBatch) -> int:
        """Position of the last record if the batch in the store is this very one, else 0."""
        arguments = [names.prefix(batch.pool), batch.keys[-16:], b""]
        known, _ = await self.connection.call(READ, names.version(batch.pool), arguments)
        record = Record.from_bytes(known[2], int(known[1]))
        if record.commit != batch.commit:
            return 0
        await self.connection.fence(names.prefix(batch.pool))
        return record.position

    async def _register(self, pool: str) -> None:
        await self.connection.persist(lambda: self.connection.client.sadd(names.POOLS, pool))
        self._registered.add(pool)

    async def totals(
        self, pool: str, county: str | None = None, month: int = 0, scheme: str | Scheme | None = None
    ) -> Totals:
        """Totals as of one moment; ``month`` YYYYMM or 0 for all, ``scheme`` a national code or codes.Scheme."""
        return await read_totals(self.connection, pool, Selection.of(county, month, scheme))

    def watch(
        self, pool: str, county: str | None = None, month: int = 0, scheme: str | Scheme | None = None
    ) -> AsyncIterator[Totals]:
        """Yield the totals now and after each change; changes that come fast are joined.

        All who watch a pool share one reader (:mod:`.watching`). It goes on when the store has restarted.
        """
        return self._watching.follow(pool, Selection.of(county, month, scheme))

    def history(
        self, pool: str, institution: str, from_date: int, to_date: int, scheme: str = ""
    ) -> AsyncIterator[Record]:
        """Settlements and reversals of an institution from day to day (YYYYMMDD); see :mod:`.reconcile`."""
        return history(self.connection, pool, institution, from_date, to_date, scheme)

    async def reconcile(self, statement: pooling_pb2.Statement) -> pooling_pb2.ReconcileResult:
        """Compare a hospital's statement with the journal; see :mod:`.reconcile`."""
        return await reconcile(self.connection, statement)

    async def verify(self, pool: str, progress: Progress = no_progress) -> Verification:
        """Check that everything is what the journal says; see :mod:`.audit`."""
        return await verify(self.connection, pool, progress)

    async def rebuild(self, pool: str, *, hold: bool = False) -> Rebuilt:
        """Make totals, states and indexes anew from the journal, beside settlement or not; see :mod:`.rebuild`."""
        return await rebuild(self.connection, pool, hold=hold)


def _seal(pool: str, record: Record, times: int) -> bytes | None:
    """Return the key that a reversal takes so that nobody prices the settlement again meanwhile.

    The version of the person's year does the same where the settlement counts in one.
    """
    return resettlement_key(pool, record.key, times + 1) if record.state_key is None else None


def _committed(reply: Sequence[Any]) -> Committed:
    """Return what the commit script says. Errors: E.STORE_AWAY while the pool is being rebuilt."""
    if reply[0] == REBUILDING:
        raise refuse(E.STORE_AWAY, detail="a rebuild is under way")
    if reply[0] == WRITTEN:
        return Committed(True, int(reply[1]))
    return Committed(False, known=tuple(reply[1]), moved=tuple(reply[2]))


def _standing_twice(keys: bytes) -> tuple[int, ...]:
    """Return the indices of 16-byte keys that stand earlier in the same batch."""
    count = len(keys) // 16
    if count <= 1:
        return ()
    listed = [keys[16 * i : 16 * i + 16] for i in range(count)]
    if len(set(listed)) == count:
        return ()
    first = {key: i for i, key in reversed(list(enumerate(listed)))}
    return tuple(i for i, key in enumerate(listed) if first[key] != i)
