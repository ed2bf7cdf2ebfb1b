"""``adjudicator pool``: a pooling year by the city's own rule: gaps, shares, levies, warnings, page."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from adjudicator.cli.budget import add_store, read_books
from adjudicator.money import fen_to_yuan

if TYPE_CHECKING:
    from adjudicator.pooling.counties.year import PoolYear


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
    parser.add_argument("--date", type=int, default=0, metavar="YYYYMMDD",
                        help="day of the year whose rules hold; without it the last day")  # fmt: skip
    add_store(parser, "spending that the file of the counties leaves out comes from this")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with charts")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Share a year; a county whose money cannot be computed is named, and the exit code is 1."""
    from adjudicator.cli.reports.pool_page import render
    from adjudicator.errors import AdjudicatorError, E, refuse
    from adjudicator.pooling.budget.final import provisional_notes, with_spending
    from adjudicator.pooling.counties.year import as_data, pool_year
    from adjudicator.pooling.periods.context import load_context, read_funds
    from adjudicator.pooling.periods.files import read_counties
    from adjudicator.pooling.rules import load_pooling
    from adjudicator.rulefile.faults import Faults

    areas: dict[str, str] = {}
    if arguments.pack:
        context = load_context(arguments.pack)
        rules, areas = context.pooling, context.areas
    else:
        faults = Faults()
        rules = load_pooling(arguments.rules, faults)
        faults.raise_if_any(f"pooling rules {arguments.rules}")
    counties, remarks = read_counties(arguments.counties, areas), []
    if arguments.redis or arguments.data:
        if not arguments.pack:
            detail = "a ledger belongs to a pool: give --pack in place of --rules"
            raise refuse(E.CANNOT_CLEAR, "pack", detail, "账本属于统筹区，请用 --pack 代替 --rules")
        spending = asyncio.run(read_books(arguments, context)).spending
        counties, contradictions = with_spending(counties, arguments.year, spending)
        if contradictions:
            raise AdjudicatorError(*(one.problem for one in contradictions))
        remarks = provisional_notes(spending, arguments.year)
    if arguments.date and arguments.date // 10_000 != arguments.year:
        detail = f"{arguments.date} is not in {arguments.year}; give a day of the year"
        raise refuse(E.CANNOT_CLEAR, "date", detail, f"{arguments.date} 不在 {arguments.year} 年内，请填写该年的日期")
    result = pool_year(rules, arguments.year, counties, read_funds(arguments.fund), arguments.date)
    result.remarks = remarks
    if arguments.html:
        arguments.html.write_text(render(result), encoding="utf-8")
    if arguments.json:
        print(json.dumps(as_data(result), ensure_ascii=False, indent=1))
    else:
        _show(result)
    money = [point for point in result.open if point.is_money]
    for point in money:
        where = f"{point.county} {point.name} {point.scheme} {point.what}"
        problem = point.problem
        print(f"{problem.row.code} {where}: {problem.message}\n         {problem.message_zh}", file=sys.stderr)
    return 1 if money else 0


def _show(result: PoolYear) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from adjudicator.cli.reports import pool_page as texts
    from adjudicator.pooling.counties.insurances import name_zh

    console = Console(width=None if sys.stdout.isatty() else 240)
    table = Table(title=f"{result.name} {result.year} 缺口分担（元）", title_justify="left")
    payers = result.payers
    payer_names = [texts.PAYER_NAMES.get(payer, payer) for payer in payers]
    for heading in ("区县", "险种", "收入", "支出", "上解列支", "缺口", *payer_names, "年末结余", "月", "", "应上解"):
        table.add_column(heading, justify="left" if heading in ("区县", "险种") else "right", overflow="fold")
    for row in result.rows:
        year = row.shares.year
        unknown = row.shares.problem is not None
        table.add_row(
            year.name, name_zh(year.scheme),
            *(fen_to_yuan(fen) if fen >= 0 else "未填" for fen in (year.income_fen, year.expenditure_fen)),
            fen_to_yuan(year.levied_fen), _amount(row.gap_fen),
            *(_amount(None if unknown else row.shares.payments.get(payer, 0)) for payer in payers),
            _amount(row.balance_fen), texts.months_text(row), texts.CAPACITY_NAMES[row.capacity],
            texts.levies_text(row.levies),
        )  # fmt: skip
    console.print(table)
    for one in result.funds:
        name = f"{name_zh(one.scheme)}{texts.PAYER_NAMES.get(one.fund, one.fund)}"
        amounts = (one.before_fen, one.paid_fen, one.levied_fen, one.owed_fen, one.open_fen, one.after_fen)
        before, paid, levied, owed, undecided, after = map(fen_to_yuan, amounts)
        levies = f"应上解 {levied}（未缴 {owed}, 未定 {undecided}）"
        console.print(f"  {name}: 年初 {before}, 本年支付 {paid}, {levies}, 年末 {after} 元")
    for point in result.open:
        name = f"{point.name} {name_zh(point.scheme)} {texts.OPEN_NAMES[point.what]}"
        console.print(f"  [red]未算出[/red] {name}: {escape(point.problem.message_zh)}")
    for entry in [*result.warnings, *(entry for row in result.rows for entry in row.warnings)]:
        console.print(
            f"  [red]预警[/red] {texts.subject_text(entry.subject)}: {entry.text_zh} {entry.figure}（线 {entry.limit}）"
        )
    for text in texts.notes(result):
        console.print(f"  [yellow]说明[/yellow] {escape(text)}")
    for text in result.unverified:
        console.print(f"  [yellow]未核实[/yellow] {escape(text)}")


def _amount(fen: int | None) -> str:
    return "未算出" if fen is None else fen_to_yuan(fen)
