"""``adjudicator synth``: writes the claims of a synthetic city."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "synth",
        help="write synthetic claims of a pack",
        description="Writes the claims of a synthetic city in the order of settlement. The same packs, seed and "
        "options give the same files. All claims are valid. Nothing in them is about a real person.",
    )
    parser.add_argument(
        "--pack", action="append", required=True, help="pack by name or folder; may be given several times"
    )
    parser.add_argument("--claims", type=int, required=True, help="how many claims")
    parser.add_argument("--seed", type=int, default=1, help="number that everything is drawn from (default 1)")
    parser.add_argument("--output", type=Path, required=True, help="folder for the files; made if it is not there")
    parser.add_argument("--year", type=int, default=2023, help="calendar year of settlement (default 2023)")
    parser.add_argument("--persons", type=int, default=20_000, help="insured persons of each pool (default 20000)")
    parser.add_argument("--inpatient-share", type=float, default=0.3, help="share of stays, 0 to 1 (default 0.3)")
    parser.add_argument(
        "--format", choices=("protobuf", "parquet", "both"), default="protobuf",
        help="claims.pb (delimited ClaimBatch messages), claims.parquet and lines.parquet, or both",
    )  # fmt: skip
    parser.add_argument("--batch", type=int, default=100, help="claims in a batch of claims.pb (default 100)")
    parser.add_argument("--json", action="store_true", help="print what was written as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the files; return 0, or 2 where an option makes no sense."""
    from adjudicator.synth import write
    from adjudicator.synth.city import Synthesizer

    if arguments.claims < 0 or arguments.batch < 1 or arguments.persons < 1 or not 0 <= arguments.inpatient_share <= 1:
        print("claims, batch and persons are positive numbers, inpatient-share lies between 0 and 1", file=sys.stderr)
        return 2
    began = time.perf_counter()
    city = Synthesizer(
        arguments.pack, arguments.seed, year=arguments.year, persons=arguments.persons,
        inpatient_share=arguments.inpatient_share,
    )  # fmt: skip
    arguments.output.mkdir(parents=True, exist_ok=True)
    count = arguments.claims
    with _Bar(count * (2 if arguments.format == "both" else 1)) as bar:
        if arguments.format in ("protobuf", "both"):
            write.write_protobuf(city, count, arguments.output / write.PROTOBUF_FILE, arguments.batch, bar.at)
        if arguments.format in ("parquet", "both"):
            done = count if arguments.format == "both" else 0
            write.write_parquet(city, count, arguments.output, lambda rows: bar.at(done + rows))
    about = write.write_about(city, count, arguments.output)
    if arguments.json:
        print(json.dumps(about))
    else:
        seconds = time.perf_counter() - began
        print(f"{count} claims of {', '.join(about['packs'])} in {arguments.output} ({count / seconds:,.0f} claims/s)")
    return 0


class _Bar:
    """A progress bar where there is a terminal, nothing elsewhere."""

    def __init__(self, total: int):
        self._total = total
        self._progress: Any = None

    def __enter__(self) -> _Bar:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import Progress

            self._progress = Progress(console=Console(stderr=True))
            self._progress.start()
            self._task = self._progress.add_task("claims", total=self._total)
        return self

    def at(self, done: int) -> None:
        """Show how many are done."""
        if self._progress is not None:
            self._progress.update(self._task, completed=done)

    def __exit__(self, *exception: object) -> None:
        if self._progress is not None:
            self._progress.stop()
