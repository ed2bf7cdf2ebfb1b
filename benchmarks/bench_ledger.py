"""The ledger's commit, every batch on the disk before it returns, beside the same writes as a plain pipeline.

The peer checks nothing: per claim one XADD of the same bytes and one HINCRBY for each of its postings, sent as one
pipeline by the same client to the same server, synced always. The ledger reads the batch first (keys and persons'
years), packs records, and commits them with all its checks. Turns alternate, the first round is dropped, the best of
each side is compared: the ratio counts, not the rate. Answers have the size of a claim of 50 lines (about 6 KB).
"""

from __future__ import annotations

import asyncio
import itertools
import platform
import random
import time
from collections.abc import Iterator

import numpy as np
import pytest
from tests.ledger.made import Case, random_case, settlements, unique_states

from adjudicator.ledger.batch import pack
from adjudicator.ledger.embedded import EmbeddedStore
from adjudicator.ledger.posting import Parts
from adjudicator.ledger.record import Record
from adjudicator.ledger.store import Ledger

POOL = "990100"
ROUNDS = 6
CLAIMS_PER_ROUND = {1: 60, 10: 300, 100: 2000, 1000: 4000}
ANSWER = random.Random(1).randbytes(6000)
AIM = "aim: thousands of claims/s in batches of 100 to 1,000, not slower than the plain pipeline"
numbers = itertools.count()


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Iterator[EmbeddedStore]:
    with EmbeddedStore.start(tmp_path_factory.mktemp("bench")) as running:
        yield running


def new_cases(count: int) -> list[Case]:
    random_ = random.Random(3)
    return [random_case(random_, next(numbers), people=100_000) for _ in range(count)]


def columns(cases: list[Case], read, rows: np.ndarray):
    """Columns with answers of 6 KB; making them is the service's work and is not measured."""
    made = settlements(cases, read.states, rows, POOL)
    offsets = np.arange(len(cases) + 1, dtype=np.int64) * len(ANSWER)
    made.answers = Parts(np.frombuffer(ANSWER * len(cases), np.uint8), offsets)
    return made


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
        records = [bytes(record) for record in batch.records]
        postings = [Record.from_bytes(record).postings for record in records]
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
    print(f"\npack: {benchmark.stats['min'] * 1e3:.2f} µs a claim with an answer of {len(ANSWER)} bytes")
