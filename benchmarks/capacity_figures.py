"""What a settlement of a city costs, measured on this machine over a service with a store of its own.

A synthetic city in which one settlement in ten is a stay and a person has ten settlements a year is settled in calls of
100 and then one by one. CPU is user and system; memory is what the store says it uses, less what it used before. At the
end the store is started again over its file, as written and after it was rewritten, and its CPU until it answers is
divided by the settlements.
"""

from __future__ import annotations

import asyncio
import itertools
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import psutil
import redis
from benchmarks.capacity import Figures
from benchmarks.load import Measured, load

from adjudicator.ledger import keys as names
from adjudicator.ledger.embedded import EmbeddedStore
from adjudicator.service.process import ServiceProcess
from adjudicator.synth.city import Synthesizer
from adjudicator.v1 import claim_pb2

PACK, POOL = "hangzhou", "330100"
BATCH, BATCH_CALLERS, SINGLE_CALLERS = 100, 8, 16
SETTLEMENTS_OF_A_PERSON, STAYS_SHARE = 10, 0.1
SINGLE_CALLS = 2_000
WARM_CLAIMS = 1_000
RESTARTS = 3


def measure(claims: int) -> Figures:
    """Settle so many claims in calls of 100, and some one by one; return what one costs."""
    city = Synthesizer([PACK], seed=7, persons=max(1, claims // SETTLEMENTS_OF_A_PERSON), inpatient_share=STAYS_SHARE)
    batches = list(city.batches(WARM_CLAIMS + claims + SINGLE_CALLS, BATCH))
    warm, rest = batches[: WARM_CLAIMS // BATCH], batches[WARM_CLAIMS // BATCH :]
    many, last = rest[: claims // BATCH], rest[claims // BATCH :]
    parsed = itertools.chain.from_iterable(claim_pb2.ClaimBatch.FromString(one).claims for one in last)
    single = [claim.SerializeToString() for claim in parsed]
    with tempfile.TemporaryDirectory(prefix="adjudicator-capacity-") as name:
        data = Path(name) / "data"
        with EmbeddedStore.start(data) as store:
            options = ("--pack", PACK, "--listen", "127.0.0.1:0", "--data", str(data))
            with ServiceProcess(*options, log=Path(name) / "log") as service:
                service.wait_until_serving()
                assert service.process is not None

                def send(method: str, messages: list[bytes], size: int, callers: int) -> tuple[Measured, float]:
                    before = cpu_of(store.pid)
                    run = asyncio.run(load(service.address, service.process.pid, method, messages, size, callers))
                    return run, cpu_of(store.pid) - before

                send("SettleBatch", warm, BATCH, BATCH_CALLERS)
                before = state_of(store)
                batch, batch_store = send("SettleBatch", many, BATCH, BATCH_CALLERS)
                after = state_of(store)
                settled = after.records - before.records
                send("Settle", single[:200], 1, SINGLE_CALLERS)
                alone, alone_store = send("Settle", single[200:], 1, SINGLE_CALLERS)
            total = state_of(store).records
            written_load = min(load_cpu(store) for _ in range(RESTARTS))
            rewrite(store)
            rewritten = state_of(store)
            rewritten_load = min(load_cpu(store) for _ in range(RESTARTS))
            print(f"restart: {written_load / total * 1e9:,.0f} ns a settlement of the file as written, ", end="")
            print(f"{rewritten_load / total * 1e9:,.0f} ns of the rewritten one; {total:,} settlements")
    return Figures(
        memory_bytes=(after.memory - before.memory) // settled,
        file_bytes=(after.file - before.file) // settled,
        rewritten_bytes=rewritten.file // total,
        single_service_us=round(alone.micro(alone.cpu.service)),
        single_store_us=round(alone.micro(alone_store)),
        batch_service_us=round(batch.micro(batch.cpu.service)),
        batch_store_us=round(batch.micro(batch_store)),
        load_ns=round(max(written_load, rewritten_load) / total * 1e9),
    )


class State(NamedTuple):
    """What a store has: settlements and reversals, bytes in memory, bytes of its files."""

    records: int
    memory: int
    file: int


def state_of(store: EmbeddedStore) -> State:
    """Ask the store."""
    with redis.Redis(unix_socket_path=store.unix_socket, password=store.password) as client:
        memory = client.info("memory")["used_memory"]
        records = int(client.get(names.version(POOL)) or 0)
    folder = store.folder / "appendonlydir"
    return State(records, memory, sum(path.stat().st_size for path in folder.iterdir()))


def cpu_of(process: int) -> float:
    """User and system CPU of a process so far."""
    return sum(psutil.Process(process).cpu_times()[:2])


def load_cpu(store: EmbeddedStore) -> float:
    """Start the store again; return its CPU until it has read its file."""
    with redis.Redis(unix_socket_path=store.unix_socket, password=store.password) as client:
        client.shutdown(nosave=True)
    while psutil.pid_exists(store.pid) and psutil.Process(store.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    assert store.ensure_running()
    with redis.Redis(unix_socket_path=store.unix_socket, password=store.password) as client:
        while client.info("persistence")["loading"]:
            time.sleep(0.01)
    return cpu_of(store.pid)


def rewrite(store: EmbeddedStore) -> None:
    """Have the store write its file anew, as it does by itself when it has grown."""
    with redis.Redis(unix_socket_path=store.unix_socket, password=store.password) as client:
        client.bgrewriteaof()
        while (
            client.info("persistence")["aof_rewrite_in_progress"] or client.info("persistence")["aof_rewrite_scheduled"]
        ):
            time.sleep(0.05)
