"""The ledger's store as a process sees it: opened in the background, away for a while, back again."""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path

from adjudicator.errors import AdjudicatorError, E, refuse
from adjudicator.ledger.embedded import EmbeddedStore
from adjudicator.ledger.store import Ledger
from adjudicator.service.logs import log

CALL_SECONDS = 3.0
"""Time that a ledger call may take with its repeats; after it the caller is told to come again."""
ATTEMPT_SECONDS = 2.0
PAUSE_SECONDS = 0.25


class Store:
    """The store of one process: at ``redis_url``, or one of our own with its data in ``data_folder``.

    A store of our own that dies is started again by whoever of its users notices first.
    """

    def __init__(self, redis_url: str | None, data_folder: Path):
        self.redis_url = redis_url
        self.data_folder = data_folder
        self.reachable = False
        self._refusal = refuse(E.STORE_AWAY)
        """Why the store is not used while it is not reachable."""
        self._little_memory = False
        self._embedded: EmbeddedStore | None = None
        self._ledger: Ledger | None = None
        self._starting: asyncio.Future[EmbeddedStore] | None = None
        self._closed: list[Ledger] = []
        """Ledgers of stores that died; calls may still be waiting for their time limit over them."""

    def ledger(self) -> Ledger:
        """Return the open ledger.

        Errors: E.STORE_AWAY while it is known not to answer, so that callers need not wait; what it lacks while it
        does (STORE_NOT_DURABLE, STORE_EVICTS, STORE_LACKS).
        """
        if self._ledger is None or not self.reachable:
            raise AdjudicatorError(*self._refusal.problems)
        return self._ledger

    async def open(self) -> None:
        """Open the ledger, trying until the store answers.

        Errors: E.STORE_NOT_DURABLE, and E.STORE_AWAY when a store of our own cannot be started at all.
        """
        url = self.redis_url or await self._start_embedded()
        while not await self._connect(url):
            await asyncio.sleep(PAUSE_SECONDS)
        self.reachable = True

    async def _start_embedded(self) -> str:
        """Start the own store, or join the one that runs."""
        self._starting = asyncio.ensure_future(asyncio.to_thread(EmbeddedStore.start, self.data_folder))
        self._embedded = await asyncio.shield(self._starting)
        self._starting = None
        log("store joined", store=str(self._embedded.folder), pid=self._embedded.pid)
        return self._embedded.url

    async def _connect(self, url: str) -> bool:
        try:
            ledger = await Ledger.open(url, timeout_seconds=CALL_SECONDS, attempt_seconds=ATTEMPT_SECONDS)
        except AdjudicatorError as error:
            if error.problems[0].number != E.STORE_AWAY:
                raise
            log("store away", code=error.problems[0].row.code)
            return False
        if self._ledger is not None:
            self._closed.append(self._ledger)
        self._ledger = ledger
        return True

    async def is_reachable(self) -> bool:
        """Whether the store answers and has what the ledger needs. A store of our own that died is started again."""
        if self._ledger is None:
            return False
        refusal = await self._look()
        if refusal is not None:
            if self.reachable or refusal.problems[0].number != self._refusal.problems[0].number:
                self._say_refused(refusal)
            self._refusal, self.reachable = refusal, False
        revived = refusal is not None and self._embedded is not None and await self._revive()
        reachable = refusal is None or revived
        if reachable and not self.reachable:
            log("store back")
        self.reachable = reachable
        self._say_little_memory()
        return reachable

    async def _look(self) -> AdjudicatorError | None:
        """Return why the store cannot be used now, None where it can."""
        assert self._ledger is not None
        try:
            await asyncio.wait_for(self._ledger.ping(), ATTEMPT_SECONDS)
        except AdjudicatorError as error:
            return error
        except TimeoutError:
            return refuse(E.STORE_AWAY)
        return None

    @staticmethod
    def _say_refused(refusal: AdjudicatorError) -> None:
        problem = refusal.problems[0]
        if problem.number == E.STORE_AWAY:
            log("store away")
        else:  # what was acknowledged since the look before may not be kept
            log("store refused", code=problem.row.code, reason=problem.detail, reason_zh=problem.message_zh)

    def _say_little_memory(self) -> None:
        """Say once that the memory of the store is nearly used up, and again when it has been enough between."""
        assert self._ledger is not None
        little = [facts for facts in self._ledger.connection.facts if facts.has_little_memory]
        if little and not self._little_memory:
            log("store memory low", used_bytes=little[0].used_bytes, most_bytes=little[0].most_bytes)
        self._little_memory = bool(little)

    async def _revive(self) -> bool:
        assert self._embedded is not None
        former = self._embedded
        if process_lives(former.pid):
            return False
        try:
            url = await self._start_embedded()
        except AdjudicatorError as error:
            log("store away", code=error.problems[0].row.code)
            return False
        await asyncio.to_thread(former.stop)  # lets go of the lock; the new one is held already, so nothing is stopped
        return await self._connect(url)

    async def close(self) -> None:
        """Close the ledger; the own store is stopped when nobody else uses it."""
        for ledger in (*self._closed, self._ledger):
            if ledger is not None:
                await ledger.close()
        if self._starting is not None:
            with contextlib.suppress(AdjudicatorError):
                self._embedded = await self._starting
        if self._embedded is not None:
            await asyncio.to_thread(self._embedded.stop)


def process_lives(pid: int) -> bool:
    """Whether a process runs; an ended child counts as ended."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
