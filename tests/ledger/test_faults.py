"""A store that is away, slow, full, forgetful or killed: it is said plainly, nothing is lost, doubled or half done."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import threading
import time

import pytest
import redis

from adjudicator.errors import AdjudicatorError, E
from adjudicator.ledger.embedded import EmbeddedStore
from adjudicator.ledger.store import Ledger
from adjudicator.payers import Fund
from tests.ledger.made import POOL, Case, dump, random_case, settle


@pytest.fixture
def own(tmp_path):
    """A store that a test may mistreat."""
    with EmbeddedStore.start(tmp_path) as running:
        yield running


def refused_with(number: E):
    return pytest.raises(AdjudicatorError, match=f"ADJ-{int(number)}")


def needs_waitaof(store: EmbeddedStore) -> None:
    """Skips on a server older than Redis 7.2, which can only be used with appendfsync always."""
    with redis.Redis.from_url(store.url) as client:
        try:
            client.execute_command("WAITAOF", 0, 0, 1)
        except redis.ResponseError:
            pytest.skip("this server has no WAITAOF")


async def impatient(store: EmbeddedStore) -> Ledger:
    return await Ledger.open(store.url, timeout_seconds=0.4, attempt_seconds=0.2)


def test_a_store_that_is_not_there(own):
    async def scenario():
        async with await impatient(own) as ledger:
            await settle(ledger, [Case("Wang", "E1")], POOL)
            own.stop()
            started = time.monotonic()
            for call in (
                ledger.read(POOL, b"", b""),
                ledger.totals(POOL),
                settle(ledger, [Case("Li")], POOL),
                ledger.verify(POOL),
                ledger.reverse(POOL, Case("Wang").key, Case("Wang").reversal_key),
            ):
                with refused_with(E.STORE_AWAY):
                    await call
            assert time.monotonic() - started < 10
            with refused_with(E.STORE_AWAY):
                await impatient(own)
            with EmbeddedStore.start(own.folder):  # it comes back, and the same ledger goes on
                await settle(ledger, [Case("Li", "E2")], POOL)
                assert (await ledger.verify(POOL)).records == 2

    asyncio.run(scenario())


def test_a_store_that_hangs_and_then_does_what_it_was_asked(own):
    case = Case("Wang")

    async def scenario():
        async with await impatient(own) as ledger:
            await ledger.totals(POOL)
            os.kill(own.pid, signal.SIGSTOP)
            try:
                with refused_with(E.STORE_AWAY):
                    await settle(ledger, [case], POOL)
            finally:
                os.kill(own.pid, signal.SIGCONT)
            await settle(ledger, [case], POOL)
            check = await ledger.verify(POOL)
            assert check.holds and check.records == 1

    asyncio.run(scenario())


def test_a_commit_whose_answer_is_lost_is_recognised_as_our_own(own):
    """The store writes the batch while it is too slow to say so; the repeat finds it and reports it as done."""

    async def scenario():
        async with await Ledger.open(own.url, timeout_seconds=10, attempt_seconds=0.3) as ledger:
            await ledger.post(POOL, b"0" * 16, 202405, [(990101, 1, Fund.POOLED, 1)])
            blocker = asyncio.create_task(ledger.connection.client.execute_command("DEBUG", "SLEEP", 0.8))
            await asyncio.sleep(0.05)
            assert await ledger.post(POOL, b"1" * 16, 202405, [(990101, 1, Fund.POOLED, 1)]) is True
            await asyncio.gather(blocker, return_exceptions=True)
            assert await ledger.version(POOL) == 2
            assert (await ledger.verify(POOL)).holds

    with_debug(own)
    asyncio.run(scenario())


def with_debug(store: EmbeddedStore) -> None:
    """Restarts the store with the DEBUG command allowed; it is off by default."""
    config = store.folder / "valkey.conf"
    store._shutdown(10)
    original = EmbeddedStore.start.__globals__["_CONFIG"]
    EmbeddedStore.start.__globals__["_CONFIG"] = original + "enable-debug-command yes\n"
    try:
        assert store.ensure_running()
        assert "enable-debug-command" in config.read_text()
    finally:
        EmbeddedStore.start.__globals__["_CONFIG"] = original


def test_a_full_store_refuses_whole_batches_and_goes_on_when_it_has_room(tmp_path):
    random_ = random.Random(4)

    async def fill(ledger):
        number = 0
        while number < 100_000:
            cases = [random_case(random_, number + i, people=500) for i in range(50)]
            await settle(ledger, cases, POOL)
            number += 50

    async def scenario(url):
        async with await Ledger.open(url) as ledger:
            with refused_with(E.STORE_FULL):
                await fill(ledger)
            check = await ledger.verify(POOL)
            assert check.holds and check.records > 0 and check.records % 50 == 0
            before = await dump(ledger, POOL)
            with refused_with(E.STORE_FULL):
                await settle(ledger, [Case("Wang", "last")], POOL)
            assert await dump(ledger, POOL) == before
            await ledger.connection.client.config_set("maxmemory", "0")
            await settle(ledger, [Case("Wang", "last")], POOL)
            assert (await ledger.verify(POOL)).records == check.records + 1

    with EmbeddedStore.start(tmp_path, max_memory="4mb") as store:
        asyncio.run(scenario(store.url))


def test_a_store_that_has_become_a_replica_is_away_until_it_leads_again(own):
    async def scenario():
        async with await impatient(own) as ledger:
            await settle(ledger, [Case("Wang", "E1")], POOL)
            await ledger.connection.client.execute_command("REPLICAOF", "127.0.0.1", "1")
            before = await dump(ledger, POOL)
            with refused_with(E.STORE_AWAY):
                await settle(ledger, [Case("Wang", "E2")], POOL)
            assert await dump(ledger, POOL) == before
            await ledger.connection.client.execute_command("REPLICAOF", "NO", "ONE")
            await settle(ledger, [Case("Wang", "E2")], POOL)
            assert (await ledger.verify(POOL)).records == 2

    asyncio.run(scenario())


def test_a_store_that_forgets_is_refused(own):
    async def scenario():
        async with await Ledger.open(own.url) as ledger:
            await ledger.connection.client.config_set("appendonly", "no")
        with refused_with(E.STORE_NOT_DURABLE):
            await Ledger.open(own.url)
        async with await Ledger.open(own.url, allow_volatile=True) as ledger:
            await settle(ledger, [Case("Wang")], POOL)

    asyncio.run(scenario())


def test_a_store_that_comes_back_forgetful_is_refused(own):
    """After a lost connection another server may answer: it has to prove again that it keeps what it says."""

    async def scenario():
        async with await Ledger.open(own.url, timeout_seconds=3, attempt_seconds=0.3) as ledger:
            await settle(ledger, [Case("Wang", "E1")], POOL)
            await ledger.connection.client.config_set("appendonly", "no")
            async with await Ledger.open(own.url, allow_volatile=True) as other:
                await other.connection.client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            with refused_with(E.STORE_NOT_DURABLE):
                await settle(ledger, [Case("Wang", "E2")], POOL)

    asyncio.run(scenario())


def test_a_store_that_syncs_every_second_is_waited_for(own):
    needs_waitaof(own)

    async def scenario():
        async with await Ledger.open(own.url) as ledger:
            assert not ledger.connection.waits_for_disk
            await ledger.connection.client.config_set("appendfsync", "everysec")
        async with await Ledger.open(own.url) as ledger:
            assert ledger.connection.waits_for_disk
            await settle(ledger, [Case("Wang")], POOL)
            os.kill(own.pid, signal.SIGKILL)
            own.ensure_running()
            assert (await ledger.verify(POOL)).records == 1

    asyncio.run(scenario())


def test_a_store_that_hides_its_configuration_is_asked_to_wait_instead(own):
    needs_waitaof(own)

    async def scenario():
        async with await Ledger.open(own.url) as ledger:
            await ledger.connection.client.execute_command(
                "ACL", "SETUSER", "service", "on", ">secret", "~adj:*", "+@all", "-config"
            )
        url = own.tcp_url.replace(f":{own.password}@", "service:secret@")
        async with await Ledger.open(url) as ledger:
            assert ledger.connection.waits_for_disk
            await settle(ledger, [Case("Wang")], POOL)
            assert (await ledger.get(POOL, Case("Wang").key)).position == 1

    asyncio.run(scenario())


def test_a_replica_that_must_have_the_write_too(own, tmp_path):
    needs_waitaof(own)

    async def scenario(replica):
        async with await Ledger.open(own.url) as leader:
            await leader.connection.client.config_set("repl-diskless-sync-delay", "0")
        with refused_with(E.STORE_AWAY):  # nobody follows yet
            await Ledger.open(own.url, timeout_seconds=0.5, attempt_seconds=0.2, replicas=1)
        async with await Ledger.open(replica.url, allow_volatile=True) as follower:
            client = follower.connection.client
            await client.config_set("masterauth", own.password)
            await client.config_set("repl-diskless-sync-delay", "0")
            await client.execute_command("REPLICAOF", "127.0.0.1", own.port)
            async with await Ledger.open(own.url, timeout_seconds=20, replicas=1) as ledger:
                await settle(ledger, [Case("Wang")], POOL)
                assert (await follower.totals(POOL)).rows == (await ledger.totals(POOL)).rows
            await client.execute_command("REPLICAOF", "NO", "ONE")
            assert (await follower.verify(POOL)).holds

    with EmbeddedStore.start(tmp_path / "replica") as replica:
        asyncio.run(scenario(replica))


def test_a_caller_who_gives_up_confuses_nobody_else(own):
    """A cancelled call leaves no answer behind that the next call on the connection would take for its own."""
    random_ = random.Random(6)

    async def scenario():
        async with await Ledger.open(own.url) as ledger:
            for number in range(60):
                task = asyncio.create_task(settle(ledger, [random_case(random_, number, people=3)], POOL))
                await asyncio.sleep(random_.random() * 0.002)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                assert (await ledger.totals(POOL)).version == await ledger.version(POOL)
            check = await ledger.verify(POOL)
            assert check.holds, check.differences

    asyncio.run(scenario())


def test_killed_again_and_again_in_the_middle_of_commits(own):
    """Eight writers, every claim sent twice, the store killed -9 again and again: nothing is lost or doubled."""
    random_ = random.Random(7)
    cases = [random_case(random_, number, people=40) for number in range(600)]
    sent = cases + cases
    random_.shuffle(sent)
    acknowledged: set[bytes] = set()
    over = threading.Event()
    kills = 0

    def kill() -> None:
        nonlocal kills
        while not over.wait(0.08) and kills < 5:
            os.kill(own.pid, signal.SIGKILL)
            own.ensure_running()
            kills += 1

    async def write(ledger, share):
        for start in range(0, len(share), 5):
            batch = list({case.key: case for case in share[start : start + 5]}.values())
            await settle(ledger, batch, POOL, attempts=500)
            acknowledged.update(case.key for case in batch)
            await asyncio.sleep(0.02)

    async def scenario():
        async with await Ledger.open(own.url, timeout_seconds=30) as ledger:
            killer = threading.Thread(target=kill)
            killer.start()
            try:
                await asyncio.gather(*(write(ledger, sent[writer::8]) for writer in range(8)))
            finally:
                over.set()
                killer.join()
            check = await ledger.verify(POOL)
            assert check.holds, check.differences
            assert check.records == len(acknowledged) == 600
            claims = sum(row.amount_fen for row in (await ledger.totals(POOL)).rows if row.fund == Fund.TOTAL_COST)
            assert claims == sum(case.total_fen for case in cases)

    asyncio.run(scenario())
    assert kills >= 2
