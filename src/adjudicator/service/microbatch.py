"""Joins single calls into batches: alone a call goes at once, in a crowd it shares its batch with its neighbours.

A batch is started as soon as a place is free. While all places are taken new calls collect, and the next batch takes
them all: under load the batches grow by themselves, without a timer and without waiting when nothing is going on. What
may wait is bounded; beyond it a call is refused at once instead of being answered after its caller has gone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from adjudicator.errors import AdjudicatorError, E, refuse

Answer = bytes | AdjudicatorError
"""What becomes of a claim: its settlement on the wire, or why it was refused."""

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

    def __init__(self, work: Work, most_joined: int, most_waiting: int, places: int = 1):
        self._work = work
        self._most_joined = most_joined
        self._most_waiting = most_waiting
        self._free_places = places
        self._waiting: deque[Waiting] = deque()
        self._start_is_due = False
        self._running: set[asyncio.Task[None]] = set()

    @property
    def waiting(self) -> int:
        """Calls that wait for a batch."""
        return len(self._waiting)

    async def submit(self, message: bytes, deadline: float) -> Answer:
        """Answer to one claim, or an OVERLOADED refusal when too many wait already."""
        if len(self._waiting) >= self._most_waiting:
            return refuse(E.OVERLOADED)
        loop = asyncio.get_running_loop()
        call = Waiting(message, deadline, loop.create_future())
        self._waiting.append(call)
        if self._free_places and not self._start_is_due:
            # Not now but after the calls that the loop has already received: they ride in the same batch.
            self._start_is_due = True
            loop.call_soon(self._start)
        return await call.answer

    def _start(self) -> None:
        self._start_is_due = False
        while self._waiting and self._free_places:
            count = min(len(self._waiting), self._most_joined)
            calls = [self._waiting.popleft() for _ in range(count)]
            calls = [call for call in calls if not call.answer.done()]  # the caller has gone
            if calls:
                self._free_places -= 1
                task = asyncio.get_running_loop().create_task(self._run(calls))
                self._running.add(task)
                task.add_done_callback(self._running.discard)

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
        finally:
            self._free_places += 1
            if self._waiting and not self._start_is_due:
                self._start()
