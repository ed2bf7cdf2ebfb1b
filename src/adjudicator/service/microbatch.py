"""Joins single calls into batches: alone a call goes at once, in a crowd it shares its batch with its neighbours.

A batch costs much the same whether it holds one claim or sixteen. So a lone call starts at once, and while a batch is
in work new calls collect. When it ends its callers come back within a moment: the next batch waits for as many calls as
the last ones held, but never longer than a millisecond. What may wait is bounded; beyond it a call is refused at once
instead of being answered after its caller has gone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from adjudicator.errors import AdjudicatorError, E, refuse

Answer = bytes | AdjudicatorError
"""What becomes of a claim: its settlement on the wire, or why it was refused."""

LINGER_SECONDS = 0.001
"""The longest that a batch waits for more calls."""
FORGETTING = 0.75
"""How fast the expected size of a batch falls when fewer calls come."""
MOST_JOINED_BYTES = 16 * 1024 * 1024
"""Messages joined into one batch; a single message may be as long as the service takes."""
WORTH_A_PLACE = 32
"""Calls that must wait before a second batch starts beside one in work."""

Work = Callable[[list[bytes], list[float]], Awaitable[Sequence[Answer]]]
"""Answers a batch of claims with their deadlines (seconds of the loop's clock), one answer a claim in order."""


@dataclass(slots=True)
class Waiting:
    """One call that waits for its batch."""

    message: bytes
    deadline: float
    answer: asyncio.Future[Answer] = field(repr=False)


class MicroBatcher:
    """Joins calls; ``work`` answers a batch. One instance on one event loop."""

    def __init__(
        self, work: Work, most_joined: int, most_waiting: int, places: int = 1, most_waiting_bytes: int = 1 << 28
    ):
        self._work = work
        self._most_joined = most_joined
        self._most_waiting = most_waiting
        self._most_waiting_bytes = most_waiting_bytes
        self._places = places
        self._waiting: deque[Waiting] = deque()
        self._waiting_bytes = 0
        self._expected = 1.0
        """Calls that the next batch is likely to hold."""
        self._timer: asyncio.Handle | None = None
        self._running: set[asyncio.Task[None]] = set()

    @property
    def waiting(self) -> int:
        """Calls that wait for a batch."""
        return len(self._waiting)

    async def submit(self, message: bytes, deadline: float) -> Answer:
        """Answer to one claim, or an OVERLOADED refusal when too many wait already."""
        bytes_then = self._waiting_bytes + len(message)
        if len(self._waiting) >= self._most_waiting or (self._waiting and bytes_then > self._most_waiting_bytes):
            return refuse(E.OVERLOADED)
        call = Waiting(message, deadline, asyncio.get_running_loop().create_future())
        self._waiting.append(call)
        self._waiting_bytes = bytes_then
        self._consider()
        return await call.answer

    def _consider(self) -> None:
        """Start a batch now, or after the calls that the loop has received already, or a moment later."""
        loop, count = asyncio.get_running_loop(), len(self._waiting)
        if not count or len(self._running) >= self._places or (self._running and count < WORTH_A_PLACE):
            return
        if count >= min(self._expected, self._most_joined):
            if self._timer is not None:
                self._timer.cancel()
            self._timer = loop.call_soon(self._start)
        elif self._timer is None:
            self._timer = loop.call_later(LINGER_SECONDS, self._start)

    def _start(self) -> None:
        self._timer = None
        calls = self._next_calls()
        if calls:
            self._expected = max(len(calls), self._expected * FORGETTING)
            task = asyncio.get_running_loop().create_task(self._run(calls))
            self._running.add(task)
            task.add_done_callback(self._ended)
        self._consider()

    def _next_calls(self) -> list[Waiting]:
        """Return the calls of the next batch, as many as fit; those whose caller has gone are dropped."""
        calls: list[Waiting] = []
        size_bytes = 0
        while self._waiting and len(calls) < self._most_joined:
            size_bytes += len(self._waiting[0].message)
            if calls and size_bytes > MOST_JOINED_BYTES:
                break
            call = self._waiting.popleft()
            self._waiting_bytes -= len(call.message)
            if not call.answer.done():
                calls.append(call)
        return calls

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._consider()

    async def _run(self, calls: list[Waiting]) -> None:
        try:
            answers = await self._work([call.message for call in calls], [call.deadline for call in calls])
            for call, answer in zip(calls, answers, strict=True):
                if not call.answer.done():
                    call.answer.set_result(answer)
        except BaseException as error:
            for call in calls:
                if not call.answer.done():
                    call.answer.set_exception(error)
            if not isinstance(error, Exception):
                raise
