"""What all calls of one process share: rules, engines, ledger, the settler, and whether they are ready."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from adjudicator.errors import AdjudicatorError, E, refuse
from adjudicator.service.engines import Engines
from adjudicator.service.logs import log
from adjudicator.service.metrics import Metrics
from adjudicator.service.microbatch import MicroBatcher
from adjudicator.service.options import ServeOptions
from adjudicator.service.settling import Settler
from adjudicator.service.store import Store
from adjudicator.service.warming import warm_up

LOOK_SECONDS = 0.5
"""Time between two looks at the store."""


class Application:
    """State of one service process on one event loop."""

    def __init__(self, options: ServeOptions):
        self.options = options
        self.metrics = Metrics()
        self.store = Store(options.redis_url, options.data_folder)
        self._engines: Engines | None = None
        self._settler: Settler | None = None
        self._settle_calls: MicroBatcher | None = None
        self._trial_calls: MicroBatcher | None = None
        self._stopping = False
        self._reading: set[asyncio.Task[bytes]] = set()

    # ---------------------------------------------------------------- life

    async def prepare(self) -> None:
        """Compiles rules, loads kernels, opens the ledger; the first two fail for good, the last is tried for ever."""
        opening = asyncio.get_running_loop().create_task(self.store.open())
        try:
            engines = await asyncio.to_thread(Engines.load, self.options.packs, self.options.candidates)
            settler = Settler(engines.settling, self.store, self.options, self.metrics)
            await asyncio.to_thread(warm_up, settler)
        except BaseException:
            opening.cancel()
            raise
        options = self.options
        limits = (options.most_joined_claims, options.most_waiting_claims, options.most_joined_batches)
        self._settle_calls = MicroBatcher(settler.settle, *limits)
        self._trial_calls = MicroBatcher(settler.trial, *limits)
        self._engines, self._settler = engines, settler
        self._show_gauges(settler)
        log("rules loaded", rules_hash=engines.settling.bundle.hash, pack=",".join(options.packs))
        await opening

    async def readiness(self) -> AsyncIterator[bool]:
        """Whether this process can settle, looked at again and again."""
        while not self._stopping:
            yield self._settler is not None and await self.store.is_reachable()
            await asyncio.sleep(LOOK_SECONDS if self._settler else 0.02)

    def stop_accepting(self) -> None:
        """Streams end after the message in work; single calls are cut off by the server."""
        self._stopping = True
        for task in self._reading:
            task.cancel()

    async def close(self) -> None:
        """Lets go of the ledger, and of the store if it is ours."""
        if self._settler is not None:
            await self._settler.close()
        await self.store.close()

    # ---------------------------------------------------------------- what the calls use

    def engines(self) -> Engines:
        """The loaded rule bundles, or the NOT_READY refusal."""
        if self._engines is None:
            raise refuse(E.NOT_READY)
        return self._engines

    def settler(self) -> Settler:
        """The settler, or the NOT_READY refusal."""
        if self._settler is None:
            raise refuse(E.NOT_READY)
        return self._settler

    def settle_calls(self) -> MicroBatcher:
        """Single calls of Settle on their way into a batch."""
        if self._settle_calls is None:
            raise refuse(E.NOT_READY)
        return self._settle_calls

    def trial_calls(self) -> MicroBatcher:
        """Single calls of PreSettle on their way into a batch."""
        if self._trial_calls is None:
            raise refuse(E.NOT_READY)
        return self._trial_calls

    async def until_stop(self, messages: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Messages of a stream; when the service stops the stream ends with SHUTTING_DOWN between two messages."""
        iterator = aiter(messages)
        while True:
            if self._stopping:
                raise refuse(E.SHUTTING_DOWN)
            reading = asyncio.ensure_future(anext(iterator))
            self._reading.add(reading)
            try:
                message = await reading
            except StopAsyncIteration:
                return
            except asyncio.CancelledError:
                if self._stopping and reading.cancelled():
                    raise refuse(E.SHUTTING_DOWN) from None
                raise
            finally:
                self._reading.discard(reading)
            yield message

    def _show_gauges(self, settler: Settler) -> None:
        self.metrics.gauge("waiting_claims", "Claims that wait for a place.", lambda: settler.waiting)
        self.metrics.gauge("store_reachable", "1 when the ledger store answers.", lambda: float(self.store.reachable))
        with contextlib.suppress(AdjudicatorError):
            self.metrics.gauge("waiting_calls", "Single calls that wait.", lambda: self.settle_calls().waiting)
