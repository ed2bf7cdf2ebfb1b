"""Thirty pools over a real cluster of three store nodes, beside one pool alone: does a pool lose more than the cores?

Thirty copies of a pack, each with a pool and areas of its own, are served by one service over a cluster of the packaged
server. Each pool has one caller, who sends calls of 100 claims one after the other. One pool alone gets the load of one
pool (one caller), and then the load of all (thirty callers), whose calls the service joins into bigger batches. At the
end ``verify`` of every pool must hold.

CPU is user and system of service, store nodes and client, from the operating system; cores used is CPU by the clock.
A pool among others that costs what it costs alone gets cores used / CPU a claim alone / pools. The rates of all pools
are printed beside that: below 1 a pool has lost more than the shared cores explain. Run

    .venv/bin/python -m benchmarks.thirty_pools [--pools 30] [--nodes 3] [--calls 12] [--claims 100] [--lines 50]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import re
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmarks.bench_engine import batch_of
from benchmarks.load import SERVICE, Template, cpu_seconds
from benchmarks.store_cluster import StoreCluster, store_cluster

import adjudicator
from adjudicator.claim.engine import Engine
from adjudicator.client import open_channel
from adjudicator.ledger.audit import Verification
from adjudicator.ledger.store import Ledger
from adjudicator.rules.bundle import load_bundle
from adjudicator.service.process import ServiceProcess
from adjudicator.v1 import claim_pb2, settlement_pb2

PACKS = Path(adjudicator.__file__).parent / "packs"
COPIED, SHARED_PACKS = "hangzhou", ("zhejiang", "schemes", "published")
OWN_DIGITS, FIRST_DIGITS = "3301", 3340
"""Area and hospital numbers of the pack begin with these; those of its copies with 3340, 3341, …"""
LONGER = 8
"""The load of one caller is measured over so many times the calls: the CPU clock ticks in hundredths of a second."""


class Size(NamedTuple):
    """How much is sent: calls of each pool, claims of a call, lines of a claim."""

    calls: int = 12
    claims: int = 100
    lines: int = 50


@dataclass(frozen=True)
class Run:
    """What a load was and what it cost, in seconds of CPU."""

    rates: dict[str, float]
    """Claims a second of each pool, until its own last answer."""
    claims: int
    seconds: float
    service: float
    nodes: list[float]
    client: float

    @property
    def cpu(self) -> float:
        """CPU of all parts."""
        return self.service + sum(self.nodes) + self.client

    @property
    def cores(self) -> float:
        """Cores that all parts used together."""
        return self.cpu / self.seconds

    def micro(self, seconds: float) -> float:
        """Microseconds a claim."""
        return seconds / self.claims * 1e6


def copy_packs(folder: Path, count: int) -> list[Path]:
    """Write copies of a pack that differ in pool, areas and hospitals, and nothing else."""
    for name in SHARED_PACKS:
        shutil.copytree(PACKS / name, folder / name)
    copies = []
    for number in range(count):
        copy = folder / f"pool{number:02d}"
        shutil.copytree(PACKS / COPIED, copy)
        for file in (*copy.rglob("*.toml"), *copy.rglob("*.csv")):
            text = file.read_text(encoding="utf-8")
            text = re.sub(rf"(?<!\d){OWN_DIGITS}(?=\d\d(\D|\d{{5}}\D))", str(FIRST_DIGITS + number), text)
            if file.name == "pack.toml":
                text = text.replace(f'id = "{COPIED}"', f'id = "{copy.name}"', 1)
            file.write_text(text, encoding="utf-8")
        copies.append(copy)
    return copies


def pool_of(number: int) -> str:
    """Return the pool of a copy."""
    return f"{FIRST_DIGITS + number}00"


class Messages:
    """New calls of each pool: persons and encounters that no other call has."""

    def __init__(self, packs: Sequence[Path], size: Size):
        engine, numbers = Engine(load_bundle(packs[:1])), itertools.count(1)
        batch = claim_pb2.ClaimBatch.FromString(batch_of(engine, size.claims, size.lines))
        self._hospitals = [hospital.code for hospital in engine.bundle.packs[0].hospitals]
        self._templates = [self._template(batch, number, numbers) for number in range(len(packs))]

    def _template(self, batch: claim_pb2.ClaimBatch, number: int, numbers: Iterator[int]) -> Template:
        own = str(FIRST_DIGITS + number)
        for claim in batch.claims:
            claim.institution_code = "H" + own + claim.institution_code[5:]
            claim.insured_area = own + claim.insured_area[4:]
        return Template.of(batch.SerializeToString(), numbers)

    def hospitals(self, pool: str) -> list[str]:
        """Return the hospitals of a pool."""
        return [code.replace(str(FIRST_DIGITS), pool[:4], 1) for code in self._hospitals]

    def of(self, number: int, calls: int) -> list[bytes]:
        """Return new calls of a pool."""
        return [self._templates[number].next() for _ in range(calls)]


class City:
    """The running service, its cluster, and the messages of its pools."""

    def __init__(self, service: ServiceProcess, cluster: StoreCluster, messages: Messages, size: Size):
        self.service, self.cluster, self.messages, self.size = service, cluster, messages, size

    def measure(self, callers: dict[int, int], longer: int = 1) -> Run:
        """Send the calls of some pools, each by so many callers, who send ``size.calls * longer`` calls each."""
        calls = self.size.calls * longer
        waiting = {n: [self.messages.of(n, calls) for _ in range(count)] for n, count in callers.items()}
        return asyncio.run(self._send(waiting))

    async def _send(self, waiting: dict[int, list[list[bytes]]]) -> Run:
        ends: dict[int, float] = {}
        async with open_channel(self.service.address) as channel:
            call = channel.unary_unary(f"{SERVICE}/SettleBatch")
            await channel.channel_ready()

            async def caller(number: int, messages: list[bytes]) -> None:
                for message in messages:
                    answer = await call(message)
                ends[number] = time.perf_counter()
                last = settlement_pb2.SettlementBatch.FromString(answer).settlements
                assert all(one.outcome == settlement_pb2.OUTCOME_SETTLED for one in last), last[0].problems

            before, began = self._cpu(), time.perf_counter()
            await asyncio.gather(*(caller(number, one) for number, many in waiting.items() for one in many))
            seconds, after = time.perf_counter() - began, self._cpu()
        service, client, *nodes = (now - then for now, then in zip(after, before, strict=True))
        of_pool = {number: sum(map(len, many)) * self.size.claims for number, many in waiting.items()}
        rates = {pool_of(number): of_pool[number] / (ends[number] - began) for number in waiting}
        return Run(rates, sum(of_pool.values()), seconds, service, nodes, client)

    def _cpu(self) -> list[float]:
        assert self.service.process is not None
        used = cpu_seconds(self.service.process.pid)
        return [used.service, used.client, *(node.cpu_seconds for node in self.cluster.nodes)]

    async def verify(self, pools: int) -> list[Verification]:
        """Check the ledger of every pool."""
        async with await Ledger.open(self.cluster.url) as ledger:
            assert await ledger.pools() == [pool_of(number) for number in range(pools)]
            return [await ledger.verify(pool_of(number)) for number in range(pools)]


@contextlib.contextmanager
def city(pools: int, nodes: int, size: Size) -> Iterator[City]:
    """Run a cluster and a service of so many pools, with its data in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="adjudicator-pools-") as name:
        folder = Path(name)
        packs = copy_packs(folder / "packs", pools)
        with store_cluster(folder / "store", nodes) as cluster:
            serve = [option for pack in packs for option in ("--pack", str(pack))]
            serve += ["--listen", "127.0.0.1:0", "--redis", cluster.url]
            with ServiceProcess(*serve, log=folder / "log") as service:
                service.wait_until_serving()
                yield City(service, cluster, Messages(packs, size), size)


def main() -> None:
    """Print what the loads cost, and what a pool gets among others beside alone."""
    parser = argparse.ArgumentParser(description="Settle in many pools over a cluster, and in one alone.")
    parser.add_argument("--pools", type=int, default=30)
    parser.add_argument("--nodes", type=int, default=3, help="nodes of the store")
    parser.add_argument("--calls", type=int, default=12, help="calls of each caller")
    parser.add_argument("--claims", type=int, default=100, help="claims of a call")
    parser.add_argument("--lines", type=int, default=50, help="fee lines of a claim")
    options = parser.parse_args()
    size = Size(options.calls, options.claims, options.lines)
    with city(options.pools, options.nodes, size) as running:
        tell(running, options.pools)


def tell(running: City, pools: int) -> None:
    """Measure and print."""
    everybody = dict.fromkeys(range(pools), 1)
    running.measure(everybody)  # loads kernels and scripts
    alone = running.measure({0: 1}, longer=LONGER)
    together, shared = running.measure({0: pools}), running.measure(everybody)
    rows = (
        ("1 pool, 1 caller", alone),
        (f"1 pool, {pools} callers", together),
        (f"{pools} pools, {pools} callers", shared),
    )
    print(f"{running.size.claims} claims of {running.size.lines} lines a call; CPU in us a claim")
    print("load | service + store + client = all | cores used | claims/s")
    for what, run in rows:
        parts = " + ".join(f"{run.micro(part):.1f}" for part in (run.service, sum(run.nodes), run.client))
        print(f"{what} | {parts} = {run.micro(run.cpu):.1f} | {run.cores:.2f} | {run.claims / run.seconds:,.0f}")
    rates = sorted(shared.rates.values())
    least_median_most = (rates[0], statistics.median(rates), rates[-1])
    fair = shared.cores / (alone.cpu / alone.claims) / pools
    print(f"claims/s of a pool among {pools}: " + ", ".join(f"{rate:,.0f}" for rate in least_median_most), end="")
    print(f" (least, median, most); by the cores {fair:,.0f}: {shared.cores:.2f} cores / ", end="")
    print(f"{alone.micro(alone.cpu):.1f} us / {pools}")
    print("part of that: " + ", ".join(f"{rate / fair:.2f}" for rate in least_median_most))
    for what, run in rows[:2]:
        print(
            f"median times {pools}: {least_median_most[1] * pools / run.claims * run.seconds:.2f} of the rate of {what}"
        )
    for number, node in enumerate(running.cluster.nodes):
        here = [pool for pool in shared.rates if running.cluster.node_of(pool) == number]
        mean = statistics.mean(shared.rates[pool] for pool in here)
        share = shared.nodes[number] / sum(shared.nodes)
        print(f"node {number}: {len(here)} pools, {share:.0%} of the store's CPU, {mean:,.0f} claims/s a pool", end="")
        print(f", file {node.file_bytes / 1e6:,.0f} MB: {' '.join(here)}")
    checks = asyncio.run(running.verify(pools))
    holding, records = sum(check.holds for check in checks), sum(check.records for check in checks)
    print(f"verify holds in {holding} of {pools} pools, {records:,} records")


if __name__ == "__main__":
    main()
