"""What a call to the store costs its caller: by the library, and by the pipe of the ledger (``ledger.pipe``).

The call is a script with the arguments of a commit of some claims, which the store counts and throws away. CPU of this
process alone, the least of some turns, by turns. Run

    .venv/bin/python -m benchmarks.asking_the_store [--claims 1 100 1000]
"""

from __future__ import annotations

import argparse
import asyncio
import math
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvloop
from benchmarks.bench_engine import batch_of

from adjudicator.claim.engine import Engine
from adjudicator.ledger.batch import CommitBatch
from adjudicator.ledger.embedded import EmbeddedStore
from adjudicator.ledger.store import Ledger
from adjudicator.rules.bundle import load_bundle
from adjudicator.service.metrics import Metrics
from adjudicator.service.options import ServeOptions
from adjudicator.service.settling import BatchCall, Settler
from adjudicator.service.store import Store

TURNS, CALLS, LINES = 7, 200, 50
GAP_SECONDS = 0.002
"""A caller alone waits between two calls; meanwhile its caches go to others."""


async def commit_of(engine: Engine, url: str, claims: int) -> CommitBatch:
    """Return what a commit of so many new claims writes, without writing it."""
    store = Store(url, Path("unused"))
    await store.open()
    found: list[CommitBatch] = []

    async def keep(batch: CommitBatch) -> None:
        found.append(batch)
        raise asyncio.CancelledError

    store.ledger().commit = keep  # type: ignore[assignment,method-assign]  # instead of writing
    settler = Settler(engine, store, ServeOptions(), Metrics())
    try:
        await settler.settle_batches([BatchCall.of(batch_of(engine, claims, LINES))], [math.inf])
    except asyncio.CancelledError:
        pass
    finally:
        await store.close()
    return found[0]


async def cost(ask: Callable[[tuple[Any, ...]], Awaitable[Any]], command: tuple[Any, ...], calls: int) -> float:
    """Return microseconds of CPU of a call."""
    used = 0.0
    for _ in range(calls):
        await asyncio.sleep(GAP_SECONDS)
        began = time.process_time()
        await ask(command)
        used += time.process_time() - began
    return used / calls * 1e6


async def compare(engine: Engine, url: str, sizes: list[int]) -> None:
    """Print a line for each size."""
    async with await Ledger.open(url, allow_volatile=True) as ledger:
        connection = ledger.connection
        ways: dict[str, Callable[[tuple[Any, ...]], Awaitable[Any]]] = {
            "library": lambda command: connection.client.execute_command(*command),
            "pipe": connection._pipe.ask,
        }
        for claims in sizes:
            arguments = (await commit_of(engine, url, claims)).arguments()
            command = ("EVAL", "return #ARGV", 1, "adj:{x}:unused", *arguments)
            least = dict.fromkeys(ways, math.inf)
            for _ in range(TURNS):
                for name, ask in ways.items():
                    least[name] = min(least[name], await cost(ask, command, max(20, CALLS // claims)))
            size = sum(map(len, arguments))
            listed = ", ".join(f"{name} {micro:.0f}" for name, micro in least.items())
            print(
                f"{claims:>5} claims, {len(arguments)} arguments, {size:,} bytes: us of CPU a call: {listed}",
                flush=True,
            )


def main() -> None:
    """Print the costs."""
    parser = argparse.ArgumentParser(description="Compare two ways to call a script of the store.")
    parser.add_argument("--claims", type=int, nargs="+", default=[1, 100, 1000])
    options = parser.parse_args()
    engine = Engine(load_bundle(["hangzhou"]))
    with tempfile.TemporaryDirectory() as folder, EmbeddedStore.start(Path(folder)) as store:
        uvloop.run(compare(engine, store.url, options.claims))


if __name__ == "__main__":
    main()
