"""Memory and disk of re-pricing, beside what ``adjudicator reprice`` says of them before it begins.

    .venv/bin/python benchmarks/reprice_space.py INPUT [--pack hangzhou] [--memory 800MB] [--lines] [--facts]

The memory is the most that the operating system saw of this process, the only one of the run; the disk is what is in
the folder of work when everything is written and before it is removed, by kind of file.
"""

from __future__ import annotations

import argparse
import collections
import re
import resource
import tempfile
from pathlib import Path

from adjudicator.cli.compare import size
from adjudicator.reprice.job import engine_for
from adjudicator.reprice.run import Options, plan, run


def main() -> None:
    """Price a folder and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("input", type=Path)
    parser.add_argument("--pack", default="hangzhou")
    parser.add_argument("--memory", type=size, default=2 << 30)
    for name in ("lines", "facts"):
        parser.add_argument(f"--{name}", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        options = Options(
            [arguments.pack], arguments.input, Path(folder) / "out", with_lines=arguments.lines,
            with_facts=arguments.facts, memory=arguments.memory,
        )  # fmt: skip
        planned = plan(options, engine_for((arguments.pack,)).bundle.hash)
        steps: dict[str, int] = {}
        run(planned, options, lambda step, *_: steps.update({step: _peak()}))
        used = collections.Counter[str]()
        for path in planned.job.work.rglob("*"):
            if path.is_file():
                used[re.sub(r"[-.\d].*", "", path.name)] += path.stat().st_size
    claims = planned.job.source.claims
    print(f"{claims:,} claims of {arguments.pack}, {planned.job.buckets} buckets, {planned.job.batch:,} at a time")
    print(f"memory {_peak():,} MiB, said {planned.memory_bytes >> 20:,}; so far at the end of each step {steps}")
    whole = sum(used.values())
    print(f"disk {whole >> 20:,} MiB, said {planned.scratch_bytes >> 20:,}; {whole / claims:.0f} bytes a claim:")
    print(", ".join(f"{name} {octets / claims:.1f}" for name, octets in used.most_common()))


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


if __name__ == "__main__":
    main()
