"""Time of re-pricing on each engine, beside the processes of this machine on the same cores.

    .venv/bin/python benchmarks/reprice_engines.py [--claims 400000] [--workers 2] [--rounds 3] [--engine dask ...]

Every engine has as many worker processes as local has. Clusters run before the clock starts and have priced a few
claims, so that their processes have compiled rules, as those of a cluster that is in use; local starts its processes
anew for each run, and its start alone is measured and taken off. Rounds alternate; the best of each counts. Results are
compared byte by byte.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import psutil

PYTHON = [sys.executable, "-m"]


@contextlib.contextmanager
def dask_cluster(folder: Path, workers: int) -> Iterator[str]:
    """Run a scheduler and workers on this machine; the address."""
    file = folder / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    place = ["--host", "127.0.0.1", "--scheduler-file", str(file), "--no-dashboard"]
    processes = [subprocess.Popen([*PYTHON, "dask", "scheduler", "--port", "0", "--no-show", *place], **quiet)]
    try:
        while not file.exists():
            time.sleep(0.1)
        own = [*PYTHON, "dask", "worker", "--nthreads", "1", "--nworkers", str(workers), *place]
        processes.append(subprocess.Popen(own, **quiet))
        yield json.loads(file.read_text())["address"]
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait()


class Cost(NamedTuple):
    """What a run took: seconds by the clock, and CPU of all its processes, those of the cluster too."""

    seconds: float
    cpu: float

    def less(self, start: Cost) -> Cost:
        """Return the cost without the start."""
        return Cost(self.seconds - start.seconds, self.cpu - start.cpu)


NEVER = Cost(1e9, 1e9)


def cpu_seconds() -> float:
    """Return the CPU time of all processes that this one started, ended or running."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    running = [process.cpu_times() for process in psutil.Process().children(recursive=True)]
    return ended.ru_utime + ended.ru_stime + sum(one.user + one.system for one in running)


def reprice(pack: str, source: Path, output: Path, *options: str) -> Cost:
    """Price a folder and return what it took."""
    command = [*PYTHON, "adjudicator", "reprice", "--pack", pack, "--input", str(source), "--output", str(output)]
    cpu, began = cpu_seconds(), time.perf_counter()
    subprocess.run([*command, *options], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return Cost(time.perf_counter() - began, cpu_seconds() - cpu)


def contents(folder: Path) -> dict[str, bytes]:
    """Return the results of a run by the names of their files."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.parquet"))}


def main() -> None:
    """Make a city, price it on each engine in turns, and print times and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=400_000)
    parser.add_argument("--pack", default="hangzhou")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--engine", nargs="+", default=["dask"], choices=["dask"])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        for part, claims in (("year", arguments.claims), ("few", 100)):
            sizes = ("--claims", str(claims), "--persons", str(2 * arguments.claims), "--inpatient-share", "0.55")
            output = ("--format", "parquet", "--output", str(folder / part))
            synth = [*PYTHON, "adjudicator", "synth", "--pack", arguments.pack, *sizes, *output]
            subprocess.run(synth, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        ways: dict[str, tuple[str, ...]] = {"local": ("--workers", str(arguments.workers))}
        if "dask" in arguments.engine:
            address = stack.enter_context(dask_cluster(folder, arguments.workers))
            ways["dask"] = ("--engine", "dask", "--scheduler", address, "--workers", str(arguments.workers))
        measure(
            folder, arguments, lambda source, output, way: reprice(arguments.pack, source, output, *ways[way]), ways
        )


def measure(
    folder: Path,
    arguments: argparse.Namespace,
    run: Callable[[Path, Path, str], Cost],
    ways: dict[str, tuple[str, ...]],
) -> None:
    """Print the least that each way took, the start taken off, beside local."""
    starts, best = dict.fromkeys(ways, NEVER), dict.fromkeys(ways, NEVER)
    for way in ways:
        run(folder / "few", folder / f"warm-{way}", way)
    for number in range(arguments.rounds):
        for way in ways:
            starts[way] = _least(starts[way], run(folder / "few", folder / f"few-{way}-{number}", way))
            best[way] = _least(best[way], run(folder / "year", folder / f"{way}-{number}", way))
    same = contents(folder / "local-0")
    print(f"{arguments.claims:,} claims of {arguments.pack}, {arguments.workers} worker processes, without the start")
    local = best["local"].less(starts["local"])
    for way in ways:
        assert contents(folder / f"{way}-0") == same, way
        own = best[way].less(starts[way])
        print(
            f"{way:8}{own.seconds:7.2f} s, {own.seconds / local.seconds:5.2f} of local;"
            f" CPU {own.cpu:7.2f} s, {own.cpu / local.cpu:5.2f} of local; same bytes;"
            f" start {starts[way].seconds:5.2f} s"
        )


def _least(one: Cost, other: Cost) -> Cost:
    return Cost(min(one.seconds, other.seconds), min(one.cpu, other.cpu))


if __name__ == "__main__":
    main()
