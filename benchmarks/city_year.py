"""What a city's whole year costs: settle it, close its months and the year with statements, budget and final account.

The claims are those of ``adjudicator synth``; they are settled into a store of its own. Every step after that is the
command that a fund manager runs, in its own process, so that time and largest memory are those of the command. Run

    .venv/bin/python -m benchmarks.city_year [--claims 100000] [--pack hangzhou]
"""

from __future__ import annotations

import argparse
import asyncio
import math
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from adjudicator.claim.engine import Engine
from adjudicator.ledger.embedded import EmbeddedStore
from adjudicator.rules.bundle import load_bundle
from adjudicator.service.metrics import Metrics
from adjudicator.service.options import ServeOptions
from adjudicator.service.settling import BatchCall, Settler
from adjudicator.service.store import Store
from adjudicator.synth.write import read_protobuf

YEAR, BATCHES_IN_A_COMMIT = 2025, 10


async def settle(pack: str, url: str, claims: Path) -> tuple[int, int]:
    """Settle the batches of a file; return how many claims were settled and how many refused."""
    store, found = Store(url, Path("unused")), [0, 0]
    await store.open()
    settler = Settler(Engine(load_bundle([pack])), store, ServeOptions(), Metrics())
    calls: list[BatchCall] = []

    async def send() -> None:
        for answers in await settler.settle_batches(calls, [math.inf] * len(calls)):
            for answer in answers:
                found[not isinstance(answer, bytes)] += 1
        calls.clear()

    try:
        for batch in read_protobuf(claims):
            calls.append(BatchCall.of(batch))
            if len(calls) == BATCHES_IN_A_COMMIT:
                await send()
        if calls:
            await send()
    finally:
        await store.close()
    return found[0], found[1]


def settle_all(pack: str, url: str, claims: Path) -> None:
    """Settle a file and print what it cost."""
    started = time.perf_counter()
    settled, refused = asyncio.run(settle(pack, url, claims))
    used = resource.getrusage(resource.RUSAGE_SELF)
    name = f"settle {settled:,} ({refused:,} refused)"
    report(name, time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss // 1024)


def command(name: str, *words: str) -> None:
    """Run a command of the product and print its clock, its CPU and its largest memory."""
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "adjudicator", *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        error = process.stderr.read() if process.stderr is not None else ""
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    report(name, time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss // 1024)
    if process.returncode:
        print(f"    exit code {process.returncode}: {error.strip().splitlines()[-1] if error.strip() else ''}")


def report(name: str, seconds: float, cpu: float, megabytes: int) -> None:
    """Print one line."""
    print(f"{name:<34} {seconds:8.1f} s   CPU {cpu:8.1f} s   {megabytes:6,} MiB", flush=True)


def steps(pack: str, url: str, folder: Path, budgets: Sequence[str]) -> None:
    """Run what a year needs after its claims are settled."""
    common = ["--pack", pack, "--from-ledger", "--redis", url, *budgets]
    for number in range(1, 13):
        month = str(YEAR * 100 + number)
        files = ["--statements", str(folder / "statements"), "--html", str(folder / f"{month}.html")]
        command(f"settle-month {month} --close", "settle-month", "--month", month, "--close", *common, *files)
    files = ["--statements", str(folder / "statements"), "--html", str(folder / "year.html")]
    command("settle-year --close", "settle-year", "--year", str(YEAR), "--close", *common, *files)
    place = ["--pack", pack, "--redis", url, "--year", str(YEAR)]
    command("budget execution", "budget", "execution", *place, "--html", str(folder / "execution.html"))
    command("budget final", "budget", "final", *place, "--counties", str(folder / "counties.csv"))
    command("ledger verify", "ledger", "verify", "--redis", url)
    count = len(list((folder / "statements").glob("*.html")))
    print(f"{count} statements")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=100_000)
    parser.add_argument("--pack", default="hangzhou")
    parser.add_argument("--budget", action="append", default=[], metavar="SCHEME=YUAN")
    arguments = parser.parse_args()
    budgets = [word for text in arguments.budget for word in ("--budget", text)]
    with tempfile.TemporaryDirectory() as name, EmbeddedStore.start(Path(name) / "ledger") as store:
        folder = Path(name)
        made = ["synth", "--pack", arguments.pack, "--claims", str(arguments.claims), "--year", str(YEAR)]
        made += ["--persons", str(max(1, arguments.claims // 5)), "--format", "protobuf", "--output", str(folder)]
        command(f"synth {arguments.claims:,}", *made)
        # In a process of its own: a child's largest memory begins with what its parent had.
        claims = multiprocessing.get_context("spawn").Process(
            target=settle_all, args=(arguments.pack, store.url, folder / "claims.pb")
        )
        claims.start()
        claims.join()
        steps(arguments.pack, store.url, folder, budgets)


if __name__ == "__main__":
    main()
