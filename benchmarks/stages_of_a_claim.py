"""CPU of each stage of a settlement in one process, without gRPC and store: from the bytes of claims to what is sent.

The claims have 50 lines and are of persons without a settlement. The least of some turns counts. With ``--calls`` it
prints each call into compiled code instead: how many arguments it has, counted one by one, how long it takes, and how
long a function takes that has the same arguments and does nothing. Run

    .venv/bin/python -m benchmarks.stages_of_a_claim [--claims 1 10 100 1000] [--calls]
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.bench_engine import batch_of
from numba import njit
from numba.core.dispatcher import Dispatcher

from adjudicator.claim.engine import Engine
from adjudicator.compiled.held import Held
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


class Calls:
    """Watches the calls into compiled code: the latest arguments of each, and the least time it took."""

    def __init__(self) -> None:
        self.arguments: dict[str, tuple[Any, ...]] = {}
        self.least: dict[str, float] = {}
        for module in [one for name, one in sys.modules.items() if name.startswith("adjudicator")]:
            for name, value in list(vars(module).items()):
                if isinstance(value, Dispatcher):
                    setattr(module, name, self._watched(value))

    def _watched(self, kernel: Any) -> Callable[..., Any]:
        name = f"{kernel.py_func.__module__.removeprefix('adjudicator.')}.{kernel.py_func.__name__}"

        def call(*arguments: Any) -> Any:
            began = time.perf_counter()
            result = kernel(*arguments)
            took = time.perf_counter() - began
            self.least[name], self.arguments[name] = min(self.least.get(name, math.inf), took), arguments
            return result

        return call


def leaves(value: Any) -> int:
    """Return how many arrays and numbers an argument is made of."""
    return sum(map(leaves, value)) if isinstance(value, tuple) else 1


@njit
def nothing(*_: Any) -> int:
    """Do nothing with any arguments."""
    return 0


def least_of_nothing(arguments: tuple[Any, ...]) -> float:
    """Return the least seconds of a call with these arguments that does nothing; what is held is one pointer."""
    arguments = tuple(0 if isinstance(one, Held) else one for one in arguments)
    nothing(*arguments)
    least = math.inf
    for _ in range(CLAIMS_A_TURN):
        began = time.perf_counter()
        nothing(*arguments)
        least = min(least, time.perf_counter() - began)
    return least


def print_calls(settler: Settler, message: bytes, claims: int) -> None:
    """Print each call into compiled code."""
    calls, whole = Calls(), math.inf
    for _ in range(TURNS * max(10, CLAIMS_A_TURN // claims)):
        began = time.perf_counter()
        settle(settler, message, Clock())
        whole = min(whole, time.perf_counter() - began)
    print(f"{claims} claims, the whole way {whole * 1e6:.0f} us; us a call:")
    empty = {name: least_of_nothing(arguments) for name, arguments in calls.arguments.items()}
    print(f"{'arguments':>9} {'took':>7} {'of this doing nothing':>22}")
    for name, arguments in calls.arguments.items():
        print(f"{leaves(arguments):9} {calls.least[name] * 1e6:7.1f} {empty[name] * 1e6:22.1f}  {name}")
    sums = (sum(map(leaves, calls.arguments.values())), sum(calls.least.values()), sum(empty.values()))
    print(f"{sums[0]:9} {sums[1] * 1e6:7.1f} {sums[2] * 1e6:22.1f}  {len(empty)} calls together", flush=True)


def main() -> None:
    """Print microseconds a claim, one row a size of the batch."""
    parser = argparse.ArgumentParser(description="Print the CPU of each stage of a settlement.")
    parser.add_argument("--claims", type=int, nargs="+", default=[1, 10, 100, 1000])
    parser.add_argument("--calls", action="store_true", help="print each call into compiled code")
    options = parser.parse_args()
    engine = Engine(load_bundle(["hangzhou"]))
    settler = Settler(engine, Store("redis://nowhere", Path("unused")), ServeOptions(), Metrics())
    for claims in options.claims:
        message, least = batch_of(engine, claims, LINES), dict[str, float]()
        if options.calls:
            settle(settler, message, Clock())
            print_calls(settler, message, claims)
            continue
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
