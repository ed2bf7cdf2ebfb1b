"""What a claim costs as the ledger, the catalogue and the claim grow.

Three tables: CPU a claim of 50 lines in batches of 100, of this process and of its store, with so many settlements in
the ledger; CPU a claim of 50 lines with so many items in the catalogue; CPU a claim of so many lines, and a line. The
last two are from the bytes of claims to what is sent to the store. The least of some turns counts. The ledger is filled
with claims of three lines. Run

    .venv/bin/python -m benchmarks.growth [--settlements 10000 100000 1000000] [--items 5 300 20000 300000]
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import itertools
import math
import random
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.bench_engine import batch_of
from benchmarks.load import Template, cpu_seconds
from benchmarks.stages_of_a_claim import Clock, settle

from adjudicator.claim.engine import Engine
from adjudicator.ledger.embedded import EmbeddedStore
from adjudicator.rules.bundle import load_bundle
from adjudicator.service.metrics import Metrics
from adjudicator.service.options import ServeOptions
from adjudicator.service.settling import BatchCall, Settler
from adjudicator.service.store import Store
from adjudicator.v1 import claim_pb2

LINES, BATCH, FILLING = 50, 100, 1000
TURNS, BATCHES_A_TURN = 5, 20
OF_CLAIMS = (1, 5, 50, 500, 5000)
USUAL_ITEMS = 3000
"""Items that a large hospital charges."""


async def by_ledger(engine: Engine, sizes: list[int]) -> None:
    """Print the table of the ledger's size."""
    print("settlements in the ledger: us of CPU a claim of 50 lines, this process + store (GB of memory)")
    with tempfile.TemporaryDirectory(prefix="adjudicator-growth-") as folder:
        embedded = EmbeddedStore.start(Path(folder))
        store = Store(embedded.url, Path("unused"))
        await store.open()
        settler = Settler(engine, store, ServeOptions(), Metrics())
        numbers = itertools.count(1)
        small, large = (Template.of(batch_of(engine, *of), numbers) for of in ((FILLING, 3), (BATCH, LINES)))
        held = 0
        try:
            for size in sizes:
                while held < size:
                    await _settle(settler, BatchCall.of(small.next()))
                    held += FILLING
                best = (math.inf, 0.0, 0.0)
                for _ in range(TURNS):
                    calls = [BatchCall.of(large.next()) for _ in range(BATCHES_A_TURN)]
                    before = _cpu(embedded.pid)
                    for call in calls:
                        await _settle(settler, call)
                    own, of_store = (
                        (now - then) / BATCHES_A_TURN / BATCH * 1e6
                        for now, then in zip(_cpu(embedded.pid), before, strict=True)
                    )
                    best = min(best, (own + of_store, own, of_store))
                    held += BATCHES_A_TURN * BATCH
                used = (await store.ledger().connection.client.info("memory"))["used_memory"]
                print(f"{size:>12,}: {best[1]:.1f} + {best[2]:.1f} ({used / 1e9:.2f})", flush=True)
        finally:
            await store.close()
            await asyncio.to_thread(embedded.stop)


def _cpu(store: int) -> tuple[float, float]:
    parts = cpu_seconds(store)
    return parts.client, parts.service + parts.store


async def _settle(settler: Settler, call: BatchCall) -> None:
    (answers,) = await settler.settle_batches([call], [math.inf])
    refused = [answer for answer in answers if not isinstance(answer, bytes)]
    assert not refused, refused[0]


def least(engine: Engine, message: bytes, claims: int) -> float:
    """Return microseconds of CPU a claim in process."""
    settler = Settler(engine, Store("redis://unused", Path("unused")), ServeOptions(), Metrics())
    best = math.inf
    for _ in range(TURNS):
        clock, turns = Clock(), max(1, 2_000 // claims)
        for _ in range(turns):
            settle(settler, message, clock)
        best = min(best, sum(clock.stages.values()) / turns / claims * 1e6)
    return best


def by_catalogue(sizes: list[int]) -> None:
    """Print the table of the catalogue's size: copies of the toy city's pack, with items of the same kind."""
    print(f"items in the catalogue: us of CPU a claim of 50 lines of {USUAL_ITEMS} items, and of any")
    import adjudicator

    shipped = Path(adjudicator.__file__).parent / "packs/taohuayuan"
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="adjudicator-growth-") as folder:
            pack = Path(folder) / "taohuayuan"
            shutil.copytree(shipped, pack)
            _grow(pack / "catalogue", size)
            engine = Engine(load_bundle([str(pack)]))
            codes = engine.bundle.catalogue.codes
            usual, any_items = _drawn(engine, codes[:: max(1, len(codes) // USUAL_ITEMS)]), _drawn(engine, codes)
            print(
                f"{len(codes):>12,}: {least(engine, usual, 200):.1f}, {least(engine, any_items, 200):.1f}", flush=True
            )


def _drawn(engine: Engine, codes: Sequence[str]) -> bytes:
    """Return a batch whose lines are of these items, by chance."""
    rng = random.Random(7)
    batch = claim_pb2.ClaimBatch.FromString(batch_of(engine, 200, LINES))
    for claim in batch.claims:
        for line in claim.lines:
            line.item_code = rng.choice(codes)
    return batch.SerializeToString()


def _grow(catalogue: Path, size: int) -> None:
    """Write or leave out rows of the first item until the catalogue has so many."""
    kept: set[str] = set()
    for name in ("item", "class", "ceiling", "ratio"):
        with open(catalogue / f"{name}.csv", newline="") as file:
            head, *rows = csv.reader(file)
        if name == "item":
            kept = {row[0] for row in rows[:size]}
        rows = [row for row in rows if row[0] in kept]
        if name in ("item", "class"):
            first, made = rows[0], size - len(kept)
            rows += [[f"{9 * 10**14 + number * 7919:015d}", *first[1:]] for number in range(made)]
        with open(catalogue / f"{name}.csv", "w", newline="") as file:
            csv.writer(file).writerows([head, *rows])


def by_lines(engine: Engine) -> None:
    """Print the table of the claim's size."""
    print("lines of a claim: us of CPU a claim, ns a line beyond the claim of one line")
    one = 0.0
    for lines in OF_CLAIMS:
        claims = max(2, 5_000 // lines) if lines > 1 else 1_000
        micro = least(engine, batch_of(engine, claims, lines), claims)
        one = one or micro
        beyond = f"{(micro - one) / (lines - 1) * 1000:.0f}" if lines > 1 else "-"
        print(f"{lines:>12,}: {micro:.1f}, {beyond}", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settlements", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--items", type=int, nargs="*", default=[5, 300, 20_000, 300_000])
    arguments = parser.parse_args()
    engine = Engine(load_bundle(["hangzhou"]))
    by_lines(engine)
    by_catalogue(arguments.items)
    if arguments.settlements:
        asyncio.run(by_ledger(engine, arguments.settlements))


if __name__ == "__main__":
    main()
