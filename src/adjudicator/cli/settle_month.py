"""``adjudicator settle-month`` and what it shares with ``settle-year``: cases in, clearing and postings out."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from adjudicator.cli import ledger_acts
from adjudicator.cli.addresses import store_url
from adjudicator.cli.audited import add_audit, recorded
from adjudicator.money import fen_to_yuan

MOST_HOSPITALS_NAMED = 5

if TYPE_CHECKING:
    from rich.console import Console

    from adjudicator.ledger.store import Ledger
    from adjudicator.pooling.hospitals.settlement import Lines, Settlement
    from adjudicator.pooling.periods.context import PoolContext
    from adjudicator.pooling.periods.run import Request, Run


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "settle-month", help="monthly settlement with the hospitals",
        description="Point value of a month, money by hospital and county, prepayment. Run again after a reversal or a "
        "review, it posts only the difference.",
    )  # fmt: skip
    parser.add_argument("--month", type=int, required=True, metavar="YYYYMM", help="the month")
    parser.add_argument("--values", type=Path, metavar="FILE",
                        help="write the month's values as [[point_value]] tables of the next month")  # fmt: skip
    add_arguments(parser)
    parser.set_defaults(run=run)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of both settlements."""
    parser.add_argument("--pack", required=True, help="rule pack: a name or a folder")
    parser.add_argument("--cases", type=Path, action="append", default=[], metavar="FILE",
                        help="cases, CSV or Parquet; repeatable, later months change readmissions")  # fmt: skip
    parser.add_argument("--budget", action="append", default=[], metavar="SCHEME=YUAN",
                        help="the fund's budget of the period, instead of the pack's; repeatable")  # fmt: skip
    parser.add_argument(
        "--decisions", type=Path, metavar="FILE", help="review decisions: case, points, reasonable_cost_yuan, replaces"
    )
    parser.add_argument("--from-ledger", action="store_true", help="take the cases from the ledger's journal")
    parser.add_argument("--stays", type=Path, metavar="FILE",
                        help="with --from-ledger: other dates or exemptions of some stays")  # fmt: skip
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page of the whole period")
    parser.add_argument("--statements", type=Path, metavar="DIR",
                        help="write each hospital's statement, as a page and as CSV for a spreadsheet")  # fmt: skip
    parser.add_argument("--report", type=Path, metavar="DIR", help="write a line-by-line file for each hospital")
    parser.add_argument("--post", action="store_true",
                        help="post the difference to the ledger; without it what would be posted is shown")  # fmt: skip
    parser.add_argument("--close", action="store_true",
                        help="post and close the period: what comes later goes to the open month")  # fmt: skip
    parser.add_argument("--by", metavar="NAME", help="who posts or closes (default: the login)")
    parser.add_argument("--without-unpriced", action="store_true",
                        help="post although cases have no price; nothing is owed for these")  # fmt: skip
    add_audit(parser)
    parser.add_argument("--redis", metavar="URL", type=store_url, help="ledger store")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of a service's own store")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Settles a month."""
    from adjudicator.pooling.periods.context import check_month

    check_month(arguments.month)
    return settle_period(arguments, arguments.month)


def settle_period(
    arguments: argparse.Namespace, period: int, files: Mapping[str, Path | None] = MappingProxyType({})
) -> int:
    """Settle a period, report, and post and close it if asked to.

    ``files``: decisions of a year by their kind. Errors: E.UNPRICED_CASES, after the report, where a case has no price
    and the run was to post without ``--without-unpriced``, or to close.
    """
    from adjudicator.pooling.periods.context import last_day, load_context
    from adjudicator.pooling.periods.run import refuse_unpriced

    context, request = load_context(arguments.pack), request_of(arguments, period, files)
    result = asyncio.run(_run(arguments, context, request))
    settlement = result.settlement
    if arguments.report:
        write_reports(settlement, arguments.report)
    write_pages(arguments, context, result)
    if getattr(arguments, "values", None):
        arguments.values.write_text(value_tables(settlement), encoding="utf-8")
    if arguments.json:
        print(json.dumps(as_data(result), ensure_ascii=False, indent=1))
    else:
        show(context, result, last_day(period))
    if (refusal := refuse_unpriced(result, request, unpriced_text(settlement))) is not None:
        raise refusal
    return 0


def write_pages(arguments: argparse.Namespace, context: PoolContext, run: Run) -> None:
    """Write the page of the period and the statements of the hospitals that were asked for."""
    if not arguments.html and not arguments.statements:
        return
    from adjudicator.cli.reports.period_tables import period_report, statement_report, statement_rows
    from adjudicator.cli.reports.report_page import render
    from adjudicator.pooling.periods.files import write_rows
    from adjudicator.pooling.periods.statement import statements_of

    if arguments.html:
        arguments.html.write_text(render(period_report(context, run)), encoding="utf-8")
    if arguments.statements:
        arguments.statements.mkdir(parents=True, exist_ok=True)
        for one in statements_of(run):
            path = arguments.statements / f"{one.period}-{one.hospital}.html"
            path.write_text(render(statement_report(context, one)), encoding="utf-8")
            write_rows(path.with_suffix(".csv"), (), statement_rows(context, one), encoding="utf-8-sig")


def request_of(arguments: argparse.Namespace, period: int, files: Mapping[str, Path | None]) -> Request:
    """Return what a run is asked for by the command line."""
    from adjudicator.pooling.periods.decisions import Kind
    from adjudicator.pooling.periods.run import Request

    given = {**files, "review": arguments.decisions}
    return Request(
        period,
        arguments.cases,
        arguments.from_ledger,
        arguments.stays,
        {Kind(kind): path for kind, path in given.items() if path},
        arguments.budget,
        arguments.post or arguments.close,
        arguments.close,
        arguments.without_unpriced,
        ledger_acts.who(arguments),
    )


async def _run(arguments: argparse.Namespace, context: PoolContext, request: Request) -> Run:
    from adjudicator.pooling.periods.run import run_period

    async with ledger_of(arguments) as ledger:
        with recorded(arguments, request.post):
            return await run_period(ledger, context, request)


def unpriced_text(settlement: Settlement) -> tuple[str, str]:
    """Return how many cases of which hospitals have no price, and their cost, in both languages."""
    cases = sum(one.cases for one in settlement.unpriced.values())
    yuan = fen_to_yuan(sum(one.total_fen for one in settlement.unpriced.values()))
    hospitals = sorted({hospital for _, hospital, _ in settlement.unpriced})
    more = len(hospitals) - MOST_HOSPITALS_NAMED
    listed, listed_zh = ", ".join(hospitals[:MOST_HOSPITALS_NAMED]), "、".join(hospitals[:MOST_HOSPITALS_NAMED])
    if more > 0:
        listed, listed_zh = f"{listed} and {more} more", f"{listed_zh} 等 {len(hospitals)} 家"
    return f"{cases} cases, {yuan} yuan, of {listed}", f"{listed_zh} 共 {cases} 例，总费用 {yuan} 元"


@asynccontextmanager
async def ledger_of(arguments: argparse.Namespace) -> AsyncIterator[Ledger | None]:
    """Open the ledger that --redis or --data names, ``None`` without either. Errors: E.NO_LEDGER, E.CANNOT_CLEAR."""
    from adjudicator.errors import E, refuse
    from adjudicator.ledger.embedded import EmbeddedStore
    from adjudicator.ledger.store import Ledger

    if not arguments.redis and not arguments.data:
        if arguments.post or arguments.close:
            raise refuse(
                E.CANNOT_CLEAR,
                "post",
                "--post and --close need a ledger: give --redis or --data",
                "--post 与 --close 需要账本：请加 --redis 或 --data",
            )
        yield None
        return
    store = None if arguments.redis else await asyncio.to_thread(EmbeddedStore.find, arguments.data)
    try:
        async with await Ledger.open(arguments.redis or (store.url if store else "")) as ledger:
            yield ledger
    finally:
        if store is not None:
            await asyncio.to_thread(store.stop)


def value_tables(settlement: Settlement) -> str:
    """Return the month's values as provisional values of the month after, to be pasted into payment.toml.

    Each holds in that month only, so that those of several months stand one after the other; on days without such a
    value the pack's value without an end holds.
    """
    from adjudicator.codes import SCHEME_CODES
    from adjudicator.dates import iso
    from adjudicator.payment.point_values import POINT_KINDS
    from adjudicator.pooling.periods.context import last_day

    year, month = divmod(settlement.period, 100)
    following = (year + month // 12) * 100 + month % 12 + 1
    begin, end = iso(following * 100 + 1), iso(last_day(following))
    tables = []
    for code, clearing in settlement.clearings.items():
        scheme, _, suffix = code.partition("/")
        kind = suffix or POINT_KINDS[0]
        tables.append(
            f'[[point_value]]\nscheme = "{SCHEME_CODES[scheme].name.lower()}"\nkind = "{kind}"\n'
            f"value_yuan = {clearing.value_yuan}\n"
            f'from = {begin}\nto = {end}\ndocument = "settlement of {settlement.period}"\nevidence = "reading"\n\n'
        )
    return "".join(tables)


def write_reports(settlement: Settlement, folder: Path) -> None:
    """One CSV a hospital with every case, and one with the sums of all hospitals and counties."""
    from adjudicator.pooling.hospitals.settlement import CASE_LINE_COLUMNS, case_lines
    from adjudicator.pooling.periods.files import write_rows

    folder.mkdir(parents=True, exist_ok=True)
    for hospital in settlement.hospital_fen():
        write_rows(folder / f"{settlement.period}-{hospital}.csv", CASE_LINE_COLUMNS, case_lines(settlement, hospital))
    header = (
        "scheme",
        "hospital",
        "county",
        "cases",
        "points_e8",
        "gross_fen",
        "patient_fen",
        "others_fen",
        "fund_fen",
    )
    rows: list[tuple[Any, ...]] = [
        (code, line.hospital, line.county, line.cases, line.points_e8, line.gross_fen, line.patient_fen,
         line.others_fen, line.fund_fen)
        for code, clearing in settlement.clearings.items() for line in clearing.lines
    ]  # fmt: skip
    rows += [
        (f"{code}/unpriced", name, county, one.cases, "", one.total_fen, "", "", "")
        for (code, name, county), one in settlement.unpriced.items()
    ]
    kept = settlement.kept.items()
    rows += [(f"{code}/other methods", name, county, "", "", "", "", "", fen) for (code, name, county), fen in kept]
    write_rows(folder / f"{settlement.period}-all.csv", header, rows)


def as_data(run: Run) -> dict[str, Any]:
    """Return the settlement as plain data."""
    settlement, schemes = run.settlement, {}
    for code, clearing in settlement.clearings.items():
        schemes[code] = {
            "mode": clearing.mode,
            "points_e8": clearing.points_e8,
            "value_yuan": clearing.value_yuan,
            "budget_fen": clearing.budget_fen,
            "reserve_fen": clearing.reserve_fen,
            "reserve_used_fen": clearing.reserve_used_fen,
            "fund_fen": clearing.fund_fen,
            "hospitals": clearing.hospital_fen(),
            "counties": clearing.county_fen(),
            "prepaid_fen": sum(amount for (scheme, *_), amount in settlement.prepaid.items() if scheme == code),
        }
    kept = [[*place, amount] for place, amount in settlement.kept.items()]
    result: dict[str, Any] = {
        "period": settlement.period, "cases": len(settlement.cases), "schemes": schemes, "kept_fen": kept,
    }  # fmt: skip
    result["hospitals_fen"] = settlement.hospital_fen()
    result["limits"] = [
        {"hospital": year.limit.hospital, "scheme": year.limit.scheme, "kind": year.limit.kind, "cases": year.cases,
         "cost_fen": year.cost_fen, "priced_fen": year.priced_fen, "settled_fen": year.settled_fen}
        for year in settlement.limits
    ]  # fmt: skip
    result["unpriced"] = [
        dict(zip(("scheme", "hospital", "county"), place, strict=True)) | one._asdict()
        for place, one in settlement.unpriced.items()
    ]
    result["notes"] = [note.en for note in settlement.notes]
    result["notes_zh"] = [note.zh for note in settlement.notes]
    result["carried"] = {
        period: [[*place, fen] for place, fen in lines.items()] for period, lines in run.carried.items()
    }
    if run.closed is not None:
        result["closed"] = {"act": run.closed.act.number, "by": run.closed.act.by, "version": run.closed.version}
    elif run.changes is not None:
        result["posted" if run.done else "would_post"] = [[*place, fen] for place, fen in run.changes.items()]
    return result


def show(context: PoolContext, run: Run, date: int) -> None:
    """Print the settlement for a person."""
    from rich.console import Console
    from rich.table import Table

    from adjudicator.codes import scheme_zh

    console, settlement = Console(width=None if sys.stdout.isatty() else 240), run.settlement
    for code, clearing in settlement.clearings.items():
        scheme, _, kind = code.partition("/")
        name = scheme_zh(scheme) + ("门诊" if kind else "")
        title = f"{settlement.period} {name} 点值 {clearing.value_yuan} 元 ({clearing.mode})"
        table = Table(title=title, title_justify="left")
        for heading in ("医院", "病例", "点数", "总额", "个人与其他", "基金应付", "预付"):
            table.add_column(heading, justify="left" if heading == "医院" else "right")
        for hospital in clearing.hospital_fen():
            own = [line for line in clearing.lines if line.hospital == hospital]
            paid = sum(v for (s, h, _), v in settlement.prepaid.items() if (s, h) == (code, hospital))
            table.add_row(
                hospital, str(sum(line.cases for line in own)), f"{sum(line.points_e8 for line in own) / 1e8:,.4f}",
                fen_to_yuan(sum(line.cost_fen(clearing.mode) for line in own)),
                fen_to_yuan(sum(line.patient_fen + line.others_fen for line in own)),
                fen_to_yuan(sum(line.fund_fen for line in own)), fen_to_yuan(paid),
            )  # fmt: skip
        console.print(table)
        counties = ", ".join(
            f"{context.areas.get(county, county)} {fen_to_yuan(amount)}"
            for county, amount in clearing.county_fen().items()
        )
        console.print(f"  基金 {fen_to_yuan(clearing.fund_fen)} 元 = 各区县: {counties}")
        if clearing.reserve_fen:
            used = fen_to_yuan(clearing.reserve_used_fen)
            console.print(f"  调剂金 {fen_to_yuan(clearing.reserve_fen)} 元, 使用 {used} 元")
    _show_rest(console, context, settlement)
    show_changes(console, context, run)
    for text in context.pooling.unverified(date):
        console.print(f"  [yellow]未核实[/yellow] {text}")


def show_changes(console: Console, context: PoolContext, run: Run) -> None:
    """Print what the run changes in the ledger, or when the period was closed, and what it carries."""
    if run.closed is not None:
        act = run.closed.act
        when = datetime.fromtimestamp(act.recorded_ms / 1000).strftime("%Y-%m-%d %H:%M")
        console.print(f"[bold]已结账[/bold]（第 {act.number} 号登记，{act.by}，{when}），以上为结账时的结果")
    for period, lines in run.carried.items():
        console.print(f"已结期间 {period} 的差额{'' if run.done or run.closed else '（结账时入账）'}:")
        _print_lines(console, context, lines)
    if run.changes is None or run.closed is not None:
        return
    console.print(posted_text(run.changes, done=run.done))
    _print_lines(console, context, run.changes)


def _print_lines(console: Console, context: PoolContext, lines: Lines) -> None:
    for text in line_texts(context, lines):
        console.print(f"  {text}", markup=False, highlight=False)


def line_texts(context: PoolContext, lines: Lines) -> list[str]:
    """Return differences by account, hospital and county, each with its sign."""
    from adjudicator.codes import SCHEME_NATIONAL, Scheme, scheme_zh
    from adjudicator.payers import of

    texts = []
    for (county, scheme, fund, hospital), fen in sorted(lines.items(), key=lambda line: (line[0][2], line[0][3])):
        area, kind = context.areas.get(f"{county:06d}", f"{county:06d}"), scheme_zh(SCHEME_NATIONAL[Scheme(scheme)])
        sign = "+" if fen > 0 else ""
        texts.append(f"{of(fund).zh_short} {hospital or '（未分医院）'} {area} {kind}: {sign}{fen_to_yuan(fen)} 元")
    return texts


def posted_text(changes: Lines, *, done: bool) -> str:
    """Return what a run posted or would post, account by account: what is added, and what is taken off.

    Accounts are never added up: a prepayment is part of what is owed.
    """
    from adjudicator.payers import of

    if not changes:
        return "账本无变化"
    listed = []
    for fund in sorted({place[2] for place in changes}):
        own = [fen for place, fen in changes.items() if place[2] == fund]
        more, less = sum(fen for fen in own if fen > 0), -sum(fen for fen in own if fen < 0)
        parts = [f"{word} {fen_to_yuan(fen)}" for word, fen in (("增", more), ("减", less)) if fen]
        listed.append(f"{of(fund).zh_short}{'、'.join(parts)}")
    text = f"{len(changes)} 笔差额（元）: {'; '.join(listed)}"
    return f"入账 {text}" if done else f"未入账，加 --post 将入账 {text}"


def _show_rest(console: Console, context: PoolContext, settlement: Settlement) -> None:
    """Print what other methods are owed, yearly limits, the whole, and what could not be known."""
    from rich.markup import escape

    from adjudicator.payers import Fund
    from adjudicator.payment.method import YearLimit

    totals: dict[str, int] = {}
    for (_, _, county), amount in settlement.kept.items():
        totals[county] = totals.get(county, 0) + amount
    if totals:
        listed = ", ".join(f"{context.areas.get(c, c)} {fen_to_yuan(totals[c])}" for c in sorted(totals))
        console.print(
            f"其他付费方式（按项目、按床日、按病种、定额等）应付 {fen_to_yuan(sum(totals.values()))} 元: {listed}"
        )
    for year in settlement.limits:
        name = "总额定额" if year.limit.kind == YearLimit.QUOTA else "次均限额"
        amounts = (year.limit.limit_fen, year.cost_fen, year.priced_fen, year.settled_fen)
        limit, cost, priced, settled = map(fen_to_yuan, amounts)
        text = f"{limit} 元: {year.cases} 例, 费用 {cost}, 原计 {priced}, 清算 {settled} 元"
        console.print(f"  {year.limit.hospital} {name} {text}")
    for (_, hospital, county), one in settlement.unpriced.items():
        console.print(
            f"[yellow]未计价[/yellow] {hospital} {context.areas.get(county, county)} {one.cases} 例, 总费用 "
            f"{fen_to_yuan(one.total_fen)} 元, 按项目基金应付 {fen_to_yuan(one.fund_fen)} 元"
            f"（未计入应付）: {', '.join(one.reasons)}"
        )
    hospitals = sum(settlement.hospital_fen().values())
    counties = sum(amount for place, amount in settlement.targets().items() if place[2] == Fund.PROVIDER_FINAL)
    console.print(
        f"{settlement.period} 基金应付: 各医院合计 {fen_to_yuan(hospitals)} 元, 各区县合计 {fen_to_yuan(counties)} 元"
    )
    for note in settlement.notes:
        console.print(f"  [yellow]提示[/yellow] {escape(note.zh)}")
