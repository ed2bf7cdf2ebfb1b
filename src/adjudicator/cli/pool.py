"""``adjudicator pool``: a pooling year by the city's own rule: gaps, shares, levies, warnings, page."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from adjudicator.money import fen_to_yuan

if TYPE_CHECKING:
    from adjudicator.pooling.year import PoolYear


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "pool", help="share a pool's deficit or surplus between city and counties",
        description="Shares each county's gap by the city's own rule, with levies and warning lines.",
    )  # fmt: skip
    rules = parser.add_mutually_exclusive_group(required=True)
    rules.add_argument("--pack", help="rule pack with a pooling.toml")
    rules.add_argument("--rules", type=Path, metavar="FILE", help="a pooling file on its own")
    parser.add_argument("--year", type=int, required=True, metavar="YYYY", help="the year")
    parser.add_argument("--counties", type=Path, required=True, metavar="FILE",
                        help="CSV: county, scheme, income_yuan, expenditure_yuan, carried_yuan, …")  # fmt: skip
    parser.add_argument("--fund", action="append", default=[], metavar="NAME=YUAN",
                        help="balance of a fund, e.g. reserve=1000000 or 310:reserve=…; repeatable")  # fmt: skip
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with charts")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Shares a year."""
    from adjudicator.cli.reports.pool_page import render
    from adjudicator.pooling.context import load_context, read_funds
    from adjudicator.pooling.files import read_counties
    from adjudicator.pooling.rules import load_pooling
    from adjudicator.pooling.year import as_data, pool_year
    from adjudicator.rulefile.faults import Faults

    areas: dict[str, str] = {}
    if arguments.pack:
        context = load_context(arguments.pack)
        rules, areas = context.pooling, context.areas
    else:
        faults = Faults()
        rules = load_pooling(arguments.rules, faults)
        faults.raise_if_any(f"pooling rules {arguments.rules}")
    counties = read_counties(arguments.counties, areas)
    result = pool_year(rules, arguments.year, counties, read_funds(arguments.fund))
    if arguments.html:
        arguments.html.write_text(render(result), encoding="utf-8")
    if arguments.json:
        print(json.dumps(as_data(result), ensure_ascii=False, indent=1))
    else:
        _show(result)
    return 0


def _show(result: PoolYear) -> None:
    from rich.console import Console
    from rich.table import Table

    from adjudicator.cli.reports.pool_page import CAPACITY_NAMES, PAYER_NAMES, subject_text
    from adjudicator.codes import scheme_zh

    console = Console(width=None if sys.stdout.isatty() else 240)
    table = Table(title=f"{result.name} {result.year} 缺口分担（元）", title_justify="left")
    payers = result.payers
    for heading in (
        "区县",
        "险种",
        "收入",
        "支出",
        "缺口",
        *(PAYER_NAMES.get(p, p) for p in payers),
        "年末结余",
        "月",
        "",
    ):
        table.add_column(heading, justify="left" if heading in ("区县", "险种") else "right", overflow="fold")
    for row in result.rows:
        year = row.shares.year
        table.add_row(
            year.name, scheme_zh(year.scheme), fen_to_yuan(year.income_fen),
            fen_to_yuan(year.expenditure_fen), fen_to_yuan(max(0, year.gap_fen)),
            *(fen_to_yuan(row.shares.payments.get(payer, 0)) for payer in payers),
            fen_to_yuan(row.shares.carried_after_fen), f"{row.months_e2 / 100:.2f}", CAPACITY_NAMES[row.capacity],
        )  # fmt: skip
    console.print(table)
    for one in result.funds:
        name = f"{scheme_zh(one.scheme)}{PAYER_NAMES.get(one.fund, one.fund)}"
        before, paid, levied, after = map(fen_to_yuan, (one.before_fen, one.paid_fen, one.levied_fen, one.after_fen))
        console.print(f"  {name}: 年初 {before}, 本年支付 {paid}, 应上解 {levied}, 年末 {after} 元")
    for entry in [*result.warnings, *(entry for row in result.rows for entry in row.warnings)]:
        console.print(
            f"  [red]预警[/red] {subject_text(entry.subject)}: {entry.text_zh} {entry.figure}（线 {entry.limit}）"
        )
    for text in result.unverified:
        console.print(f"  [yellow]未核实[/yellow] {text}")
