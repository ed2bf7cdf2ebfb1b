"""``adjudicator reprice``: prices a year of claims again, Parquet in and Parquet out; ``reprice verify`` proves it."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adjudicator.cli.compare import (
    COMPARE_FOLDER,
    RECORDED,
    Against,
    add_against,
    add_compare,
    add_memory,
    check_memory,
    check_options,
    finish,
)
from adjudicator.cli.reprice_call import add_action

if TYPE_CHECKING:
    from adjudicator.reprice.run import Options, Plan, Summary
    from adjudicator.reprice.tasks import Engine, Where

_STEP_NAMES = {
    "index": "index 索引", "merge": "merge 合并", "route": "route 分发", "gather": "gather 归集",
    "prepare": "prepare 准备", "check": "check 核对", "price": "price 计算", "write": "write 写出",
}  # fmt: skip
_TOLD = (
    ("fund_total_fen", "funds 基金支付"),
    ("personal_total_fen", "persons 个人负担"),
    ("total_fen", "total 医疗费总额"),
)


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "reprice",
        help="price a year of claims again under other rules",
        description="Prices claims from Parquet tables or .pb files under rule packs and writes settlements, rejected "
        "claims and a manifest. The same input and rules give the same bytes, however they are run. docs/reprice.md",
    )
    actions = parser.add_subparsers(dest="action", metavar="verify|compare|call")
    parser.add_argument("--pack", action="append", default=[], help="pack by name or folder; several times for several")
    parser.add_argument("--input", type=Path, help="folder of tables or of .pb files, or one file")
    parser.add_argument("--output", type=Path, help="folder for the results; empty, or that of a run to go on with")
    parser.add_argument("--arrange", action="store_true", help="fee lines are in any order: sort them to claims first")
    parser.add_argument("--mapping", default="", help="TOML file with the names of columns, or: national")
    parser.add_argument("--opening", default="", help="Parquet file of what persons' years hold before the first claim")
    parser.add_argument("--lines", action="store_true", help="write the results of every fee line too")
    parser.add_argument(
        "--engine", choices=("local", "dask"), default="local", help="where it runs (default local: this machine)"
    )
    parser.add_argument("--scheduler", metavar="ADDRESS", default="", help="of a Dask cluster, such as tcp://host:8786")
    parser.add_argument("--workers", type=int, default=0, help="processes (default 1, with dask all of the cluster)")
    add_memory(parser, "most memory of all processes, with dask of each worker process, and of a comparison")
    parser.add_argument("--resume", action="store_true", help="go on with the run that was begun in the output folder")
    parser.add_argument("--json", action="store_true", help="print what came out as JSON")
    add_against(parser)
    parser.set_defaults(run=run)
    add_compare(actions)
    check = actions.add_parser("verify", help="prove that results belong to their manifest")
    check.add_argument("manifest", type=Path, help="manifest.json of a run")
    check.add_argument("--sample", type=int, default=0, help="price so many claims again and compare every column")
    check.set_defaults(run=run_verify)
    add_action(actions)


def run(arguments: argparse.Namespace) -> int:
    """Price the claims; return 0, or 2 where an option is missing."""
    from adjudicator.reprice.allocation import keep_memory
    from adjudicator.reprice.engines import started
    from adjudicator.reprice.tasks import Where

    if not (arguments.pack and arguments.input and arguments.output) or arguments.workers < 0:
        print("adjudicator reprice needs --pack, --input and --output", file=sys.stderr)
        return 2
    if (arguments.engine == "dask") != bool(arguments.scheduler):
        print("adjudicator reprice: --engine dask and --scheduler ADDRESS go together", file=sys.stderr)
        return 2
    keep_memory()
    packs = tuple(str(Path(name).resolve()) if Path(name).is_dir() else name for name in arguments.pack)
    where = Where(_workers(arguments), arguments.scheduler, packs)
    with started(arguments.engine, where) as engine:  # first of all: its processes load what this one loads too
        return _run(arguments, where, engine)


def _run(arguments: argparse.Namespace, where: Where, engine: Engine) -> int:
    """Plan and price on an engine, compare, and write the manifest."""
    from adjudicator.reprice.manifest import write_manifest
    from adjudicator.reprice.run import Options, forget, plan
    from adjudicator.rules.as_on import load_rules

    packs = list(where.packs)
    options = Options(
        packs, arguments.input, arguments.output, arguments.mapping, arguments.opening, arguments.lines,
        arguments.engine, where.workers, arguments.memory, resume=arguments.resume,
        scheduler=arguments.scheduler, arrange=arguments.arrange, with_facts=bool(arguments.facts or arguments.against),
    )  # fmt: skip
    check_options(arguments, packs)
    try:
        against = Against(arguments.against, options) if arguments.against else None
        planned = plan(options, load_rules(packs).hash)
        if against is not None:
            check_memory(arguments.memory, planned.job.source.claims, arguments.lines)
    except ValueError as error:  # a day that is none
        print(error, file=sys.stderr)
        return 2
    print(_intent(planned), file=sys.stderr)
    if against is not None and against.named == RECORDED:
        against.side(planned)  # refuses what cannot be compared before anything is priced
    began = time.perf_counter()
    summary = _priced(planned, options, engine)
    engine.close()
    seconds = time.perf_counter() - began
    if against is not None and against.options is not None and not against.is_done():
        _other_rules(against.options, against.rules_hash)
    write_manifest(planned.job, summary._asdict())
    _print(summary, seconds, arguments)
    if against is not None:
        from adjudicator.compare.sides import Folder

        output = arguments.output / COMPARE_FOLDER
        finish(against.side(planned), Folder(arguments.output), output, arguments)
        write_manifest(planned.job, summary._asdict())
    forget(planned.job)
    return 0


def _priced(planned: Plan, options: Options, engine: Engine | None = None) -> Summary:
    """Run what is planned under a bar."""
    from adjudicator.reprice.run import run as run_plan

    try:
        with _Bars() as bars:
            return run_plan(planned, options, bars.at, engine)
    except KeyboardInterrupt:
        print("Interrupted; the same command with --resume goes on. 已中断，加 --resume 可继续。", file=sys.stderr)
        raise


def _other_rules(options: Options, rules_hash: str) -> None:
    """Price the same claims under the other rules."""
    from adjudicator.reprice.manifest import write_manifest
    from adjudicator.reprice.run import forget, plan

    planned = plan(options, rules_hash)
    print(f"the same claims under {', '.join(options.packs)} 按对照规则计算", file=sys.stderr)
    summary = _priced(planned, options)
    write_manifest(planned.job, summary._asdict())
    forget(planned.job)


def _workers(arguments: argparse.Namespace) -> int:
    """Return how many processes share the work."""
    if arguments.workers or not arguments.scheduler:
        return arguments.workers or 1
    from adjudicator.reprice.cluster import count_workers

    return count_workers(arguments.scheduler)


def _intent(planned: Plan) -> str:
    """Return what a run is going to take."""
    source = planned.job.source
    return (
        f"{source.claims:,} claims in {len(source.units)} units, {planned.job.buckets} buckets of persons,"
        f" {planned.workers} workers; at most about {planned.memory_bytes >> 20:,} MiB of memory and"
        f" {planned.scratch_bytes >> 20:,} MiB on disk between the steps"
    )


def _print(summary: Summary, seconds: float, arguments: argparse.Namespace) -> None:
    """Print what came out."""
    import json

    from adjudicator.money import fen_to_yuan

    if arguments.json:
        print(json.dumps(summary._asdict()))
        return
    rate = summary.claims / seconds if seconds else 0
    print(
        f"{summary.claims:,} claims, {summary.settled:,} settled, {summary.rejected:,} rejected ({rate:,.0f} claims/s)"
    )
    for name, told in _TOLD:
        print(f"  {told}: {fen_to_yuan(summary.totals[name])}")
    print(f"Results and manifest are in {arguments.output}")


def run_verify(arguments: argparse.Namespace) -> int:
    """Compare the files and rules of today with a manifest."""
    from adjudicator.reprice.manifest import verify

    content = verify(arguments.manifest, arguments.sample)
    counted = content["summary"]["claims"]
    again = f", {min(arguments.sample, counted):,} claims priced again" if arguments.sample else ""
    print(f"{len(content['inputs'])} inputs and {len(content['outputs'])} outputs are as the manifest says{again}")
    return 0


class _Bars:
    """Progress of the steps with rate and time left: bars on a terminal, a line every ten seconds elsewhere."""

    EVERY_SECONDS = 10

    def __init__(self) -> None:
        self._progress: Any = None
        self._tasks: dict[str, Any] = {}
        self._begun: dict[str, tuple[float, int]] = {}
        self._told = time.monotonic()

    def __enter__(self) -> _Bars:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            rate = TextColumn("{task.fields[rate]}")
            columns = (TextColumn("{task.description}"), BarColumn(), rate, TimeRemainingColumn())
            self._progress = Progress(*columns, console=Console(stderr=True))
            self._progress.start()
        return self

    def at(self, step: str, done: int, total: int) -> None:
        """Show how many claims of a step are done."""
        began, first = self._begun.setdefault(step, (time.monotonic(), done))
        seconds = time.monotonic() - began
        rate = (done - first) / seconds if seconds > 0 else 0
        text = f"{rate:,.0f} claims/s" if rate else ""
        if self._progress is not None:
            if step not in self._tasks:
                self._tasks[step] = self._progress.add_task(_STEP_NAMES[step], total=total, rate="")
            self._progress.update(self._tasks[step], completed=done, rate=text)
        elif time.monotonic() - self._told >= self.EVERY_SECONDS:
            self._told = time.monotonic()
            left = f", {(total - done) / rate:,.0f} s left" if rate else ""
            print(f"{step}: {done:,} of {total:,}, {text}{left}", file=sys.stderr)

    def __exit__(self, *exception: object) -> None:
        if self._progress is not None:
            self._progress.stop()
