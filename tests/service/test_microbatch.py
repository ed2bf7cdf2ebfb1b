"""Joining single calls: alone at once, in a crowd together, and never more than may wait."""

import asyncio
import math

import pytest

from adjudicator.errors import AdjudicatorError, E
from adjudicator.service.microbatch import MicroBatcher


class Desk:
    """Answers each claim with its own bytes, holding every batch until it is let go."""

    def __init__(self) -> None:
        self.batches: list[list[bytes]] = []
        self.may_go = asyncio.Event()

    async def work(self, messages: list[bytes], deadlines: list[float]) -> list[bytes]:
        self.batches.append(messages)
        await self.may_go.wait()
        return messages


def submit(batcher: MicroBatcher, *messages: bytes) -> list[asyncio.Task]:
    return [asyncio.ensure_future(batcher.submit(message, math.inf)) for message in messages]


def test_a_lone_call_goes_at_once():
    async def day() -> None:
        desk = Desk()
        batcher = MicroBatcher(desk.work, 100, 100)
        (call,) = submit(batcher, b"one")
        for _ in range(3):
            await asyncio.sleep(0)
        assert desk.batches == [[b"one"]]
        desk.may_go.set()
        assert await call == b"one"

    asyncio.run(day())


def test_calls_that_come_while_a_batch_is_in_work_ride_in_the_next_one():
    async def day() -> None:
        desk = Desk()
        batcher = MicroBatcher(desk.work, 100, 100)
        first = submit(batcher, b"one")
        await asyncio.sleep(0.001)
        crowd = submit(batcher, *(b"%d" % number for number in range(30)))
        await asyncio.sleep(0.001)
        assert len(desk.batches) == 1
        desk.may_go.set()
        answers = await asyncio.gather(*first, *crowd)
        assert answers == [b"one", *(b"%d" % number for number in range(30))]
        assert [len(batch) for batch in desk.batches] == [1, 30]

    asyncio.run(day())


def test_a_batch_takes_no_more_than_its_limit():
    async def day() -> None:
        desk = Desk()
        desk.may_go.set()
        batcher = MicroBatcher(desk.work, 8, 100)
        await asyncio.gather(*submit(batcher, *(b"%d" % number for number in range(20))))
        assert [len(batch) for batch in desk.batches] == [8, 8, 4]

    asyncio.run(day())


def test_beyond_the_bound_a_call_is_refused_at_once_and_the_others_are_answered():
    async def day() -> None:
        desk = Desk()
        batcher = MicroBatcher(desk.work, 10, 3)
        submit(batcher, b"in work")
        await asyncio.sleep(0.001)
        waiting = submit(batcher, b"a", b"b", b"c")
        await asyncio.sleep(0)
        refused = await batcher.submit(b"d", math.inf)
        assert isinstance(refused, AdjudicatorError)
        assert refused.problems[0].number == E.OVERLOADED
        desk.may_go.set()
        assert await asyncio.gather(*waiting) == [b"a", b"b", b"c"]

    asyncio.run(day())


def test_long_messages_are_bounded_by_their_bytes_and_joined_only_while_they_fit():
    async def day() -> None:
        desk = Desk()
        batcher = MicroBatcher(desk.work, 100, 100, most_waiting_bytes=40 << 20)
        submit(batcher, b"in work")
        await asyncio.sleep(0.001)
        long = submit(batcher, *[bytes(10 << 20)] * 3)
        await asyncio.sleep(0)
        refused = await batcher.submit(bytes(11 << 20), math.inf)
        assert refused.problems[0].number == E.OVERLOADED
        desk.may_go.set()
        await asyncio.gather(*long)
        assert [len(batch) for batch in desk.batches] == [1, 1, 1, 1]

    asyncio.run(day())


def test_a_caller_that_has_gone_is_not_worked_for():
    async def day() -> None:
        desk = Desk()
        batcher = MicroBatcher(desk.work, 10, 10)
        submit(batcher, b"in work")
        await asyncio.sleep(0.001)
        gone, stays = submit(batcher, b"gone", b"stays")
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        desk.may_go.set()
        assert await stays == b"stays"
        assert desk.batches == [[b"in work"], [b"stays"]]

    asyncio.run(day())


def test_a_fault_of_one_batch_ends_its_calls_and_not_the_next_ones():
    async def day() -> None:
        async def work(messages: list[bytes], deadlines: list[float]) -> list[bytes]:
            if b"bad" in messages:
                raise RuntimeError("a fault")
            return messages

        batcher = MicroBatcher(work, 1, 10)
        bad, good = submit(batcher, b"bad", b"good")
        assert await good == b"good"
        with pytest.raises(RuntimeError):
            await bad

    asyncio.run(day())
