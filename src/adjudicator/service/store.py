"""The ledger's store as a process sees it: opened in the background, away for a while, back again."""

from __future__ import annotations

import asyncio
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
    """The store of one process: at ``redis_url``, or one of our own with its data in ``data_folder``."""

    def __init__(self, redis_url: str | None, data_folder: Path):
        self.redis_url = redis_url
        self.data_folder = data_folder
        self.reachable = False
        self._embedded: EmbeddedStore | None = None
        self._ledger: Ledger | None = None

    def ledger(self) -> Ledger:
        """The open ledger. Errors: E.STORE_AWAY while it is known not to answer, so that callers need not wait."""
        if self._ledger is None or not self.reachable:
            raise refuse(E.STORE_AWAY)
        return self._ledger

    async def open(self) -> None:
        """Starts the own store if need be and opens the ledger, trying until it answers.

        Errors: E.STORE_NOT_DURABLE, and E.STORE_AWAY when a store of our own cannot be started at all.
        """
        url = self.redis_url or await self._start_embedded()
        while self._ledger is None:
            try:
                self._ledger = await Ledger.open(url, timeout_seconds=CALL_SECONDS, attempt_seconds=ATTEMPT_SECONDS)
            except AdjudicatorError as error:
                if error.problems[0].number != E.STORE_AWAY:
                    raise
                log("store away", code=error.problems[0].row.code)
                await asyncio.sleep(PAUSE_SECONDS)
        self.reachable = True

    async def _start_embedded(self) -> str:
        self._embedded = await asyncio.to_thread(EmbeddedStore.start, self.data_folder)
        log("store started", store=str(self._embedded.folder), pid=self._embedded.pid)
        return self._embedded.url

    async def is_reachable(self) -> bool:
        """Whether the store answers now."""
        if self._ledger is None:
            return False
        try:
            await asyncio.wait_for(self._ledger.ping(), ATTEMPT_SECONDS)
            reachable = True
        except (AdjudicatorError, TimeoutError):
            reachable = False
        if reachable != self.reachable:
            log("store back" if reachable else "store away")
        self.reachable = reachable
        return reachable

    async def close(self) -> None:
        """Closes the ledger; the own store is stopped when nobody else uses it."""
        if self._ledger is not None:
            await self._ledger.close()
        if self._embedded is not None:
            await asyncio.to_thread(self._embedded.stop)
