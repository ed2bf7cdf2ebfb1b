"""CPU a claim of re-pricing from Parquet to Parquet, beside reading and writing the same files alone, beside the same
claims as messages, and beside a program that uses the protobuf library.

    .venv/bin/python benchmarks/reprice_cost.py [--claims 100000] [--by-library 20000]

Each part runs in a process of its own; the time is that of the operating system, user and system, start included, and
the start alone is measured and taken off. The program with the library (``reprice_by_library.py``) reads the same
tables, makes a ``ClaimBatch`` of them with the protobuf library, prices it with the engine, parses the
``SettlementBatch`` with the library and writes the same columns; it prices fewer claims, and both must be equal.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq

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


BY_LIBRARY = Path(__file__).with_name("reprice_by_library.py")


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


def assert_same(one: Path, other: Path) -> None:
    """Prove that two runs give the same answers."""
    ours, theirs = (pq.read_table(path) for path in (one, other))
    for name in ours.column_names:
        assert ours.column(name).to_pylist() == theirs.column(name).to_pylist(), name


def main() -> None:
    """Make a city, price it, and print the parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=100_000)
    parser.add_argument("--by-library", type=int, default=20_000, help="claims that the library takes")
    parser.add_argument("--pack", default="hangzhou")
    arguments = parser.parse_args()
    count, fewer, pack = arguments.claims, arguments.by_library, arguments.pack
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def reprice(source: str, output: str) -> Cost:
            options = ("--input", str(folder / source), "--output", str(folder / output))
            return cpu("-m", "adjudicator", "reprice", "--pack", pack, *options)

        for folder_name, claims in (("year", count), ("few", 100), ("part", fewer)):
            sizes = ("--claims", str(claims), "--persons", str(2 * count), "--inpatient-share", "0.55")
            output = ("--format", "both", "--output", str(folder / folder_name))
            cpu("-m", "adjudicator", "synth", "--pack", pack, *sizes, *output)
        reprice("few", "compiled")
        start = reprice("few", "start")
        whole = reprice("year", "priced")
        messages = reprice("year/claims.pb", "by-messages")
        assert_same(folder / "priced" / "settlements", folder / "by-messages" / "settlements")
        empty = cpu("-c", "import pyarrow.parquet")
        copied = cpu("-c", COPY, str(folder / "year"), str(folder / "priced"), str(folder / "copied"))

        def by_library(source: str, output: str) -> Cost:
            return cpu(
                str(BY_LIBRARY), "--pack", pack, "--input", str(folder / source), "--output", str(folder / output)
            )

        first = by_library("few", "few.parquet")
        library = by_library("part", "part.parquet")
        reprice("part", "part-priced")
        assert_same(folder / "part-priced" / "settlements", folder / "part.parquet")
    print(f"{count:,} claims of {pack}, one process; us of CPU a claim, user + system")
    ours = sum(whole.less(start, count))
    for name, (user, system) in (
        ("Parquet to Parquet", whole.less(start, count)),
        ("read and write alone", copied.less(empty, count)),
        ("messages to Parquet", messages.less(start, count)),
        (f"by the protobuf library, {fewer:,}", library.less(first, fewer)),
    ):
        total = user + system
        print(
            f"{name:34}{user:8.2f} + {system:6.2f} = {total:8.2f}  {1e6 / total:9,.0f} a CPU second {total / ours:6.2f}"
        )
    print(f"most memory of a process {whole.memory_kib / 1024:,.0f} MiB")


if __name__ == "__main__":
    main()
