"""CPU of each stage of a settlement in one process, without gRPC and store: from the bytes of claims to what is sent.

The claims have 50 lines and are of persons without a settlement. The least of some turns counts. Run

    .venv/bin/python -m benchmarks.stages_of_a_claim [--claims 1 10 100 1000]
"""

from __future__ import annotations

import argparse
import math
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from benchmarks.bench_engine import batch_of

from adjudicator.claim.engine import Engine
from adjudicator.ledger.batch import pack
from adjudicator.ledger.record_kernel import Parts
from adjudicator.ledger.states import StateRead
from adjudicator.rules.bundle import load_bundle
from adjudicator.service.metrics import Metrics
from adjudicator.service.open_claims import OpenClaims
from adjudicator.service.options import ServeOptions
from adjudicator.service.settling import Settler, cut, split
from adjudicator.service.store import Store
from adjudicator.service.years import person_years, year_keys
from adjudicator.wire.decode import BATCH_DEPTH

TURNS, CLAIMS_A_TURN, LINES = 7, 300, 50


class Clock:
    """Adds up the CPU of stages, in seconds."""

    def __init__(self) -> None:
        self.stages: defaultdict[str, float] = defaultdict(float)
        self._last = time.process_time()

    def note(self, stage: str) -> None:
        """Count the time since the last note for a stage."""
        now = time.process_time()
        self.stages[stage] += now - self._last
        self._last = time.process_time()


def settle(settler: Settler, message: bytes, clock: Clock) -> None:
    """Go the way of a batch as ``Settler`` does."""
    engine = settler.engine
    clock.note("")
    starts, ends = split(message)
    clock.note("split")
    resolved = engine.prepare(message, starts, ends, max_depth=BATCH_DEPTH, digested=True)
    clock.note("prepare")
    rows = resolved.good
    work = OpenClaims(resolved, "330100", rows, np.full(len(starts), math.inf))
    keys, state_rows, kin = year_keys(engine.bundle, resolved, rows)
    clock.note("names of years")
    states = StateRead.parse(keys, [b""] * len(keys))
    years = person_years(states, state_rows, kin)
    clock.note("years")
    result = engine.price(resolved, rows, state_rows, years)
    clock.note("price")
    kept = np.flatnonzero(result.errors == 0)
    answers, basis = engine.encode_settled(result, kept)
    cut(*answers)
    clock.note("answers")
    settlements = settler.columns(work, result, kept, states, (Parts(*answers), Parts(*basis)))
    pack(settlements).arguments()
    clock.note("commit")


def main() -> None:
    """Print microseconds a claim, one row a size of the batch."""
    parser = argparse.ArgumentParser(description="Print the CPU of each stage of a settlement.")
    parser.add_argument("--claims", type=int, nargs="+", default=[1, 10, 100, 1000])
    options = parser.parse_args()
    engine = Engine(load_bundle(["hangzhou"]))
    settler = Settler(engine, Store("redis://nowhere", Path("unused")), ServeOptions(), Metrics())
    for claims in options.claims:
        message, least = batch_of(engine, claims, LINES), dict[str, float]()
        for _ in range(TURNS):
            clock, loops = Clock(), max(1, CLAIMS_A_TURN // claims)
            for _ in range(loops):
                settle(settler, message, clock)
            for stage, seconds in clock.stages.items():
                micro = seconds / loops / claims * 1e6
                least[stage] = min(least.get(stage, math.inf), micro)
        del least[""]
        listed = ", ".join(f"{stage} {micro:.1f}" for stage, micro in least.items())
        print(f"{claims:>5} claims: {sum(least.values()):.1f} us of CPU a claim: {listed}", flush=True)


if __name__ == "__main__":
    main()
