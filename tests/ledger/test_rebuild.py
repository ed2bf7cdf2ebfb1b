"""Rebuild beside settlement: nothing waits, nothing is lost or doubled; and rebuild that holds commits back."""

from __future__ import annotations

import asyncio
import random
import struct
from functools import partial

import numpy as np
import pytest

from adjudicator.errors import AdjudicatorError, E
from adjudicator.ledger import journal
from adjudicator.ledger import keys as names
from adjudicator.ledger import rebuild as rebuilding
from adjudicator.ledger.batch import pack
from adjudicator.ledger.layout import STATE_HEAD
from adjudicator.payers import Fund
from tests.ledger.made import Case, random_case, settle, settlements

WANG = Case("Wang", "E1")


async def damage(ledger, pool: str, random_: random.Random) -> int:
    """Lose a part of everything that follows from the journal, and change another part.

    Return how many statements were changed; at least one is, so that their repair is always seen.
    """
    statements = 0
    client, keep = ledger.connection.client, ledger.connection.persist
    for key in [key async for key in client.scan_iter(f"adj:\\{{{pool}}}:*", count=1000)]:
        kind = key.split(b"}:", 1)[1].partition(b":")[0]
        if kind == b"state" and random_.random() < 0.5:
            await keep(partial(client.delete, key))
        elif kind == b"state" and random_.random() < 0.3:
            value = struct.pack("<q", random_.randrange(10**6))
            await keep(partial(client.setrange, key, STATE_HEAD.itemsize + 8, value))
        elif kind == b"statement" and (not statements or random_.random() < 0.5):
            await keep(partial(client.set, key, b"\xff\xff"))
            statements += 1
        elif kind == b"totals":
            for name in await keep(partial(client.hkeys, key)):
                if random_.random() < 0.3:
                    await keep(partial(client.hincrby, key, name, random_.randrange(-(10**6), 10**6)))
    return statements


def test_settlement_goes_on_while_everything_is_made_anew(play, pool, monkeypatch):
    random_ = random.Random(4)
    sizes: list[int] = []
    monkeypatch.setattr(rebuilding, "MOST_VALUES", 40)
    step = rebuilding.Turn.step

    async def counted(turn, kind, *values):
        sizes.append(len(values))
        await step(turn, kind, *values)

    monkeypatch.setattr(rebuilding.Turn, "step", counted)

    async def scenario(ledger):
        for first in range(0, 600, 50):
            cases = [random_case(random_, number, people=100) for number in range(first, first + 50)]
            await settle(ledger, cases, pool)
        over, settled = asyncio.Event(), [600]

        async def write(writer):
            number = 0
            while not over.is_set():
                case = random_case(random_, 100_000 * (writer + 1) + number, people=100)
                await settle(ledger, [case], pool)  # raises where it is refused
                settled[0] += 1
                number += 1

        writers = [asyncio.create_task(write(writer)) for writer in range(3)]
        for _ in range(3):
            damaged = await damage(ledger, pool, random_)
            result = await ledger.rebuild(pool)
            assert result.states > 20 and result.statements >= damaged > 0 and not result.index_entries
            check = await ledger.verify(pool)
            # Who was settled on a damaged state breaks his chain: that stays visible. Nothing else is wrong.
            assert {difference.kind for difference in check.differences} <= {"chain"}, check.differences[:5]
        before = settled[0]
        await ledger.rebuild(pool)
        over.set()
        await asyncio.gather(*writers)
        assert before > 600
        totals = await ledger.totals(pool)
        claims = sum(row.amount_fen for row in totals.rows if row.fund == Fund.CLAIMS)
        assert totals.version == claims == settled[0]
        assert max(sizes) <= 5 * 40

    play(scenario)


def test_a_settlement_priced_over_a_value_that_was_replaced_is_not_written(play, pool):
    async def scenario(ledger):
        await settle(ledger, [WANG], pool)
        key = names.state(pool, WANG.state_key)
        await ledger.connection.client.setrange(key, STATE_HEAD.itemsize + 8, struct.pack("<q", 99))
        case = Case("Wang", "E2")
        read = await ledger.read(pool, case.key, case.state_key)
        batch = pack(settlements([case], read.states, np.zeros(1, np.int64), pool))
        assert (await ledger.rebuild(pool)).states == 1
        committed = await ledger.commit(batch)
        assert (committed.done, committed.moved) == (False, (0,))
        await settle(ledger, [case], pool)
        await ledger.reverse(pool, case.key, case.reversal_key)
        assert (await ledger.verify(pool)).holds

    play(scenario)


def test_a_repeated_step_changes_nothing_more(play, pool):
    async def scenario(ledger):
        await settle(ledger, [WANG], pool)
        turn = rebuilding.Turn(ledger.connection, pool, holds=False)
        await turn.begin()
        for _ in range(2):
            turn._steps = 0
            await turn.step("totals", "202405", "990101|390|390100", "60000", "60007", "7")
        total = await ledger.connection.client.hget(names.totals(pool, 202405), "990101|390|390100")
        assert total == b"60007"
        await turn.end()
        assert await ledger.connection.client.get(names.rebuilding(pool)) is None

    play(scenario)


@pytest.mark.parametrize("lost", ["asked", "version", "index"])
def test_commits_wait_for_a_rebuild_that_holds_them(play, pool, monkeypatch, lost):
    async def scenario(ledger):
        await settle(ledger, [WANG], pool)
        client = ledger.connection.client
        await client.delete(names.state(pool, WANG.state_key))
        if lost == "version":
            await client.set(names.version(pool), "20")
        if lost == "index":
            (bucket,) = [key async for key in client.scan_iter(f"adj:\\{{{pool}}}:index:*")]
            await client.delete(bucket)
        reached, go_on = asyncio.Event(), asyncio.Event()
        original = rebuilding._rebuild_states

        async def paused(*arguments):
            reached.set()
            await go_on.wait()
            return await original(*arguments)

        monkeypatch.setattr(rebuilding, "_rebuild_states", paused)
        repair = asyncio.create_task(ledger.rebuild(pool, hold=lost == "asked"))
        await asyncio.wait_for(reached.wait(), 10)
        with pytest.raises(AdjudicatorError) as refused:
            await settle(ledger, [Case("Wu", "E30")], pool)
        assert refused.value.problems[0].number == E.STORE_AWAY
        with pytest.raises(AdjudicatorError) as refused:
            await ledger.rebuild(pool)
        assert refused.value.problems[0].number == E.CONFLICT
        go_on.set()
        assert (await repair).states == 1
        await settle(ledger, [Case("Wu", "E30")], pool)
        assert (await ledger.verify(pool)).holds

    play(scenario)


def test_a_rebuild_that_lost_its_turn_changes_nothing_more(play, pool, monkeypatch):
    async def scenario(ledger):
        await settle(ledger, [WANG], pool)
        await ledger.connection.client.delete(names.state(pool, WANG.state_key))
        original = rebuilding._rebuild_states

        async def overtaken(*arguments):
            await ledger.connection.client.delete(names.rebuilding(pool))
            await settle(ledger, [Case("Wang", "E31", deltas={"stays": 5})], pool)
            return await original(*arguments)

        monkeypatch.setattr(rebuilding, "_rebuild_states", overtaken)
        with pytest.raises(AdjudicatorError) as refused:
            await ledger.rebuild(pool)
        assert refused.value.problems[0].number == E.STORE_AWAY
        monkeypatch.undo()
        await ledger.rebuild(pool)
        check = await ledger.verify(pool)
        # Wang was settled on a state that had been deleted: that stays visible, and nothing else is wrong.
        assert [str(difference).partition(":")[0] for difference in check.differences] == ["chain entry 2"]

    play(scenario)


def test_statements_are_made_anew_from_a_journal_that_is_read_in_several_pieces(play, pool, monkeypatch):
    monkeypatch.setattr(journal, "CHUNK_BLOCKS", 1)

    async def scenario(ledger):
        random_, client = random.Random(7), ledger.connection.client
        for first in range(0, 120, 20):
            await settle(ledger, [random_case(random_, number, people=30) for number in range(first, first + 20)], pool)
        lost = [key async for key in client.scan_iter(f"adj:\\{{{pool}}}:statement:*")]
        await client.delete(*lost)
        await settle(ledger, [random_case(random_, 200, people=30)], pool)
        assert (await ledger.rebuild(pool)).statements >= len(lost) > 1
        check = await ledger.verify(pool)
        assert check.holds, check.differences[:5]

    play(scenario)
