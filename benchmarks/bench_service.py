"""The service over loopback with a durable ledger, beside a server that answers the same bytes without any work.

A row is a kind of call and a number of callers: CPU a claim of the service, its store and the client, claims a second
and how long a call takes, and the same calls to the echo server right after. Client, servers and store share the
machine's cores, so CPU and the ratio count, not the rate. All claims are new; each commit waits for the disk, the echo
server does not. ``BENCH_FOLDER`` names another disk.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.load import SERVICE, Measured, Template, load

from adjudicator.client import open_channel
from adjudicator.service.options import ServeOptions
from adjudicator.service.process import ServiceProcess
from adjudicator.v1 import settlement_pb2
from bench_engine import batch_of

LINES = 50
SIZES = (1, 10, 100, 1000)
CALLERS = (1, 16, 64)
WORKERS = (1, 2)
CHANNELS = 4
"""Connections of the callers together: with several workers the kernel spreads them."""
CLAIMS, MIX_CLAIMS, CALLS = 24_000, 20_000, 1_600
"""Claims of a turn at most and of the synthetic city, and calls of a turn at most."""


class Messages:
    """New messages of every size, made before the clock starts."""

    def __init__(self) -> None:
        from adjudicator.claim.engine import Engine
        from adjudicator.rules.bundle import load_bundle
        from adjudicator.synth.city import Synthesizer
        from adjudicator.v1 import claim_pb2

        engine, numbers = Engine(load_bundle(["hangzhou"])), itertools.count(1)
        self._templates: dict[int, Template] = {}
        for size in SIZES:
            self._templates[size] = Template.of(batch_of(engine, size, LINES), numbers)
        self._mix = {size: Synthesizer(["hangzhou"], seed=size).batches(10**9, size) for size in (1, 100)}
        self._claim = claim_pb2.ClaimBatch.FromString

    def of_lines(self, size: int, calls: int) -> list[bytes]:
        """Calls with claims of ``LINES`` lines."""
        return [self._templates[size].next() for _ in range(calls)]

    def of_city(self, size: int, calls: int) -> list[bytes]:
        """Calls with claims of a synthetic city."""
        batches = list(itertools.islice(self._mix[size], calls))
        return batches if size > 1 else [self._claim(batch).claims[0].SerializeToString() for batch in batches]


class Bench:
    """A service of some workers and an echo server."""

    def __init__(self, folder: Path, workers: int, messages: Messages):
        self.folder, self.messages = folder, messages
        options = ["--pack", "hangzhou", "--listen", "127.0.0.1:0", "--data", str(folder / "data")]
        options += ["--workers", str(workers)] if workers > 1 else []
        self.service = ServiceProcess(*options, log=folder / "log").start()
        self.service.wait_until_serving()
        asyncio.run(self._save_answers())
        command = [sys.executable, str(Path(__file__).with_name("echo_server.py")), str(folder), "uvloop"]
        self.echo = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.echo.stdout is not None
        self.echo_address = self.echo.stdout.readline().split()[2]

    async def _save_answers(self) -> None:
        """Keep an answer of each size for the echo server."""
        async with open_channel(self.service.address) as channel:
            for size in SIZES:
                call = channel.unary_unary(f"{SERVICE}/{method_of(size)}")
                answer = await call(self.messages.of_lines(size, 1)[0])
                (self.folder / str(size)).write_bytes(answer)
                kind = settlement_pb2.SettlementBatch if size > 1 else settlement_pb2.Settlement
                parsed = kind.FromString(answer)
                for one in parsed.settlements if size > 1 else [parsed]:
                    assert one.outcome == settlement_pb2.OUTCOME_SETTLED, one.problems

    def close(self) -> None:
        """End both servers."""
        self.service.stop()
        self.echo.kill()
        self.echo.wait()

    def measure(self, size: int, callers: int, *, city: bool) -> tuple[Measured, Measured]:
        """Return what the service and the echo server take for the same calls; the first calls do not count."""
        calls = max(callers, min(CALLS, CLAIMS // size))
        make = self.messages.of_city if city else self.messages.of_lines
        assert self.service.process is not None
        servers = ((self.service.address, self.service.process.pid), (self.echo_address, self.echo.pid))
        found = []
        for address, process in servers:
            for count in (max(1, calls // 10), calls):
                sent = make(size, count)
                last = asyncio.run(load(address, process, method_of(size), sent, size, callers, CHANNELS))
            found.append(last)
        return found[0], found[1]


def method_of(size: int) -> str:
    """Name of the call for so many claims."""
    return "SettleBatch" if size > 1 else "Settle"


@pytest.fixture(scope="module")
def messages() -> Messages:
    return Messages()


@pytest.fixture(scope="module", params=WORKERS, ids=lambda workers: f"{workers}-workers")
def bench(request, messages) -> Iterator[Bench]:
    tell(f"\nworkers: {request.param}; {os.cpu_count()} cores, Python {platform.python_version()}; CPU in us a claim")
    tell(
        "claims a call, callers: service + store + client = all; claims/s; p50, p99 ms "
        "| echo: server + client; claims/s; ratio"
    )
    with tempfile.TemporaryDirectory(prefix="adjudicator-bench-", dir=os.environ.get("BENCH_FOLDER")) as folder:
        running = Bench(Path(folder), request.param, messages)
        yield running
        tell(f"one sync of the store's disk takes {sync_milliseconds(Path(folder)):.2f} ms")
        running.close()


def sync_milliseconds(folder: Path) -> float:
    """Median time of writing 4 kB and waiting until the disk has them."""
    times = []
    with open(folder / "sync", "wb", buffering=0) as file:
        for _ in range(50):
            file.write(bytes(4096))
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    return 1000 * sorted(times)[len(times) // 2]


def tell(text: str) -> None:
    """A line on the terminal, beside pytest's capture."""
    print(text, file=sys.__stdout__, flush=True)


@pytest.mark.parametrize("callers", CALLERS)
@pytest.mark.parametrize(
    ("size", "city"), [*((size, False) for size in SIZES), (1, True), (100, True)],
    ids=[*(f"{size}x{LINES}-lines" for size in SIZES), "1-of-the-city", "100-of-the-city"],
)  # fmt: skip
def test_cost_beside_an_echo_server(benchmark, bench, size, city, callers):
    if size * callers > ServeOptions().most_waiting_claims:
        pytest.skip("more claims at once than may wait: ADJ-9502")
    ours, peer = benchmark.pedantic(bench.measure, args=(size, callers), kwargs={"city": city}, rounds=1, iterations=1)
    service, store, client = map(ours.micro, ours.cpu)
    what = f"{size}{' of the city' if city else ''}, {callers}"
    tell(
        f"{what}: {service:.1f} + {store:.1f} + {client:.1f} = {service + store + client:.1f}; {ours.rate:,.0f}/s; "
        f"{ours.quantile(0.5):.2f}, {ours.quantile(0.99):.2f} | {peer.micro(peer.cpu.service):.1f} + "
        f"{peer.micro(peer.cpu.client):.1f}; {peer.rate:,.0f}/s; {ours.rate / peer.rate:.2f}"
    )
    benchmark.extra_info.update(
        service_us=round(service, 1), store_us=round(store, 1), client_us=round(client, 1),
        claims_per_second=round(ours.rate), echo_claims_per_second=round(peer.rate),
    )  # fmt: skip


def test_ready_after_start_with_a_warm_cache(benchmark, tmp_path):
    def start() -> float:
        began = time.perf_counter()
        options = ("--pack", "hangzhou", "--listen", "127.0.0.1:0", "--data", str(tmp_path / "data"))
        with ServiceProcess(*options, log=tmp_path / "log") as service:
            service.wait_until_serving()
            return time.perf_counter() - began

    seconds = min(benchmark.pedantic(lambda: [start() for _ in range(4)], rounds=1, iterations=1)[1:])
    benchmark.extra_info["seconds"] = round(seconds, 2)
    met = "met" if seconds < 2 else "NOT met"
    tell(f"\nready after start, warm cache, own store: {seconds:.2f} s; aim under 2 s: {met}")
