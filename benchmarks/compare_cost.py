"""CPU of comparing two runs, report included, beside the pricing of the same claims.

    .venv/bin/python benchmarks/compare_cost.py [--claims 200000] [--through year]

The second run has other rates in every plan, so that most claims differ. Each part runs in a process of its own; the
time is that of the operating system, user and system, start included.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import adjudicator

PACKS = Path(adjudicator.__file__).parent / "packs"


def cpu(*command: str) -> tuple[float, int]:
    """Run a command of the program; return its CPU seconds and the most KiB of any process so far."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "adjudicator", *command], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used, after.ru_maxrss


def changed(folder: Path) -> Path:
    """A copy of Taohuayuan where every whole rate of 50 % and more is one point lower."""
    shutil.copytree(PACKS / "taohuayuan", folder)
    for path in (folder / "benefit").glob("*.toml"):
        lines = path.read_text("utf-8").splitlines()
        inside = [
            re.sub(r"\b([5-9]\d)\b(?!\.)", lambda rate: str(int(rate[1]) - 1), line)
            if re.match(r"(rate_percent|primary|secondary|tertiary|provincial)\b.*[=]", line) and "yuan" not in line
            else line
            for line in lines
        ]
        path.write_text("\n".join(inside) + "\n", "utf-8")
    return folder


def main() -> None:
    """Make a city, price it under both rules, compare, and print the parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=200_000)
    parser.add_argument("--through", choices=("month", "year"))
    parser.add_argument("--input", type=Path, help="claims that synth wrote, instead of new ones")
    count = (arguments := parser.parse_args()).claims
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = arguments.input or folder / "year"
        if arguments.input is None:
            cpu("synth", "--pack", "taohuayuan", "--claims", str(count), "--format", "parquet", "--output", str(source))
        packs = {"old": "taohuayuan", "new": str(changed(folder / "pack"))}
        times = {}
        few = str(folder / "few")
        cpu("synth", "--pack", "taohuayuan", "--claims", "100", "--format", "parquet", "--output", few)
        cpu("reprice", "--pack", "taohuayuan", "--input", few, "--output", str(folder / "compiled"))
        for side, pack in packs.items():
            out = str(folder / side)
            times[side], _ = cpu("reprice", "--pack", pack, "--input", str(source), "--output", out, "--facts")
        sides = (str(folder / "old"), str(folder / "new"))
        more = ("--through", arguments.through) if arguments.through else ()
        tables, memory = cpu("reprice", "compare", *sides, "--output", str(folder / "t"), "--no-report", *more)
        whole, _ = cpu("reprice", "compare", *sides, "--output", str(folder / "r"), *more)
        counts = json.loads((folder / "r" / "summary.json").read_text("utf-8"))["counts"]
        pages = sum(1 for _ in (folder / "r" / "report").rglob("*.html"))
    print(f"{counts['claims_differ']:,} of {counts['claims']:,} claims differ")
    print(f"seconds of CPU: pricing {times['old']:.1f} and {times['new']:.1f}; comparing {tables:.1f},")
    print(f"with the report of {pages} pages {whole:.1f}, {whole / times['old']:.2f} of one pricing;")
    print(f"most memory of a process so far {memory >> 10} MiB")


if __name__ == "__main__":
    main()
