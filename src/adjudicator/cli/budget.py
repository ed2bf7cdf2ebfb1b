"""``adjudicator budget``: budgets by county and fund, their execution by month, the final account of a year."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from adjudicator.cli.addresses import store_url
from adjudicator.cli.audited import add_audit, recorded

if TYPE_CHECKING:
    from adjudicator.pooling.budget.figures import Lacking
    from adjudicator.pooling.budget.plan import Known, Plan
    from adjudicator.pooling.budget.spending import Spending
    from adjudicator.pooling.periods.context import PoolContext
    from adjudicator.pooling.periods.decisions import Decisions

PLAN_COLUMNS = "county, scheme, fund, income_yuan, expenditure_yuan, expenditure_growth_percent, carried_yuan, …"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the commands."""
    parser = subparsers.add_parser(
        "budget", help="county budgets: plan, execution, final account",
        description="Budgets of the funds by county and scheme (预算编制、执行、决算). Spending comes from the ledger.",
    )  # fmt: skip
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    plan = actions.add_parser(
        "plan", help="make the budget of a year",
        description="Budget by county and fund from last year's spending and the agreed growth, or typed figures; "
        "with levies, warning lines and the funding of the county agencies.",
    )  # fmt: skip
    _add_common(plan, plan_run)
    plan.add_argument("--file", type=Path, metavar="FILE", help=f"agreed or typed figures, CSV: {PLAN_COLUMNS}")
    plan.add_argument("--fund", action="append", default=[], metavar="NAME=YUAN",
                      help="balance of a reserve at the year's start, e.g. 310:reserve=1000; repeatable")  # fmt: skip
    plan.add_argument("--expected", action="store_true",
                      help="where last year is not over, take its expected spending")  # fmt: skip
    plan.add_argument("--post", action="store_true", help="keep the budget in the ledger")
    add_audit(plan)
    plan.add_argument("--by", metavar="NAME", help="who keeps it (default: the login)")
    plan.add_argument("--output", type=Path, metavar="FILE", help="write the budget as CSV for execution and final")
    execution = actions.add_parser(
        "execution", help="compare the months so far with the budget",
        description="Spending of each month from the ledger: share of the budget, growth on last year, expected year "
        "in two ways, balance, warnings, funding.",
    )  # fmt: skip
    _add_common(execution, execution_run)
    execution.add_argument(
        "--plan", type=Path, metavar="FILE", help="the budget, CSV; without it the one that the ledger keeps"
    )
    execution.add_argument("--through", type=int, default=0, metavar="YYYYMM",
                           help="last month; without it the last one of the year that has spending")  # fmt: skip
    final = actions.add_parser(
        "final", help="final account of a year, and the counties file of `adjudicator pool`",
        description="Income, spending with the year's clearing, carried over, differences to the budget; with scores "
        "the assessment of the counties.",
    )  # fmt: skip
    _add_common(final, final_run)
    final.add_argument(
        "--plan", type=Path, metavar="FILE", help="the budget, CSV; without it the one that the ledger keeps"
    )
    final.add_argument(
        "--scores", type=Path, metavar="FILE", help="scores, CSV: county, scheme, indicator, score; else the ledger's"
    )
    final.add_argument("--counties", type=Path, metavar="FILE",
                       help="write the CSV that `adjudicator pool --counties` reads")  # fmt: skip


def _add_common(parser: argparse.ArgumentParser, run: Any) -> None:
    parser.add_argument("--pack", required=True, help="rule pack with a pooling.toml")
    parser.add_argument("--year", type=int, required=True, metavar="YYYY", help="the year of the budget")
    parser.add_argument("--income", type=Path, metavar="FILE",
                        help="income, CSV: county, scheme, fund, month, income_yuan; else the ledger's")  # fmt: skip
    parser.add_argument("--spending", type=Path, metavar="FILE",
                        help="spending not in the ledger: county, scheme, fund, month, expenditure_yuan")  # fmt: skip
    parser.add_argument("--date", type=int, default=0, metavar="YYYYMMDD",
                        help="day of the year whose rules hold; without it the last day")  # fmt: skip
    add_store(parser, "spending comes from this")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def add_store(parser: argparse.ArgumentParser, use: str) -> None:
    """Add the arguments that name a ledger which is only read."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--redis", metavar="URL", type=store_url, help=f"ledger store; {use}")
    where.add_argument("--data", type=Path, metavar="DIR", help=f"folder of a service's own store; {use}")
    parser.set_defaults(post=False, close=False)


def plan_run(arguments: argparse.Namespace) -> int:
    """Make a budget; return 1 where money of a county is lacking."""
    from adjudicator.cli.reports import budget_tables as reports
    from adjudicator.cli.reports.report_page import put
    from adjudicator.pooling.budget.data import plan_data
    from adjudicator.pooling.budget.files import read_plan, write_table
    from adjudicator.pooling.budget.funding import plan_funding
    from adjudicator.pooling.budget.plan import COLUMNS, make_plan, table_rows
    from adjudicator.pooling.periods.context import load_context, read_funds

    context, date = load_context(arguments.pack), _date(arguments)
    known = _known(arguments, context, asyncio.run(read_books(arguments, context)))
    rows = read_plan(arguments.file, context.areas) if arguments.file else []
    plan = make_plan(context.pooling, arguments.year, rows, known, date, read_funds(arguments.fund))
    funding = plan_funding(context.pooling, plan, date)
    if arguments.output:
        write_table(arguments.output, COLUMNS, table_rows(plan))
    act = asyncio.run(_post(arguments, context, plan)) if arguments.post else None
    put(arguments.html, arguments.json, lambda unit: reports.plan_report(plan, funding, context.pooling, date, unit),
         lambda: plan_data(plan, funding) | ({} if act is None else {"act": act}))  # fmt: skip
    if act is not None and not arguments.json:
        print(f"第 {act} 号登记: {arguments.year} 年区县预算" if act else "已登记过，无变化")
    return _end(plan.lacking)


def execution_run(arguments: argparse.Namespace) -> int:
    """Compare months with a budget; return 1 where money of a county is lacking."""
    from adjudicator.cli.reports import budget_tables as reports
    from adjudicator.cli.reports.report_page import put
    from adjudicator.pooling.budget.data import execution_data
    from adjudicator.pooling.budget.execution import execute
    from adjudicator.pooling.periods.context import load_context

    context, date = load_context(arguments.pack), _date(arguments)
    books = asyncio.run(read_books(arguments, context))
    known = _known(arguments, context, books)
    months = _through(arguments, known.spending)
    result = execute(context.pooling, _plan(arguments, context, books), known, months, date)
    put(arguments.html, arguments.json, lambda unit: reports.execution_report(result, context.pooling, date, unit),
         lambda: execution_data(result))  # fmt: skip
    return _end(result.lacking)


def final_run(arguments: argparse.Namespace) -> int:
    """Make the final account; return 1 where money of a county is lacking."""
    from adjudicator.cli.reports import budget_tables as reports
    from adjudicator.cli.reports.report_page import put
    from adjudicator.pooling.budget.data import final_data
    from adjudicator.pooling.budget.files import read_scores, write_table
    from adjudicator.pooling.budget.final import COUNTY_COLUMNS, assess_year, close_year, county_rows
    from adjudicator.pooling.budget.kept import kept_scores
    from adjudicator.pooling.periods.context import load_context
    from adjudicator.pooling.periods.decisions import Kind

    context, date = load_context(arguments.pack), _date(arguments)
    books = asyncio.run(read_books(arguments, context))
    result = close_year(context.pooling, _plan(arguments, context, books), _known(arguments, context, books), date)
    scores = kept_scores(books.decisions.of(Kind.COUNTY_SCORES, arguments.year))
    if arguments.scores:
        scores = read_scores(arguments.scores, context.areas, context.pooling.scored_indicators(date))
    if scores:
        assess_year(context.pooling, result, scores, date)
    if arguments.counties:
        write_table(arguments.counties, COUNTY_COLUMNS, county_rows(result))
    put(arguments.html, arguments.json, lambda unit: reports.final_report(result, context.pooling, date, unit),
         lambda: final_data(result))  # fmt: skip
    return _end(result.lacking)


def _date(arguments: argparse.Namespace) -> int:
    """Return the day whose rules hold. Errors: E.CANNOT_CLEAR for a day of another year."""
    from adjudicator.errors import E, refuse
    from adjudicator.pooling.periods.context import last_day

    if arguments.date and arguments.date // 10_000 != arguments.year:
        detail = f"{arguments.date} is not in {arguments.year}; give a day of the year"
        raise refuse(E.CANNOT_CLEAR, "date", detail, f"{arguments.date} 不在 {arguments.year} 年内，请填写该年的日期")
    return arguments.date or last_day(arguments.year)


class Books(NamedTuple):
    """What the ledger says of a pool."""

    spending: Spending
    decisions: Decisions


async def read_books(arguments: argparse.Namespace, context: PoolContext) -> Books:
    """Return spending and decisions of the ledger of --redis or --data; nothing without either. Errors: E.NO_LEDGER."""
    from adjudicator.cli.settle_month import ledger_of
    from adjudicator.ledger.acts import read_acts
    from adjudicator.pooling.budget.spending import Spending, of_totals, with_closings
    from adjudicator.pooling.periods.decisions import Decisions, standing

    async with ledger_of(arguments) as ledger:
        if ledger is None:
            return Books(Spending(), Decisions({}))
        totals, acts = await ledger.totals(context.pool), await read_acts(ledger, context.pool)
        spending = of_totals(totals.rows, context.payment.clearing_funds)
        return Books(with_closings(spending, acts), standing(acts))


def _known(arguments: argparse.Namespace, context: PoolContext, books: Books) -> Known:
    """Return spending and income, from files where they are given, else from the ledger."""
    from adjudicator.pooling.budget.files import add_spending, read_income
    from adjudicator.pooling.budget.kept import kept_income
    from adjudicator.pooling.budget.plan import Known
    from adjudicator.pooling.periods.decisions import Kind

    if arguments.spending:
        add_spending(arguments.spending, context.areas, books.spending)
    kept = books.decisions.of(Kind.COUNTY_INCOME, *sorted(books.decisions.rows.get(Kind.COUNTY_INCOME, {})))
    income = read_income(arguments.income, context.areas) if arguments.income else kept_income(kept)
    has_income, expected = bool(arguments.income or kept), getattr(arguments, "expected", False)
    return Known(context.areas, books.spending, income, has_income=has_income, takes_expected=expected)


def _plan(arguments: argparse.Namespace, context: PoolContext, books: Books) -> Plan:
    """Return the budget of the year from its file where one is given, else from the ledger."""
    from adjudicator.pooling.budget.files import read_plan
    from adjudicator.pooling.budget.kept import kept_plan
    from adjudicator.pooling.budget.plan import typed_plan
    from adjudicator.pooling.periods.decisions import Kind

    name, year = context.pooling.name, arguments.year
    if arguments.plan:
        return typed_plan(name, year, read_plan(arguments.plan, context.areas), context.areas)
    return kept_plan(name, year, books.decisions.of(Kind.COUNTY_BUDGET, year))


async def _post(arguments: argparse.Namespace, context: PoolContext, plan: Plan) -> int:
    """Keep a budget in the ledger; return the number of its act, 0 where the ledger keeps it already."""
    import hashlib

    from adjudicator.cli.ledger_acts import who
    from adjudicator.cli.settle_month import ledger_of
    from adjudicator.ledger.acts import Draft
    from adjudicator.pooling.budget.kept import plan_rows
    from adjudicator.pooling.periods.decisions import Kind, record

    name = arguments.file.name if arguments.file else ""
    digest = hashlib.sha256(arguments.file.read_bytes()).hexdigest() if arguments.file else ""
    rows = {"rows": plan_rows(plan)}
    draft = Draft(Kind.COUNTY_BUDGET, arguments.year, who(arguments), rows, name, digest)
    async with ledger_of(arguments) as ledger:
        assert ledger is not None  # without one, --post is refused when the books are read
        with recorded(arguments):
            return await record(ledger, context.pool, draft, lambda _: None)


def _through(arguments: argparse.Namespace, spending: Spending) -> int:
    """Return the number of months that are compared. Errors: E.CANNOT_CLEAR where there are none."""
    from adjudicator.errors import E, refuse
    from adjudicator.pooling.periods.context import check_month

    if arguments.through:
        check_month(arguments.through)
        if arguments.through // 100 != arguments.year:
            detail = f"{arguments.through} is not in {arguments.year}; give a month of the year"
            zh = f"{arguments.through} 不在 {arguments.year} 年内，请填写该年的月份"
            raise refuse(E.CANNOT_CLEAR, "through", detail, zh)
        return int(arguments.through % 100)
    months = spending.last_month(arguments.year)
    if not months:
        detail = f"there is no spending of {arguments.year}; give a ledger (--redis, --data) or --spending"
        zh = f"没有 {arguments.year} 年的支出，请给出台账（--redis 或 --data）或 --spending"
        raise refuse(E.CANNOT_CLEAR, "year", detail, zh)
    return months


def _end(lacking: Sequence[Lacking]) -> int:
    """Name the money that is lacking on the error stream, each reason once with its places; return the exit code."""
    from adjudicator.errors import E, refuse
    from adjudicator.pooling.budget.figures import WHAT_ZH, grouped, named, place_zh

    money = grouped(one for one in lacking if one.is_money)
    for (what, reason_zh), places in money.items():
        first = places[0]
        text = "; ".join(named(one.place) for one in places)
        names = "、".join(place_zh(one.place, one.name) for one in places)
        detail = f"{first.field}: {first.reason} ({text})"
        problem = refuse(E.CANNOT_CLEAR, first.field, detail, f"{names} 缺{WHAT_ZH[what]}：{reason_zh}").problems[0]
        print(f"{problem.row.code} {problem.message}\n         {problem.message_zh}", file=sys.stderr)
    return 1 if money else 0
