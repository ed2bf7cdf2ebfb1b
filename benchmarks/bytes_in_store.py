"""The size of a settlement in the store: memory by kind of key, and the append-only file, for claims of some length;
and how many records verify reads.

It settles claims of new persons over a real store in batches and asks the store (``MEMORY USAGE``, the file's
size). Run

    .venv/bin/python -m benchmarks.bytes_in_store [--claims 2000] [--lines 50 10 3]
"""

from __future__ import annotations

import argparse
import asyncio
import math
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.way_of_a_claim import with_lines

from adjudicator.claim.engine import Engine
from adjudicator.ledger.embedded import EmbeddedStore
from adjudicator.rules.bundle import load_bundle
from adjudicator.service.metrics import Metrics
from adjudicator.service.options import ServeOptions
from adjudicator.service.settling import BatchCall, Settler
from adjudicator.service.store import Store
from adjudicator.v1 import claim_pb2

BATCH = 100
KINDS = ("journal", "index", "statement", "liability", "state", "totals")


async def measure(engine: Engine, folder: Path, claims: int, lines: int) -> tuple[dict[str, float], float]:
    """Settle ``claims`` of ``lines`` lines in a store of its own.

    Return bytes a claim by kind of key, and on disk; and the records that verify reads in a second of CPU.
    """
    with EmbeddedStore.start(folder) as embedded:
        store = Store(embedded.url, Path("unused"))
        await store.open()
        settler = Settler(engine, store, ServeOptions(), Metrics())
        try:
            for first in range(0, claims, BATCH):
                batch = [one_claim(engine, number, lines) for number in range(first, first + BATCH)]
                message = claim_pb2.ClaimBatch(claims=batch).SerializeToString()
                (answers,) = await settler.settle_batches([BatchCall.of(message)], [math.inf])
                assert all(isinstance(answer, bytes) for answer in answers), answers
            sizes: Counter[str] = Counter()
            client = store.ledger().connection.client
            async for key in client.scan_iter("adj:{*", count=1000):
                kind = key.decode("latin-1").split("}:", 1)[1].partition(":")[0]
                sizes[kind if kind in KINDS else "other"] += await client.memory_usage(key, samples=0)
            await store.ledger().verify("330100")  # loads its kernels
            begin = time.process_time()
            check = await store.ledger().verify("330100")
            rate = check.records / (time.process_time() - begin)
            assert check.holds and check.records == claims
        finally:
            await store.close()
        file_bytes = sum(path.stat().st_size for path in folder.rglob("*.aof"))
    return {kind: sizes[kind] / claims for kind in KINDS} | {"append-only file": file_bytes / claims}, rate


def one_claim(engine: Engine, number: int, lines: int) -> claim_pb2.Claim:
    """Return a stay of a person of its own."""
    claim = with_lines(engine, lines)
    claim.encounter_id, claim.person_id = f"stay-{number:08d}", f"person-{number:08d}"
    return claim


def main() -> None:
    """Print a table: bytes a settlement by kind of key."""
    parser = argparse.ArgumentParser(description="Measure the size of a settlement in the store.")
    parser.add_argument("--claims", type=int, default=2000, help="settlements a measurement, a multiple of 100")
    parser.add_argument("--lines", type=int, nargs="+", default=[50, 10, 3], help="fee lines of a claim")
    options = parser.parse_args()
    engine = Engine(load_bundle(["hangzhou"]))
    for lines in options.lines:
        with tempfile.TemporaryDirectory() as folder:
            sizes, rate = asyncio.run(measure(engine, Path(folder), options.claims, lines))
        listed = ", ".join(f"{kind} {size:,.0f}" for kind, size in sizes.items())
        print(f"{lines} lines: {listed} bytes; verify {rate:,.0f} records a second of CPU")


if __name__ == "__main__":
    main()
