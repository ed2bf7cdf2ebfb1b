"""What all calls of one process share: rules, engines, ledger, the settler, and whether they are ready."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from adjudicator.errors import AdjudicatorError, E, refuse
from adjudicator.rulefile.faults import PackError
from adjudicator.service.auditing import Auditor
from adjudicator.service.door import Door
from adjudicator.service.engines import Engines
from adjudicator.service.logs import log
from adjudicator.service.metrics import Metrics
from adjudicator.service.microbatch import Answer, Bounds, MicroBatcher
from adjudicator.service.options import ServeOptions
from adjudicator.service.settling import BatchCall, Settler
from adjudicator.service.store import Store
from adjudicator.service.warming import warm_up

T = TypeVar("T")

LOOK_SECONDS = 0.5
"""Time between two looks at the store."""


class Application:
    """State of one service process on one event loop."""

    def __init__(self, options: ServeOptions):
        self.options = options
        self.metrics = Metrics()
        self.audit = Auditor(options.audit_folder or options.data_folder / "audit")
        self.door = Door(options.callers, lambda pools: self.engines().areas_of(pools), self.audit)
        self.store = Store(options.redis_url, options.data_folder)
        self._threads = ThreadPoolExecutor(options.engine_threads, "engine")
        self._engines: Engines | None = None
        self._settler: Settler | None = None
        waiting = (options.most_waiting_claims, options.most_waiting_bytes, options.most_batches)
        single, batches = Bounds(options.most_joined_calls, *waiting), Bounds(options.most_joined_claims, *waiting)
        self.settle_calls: MicroBatcher[bytes, Answer] = MicroBatcher(
            lambda *calls: self.settler().settle(*calls), single
        )
        """Calls of Settle, PreSettle, SettleBatch and of streams on their way into a joint batch."""
        self.trial_calls: MicroBatcher[bytes, Answer] = MicroBatcher(
            lambda *calls: self.settler().trial(*calls), single
        )
        self.batch_calls: MicroBatcher[BatchCall, list[Answer]] = MicroBatcher(
            lambda *calls: self.settler().settle_batches(*calls), batches
        )
        self.loaded = asyncio.Event()
        """Rules are compiled and kernels are ready."""
        self._stopping = False
        self._reading: set[asyncio.Future[Any]] = set()

    # ---------------------------------------------------------------- life

    async def prepare(self) -> None:
        """Compiles rules, loads kernels, opens the ledger; the first two fail for good, the last is tried for ever."""
        opening = asyncio.get_running_loop().create_task(self.store.open())
        try:
            await self.load_rules()
        except BaseException:
            opening.cancel()
            raise
        self._show_gauges()
        await opening

    async def load_rules(self) -> None:
        """Take up the packs as they are on the disk now; claims that are being priced are finished under the old ones.

        Raises PackError with every fault, AdjudicatorError where the swap cannot be recorded; goes on as before.
        """
        options = self.options
        engines = await asyncio.to_thread(Engines.load, options.packs, options.candidates)
        settler = Settler(engines.settling, self.store, options, self.metrics, self._threads)
        await asyncio.to_thread(warm_up, settler)
        replaced = self._engines.settling.bundle.hash if self._engines else ""
        pack = ",".join(options.packs)
        await self.audit.record("rules", pack=pack, rules_hash=engines.settling.bundle.hash, former=replaced)
        former, self._engines, self._settler = self._settler, engines, settler
        self.loaded.set()
        log("rules loaded", rules_hash=engines.settling.bundle.hash, pack=pack)
        await self._settle_down()  # what is in work holds the former rules
        del former
        gc.unfreeze()  # what only the former rules held goes
        gc.collect()
        gc.freeze()  # what the rules and the compiler made stays: a collection need not look through it

    async def reload_rules(self) -> None:
        """Do the same on SIGHUP: faults are logged and the loaded rules stay."""
        try:
            await self.load_rules()
        except PackError as error:
            for fault in error.faults:
                log("rules refused", pack=error.what, reason=str(fault))
        except AdjudicatorError as error:
            log("rules refused", code=error.problems[0].row.code, reason=error.problems[0].message)

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
        await self._settle_down()
        self._threads.shutdown()
        await self.store.close()
        await self.audit.close()

    async def _settle_down(self) -> None:
        """Wait for what is in work now."""
        for calls in (self.settle_calls, self.trial_calls, self.batch_calls):
            await calls.settle_down()

    # ---------------------------------------------------------------- what the calls use

    def engines(self) -> Engines:
        """Return the loaded rule bundles, or the NOT_READY refusal."""
        if self._engines is None:
            raise refuse(E.NOT_READY)
        return self._engines

    def settler(self) -> Settler:
        """Return the settler, or the NOT_READY refusal."""
        if self._settler is None:
            raise refuse(E.NOT_READY)
        return self._settler

    async def until_stop(self, messages: AsyncIterator[T]) -> AsyncIterator[T]:
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

    def _show_gauges(self) -> None:
        gauge = self.metrics.gauge
        gauge("waiting_claims", "Claims of batch calls that wait.", lambda: self.batch_calls.waiting)
        gauge("waiting_calls", "Single calls that wait.", lambda: self.settle_calls.waiting)
        gauge("audit_writable", "1 when the audit log can be written.", lambda: float(self.audit.is_writable))
        gauge("store_reachable", "1 when the ledger store answers.", lambda: float(self.store.reachable))
