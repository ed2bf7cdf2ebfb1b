"""``adjudicator reprice --against`` and ``reprice compare``: what another rule does to whom."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adjudicator.cli.language import add_language

if TYPE_CHECKING:
    from adjudicator.compare.run import Comparison
    from adjudicator.compare.sides import Folder, Recorded
    from adjudicator.reprice.run import Options, Plan

RECORDED = "recorded"
AGAINST_FOLDER, COMPARE_FOLDER = "against", "compare"
"""Below the output folder: the run under the other rules, and what the comparison wrote."""


_SIZE = re.compile(r"([0-9]+)(MiB|GiB|MB|GB|M|G)?\Z", re.ASCII)
_UNITS = {"M": 1 << 20, "G": 1 << 30}


def size(text: str) -> int:
    """Return bytes.

    >>> size("2GB"), size("512M")
    (2147483648, 536870912)
    """
    match = _SIZE.match(text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; write for example 2GB or 800MB")
    return int(match[1]) * (_UNITS[match[2][0]] if match[2] else 1)


def add_memory(parser: argparse.ArgumentParser, told: str) -> None:
    """Register ``--memory``."""
    parser.add_argument("--memory", type=size, default=2 << 30, help=f"{told} (default 2GB)")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Register what both ways to compare have in common."""
    parser.add_argument("--no-report", action="store_true", help="write the tables only, no pages and no workbook")
    parser.add_argument(
        "--through", choices=("month", "year", "pool"),
        help="go on to the clearing of each month, of the year, or to the counties' deficits",
    )  # fmt: skip
    parser.add_argument("--budget", action="append", default=[], metavar="SCHEME=YUAN",
                        help="the fund's budget of a period, instead of the pack's; repeatable")  # fmt: skip
    parser.add_argument("--counties", type=Path, metavar="FILE",
                        help="the counties' year under the old rules, as adjudicator pool reads it")  # fmt: skip
    parser.add_argument("--fund", action="append", default=[], metavar="NAME=YUAN",
                        help="balance of a fund for the deficits, as for adjudicator pool; repeatable")  # fmt: skip
    add_language(parser)


def add_against(parser: argparse.ArgumentParser) -> None:
    """Register the options of a run that is compared at once."""
    parser.add_argument(
        "--against", metavar="recorded|PACK[@DATE]|DIR",
        help="compare with the recorded answers, with other rules (several packs: A,B), or with a finished run",
    )  # fmt: skip
    parser.add_argument("--facts", action="store_true", help="write what a later comparison counts claims by")
    add_options(parser)


def add_compare(actions: Any) -> None:
    """Register ``reprice compare``."""
    parser = actions.add_parser("compare", help="compare two finished runs over the same claims")
    parser.add_argument("old", type=Path, help="output folder of the run under the old rules")
    parser.add_argument("new", type=Path, help="output folder of the run under the new rules")
    parser.add_argument("--output", type=Path, required=True, help="folder for the comparison")
    add_memory(parser, "most memory that it may take")
    parser.add_argument("--json", action="store_true", help="print the sums as JSON")
    add_options(parser)
    parser.set_defaults(run=run_compare)


def run_compare(arguments: argparse.Namespace) -> int:
    """Compare two finished runs."""
    from adjudicator.compare.sides import Folder

    finish(Folder(arguments.old), Folder(arguments.new), arguments.output, arguments)
    return 0


class Against:
    """The other side of a run, known beforehand: what cannot be compared is refused before anything is priced."""

    def __init__(self, named: str, options: Options) -> None:
        from adjudicator.compare.sides import Folder
        from adjudicator.reprice.manifest import MANIFEST
        from adjudicator.rules.as_on import load_rules

        self.named = named
        self._folder: Folder | None = None
        self.options: Options | None = None
        self.rules_hash = ""
        if named == RECORDED:
            return
        if (Path(named) / MANIFEST).is_file():
            self._folder = Folder(Path(named))
            return
        packs = [str(Path(name).resolve()) if Path(name).is_dir() else name for name in named.split(",")]
        self.rules_hash = load_rules(packs).hash
        self.options = options._replace(packs=packs, output=options.output / AGAINST_FOLDER)

    @property
    def is_priced(self) -> bool:
        """Whether the other rules are priced in this run."""
        return self.options is not None

    def is_done(self) -> bool:
        """Return whether the run under the other rules was finished before, by the same rules."""
        from adjudicator.reprice.manifest import MANIFEST

        if self.options is None:
            return False
        path = self.options.output / MANIFEST
        return path.is_file() and json.loads(path.read_text("utf-8"))["rules_hash"] == self.rules_hash

    def side(self, planned: Plan) -> Folder | Recorded:
        """Return the side once everything is priced."""
        from adjudicator.compare.sides import Folder, Recorded

        if self.named == RECORDED:
            return Recorded(planned.job)
        if self._folder is not None:
            return self._folder
        assert self.options is not None
        return Folder(self.options.output)


def finish(old: Folder | Recorded, new: Folder, output: Path, arguments: argparse.Namespace) -> None:
    """Compare, write the report and print the sums."""
    from adjudicator.compare.run import compare, room_of

    plan = plan_of(arguments, new)
    room = room_of(old, new, plan, arguments.memory)
    takes = f"comparing takes at most about {room.memory_bytes >> 20:,} MiB of memory 比较所需内存上限"
    print(takes, file=sys.stderr)
    found = compare(old, new, output, plan, room.rows)
    if not arguments.no_report:
        write_pages(found, new, arguments)
    show(found, arguments)


def check_options(arguments: argparse.Namespace, packs: Sequence[str]) -> None:
    """Refuse before anything is priced what will lack the figures of the counties. Errors: E.NOT_COMPARABLE."""
    from adjudicator.compare.sides import not_comparable

    if arguments.through == "pool" and (arguments.counties is None or len(packs) != 1):
        lacks = "--through pool takes one pack and the figures of its counties (--counties)"
        raise not_comparable(lacks, "--through pool 需要一个规则包及其区县数据（--counties）")


def check_memory(memory: int, claims: int, with_lines: bool) -> None:
    """Refuse a memory in which the claims cannot be compared, before they are priced. Errors: E.MEMORY_TOO_SMALL."""
    from adjudicator.compare.memory import room_for

    room_for(memory, claims, 0, with_lines)


def plan_of(arguments: argparse.Namespace, new: Folder) -> Any:
    """Return how far to go on. Errors: E.NOT_COMPARABLE where the deficits lack the figures of the counties."""
    from adjudicator.compare.through import POOL, Plan
    from adjudicator.pooling.periods.context import read_funds
    from adjudicator.pooling.periods.files import read_counties

    if arguments.through is None:
        return None
    if arguments.through != POOL:
        return Plan(arguments.through, arguments.budget)
    check_options(arguments, new.manifest["packs"])
    areas = {str(area.code): area.name_zh for area in new.bundle.packs[0].areas}
    counties = read_counties(arguments.counties, areas)
    return Plan(arguments.through, arguments.budget, counties, read_funds(arguments.fund))


def write_pages(found: Comparison, new: Folder, arguments: argparse.Namespace) -> None:
    """Write the pages and tables of a report, where the packages for it are installed."""
    from adjudicator.cli.reports.comparison import write_report

    try:
        first = write_report(found.folder, new.bundle, arguments.lang)
    except ImportError as error:
        print(NO_REPORT[arguments.lang].format(error.name), file=sys.stderr)
        return
    if not arguments.json:
        print(first)


NO_REPORT = {
    "zh": "未写出报告：缺少 {}，请安装 chs-adjudicator[report]；数据表已写出",
    "en": "no report: {} is not installed, install chs-adjudicator[report]; the tables are written",
}


TOLD = {
    "zh": (
        "{differ:,} / {claims:,} 笔结算结果不同；{less:,} 人少负担 {less_yuan} 元，{more:,} 人多负担 {more_yuan} 元",
        "支付方", "原", "新", "差额", "各支付方差额之和均等于两次合计之差。结果在 {folder}",
    ),
    "en": (
        "{differ:,} of {claims:,} claims differ; {less:,} persons pay {less_yuan} less, {more:,} pay {more_yuan} more",
        "payer", "old", "new", "difference",
        "For each payer the differences add up to the difference of the sums. Everything is in {folder}",
    ),
}  # fmt: skip


def show(found: Comparison, arguments: argparse.Namespace) -> None:
    """Print how many claims and people differ, and each payer old, new and difference."""
    if arguments.json:
        print(json.dumps(found._asdict() | {"folder": str(found.folder)}))
        return
    from rich.console import Console
    from rich.table import Table

    from adjudicator.compare.words import amount_name
    from adjudicator.money import fen_to_yuan

    first, *heads, last = TOLD[arguments.lang]
    persons = found.persons
    print(
        first.format(
            differ=found.differ, claims=found.claims,
            less=persons["persons_pay_less"], less_yuan=fen_to_yuan(persons["less_fen"]),
            more=persons["persons_pay_more"], more_yuan=fen_to_yuan(persons["more_fen"]),
        )
    )  # fmt: skip
    table = Table(box=None)
    for place, head in enumerate(heads):
        table.add_column(head, justify="right" if place else "left")
    for name, *amounts in found.reconciled:
        if any(amounts):
            table.add_row(amount_name(name, arguments.lang), *map(fen_to_yuan, amounts))
    Console(file=sys.stdout).print(table)
    print(last.format(folder=found.folder))
