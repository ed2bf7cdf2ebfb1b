"""``adjudicator group``: groups a file of discharge records into DRGs."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adjudicator.grouping.records.files import Outcome, Task

SHOWN_MESSAGES = 20


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "group",
        help="group records into DRGs",
        description="Groups discharge records. Text files (.tsv, .csv, also .gz) and Parquet; see docs/grouping.md.",
    )
    parser.add_argument("--scheme", required=True, help="folder of a grouping scheme, or the name of a shipped one")
    parser.add_argument("--input", required=True, type=Path, help="records: .tsv, .csv or .parquet; - reads TSV")
    parser.add_argument("--output", required=True, type=Path, help="answers, in the format of its name; - writes TSV")
    parser.add_argument("--trace", action="store_true", help="add why each record got its group, and what it rests on")
    parser.add_argument(
        "--coding-checks", nargs="?", const="", metavar="FILE", help="add the coding checks that failed"
    )
    parser.add_argument(
        "--map-codes", action="store_true", help="codes are of the clinical edition (国临版): map first"
    )
    parser.add_argument("--errors", type=Path, help="write every malformed or invalid line here (line, reason)")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="threads (default: all cores)")
    parser.add_argument("--json", action="store_true", help="print the counts as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Group the file; 1 where a line was malformed, 2 where the file cannot be read."""
    from adjudicator.grouping.records.files import RecordFileError, Task
    from adjudicator.grouping.scheme.load import load_scheme

    task = Task(load_scheme(arguments.scheme), arguments.map_codes, max(1, arguments.threads))
    task = _with_extras(task, arguments)
    kinds = {_kind(arguments.input), _kind(arguments.output)}
    if "parquet" in kinds and len(kinds) > 1:
        print("Parquet goes to Parquet, text to text: name both files alike", file=sys.stderr)
        return 2
    try:
        with _teller(arguments.errors) as tell:
            outcome = _group(replace(task, tell=tell), arguments, "parquet" in kinds)
    except (RecordFileError, OSError) as error:
        print(f"{arguments.input}: {error}", file=sys.stderr)
        return 2
    _report(arguments, outcome)
    return 1 if outcome.malformed else 0


def _with_extras(task: Task, arguments: argparse.Namespace) -> Task:
    """Return the task with the answer columns that were asked for."""
    if not arguments.trace and arguments.coding_checks is None:
        return task
    from adjudicator.grouping.record_notes import notes_of

    names, extra = notes_of(task.scheme, task.translate, arguments.trace, arguments.coding_checks)
    return replace(task, extra_names=names, extra=extra)


def _kind(path: Path) -> str:
    name = path.name.removesuffix(".gz")
    return next((kind for kind in ("parquet", "csv") if name.endswith(f".{kind}")), "tsv")


def _group(task: Task, arguments: argparse.Namespace, parquet: bool) -> Outcome:
    from adjudicator.grouping.records import files as record_files

    if parquet:
        from adjudicator.grouping.records import parquet as record_parquet

        with _progress(record_parquet.row_count(arguments.input)) as advance:
            return record_parquet.group_parquet(task, arguments.input, arguments.output, advance)
    separator = b"," if _kind(arguments.input) == "csv" else b"\t"
    stream = str(arguments.input) == "-"
    packed = arguments.input.suffix == ".gz"
    size = None if stream or packed else arguments.input.stat().st_size
    source = sys.stdin.buffer if stream else record_files.open_text(arguments.input)
    with source, _progress(size) as advance, _target(arguments.output) as target:
        return record_files.group_text(task, source, target, separator, advance)


@contextmanager
def _teller(path: Path | None) -> Iterator[Callable[[int, str], None] | None]:
    """Write every malformed or invalid line to the file that was asked for."""
    if path is None:
        yield None
        return
    with path.open("w", encoding="utf-8") as file:
        yield lambda line, reason: print(line, reason, sep="\t", file=file)


@contextmanager
def _target(path: Path) -> Iterator[Any]:
    """Write the answer under a temporary name until it is whole, so that a torn file is never taken for an answer."""
    if str(path) == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    import gzip

    part = path.with_name(path.name + ".part")
    try:
        with gzip.open(part, "wb", 6) if path.suffix == ".gz" else part.open("wb") as target:
            yield target
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _progress(size: int | None) -> Iterator[Callable[[int], None]]:
    """Show a progress bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("grouping", total=size)
        yield lambda done: progress.advance(task, done)


def _report(arguments: argparse.Namespace, outcome: Outcome) -> None:
    for line, text in outcome.messages[:SHOWN_MESSAGES]:
        print(f"{arguments.input}: {outcome.unit} {line}: {text}", file=sys.stderr)
    more = outcome.message_count - SHOWN_MESSAGES
    if more > 0:
        print(f"{arguments.input}: {more} more; --errors FILE lists all", file=sys.stderr)
    out = sys.stderr if str(arguments.output) == "-" else sys.stdout
    if arguments.json:
        print(json.dumps({"records": outcome.records, "statuses": outcome.statuses}), file=out)
    else:
        counts = ", ".join(f"{count:,} {status}" for status, count in outcome.statuses.items())
        print(f"{outcome.records:,} records: {counts}", file=out)
