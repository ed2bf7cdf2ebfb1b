"""What reading the ledger costs as it grows: Reconcile, GetCountyTotals, verify, rebuild.

It settles claims of a city in a store of its own: persons with ten settlements each, four institutions, twelve months,
each batch in one month or, with ``--mixed``, in all of them, so that each record is a block of the journal by itself.
One institution has 300 settlements in one month, whatever the size of the ledger; its statement is reconciled, without
lines and with them. Times are the best of ten calls, of the caller and the store together. While settlements go on in
another process the ledger is rebuilt, with the whole index of statements and every tenth year lost, and the longest
time that a batch of settlements waited is printed. Run

    .venv/bin/python -m benchmarks.ledger_growth [--settlements 10000 100000] [--lines 3] [--mixed]
"""

from __future__ import annotations

import argparse
import asyncio
import math
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Awaitable, Callable
from multiprocessing.synchronize import Event
from pathlib import Path

from benchmarks.way_of_a_claim import with_lines

from adjudicator.claim.engine import Engine
from adjudicator.ledger.embedded import EmbeddedStore
from adjudicator.ledger.store import Ledger
from adjudicator.rules.bundle import load_bundle
from adjudicator.service.metrics import Metrics
from adjudicator.service.options import ServeOptions
from adjudicator.service.settling import BatchCall, Settler
from adjudicator.service.store import Store
from adjudicator.v1 import claim_pb2, pooling_pb2

BATCH, POOL, ASKED, ASKED_SETTLEMENTS = 100, "330100", "H33010200001", 300
SETTLEMENTS_OF_A_PERSON = 10
VERIFICATIONS = 3


class City:
    """Claims by number."""

    def __init__(self, engine: Engine, lines: int, mixed: bool):
        self._mixed = mixed
        self._claim = with_lines(engine, lines)
        self._others = [one.code for one in engine.bundle.packs[0].hospitals[1:4]]
        for name in ("admission_date", "discharge_date", "settlement_date"):
            setattr(self._claim, name, 2025_01_01)
        for line in self._claim.lines:
            line.fee_date = 2025_01_01

    def claim(self, number: int) -> claim_pb2.Claim:
        """Return a claim; the first ones are those of the institution that is asked for."""
        claim = claim_pb2.Claim()
        claim.CopyFrom(self._claim)
        batch, place = divmod(number, BATCH)
        person = (
            number if self._mixed else batch // SETTLEMENTS_OF_A_PERSON * SETTLEMENTS_OF_A_PERSON * BATCH + place * 10
        )
        claim.encounter_id = f"stay-{number:09d}"
        claim.person_id = f"person-{person // SETTLEMENTS_OF_A_PERSON:09d}"
        claim.institution_code = ASKED if number < ASKED_SETTLEMENTS else self._others[number % 3]
        month = 6 if number < ASKED_SETTLEMENTS else 1 + (number if self._mixed else batch) % 12
        day = 1 + number // 12 % 28
        for name in ("admission_date", "discharge_date", "settlement_date"):
            setattr(claim, name, 2025_00_00 + 100 * month + day)
        for line in claim.lines:
            line.fee_date = claim.admission_date
        return claim

    async def settle(self, settler: Settler, first: int) -> None:
        """Settle one batch."""
        claims = [self.claim(number) for number in range(first, first + BATCH)]
        message = claim_pb2.ClaimBatch(claims=claims).SerializeToString()
        (answers,) = await settler.settle_batches([BatchCall.of(message)], [math.inf])
        refused = [answer for answer in answers if not isinstance(answer, bytes)]
        assert not refused, refused[0]


async def with_settler(engine: Engine, url: str, act: Callable[[Settler], Awaitable[None]]) -> None:
    """Run something with a settler over the store."""
    store = Store(url, Path("unused"))
    await store.open()
    settler = Settler(engine, store, ServeOptions(), Metrics())
    try:
        await act(settler)
    finally:
        await store.close()


async def fill(city: City, engine: Engine, url: str, first: int, last: int) -> None:
    """Settle claims ``first`` to ``last``."""

    async def act(settler: Settler) -> None:
        for number in range(first, last, BATCH):
            await city.settle(settler, number)

    await with_settler(engine, url, act)


def keep_settling(
    url: str, first: int, shape: tuple[int, bool], over: Event, waits: multiprocessing.Queue[tuple[int, float]]
) -> None:
    """Settle batches until told otherwise, in a process of its own; tell how many settlements and the longest wait."""
    engine = Engine(load_bundle(["hangzhou"]))
    city = City(engine, *shape)

    async def act(settler: Settler) -> None:
        number, longest = first, 0.0
        await city.settle(settler, number)  # loads the kernels
        waits.put((0, 0.0))
        while not over.is_set():
            number += BATCH
            begin = time.perf_counter()
            await city.settle(settler, number)
            longest = max(longest, time.perf_counter() - begin)
        waits.put((number - first, longest))

    asyncio.run(with_settler(engine, url, act))


async def best_ms(call: Callable[[], Awaitable[object]], repeats: int = 10) -> float:
    """Return the shortest time of a call."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        await call()
        times.append(time.perf_counter() - begin)
    return min(times) * 1000


async def reading(url: str) -> list[str]:
    """Measure the two calls and verify."""
    async with await Ledger.open(url, allow_volatile=True) as ledger:
        statement = pooling_pb2.Statement(
            pool=POOL, institution_code=ASKED, from_date=2025_06_01, to_date=2025_06_30, settlements=1
        )
        found = await ledger.reconcile(statement)
        assert found.settlements == ASKED_SETTLEMENTS
        sums = await best_ms(lambda: ledger.reconcile(statement))
        async for record in ledger.history(POOL, ASKED, 2025_06_01, 2025_06_30):
            statement.lines.add(encounter_id=record.encounter, settlement_sequence=1)
        lines = await best_ms(lambda: ledger.reconcile(statement))
        month = await best_ms(lambda: ledger.totals(POOL, month=2025_06))
        year = await best_ms(lambda: ledger.totals(POOL))
        await ledger.verify(POOL)  # loads its kernels
        rates = max([await verifying(ledger) for _ in range(VERIFICATIONS)])
    return [f"{sums:.2f}", f"{lines:.2f}", f"{month:.2f}", f"{year:.2f}", *(f"{rate:,.0f}" for rate in rates)]


async def verifying(ledger: Ledger) -> tuple[float, float, float]:
    """Return records a second of time, and a second of CPU of this process and of the store."""
    own, of_store, begin = cpu_seconds(), await store_seconds(ledger), time.perf_counter()
    check = await ledger.verify(POOL)
    assert check.holds, check.differences[:3]
    seconds = (time.perf_counter() - begin, cpu_seconds() - own, await store_seconds(ledger) - of_store)
    one, two, three = (check.records / part for part in seconds)
    return one, two, three


async def store_seconds(ledger: Ledger) -> float:
    """CPU of the store."""
    used = await ledger.connection.client.info("cpu")
    return float(used["used_cpu_sys"]) + float(used["used_cpu_user"])


def cpu_seconds() -> float:
    """CPU of this process and its ended children."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


async def rebuilding(url: str, first: int, shape: tuple[int, bool]) -> str:
    """Rebuild while settlements go on; return what happened."""
    context = multiprocessing.get_context("spawn")
    over, waits = context.Event(), context.Queue()
    settling = context.Process(target=keep_settling, args=(url, first, shape, over, waits))
    settling.start()
    await asyncio.to_thread(waits.get)
    async with await Ledger.open(url, allow_volatile=True) as ledger:
        client, lost = ledger.connection.client, 0
        async for key in client.scan_iter(f"adj:\\{{{POOL}}}:state*", count=1000):
            if b":statement:" in key or key[-1] % 10 == 0:
                lost += await client.delete(key)
        rebuilt = await ledger.rebuild(POOL)
        over.set()
        settled, longest = await asyncio.to_thread(waits.get)
        settling.join()
        check = await ledger.verify(POOL)
    kinds = {one.kind for one in check.differences}
    return (
        f"{lost:,} values lost, {rebuilt.states + rebuilt.statements:,} made anew of {rebuilt.records:,} records in"
        f" {rebuilt.seconds:.1f} s; {settled:,} settled meanwhile, longest wait {longest * 1000:.0f} ms;"
        f" verify then: {'holds' if not kinds - {'chain'} else sorted(kinds)}"
    )


def main() -> None:
    """Print a table, one row a size of the ledger, and what a rebuild of each did."""
    parser = argparse.ArgumentParser(description="Measure reading a ledger of some sizes.")
    parser.add_argument("--settlements", type=int, nargs="+", default=[10_000, 100_000], help="sizes, ascending")
    parser.add_argument("--lines", type=int, default=3, help="fee lines of a claim")
    parser.add_argument("--mixed", action="store_true", help="each record a block of the journal by itself")
    options = parser.parse_args()
    shape = (options.lines, options.mixed)
    engine = Engine(load_bundle(["hangzhou"]))
    print(
        "settlements | Reconcile ms | with 300 lines ms | totals of a month ms | all ms"
        " | verified/s | /CPU s | /CPU s of the store"
    )
    with tempfile.TemporaryDirectory() as folder, EmbeddedStore.start(Path(folder)) as store:
        settled, notes = 0, []
        for size in options.settlements:
            asyncio.run(fill(City(engine, *shape), engine, store.url, settled, size))
            print(" | ".join([f"{size:,}", *asyncio.run(reading(store.url))]), flush=True)
            settled = size
        notes.append(asyncio.run(rebuilding(store.url, settled, shape)))
    print("\n".join(notes))


if __name__ == "__main__":
    main()
