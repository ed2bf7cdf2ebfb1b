"""Joining single calls: alone at once, in a crowd together, and never more than may wait."""

import asyncio
import math

import pytest

from adjudicator.errors import AdjudicatorError, E
from adjudicator.service.microbatch import Bounds, Leave, MicroBatcher


class Desk:
    """Answers each claim with its own bytes, holding every batch until it is let go."""

    def __init__(self) -> None:
        self.batches: list[list[bytes]] = []
        self.may_go = asyncio.Event()

    async def work(self, messages: list[bytes], deadlines: list[float], leave: Leave) -> list[bytes]:
        self.batches.append(messages)
        await self.may_go.wait()
        return messages


def submit(batcher: MicroBatcher, *messages: bytes) -> list[asyncio.Task]:
    return [asyncio.ensure_future(batcher.submit(message, math.inf, len(message))) for message in messages]


async def turns_of_the_loop() -> None:
    for _ in range(4):
        await asyncio.sleep(0)


def test_a_lone_call_goes_at_once():
    async def day() -> None:
        desk = Desk()
        batcher = MicroBatcher(desk.work, Bounds(100, 100))
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
        batcher = MicroBatcher(desk.work, Bounds(100, 100))
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
        batcher = MicroBatcher(desk.work, Bounds(8, 100))
        await asyncio.gather(*submit(batcher, *(b"%d" % number for number in range(20))))
        assert [len(batch) for batch in desk.batches] == [8, 8, 4]

    asyncio.run(day())


def test_beyond_the_bound_a_call_is_refused_at_once_and_the_others_are_answered():
    async def day() -> None:
        desk = Desk()
        batcher = MicroBatcher(desk.work, Bounds(10, 3))
        submit(batcher, b"in work")
        await asyncio.sleep(0.001)
        waiting = submit(batcher, b"a", b"b", b"c")
        await asyncio.sleep(0)
        with pytest.raises(AdjudicatorError) as refused:
            await batcher.submit(b"d", math.inf, 1)
        assert refused.value.problems[0].number == E.OVERLOADED
        desk.may_go.set()
        assert await asyncio.gather(*waiting) == [b"a", b"b", b"c"]

    asyncio.run(day())


def test_long_messages_are_bounded_by_their_bytes_and_joined_only_while_they_fit():
    async def day() -> None:
        desk = Desk()
        batcher = MicroBatcher(desk.work, Bounds(100, 100, waiting_bytes=40 << 20))
        submit(batcher, b"in work")
        await asyncio.sleep(0.001)
        long = submit(batcher, *[bytes(10 << 20)] * 3)
        await asyncio.sleep(0)
        with pytest.raises(AdjudicatorError) as refused:
            await batcher.submit(bytes(11 << 20), math.inf, 11 << 20)
        assert refused.value.problems[0].number == E.OVERLOADED
        desk.may_go.set()
        await asyncio.gather(*long)
        assert [len(batch) for batch in desk.batches] == [1, 1, 1, 1]

    asyncio.run(day())


def test_a_caller_that_has_gone_is_not_worked_for():
    async def day() -> None:
        desk = Desk()
        batcher = MicroBatcher(desk.work, Bounds(10, 10))
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
        async def work(messages: list[bytes], deadlines: list[float], leave: Leave) -> list[bytes]:
            if b"bad" in messages:
                raise RuntimeError("a fault")
            return messages

        batcher = MicroBatcher(work, Bounds(1, 10))
        bad, good = submit(batcher, b"bad", b"good")
        assert await good == b"good"
        with pytest.raises(RuntimeError):
            await bad

    asyncio.run(day())


def test_calls_are_counted_by_their_claims():
    async def day() -> None:
        desk = Desk()
        batcher = MicroBatcher(desk.work, Bounds(250, 300))
        calls = [asyncio.ensure_future(batcher.submit(b"%d" % number, math.inf, 1, 100)) for number in range(3)]
        await asyncio.sleep(0)
        assert batcher.waiting == 300
        with pytest.raises(AdjudicatorError):
            await batcher.submit(b"more", math.inf, 1, 1)
        desk.may_go.set()
        await asyncio.gather(*calls)
        assert [len(batch) for batch in desk.batches] == [2, 1]
        assert await batcher.submit(b"one of any size", math.inf, 1, 10_000) == b"one of any size"

    asyncio.run(day())


class Store:
    """Prices at once and answers each batch when it is let go, as a store does."""

    def __init__(self) -> None:
        self.commits: list[tuple[list[bytes], asyncio.Event]] = []

    async def work(self, messages: list[bytes], deadlines: list[float], leave: Leave) -> list[bytes]:
        written = asyncio.Event()
        self.commits.append((messages, written))
        leave()
        await written.wait()
        return messages


def test_a_batch_that_is_worth_it_is_priced_while_the_store_writes_the_last_one():
    async def day() -> None:
        store = Store()
        batcher = MicroBatcher(store.work, Bounds(100, 1000))
        crowd = submit(batcher, *(b"%d" % number for number in range(40)))
        await turns_of_the_loop()
        few = submit(batcher, *(b"few %d" % number for number in range(31)))
        await turns_of_the_loop()
        assert [len(messages) for messages, _ in store.commits] == [40]  # too few for a commit of their own
        many = submit(batcher, *(b"many %d" % number for number in range(9)))
        await turns_of_the_loop()
        assert [len(messages) for messages, _ in store.commits] == [40, 40]
        third = submit(batcher, *(b"third %d" % number for number in range(80)))
        await turns_of_the_loop()
        assert len(store.commits) == 2  # no more than two at a time
        for _, written in store.commits:
            written.set()
        await asyncio.gather(*crowd, *few, *many)
        while len(store.commits) < 3:  # after a moment in which more might have come
            await asyncio.sleep(0.001)
        store.commits[2][1].set()
        await asyncio.gather(*third)

    asyncio.run(day())


def test_a_crowd_that_comes_one_after_the_other_shares_its_batches():
    """Callers that call again after each answer, and a transport that hands over one call at a time."""

    async def day(callers: int) -> list[int]:
        sizes: list[int] = []

        async def work(messages: list[bytes], deadlines: list[float], leave: Leave) -> list[bytes]:
            sizes.append(len(messages))
            await asyncio.sleep(0.02)
            leave()
            await asyncio.sleep(0.02)
            return messages

        batcher = MicroBatcher(work, Bounds(100, 1000))
        door = asyncio.Lock()

        async def caller() -> None:
            for _ in range(12):
                async with door:
                    await asyncio.sleep(0)
                await batcher.submit(b"claim", math.inf, 5)

        await asyncio.gather(*(caller() for _ in range(callers)))
        return sizes

    assert asyncio.run(day(1)) == [1] * 12
    sizes = asyncio.run(day(16))
    assert sorted(sizes)[len(sizes) // 2] >= 12  # a batch before held half of them, whatever the crowd


def test_what_is_in_work_can_be_waited_for():
    async def day() -> None:
        desk = Desk()
        batcher = MicroBatcher(desk.work, Bounds(10, 10))
        (call,) = submit(batcher, b"one")
        await turns_of_the_loop()
        call.cancel()  # its caller goes away: it is finished all the same
        down = asyncio.ensure_future(batcher.settle_down())
        await turns_of_the_loop()
        assert not down.done()
        desk.may_go.set()
        await down
        assert desk.batches == [[b"one"]]

    asyncio.run(day())
