"""Watching totals: one reader a pool and process, however many watch.

The reader waits at the store with one blocking command, reads the totals of the pool after a change, and wakes all who
watch. A watcher takes the newest totals when it is ready for them: a slow one joins several changes into one message,
and holds up nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from adjudicator.errors import E, refuse
from adjudicator.ledger import keys as names
from adjudicator.ledger.connection import Connection
from adjudicator.ledger.totals import Selection, Totals, read_totals

SHORTEST_PAUSE_SECONDS = 0.1
"""Time between two readings: changes that come faster are joined."""


@dataclass(slots=True)
class _Reading:
    """Totals of the whole pool, and what was selected of them so far, because many watch the same."""

    number: int
    totals: Totals
    _selected: dict[Selection, Totals] = field(default_factory=dict)

    def select(self, selection: Selection) -> Totals:
        if selection not in self._selected:
            rows = [row for row in self.totals.rows if selection.has(row)]
            self._selected[selection] = Totals(self.totals.pool, self.totals.version, rows)
        return self._selected[selection]


class _Reader:
    """Reads the totals of one pool again and again, for as long as somebody watches."""

    def __init__(self, connection: Connection, pool: str):
        self.watchers = 0
        self.failure: Exception | None = None
        self._connection, self._pool = connection, pool
        self._begun = 0
        """Number of the last reading that was begun."""
        self._latest: _Reading | None = None
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    async def follow(self, selection: Selection) -> AsyncIterator[Totals]:
        begun, current = self._begun, await read_totals(self._connection, self._pool, selection)
        yield current
        while True:
            latest, changed = self._latest, self._changed
            # A reading that was begun after ours is newer, whatever its version: a rebuild may lower a wrong one.
            newer = latest is not None and (latest.number > begun or latest.totals.version > current.version)
            if latest is not None and newer and latest.totals.version != current.version:
                begun, current = latest.number, latest.select(selection)
                yield current
            elif self.failure is not None:
                raise self.failure
            else:
                await changed.wait()

    def end(self) -> asyncio.Task[None]:
        """End the reading; return the task, which may take until the store answers."""
        self.failure = self.failure or refuse(E.STORE_AWAY, detail="the ledger is closed")
        self._wake()
        self._task.cancel()
        return self._task

    async def _run(self) -> None:
        try:
            while self.failure is None:  # the client library may swallow a cancellation that comes with an answer
                self._begun += 1
                reading = _Reading(self._begun, await read_totals(self._connection, self._pool, Selection()))
                if self._latest is None or self._latest.totals.version != reading.totals.version:
                    self._latest = reading
                    self._wake()
                await asyncio.sleep(SHORTEST_PAUSE_SECONDS)
                await self._wait_for_change(reading.totals.version)
        except Exception as error:
            self.failure = error
            self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _wait_for_change(self, version: int) -> None:
        """Return soon after the pool has a record beyond ``version``; at the latest after half a call's time."""
        client = self._connection.client
        counties = await self._connection.persist(lambda: client.smembers(names.counties(self._pool)))
        wait_ms = int(min(1.0, self._connection.attempt_seconds / 2) * 1000)
        streams = {names.liability(self._pool, county.decode()): f"{version}-{2**63}" for county in counties}
        if not streams:
            await asyncio.sleep(wait_ms / 10_000)
            return
        await self._connection.persist(lambda: client.xread(streams, count=1, block=wait_ms))


class Watching:
    """The readers of a process, one for each pool that is watched."""

    def __init__(self, connection: Connection):
        self._connection = connection
        self._readers: dict[str, _Reader] = {}
        self._ending: set[asyncio.Task[None]] = set()

    async def follow(self, pool: str, selection: Selection) -> AsyncIterator[Totals]:
        """Yield the totals now and after each change, each version once.

        Errors: those of ``read_totals``; they reach every watcher of the pool, and who watches anew gets a new reader.
        """
        reader = self._readers.get(pool)
        if reader is None or reader.failure is not None:
            reader = self._readers[pool] = _Reader(self._connection, pool)
        reader.watchers += 1
        try:
            async for totals in reader.follow(selection):
                yield totals
        finally:
            reader.watchers -= 1
            if reader.watchers == 0:
                if self._readers.get(pool) is reader:
                    del self._readers[pool]
                self._end(reader)

    async def close(self) -> None:
        """End all readers and wait until they have let go of the store."""
        for reader in self._readers.values():
            self._end(reader)
        self._readers.clear()
        await asyncio.gather(*self._ending, return_exceptions=True)

    def _end(self, reader: _Reader) -> None:
        task = reader.end()
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
