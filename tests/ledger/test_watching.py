"""Watching totals: all who watch a pool share one reader, nobody holds up another, each version comes once."""

from __future__ import annotations

import asyncio

import pytest

from adjudicator.codes import Scheme
from adjudicator.errors import AdjudicatorError, E
from adjudicator.ledger import watching
from adjudicator.payers import Fund
from tests.ledger.made import Case, settle


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(watching, "SHORTEST_PAUSE_SECONDS", 0.0)


async def follow(ledger, pool: str, end: int, seen: list, **selection) -> None:
    """Note version and number of settlements of each message, up to version ``end``."""
    async for totals in ledger.watch(pool, **selection):
        seen.append((totals.version, sum(row.amount_fen for row in totals.rows if row.fund == Fund.CLAIMS)))
        if totals.version == end:
            return


async def blocked(ledger) -> int:
    """Commands that wait at the store."""
    return int((await ledger.connection.client.info("clients"))["blocked_clients"])


async def until(condition, seconds: float = 10.0) -> None:
    async def look():
        while not await condition():
            await asyncio.sleep(0.01)

    await asyncio.wait_for(look(), seconds)


def test_fifty_watchers_wait_at_the_store_with_one_command(play, pool):
    async def scenario(ledger):
        await settle(ledger, [Case("Wang", "E0")], pool)
        seen = [[] for _ in range(50)]
        watchers = [asyncio.create_task(follow(ledger, pool, 4, one)) for one in seen]

        async def all_watch():
            return all(seen) and await blocked(ledger) > 0

        await until(all_watch)
        most = 0
        for number in range(1, 4):
            await asyncio.sleep(0.05)
            most = max(most, await blocked(ledger))
            await settle(ledger, [Case("Wang", f"E{number}")], pool)
        await asyncio.wait_for(asyncio.gather(*watchers), 10)
        assert most == 1
        for one in seen:
            versions = [version for version, _ in one]
            assert versions == sorted(set(versions)) and versions[0] == 1 and versions[-1] == 4
            assert all(version == claims for version, claims in one)

        async def nobody_waits():
            return await blocked(ledger) == 0

        await until(nobody_waits)

    play(scenario)


def test_a_slow_watcher_holds_up_nobody_and_catches_up(play, pool):
    async def scenario(ledger):
        await settle(ledger, [Case("Wang", "E0")], pool)
        slow = ledger.watch(pool)
        assert (await anext(slow)).version == 1
        seen: list = []
        quick = asyncio.create_task(follow(ledger, pool, 6, seen))
        for number in range(1, 6):

            async def is_seen(number=number):
                return bool(seen) and seen[-1][0] == number

            await until(is_seen)
            await settle(ledger, [Case("Wang", f"E{number}")], pool)
        await asyncio.wait_for(quick, 10)
        assert [version for version, _ in seen] == [1, 2, 3, 4, 5, 6]
        # It took no message meanwhile: the next one holds all that it missed, and each later version comes once.
        caught_up = await asyncio.wait_for(anext(slow), 10)
        assert (caught_up.version, {row.amount_fen for row in caught_up.rows if row.fund == Fund.CLAIMS}) == (6, {6})
        next_one = asyncio.ensure_future(anext(slow))
        await asyncio.sleep(0.05)
        assert not next_one.done()
        await settle(ledger, [Case("Wang", "E6")], pool)
        assert (await asyncio.wait_for(next_one, 10)).version == 7
        await slow.aclose()

    play(scenario)


def test_who_comes_later_starts_with_the_totals_now(play, pool):
    async def scenario(ledger):
        await settle(ledger, [Case("Wang", "E0"), Case("Li", "E1", county=990102, scheme=Scheme.EMPLOYEE)], pool)
        first = ledger.watch(pool)
        await anext(first)
        await settle(ledger, [Case("Wang", "E2")], pool)
        later = ledger.watch(pool, county="990102", scheme="310")
        now = await anext(later)
        assert now.version == 3 and {row.county for row in now.rows} == {"990102"}
        await settle(ledger, [Case("Li", "E3", county=990102, scheme=Scheme.EMPLOYEE)], pool)
        changed = await asyncio.wait_for(anext(later), 10)
        assert [row.amount_fen for row in changed.rows if row.fund == Fund.CLAIMS] == [2]
        await first.aclose()
        await settle(ledger, [Case("Wang", "E4")], pool)
        assert (await asyncio.wait_for(anext(later), 10)).version == 5  # the reader goes on without the first
        await later.aclose()

    play(scenario)


def test_a_failure_reaches_every_watcher_and_the_next_one_reads_anew(play, pool):
    async def scenario(ledger):
        await settle(ledger, [Case("Wang", "E0")], pool)
        streams = [ledger.watch(pool) for _ in range(3)]
        for stream in streams:
            await anext(stream)
        client, name = ledger.connection.client, "990101|390|390100"
        await client.hset(f"adj:{{{pool}}}:totals:202405", "nonsense", "1")
        await settle(ledger, [Case("Wang", "E1")], pool)
        for stream in streams:
            with pytest.raises(AdjudicatorError) as refused:
                await asyncio.wait_for(anext(stream), 10)
            assert refused.value.problems[0].number == E.LEDGER_CORRUPT
        await client.hdel(f"adj:{{{pool}}}:totals:202405", "nonsense")
        assert int(await client.hget(f"adj:{{{pool}}}:totals:202405", name)) > 0
        again = ledger.watch(pool)
        assert (await anext(again)).version == 2
        await again.aclose()

    play(scenario)
