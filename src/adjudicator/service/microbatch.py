"""Joins calls into batches: alone a call goes at once, in a crowd it shares its batch with its neighbours.

A batch costs much the same whether it holds one claim or sixteen, and a commit waits for the disk whatever it holds. So
a lone call starts at once; while a batch is priced new calls collect, and when it goes to the store the next one may
start. In a crowd the calls of a batch come one after the other: the next batch waits while they keep coming, until as
many have come as wait or are in work at one time, and never longer than the batch before it took. What may wait is
bounded; beyond it a call is refused at once instead of being answered after its caller has gone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Generic, NamedTuple, TypeVar

from adjudicator.errors import AdjudicatorError, E, refuse

Answer = bytes | AdjudicatorError
"""What becomes of a claim: its settlement on the wire, or why it was refused."""

SHORTEST_PAUSE, LONGEST_PAUSE = 0.001, 0.02
"""Seconds without a call after which a crowd has come: the usual pause and four times its deviation within these."""
LEARNING = 1 / 8
"""How fast the usual pause follows the last one; its deviation follows twice as fast (as in RFC 6298, 2.3)."""
FORGETTING = 0.9
"""How fast the expected size of the crowd falls when fewer calls come."""
WORTH_A_BATCH = 32
"""Claims that must wait before a batch starts while others wait for the store."""
MOST_JOINED_BYTES = 16 * 1024 * 1024
"""Messages joined into one batch; a single message may be as long as the service takes."""

Call = TypeVar("Call")
Result = TypeVar("Result")
Leave = Callable[[], None]
"""Says that a batch needs the engine no longer; saying it again does nothing."""
Work = Callable[[list[Call], list[float], Leave], Awaitable[Sequence[Result]]]
"""Answers a batch of calls with their deadlines (seconds of the loop's clock), one result a call in order."""


class Bounds(NamedTuple):
    """How much is joined, waits, and is in work."""

    joined_claims: int
    waiting_claims: int
    waiting_bytes: int = 1 << 28
    batches: int = 2
    """Batches in work at one time: one is priced, the others wait for the store."""


@dataclass(slots=True)
class Waiting(Generic[Call, Result]):
    """One call that waits for its batch."""

    call: Call
    claims: int
    size_bytes: int
    deadline: float
    result: asyncio.Future[Result] = field(repr=False)


class MicroBatcher(Generic[Call, Result]):
    """Joins calls; ``work`` answers a batch. One instance on one event loop."""

    def __init__(self, work: Work[Call, Result], bounds: Bounds):
        self._work = work
        self._bounds = bounds
        self._waiting: deque[Waiting[Call, Result]] = deque()
        self._claims = 0
        self._bytes = 0
        """Claims and bytes of the calls that wait."""
        self._in_work = 0
        """Calls of the batches in work."""
        self._crowd = 1.0
        """Calls that are likely to wait or be in work at one time."""
        self._last_event = 0.0
        """When a call came, or a batch left the engine or ended."""
        self._usual_pause, self._deviation = SHORTEST_PAUSE, 0.0
        """Seconds between two calls of a crowd."""
        self._last_took = 0.0
        """Seconds that the last batch was in work."""
        self._wait_until = 0.0
        """When the next batch starts at the latest."""
        self._timer: asyncio.Handle | None = None
        self._pricing: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[None]] = set()

    @property
    def waiting(self) -> int:
        """Claims that wait for a batch."""
        return self._claims

    async def submit(self, call: Call, deadline: float, size_bytes: int, claims: int = 1) -> Result:
        """Return what becomes of a call; an idle service takes one of any size.

        Errors: OVERLOADED when too much waits already, and what the batch ends with.
        """
        many = self._claims + claims > self._bounds.waiting_claims
        if self._waiting and (many or self._bytes + size_bytes > self._bounds.waiting_bytes):
            raise refuse(E.OVERLOADED)
        one: Waiting[Call, Result] = Waiting(
            call, claims, size_bytes, deadline, asyncio.get_running_loop().create_future()
        )
        self._learn()
        self._waiting.append(one)
        self._claims += claims
        self._bytes += size_bytes
        self._crowd = max(self._crowd, len(self._waiting) + self._in_work)
        self._consider()
        return await one.result

    async def settle_down(self) -> None:
        """Wait for the batches that are in work now, those of callers that have gone among them."""
        if self._running:
            await asyncio.wait(self._running)

    def _consider(self) -> None:
        """Start a batch now, or after the calls that the loop has received already, or when the crowd has come."""
        if self._timer is not None and self._enough():
            self._timer.cancel()
            self._timer = None
        if self._timer is not None or not self._waiting:
            return
        if self._pricing is not None or len(self._running) >= self._bounds.batches:
            return
        if self._running and (self._claims < WORTH_A_BATCH or len(self._waiting) < self._in_work):
            return
        if self._enough():
            self._timer = asyncio.get_running_loop().call_soon(self._start)
        else:
            self._wait_until = perf_counter() + self._last_took
            self._look()

    def _enough(self) -> bool:
        """Whether nobody is left to wait for, or no more can join."""
        return (
            len(self._waiting) + self._in_work >= self._crowd
            or self._usual_pause * 2 > self._last_took
            or self._claims >= self._bounds.joined_claims
            or self._bytes >= MOST_JOINED_BYTES
        )

    def _learn(self) -> None:
        """Learn how long a crowd pauses between two of its calls."""
        now = perf_counter()
        pause = min(now - self._last_event, LONGEST_PAUSE)
        self._deviation += (abs(pause - self._usual_pause) - self._deviation) * 2 * LEARNING
        self._usual_pause += (pause - self._usual_pause) * LEARNING
        self._last_event = now

    def _look(self) -> None:
        """Start when nobody came for a while; otherwise look again."""
        pause = min(max(SHORTEST_PAUSE, self._usual_pause + 4 * self._deviation), LONGEST_PAUSE)
        left = min(self._last_event + pause, self._wait_until) - perf_counter()
        if left <= 0:
            self._start()
        else:
            self._timer = asyncio.get_running_loop().call_later(left, self._look)

    def _start(self) -> None:
        self._timer = None
        self._crowd = max(len(self._waiting) + self._in_work, self._crowd * FORGETTING)
        calls = self._next_calls()
        if calls:
            self._in_work += len(calls)
            self._pricing = asyncio.get_running_loop().create_task(self._run(calls))
            self._running.add(self._pricing)
        else:
            self._consider()

    def _next_calls(self) -> list[Waiting[Call, Result]]:
        """Return the calls of the next batch, as many as fit; those whose caller has gone are dropped."""
        calls: list[Waiting[Call, Result]] = []
        size_bytes = claims = 0
        while self._waiting:
            one = self._waiting[0]
            size_bytes += one.size_bytes
            claims += one.claims
            if calls and (claims > self._bounds.joined_claims or size_bytes > MOST_JOINED_BYTES):
                break
            self._waiting.popleft()
            self._claims -= one.claims
            self._bytes -= one.size_bytes
            if one.result.done():
                size_bytes, claims = size_bytes - one.size_bytes, claims - one.claims
            else:
                calls.append(one)
        return calls

    async def _run(self, calls: list[Waiting[Call, Result]]) -> None:
        task, began = asyncio.current_task(), perf_counter()

        def leave() -> None:
            if self._pricing is task:
                self._pricing, self._last_event = None, perf_counter()
                self._consider()

        try:
            results = await self._work([one.call for one in calls], [one.deadline for one in calls], leave)
            for one, result in zip(calls, results, strict=True):
                if not one.result.done():
                    one.result.set_result(result)
        except BaseException as error:
            for one in calls:
                if not one.result.done():
                    one.result.set_exception(error)
            if not isinstance(error, Exception):
                raise
        finally:
            self._running -= {task}
            self._in_work -= len(calls)
            self._last_event = perf_counter()
            self._last_took = self._last_event - began
            leave()
            self._consider()
