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


def cpu(*command: str) -> tuple[float, int]:
    """Run a command of Python; return its CPU seconds and the most memory of any child so far, in KiB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, after.ru_maxrss


def main() -> None:
    """Make a city, price it, and print the parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=100_000)
    parser.add_argument("--pack", default="hangzhou")
    count, pack = (arguments := parser.parse_args()).claims, arguments.pack
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def reprice(source: str, output: str) -> tuple[float, int]:
            options = ("--input", str(folder / source), "--output", str(folder / output))
            return cpu("-m", "adjudicator", "reprice", "--pack", pack, *options)

        for folder_name, claims in (("year", count), ("few", 100)):
            sizes = ("--claims", str(claims), "--persons", str(2 * count), "--inpatient-share", "0.55")
            output = ("--format", "parquet", "--output", str(folder / folder_name))
            cpu("-m", "adjudicator", "synth", "--pack", pack, *sizes, *output)
        reprice("few", "compiled")
        start, _ = reprice("few", "start")
        whole, memory = reprice("year", "priced")
        empty, _ = cpu("-c", "import pyarrow.parquet")
        copied, _ = cpu("-c", COPY, str(folder / "year"), str(folder / "priced"), str(folder / "copied"))
    priced, read_and_write = (whole - start) * 1e6 / count, (copied - empty) * 1e6 / count
    print(f"{count:,} claims of {pack}, one process")
    print(f"Parquet to Parquet        {priced:6.2f} us of CPU a claim   {1e6 / priced:9,.0f} claims a CPU second")
    print(f"read and write alone      {read_and_write:6.2f} us")
    print(f"rules                     {priced - read_and_write:6.2f} us")
    print(f"most memory of a process  {memory / 1024:6.0f} MiB")


if __name__ == "__main__":
    main()
