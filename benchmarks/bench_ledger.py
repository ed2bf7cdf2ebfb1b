"""The ledger's commit, every batch on the disk before it returns, beside the same writes as a plain pipeline.

The peer checks nothing: per claim one XADD of as many bytes and one HINCRBY for each of its postings, sent as one
pipeline by the same client to the same server, synced always. The ledger reads the batch first (keys and persons'
years), packs records, and commits them with all its checks. Turns alternate, the first round is dropped, the best of
each side is compared: the ratio counts, not the rate. Claims have 50 lines.
"""

from __future__ import annotations

import asyncio
import itertools
import platform
import random
import time
from collections.abc import Iterator
from dataclasses import fields
from functools import cached_property

import numpy as np
import pytest
from tests.ledger.made import Case, random_case, settlements, unique_states

from adjudicator.ledger.batch import pack
from adjudicator.ledger.embedded import EmbeddedStore
from adjudicator.ledger.record import read_block
from adjudicator.ledger.store import Ledger
from adjudicator.v1 import settlement_pb2

POOL = "990100"
ROUNDS = 6
CLAIMS_PER_ROUND = {1: 60, 10: 300, 100: 2000, 1000: 4000}
LINES = 50
AIM = "aim: thousands of claims/s in batches of 100 to 1,000, not slower than the plain pipeline"
numbers = itertools.count()


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Iterator[EmbeddedStore]:
    with EmbeddedStore.start(tmp_path_factory.mktemp("bench")) as running:
        yield running


class LongCase(Case):
    """A settlement of 50 lines."""

    @cached_property
    def lines(self) -> list[settlement_pb2.LineResult]:
        amount = self.total_fen // LINES
        first = self.total_fen - amount * (LINES - 1)
        return [
            settlement_pb2.LineResult(
                line_id=f"{number + 1}",
                amount_fen=fen,
                in_scope_fen=fen,
                price_ceiling_e4=999_999_000_000,
                item_class=1,
            )
            for number, fen in enumerate([first, *[amount] * (LINES - 1)])
        ]


def new_cases(count: int) -> list[Case]:
    random_ = random.Random(3)
    cases = [random_case(random_, next(numbers), people=100_000) for _ in range(count)]
    return [LongCase(**{field.name: getattr(case, field.name) for field in fields(case)}) for case in cases]


def columns(cases: list[Case], read, rows: np.ndarray):
    """Columns of claims of 50 lines; making them is the service's work and is not measured."""
    return settlements(cases, read.states, rows, POOL)


async def ours(ledger: Ledger, size: int, claims: int) -> tuple[float, float]:
    """Seconds of read + pack + commit, and of the commit alone."""
    whole = commit = 0.0
    for _ in range(claims // size):
        cases = new_cases(size)
        state_keys, rows = unique_states(cases)
        keys = b"".join(case.key for case in cases)
        begin = time.perf_counter()
        read = await ledger.read(POOL, keys, b"".join(state_keys))
        whole += time.perf_counter() - begin
        made = columns(cases, read, rows)
        begin = time.perf_counter()
        batch = pack(made)
        packed = time.perf_counter()
        assert (await ledger.commit(batch)).done
        end = time.perf_counter()
        whole += end - begin
        commit += end - packed
    return whole, commit


async def peer(ledger: Ledger, size: int, claims: int) -> float:
    """Seconds of a pipeline that writes the same bytes and adds the same amounts."""
    seconds, client = 0.0, ledger.connection.client
    for _ in range(claims // size):
        cases = new_cases(size)
        state_keys, rows = unique_states(cases)
        states = (await ledger.read(POOL, b"", b"".join(state_keys))).states
        batch = pack(columns(cases, type("Read", (), {"states": states}), rows))
        listed = [record for entry in batch.entries for record in read_block(bytes(entry.block))]
        records, postings = [record.to_bytes() for record in listed], [record.postings for record in listed]
        begin = time.perf_counter()
        pipeline = client.pipeline(transaction=False)
        for record, parts in zip(records, postings, strict=True):
            pipeline.xadd("peer:journal", {"r": record})
            for county, scheme, fund, amount in parts:
                pipeline.hincrby("peer:totals", f"{county}|{scheme}|{fund}", amount)
        await pipeline.execute()
        seconds += time.perf_counter() - begin
    return seconds


@pytest.mark.parametrize("size", [1, 10, 100, 1000])
def test_commit(benchmark, store, size):
    async def measure() -> tuple[float, float, float]:
        best = [float("inf")] * 3
        async with await Ledger.open(store.url) as ledger:
            for round_ in range(ROUNDS):
                claims = max(size, CLAIMS_PER_ROUND[size])
                times = [*await ours(ledger, size, claims), await peer(ledger, size, claims)]
                if round_:
                    best = [min(pair) for pair in zip(best, (seconds / claims for seconds in times), strict=True)]
            assert (await ledger.verify(POOL)).holds
            await ledger.connection.client.flushall()
        return best[0], best[1], best[2]

    whole, commit, plain = benchmark.pedantic(lambda: asyncio.run(measure()), rounds=1)
    print(
        f"\nledger, batches of {size}: {1 / whole:,.0f} claims/s read+pack+commit ({1 / commit:,.0f} commit alone); "
        f"plain pipeline {1 / plain:,.0f}; ratio {plain / whole:.2f} ({AIM}; Python {platform.python_version()})"
    )


def test_pack(benchmark):
    """Columns to records, states and totals, in process: microseconds a claim."""
    from adjudicator.ledger.states import StateRead

    cases = new_cases(1000)
    keys, rows = unique_states(cases)
    states = StateRead.parse(np.frombuffer(b"".join(keys), np.uint8).reshape(-1, 16), [b""] * len(keys))
    made = columns(cases, type("Read", (), {"states": states}), rows)
    benchmark(pack, made)
    print(f"\npack: {benchmark.stats['min'] * 1e3:.2f} µs a claim of {LINES} lines")
