"""CPU a claim of re-pricing from Parquet to Parquet, beside reading and writing the same files alone.

    .venv/bin/python benchmarks/reprice_cost.py [--claims 100000]

Each part runs in a process of its own; the time is that of the operating system, user and system, start included, and
the start alone is measured and taken off.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

COPY = """
import sys, pathlib, pyarrow.parquet as pq
source, output, target = map(pathlib.Path, sys.argv[1:])
target.mkdir()
for path in [*sorted(source.glob("*.parquet")), *sorted(output.rglob("*.parquet"))]:
    file = pq.ParquetFile(path)
    tables = [file.read_row_group(number) for number in range(file.num_row_groups)]
    if output in path.parents and tables:
        with pq.ParquetWriter(target / path.name, tables[0].schema, compression="zstd") as writer:
            for table in tables:
                writer.write_table(table)
"""
"""Reads the input and the output of a run, and writes the output again."""


class Cost(NamedTuple):
    """What a process took."""

    user: float
    """Seconds in the program."""
    system: float
    """Seconds in the operating system, most of them for memory that is touched for the first time."""
    memory_kib: int
    """Most memory of any process so far."""

    def less(self, start: Cost, count: int) -> tuple[float, float]:
        """Return user and system time a claim in us, without the start."""
        return (self.user - start.user) * 1e6 / count, (self.system - start.system) * 1e6 / count


def cpu(*command: str) -> Cost:
    """Run a command of Python and return what it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime, after.ru_maxrss)


def main() -> None:
    """Make a city, price it, and print the parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=100_000)
    parser.add_argument("--pack", default="hangzhou")
    count, pack = (arguments := parser.parse_args()).claims, arguments.pack
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def reprice(source: str, output: str) -> Cost:
            options = ("--input", str(folder / source), "--output", str(folder / output))
            return cpu("-m", "adjudicator", "reprice", "--pack", pack, *options)

        for folder_name, claims in (("year", count), ("few", 100)):
            sizes = ("--claims", str(claims), "--persons", str(2 * count), "--inpatient-share", "0.55")
            output = ("--format", "parquet", "--output", str(folder / folder_name))
            cpu("-m", "adjudicator", "synth", "--pack", pack, *sizes, *output)
        reprice("few", "compiled")
        start = reprice("few", "start")
        whole = reprice("year", "priced")
        empty = cpu("-c", "import pyarrow.parquet")
        copied = cpu("-c", COPY, str(folder / "year"), str(folder / "priced"), str(folder / "copied"))
    print(f"{count:,} claims of {pack}, one process; us of CPU a claim, user + system")
    for name, (user, system) in (
        ("Parquet to Parquet", whole.less(start, count)),
        ("read and write alone", copied.less(empty, count)),
    ):
        print(
            f"{name:22}{user:6.2f} + {system:5.2f} = {user + system:6.2f}  {1e6 / (user + system):9,.0f} a CPU second"
        )
    print(f"most memory of a process {whole.memory_kib / 1024:,.0f} MiB")


if __name__ == "__main__":
    main()
