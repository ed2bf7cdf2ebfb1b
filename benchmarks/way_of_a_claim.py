"""The way of one claim through the code: how many calls, functions, files and moves from ``settle`` to commit and back.

It settles one claim of 50 lines over a real store, with every kernel compiled and the person known, and watches with
``sys.setprofile``. Counted are the frames of this package alone. An entry into a compiled kernel counts as a call, and
so does each time a coroutine goes on after it has waited. Run it with

    .venv/bin/python benchmarks/way_of_a_claim.py [--calls]
"""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import CodeType, FrameType

from numba.core.dispatcher import Dispatcher

import adjudicator
from adjudicator.claim.engine import Engine
from adjudicator.ledger.embedded import EmbeddedStore
from adjudicator.rules.bundle import load_bundle
from adjudicator.service.metrics import Metrics
from adjudicator.service.options import ServeOptions
from adjudicator.service.settling import Settler
from adjudicator.service.store import Store
from adjudicator.service.warming import example
from adjudicator.v1 import claim_pb2, settlement_pb2

ROOT = Path(adjudicator.__file__).parent
LINES = 50
ROUNDS = 5
"""Claims that are watched; the shortest way counts, because a coroutine goes on once more where the store is slow."""
ROUNDS_BEFORE = 3
"""Claims settled before the one that is watched: kernels are loaded, the pool and the scripts known to the store."""


@dataclass(frozen=True)
class Way:
    """The calls of one claim in order, each as the code object that was entered."""

    calls: tuple[CodeType, ...]

    @property
    def files(self) -> list[str]:
        """File of each call, relative to the package."""
        return [str(Path(code.co_filename).relative_to(ROOT)) for code in self.calls]

    @property
    def kernel_calls(self) -> int:
        """How many of the calls enter compiled code."""
        compiled = _kernel_code()
        return sum(code in compiled for code in self.calls)

    def figures(self) -> dict[str, int]:
        """The figures by name."""
        files = self.files
        compiled = _kernel_code()
        folders = [str(Path(file).parent) for file in files]
        return {
            "calls": len(self.calls),
            "of these into compiled kernels": self.kernel_calls,
            "functions": len(set(self.calls)),
            "files": len(set(files)),
            "of these entered only through compiled kernels": len(
                set(files) - {file for file, code in zip(files, self.calls, strict=True) if code not in compiled}
            ),
            "moves from file to file": _moves(files),
            "moves between folders": _moves(folders),
        }


def _moves(places: list[str]) -> int:
    return sum(here != there for here, there in pairwise(places))


def _kernel_code() -> set[CodeType]:
    """Code objects of every compiled function of this package that is loaded."""
    modules = [module for name, module in sys.modules.items() if name.startswith("adjudicator")]
    values = (value for module in modules for value in vars(module).values())
    return {value.py_func.__code__ for value in values if isinstance(value, Dispatcher)}


def with_lines(engine: Engine, lines: int) -> claim_pb2.Claim:
    """A resident's stay with so many fee lines, and with codes that the grouping scheme knows."""
    claim, known = example(engine.bundle), engine.bundle.schemes[0].texts
    claim.diagnoses[:], claim.procedures[:] = known.diagnosis_codes[:1], known.procedure_codes[:1]
    first = claim_pb2.Line()
    first.CopyFrom(claim.lines[0])
    del claim.lines[:]
    for position in range(lines):
        line = claim.lines.add()
        line.CopyFrom(first)
        line.line_id = str(position + 1)
    claim.total_fen = sum(line.amount_fen for line in claim.lines)
    return claim


def make_claim(engine: Engine, number: int) -> bytes:
    """A stay with 50 fee lines; every call has its own encounter, in its own month (``number`` up to 11)."""
    claim = with_lines(engine, LINES)
    claim.encounter_id = f"way-{number}"
    for name in ("admission_date", "discharge_date", "settlement_date"):
        setattr(claim, name, getattr(claim, name) + 100 * number)
    for line in claim.lines:
        line.fee_date += 100 * number
    return claim.SerializeToString()


async def follow(engine: Engine, url: str) -> Way:
    """Settle a few claims over the store at ``url`` and return the shortest way of one."""
    store = Store(url, Path("unused"))
    await store.open()
    settler = Settler(engine, store, ServeOptions(), Metrics())
    try:
        for number in range(ROUNDS_BEFORE):
            await settler.settle([make_claim(engine, number)], [math.inf])
        messages = [make_claim(engine, ROUNDS_BEFORE + number) for number in range(ROUNDS)]
        ways = [await _watch(settler, message) for message in messages]
    finally:
        await store.close()
    return min(ways, key=lambda way: len(way.calls))


async def _watch(settler: Settler, message: bytes) -> Way:
    """Settle one claim and note every call."""
    calls: list[CodeType] = []
    inside = f"{ROOT}/"

    def watch(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(inside):
            calls.append(frame.f_code)

    sys.setprofile(watch)
    try:
        answers = await settler.settle([message], [math.inf])
    finally:
        sys.setprofile(None)
    if not isinstance(answers[0], bytes):
        raise answers[0]
    answer = settlement_pb2.Settlement.FromString(answers[0])
    if answer.outcome != settlement_pb2.OUTCOME_SETTLED or len(answer.lines) != LINES:
        raise AssertionError(answer)
    return Way(tuple(calls))


def main() -> None:
    """Print the figures and, if asked, the calls in order with the number of times each is made."""
    parser = argparse.ArgumentParser(description="Measure the way of one claim through the code.")
    parser.add_argument("--calls", action="store_true", help="also list every function with its number of calls")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, EmbeddedStore.start(Path(folder)) as store:
        way = asyncio.run(follow(Engine(load_bundle(["hangzhou"])), store.url))
    for name, number in way.figures().items():
        print(f"{number:6}  {name}")
    if options.calls:
        named = [f"{file} {code.co_qualname}" for file, code in zip(way.files, way.calls, strict=True)]
        for name, count in Counter(named).items():
            print(f"{count:6}  {name}")


if __name__ == "__main__":
    main()
