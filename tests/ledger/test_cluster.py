"""The ledger over a real cluster: pools on each node, a node away, a pool that moves, nodes that do not sync."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
from collections.abc import Iterator

import pytest
from benchmarks.store_cluster import Node, StoreCluster, store_cluster
from redis.crc import key_slot

from adjudicator.errors import AdjudicatorError, E
from adjudicator.ledger import keys as names
from adjudicator.ledger.embedded import find_server_binary
from adjudicator.ledger.store import Ledger
from adjudicator.payers import Fund
from adjudicator.v1 import pooling_pb2
from tests.ledger.made import Case, random_case, settle

pytestmark = pytest.mark.check
POOLS = [f"{990_000 + number}" for number in range(9)]
HOSPITAL = "H99010100001"


@pytest.fixture(scope="module")
def binary() -> None:
    try:
        find_server_binary()
    except AdjudicatorError as error:
        pytest.skip(f"needs the packaged server: {error}")


@pytest.fixture(scope="module")
def cluster(binary, tmp_path_factory) -> Iterator[StoreCluster]:
    """Three nodes for all tests that leave them as they are."""
    with store_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture
def own_cluster(binary, tmp_path) -> Iterator[StoreCluster]:
    """Three nodes that a test may end or change."""
    with store_cluster(tmp_path) as running:
        yield running


def cases_of(pool: str, count: int = 40) -> list[Case]:
    """Settlements of a small city, different in each pool."""
    chance = random.Random(pool)
    return [random_case(chance, number) for number in range(count)]


def play(url: str, scenario, **options) -> None:
    async def run() -> None:
        async with await Ledger.open(url, **options) as ledger:
            await scenario(ledger)

    asyncio.run(run())


async def settled(ledger: Ledger, cases: list[Case], pool: str) -> None:
    """Settle as soon as the node of a pool is known to be back."""
    for _ in range(200):
        with contextlib.suppress(AdjudicatorError):
            await settle(ledger, cases, pool)
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the node does not come back")


def test_every_pool_settles_adds_up_and_reconciles_wherever_it_lies(cluster):
    assert {cluster.node_of(pool) for pool in POOLS} == {0, 1, 2}

    async def scenario(ledger):
        await asyncio.gather(*(settle(ledger, cases_of(pool), pool) for pool in POOLS))
        for pool in POOLS:
            cases = cases_of(pool)
            await settle(ledger, cases, pool)  # once more: nothing new
            check = await ledger.verify(pool)
            assert check.holds, check.differences
            assert check.records == len(cases)
            totals = await ledger.totals(pool)
            assert sum(row.amount_fen for row in totals.rows if row.fund == Fund.CLAIMS) == len(cases)
            pooled = sum(row.amount_fen for row in totals.rows if row.fund == Fund.POOLED)
            assert pooled == sum(case.pooled_fen for case in cases)
            here = [case for case in cases if case.institution == HOSPITAL and case.date // 100 == 202405]
            statement = pooling_pb2.Statement(
                pool=pool, institution_code=HOSPITAL, from_date=20240501, to_date=20240531,
                total_fen=sum(case.total_fen for case in here), settlements=len(here),
                fund_total_fen=sum(case.pooled_fen + case.catastrophic_fen for case in here),
                account_fen=sum(case.account_fen for case in here),
            )  # fmt: skip
            assert (await ledger.reconcile(statement)).equal
        assert await ledger.pools() == POOLS

    play(cluster.url, scenario)


def test_taking_back_watching_and_rebuilding(cluster):
    pool, case = "991000", Case("Wang")

    async def scenario(ledger):
        watched = ledger.watch(pool)
        assert not (await anext(watched)).rows
        await settle(ledger, [case], pool)
        assert (await anext(watched)).rows
        await ledger.reverse(pool, case.key, case.reversal_key)
        client = ledger.connection.client
        state = names.state(pool, case.state_key)
        assert await client.delete(state) == 1
        assert not (await ledger.verify(pool)).holds
        assert (await ledger.rebuild(pool)).states == 1
        assert (await ledger.verify(pool)).holds
        await watched.aclose()

    play(cluster.url, scenario)


def test_a_node_that_is_away_refuses_its_own_pools_alone(own_cluster):
    async def scenario(ledger):
        for pool in POOLS:
            await settle(ledger, cases_of(pool, 5), pool)
        own_cluster.nodes[1].process.kill()
        own_cluster.nodes[1].process.wait()
        for pool in POOLS:
            if own_cluster.node_of(pool) == 1:
                with pytest.raises(AdjudicatorError) as refused:
                    await settle(ledger, cases_of(pool, 10), pool)
                assert refused.value.problems[0].number == E.STORE_AWAY
            else:
                await settle(ledger, cases_of(pool, 10), pool)
        ledger.connection.timeout_seconds = 1e9  # a call that waits for the node would take for ever
        with pytest.raises(AdjudicatorError):
            await ledger.read(next(pool for pool in POOLS if own_cluster.node_of(pool) == 1), bytes(16), b"")
        own_cluster.restart(1)
        for pool in POOLS:
            await settled(ledger, cases_of(pool, 10), pool)
            check = await ledger.verify(pool)
            assert check.holds, check.differences
            assert check.records == 10

    play(own_cluster.url, scenario, timeout_seconds=1.0)


def test_a_node_that_may_drop_keys_refuses_its_own_pools_alone(own_cluster):
    async def scenario(ledger):
        own_cluster.nodes[1].client.config_set("maxmemory-policy", "allkeys-lru")
        await ledger.ping()
        for pool in POOLS:
            if own_cluster.node_of(pool) == 1:
                with pytest.raises(AdjudicatorError) as refused:
                    await settle(ledger, cases_of(pool, 5), pool)
                assert refused.value.problems[0].number == E.STORE_EVICTS
            else:
                await settle(ledger, cases_of(pool, 5), pool)
        own_cluster.nodes[1].client.config_set("maxmemory-policy", "noeviction")
        await ledger.ping()
        for pool in POOLS:
            await settled(ledger, cases_of(pool, 5), pool)

    play(own_cluster.url, scenario)


def test_a_node_that_hangs_does_not_make_the_cluster_look_away(own_cluster):
    async def scenario(ledger):
        own_cluster.nodes[1].process.send_signal(signal.SIGSTOP)
        try:
            await asyncio.wait_for(ledger.ping(), ledger.connection.attempt_seconds)
        finally:
            own_cluster.nodes[1].process.send_signal(signal.SIGCONT)
        assert len(ledger.connection.facts) == 2

    play(own_cluster.url, scenario, attempt_seconds=2.0)


def test_a_pool_moves_to_another_node_while_it_settles(own_cluster):
    pool, cases = POOLS[0], cases_of(POOLS[0], 300)
    here = own_cluster.node_of(pool)
    there = (here + 1) % 3

    async def scenario(ledger):
        await settle(ledger, cases[:100], pool)
        move_slot(own_cluster.nodes[here], own_cluster.nodes[there], pool)
        for first in range(100, 300, 2):
            await settle(ledger, cases[first : first + 2], pool)
            await asyncio.sleep(0.01)
        assert own_cluster.nodes[there].client.execute_command("CLUSTER", "COUNTKEYSINSLOT", slot_of(pool)) > 0
        assert own_cluster.nodes[here].client.execute_command("CLUSTER", "COUNTKEYSINSLOT", slot_of(pool)) == 0
        check = await ledger.verify(pool)
        assert check.holds, check.differences
        assert check.records == 300

    play(own_cluster.url, scenario)


def slot_of(pool: str) -> int:
    return key_slot(names.version(pool).encode())


def move_slot(here: Node, there: Node, pool: str) -> None:
    """Move all keys of a pool at one moment, as Valkey 9 can."""
    to = there.client.execute_command("CLUSTER MYID").decode()
    here.client.execute_command("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", slot_of(pool), slot_of(pool), "NODE", to)


def test_a_node_that_syncs_later_is_waited_for_and_one_that_keeps_nothing_is_refused(own_cluster):
    for node in own_cluster.nodes:
        node.client.config_set("appendfsync", "everysec")

    async def scenario(ledger):
        assert ledger.connection.waits_for_disk
        for pool in POOLS[:3]:
            await settle(ledger, cases_of(pool), pool)
            await settle(ledger, cases_of(pool), pool)
            assert (await ledger.verify(pool)).holds

    play(own_cluster.url, scenario)
    for node in own_cluster.nodes:
        node.client.config_set("appendonly", "no")
    with pytest.raises(AdjudicatorError) as refused:
        play(own_cluster.url, scenario)
    assert refused.value.problems[0].number == E.STORE_NOT_DURABLE
