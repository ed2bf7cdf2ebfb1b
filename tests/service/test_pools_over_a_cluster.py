"""A service of several pools over a real cluster: every pool settles, adds up and reconciles."""

from __future__ import annotations

import asyncio

import pytest
from benchmarks.thirty_pools import City, Size, city, pool_of

from adjudicator.errors import AdjudicatorError
from adjudicator.ledger.embedded import find_server_binary
from adjudicator.ledger.store import Ledger
from adjudicator.payers import Fund
from adjudicator.v1 import pooling_pb2

POOLS, SIZE = 4, Size(calls=2, claims=20, lines=3)
OF_POOL = SIZE.calls * SIZE.claims


@pytest.mark.check
def test_four_pools_settle_over_three_nodes():
    try:
        find_server_binary()
    except AdjudicatorError as error:
        pytest.skip(f"needs the packaged server: {error}")
    with city(POOLS, 3, SIZE) as running:
        run = running.measure(dict.fromkeys(range(POOLS), 1))
        assert run.claims == POOLS * OF_POOL
        assert set(run.rates) == {pool_of(number) for number in range(POOLS)}
        assert len({running.cluster.node_of(pool) for pool in run.rates}) > 1
        checks = asyncio.run(running.verify(POOLS))
        assert [(check.holds, check.records) for check in checks] == [(True, OF_POOL)] * POOLS
        for pool in run.rates:
            assert asyncio.run(settled(running, pool)) == (OF_POOL, OF_POOL)


async def settled(running: City, pool: str) -> tuple[int, int]:
    """Return the settlements of a pool by its totals and by the statements of its hospitals."""
    async with await Ledger.open(running.cluster.url) as ledger:
        totals = await ledger.totals(pool)
        by_totals = sum(row.amount_fen for row in totals.rows if row.fund == Fund.CLAIMS)
        by_statements = 0
        for hospital in running.messages.hospitals(pool):
            statement = pooling_pb2.Statement(
                pool=pool, institution_code=hospital, from_date=2024_01_01, to_date=2024_12_31
            )
            by_statements += (await ledger.reconcile(statement)).settlements
        return by_totals, by_statements
