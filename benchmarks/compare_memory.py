"""Memory and CPU of comparing two finished runs, by how many claims come at a time, with fee lines and without.

    .venv/bin/python benchmarks/compare_memory.py OLD NEW [--rows 8192 131072]

Each comparison runs in a process of its own; the memory is the most that the operating system saw, beside what
``compare.memory`` says beforehand.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from adjudicator.compare.memory import BASE_BYTES, CLAIM_BYTES, LINES_BYTES, ROW_BYTES
from adjudicator.compare.run import compare
from adjudicator.compare.sides import Folder


def one(old: Path, new: Path, rows: int, with_lines: bool) -> None:
    """Compare, and print what it took."""
    if not with_lines:
        Folder.has_lines = False
    sides = Folder(old), Folder(new)
    assert sides[0].bundle and sides[1].bundle
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        found = compare(*sides, Path(folder) / "out", rows=rows)
    mebibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    claims = int(sides[1].manifest["summary"]["claims"])
    said = BASE_BYTES + with_lines * LINES_BYTES + claims * CLAIM_BYTES + min(rows, claims) * ROW_BYTES
    print(
        f"{rows:,} claims at a time of {claims:,}, {found.differ:,} differ, {'with' if with_lines else 'no'} lines:"
        f" {mebibytes:,} MiB, said {said >> 20:,}; CPU {time.process_time() - began:.1f} s"
    )


def main() -> None:
    """Compare in one process after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--rows", type=int, nargs="+", default=[8_192, 131_072])
    parser.add_argument("--one", choices=("lines", "none"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        one(arguments.old, arguments.new, arguments.rows[0], arguments.one == "lines")
        return
    for kind in ("none", "lines"):
        for rows in arguments.rows:
            command = [str(arguments.old), str(arguments.new), "--rows", str(rows), "--one", kind]
            subprocess.run([sys.executable, __file__, *command], check=True)


if __name__ == "__main__":
    main()
