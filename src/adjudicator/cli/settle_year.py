"""``adjudicator settle-year``: yearly clearing, the capitation year, or a made-up year from claims to deficit."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adjudicator.cli import ledger_acts, settle_month
from adjudicator.cli.audited import recorded
from adjudicator.money import fen_to_yuan

if TYPE_CHECKING:
    from adjudicator.pooling.periods.by_head import HeadsYear, Request
    from adjudicator.pooling.periods.context import PoolContext


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "settle-year", help="yearly clearing with the hospitals",
        description="Point value of a year with surplus kept and overspend shared, quality deposit, money by hospital "
        "and county. Posts what the year differs from its months. With --enrolments it settles capitation instead, "
        "with --visits as well the per-head packages by outpatient points; --synthetic N runs a made-up year.",
    )  # fmt: skip
    parser.add_argument("--year", type=int, default=2025, metavar="YYYY", help="the year (default %(default)s)")
    parser.add_argument("--scores", type=Path, metavar="FILE", help="quality scores: hospital, score")
    parser.add_argument("--quotas", type=Path, metavar="FILE",
                        help="yearly quotas and average limits: hospital, scheme, kind, limit_yuan")  # fmt: skip
    parser.add_argument("--capitation", action="store_true",
                        help="settle by the head, from the contracts, care and visits in the ledger")  # fmt: skip
    parser.add_argument("--enrolments", type=Path, metavar="FILE", help="capitation contracts of persons")
    parser.add_argument(
        "--care", type=Path, metavar="FILE", help="cost of signed people: hospital, own_yuan, outside_yuan, consortium"
    )
    parser.add_argument("--visits", type=Path, metavar="FILE",
                        help="outpatient points of signed people: signed_with, provider, scheme, points")  # fmt: skip
    parser.add_argument("--synthetic", type=int, default=0, metavar="N", help="claims of a made-up year, no case file")
    parser.add_argument("--seed", type=int, default=1, help="seed of the made-up year (default %(default)s)")
    settle_month.add_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Settles a year."""
    if arguments.synthetic:
        from adjudicator.errors import E, refuse
        from adjudicator.synth.year import run_command

        if arguments.post:
            raise refuse(E.CANNOT_CLEAR, "post", "a made-up year is not posted", "虚构年度不入账")
        return run_command(arguments)
    if arguments.capitation or arguments.enrolments or arguments.visits or arguments.care:
        return _heads(arguments)
    files = {"scores": arguments.scores, "quotas": arguments.quotas}
    return settle_month.settle_period(arguments, arguments.year, files)


def _heads(arguments: argparse.Namespace) -> int:
    """Settles what goes by the head: the packages by points where there are visits, else capitation by item."""
    from adjudicator.pooling.periods.by_head import Request
    from adjudicator.pooling.periods.context import load_context
    from adjudicator.pooling.periods.decisions import Kind

    context = load_context(arguments.pack)
    given = {
        Kind.ENROLMENTS: arguments.enrolments, Kind.CARE: arguments.care, Kind.VISITS: arguments.visits
    }  # fmt: skip
    files = {kind: path for kind, path in given.items() if path}
    request = Request(arguments.year, files, arguments.post, ledger_acts.who(arguments))
    found = asyncio.run(_run(arguments, context, request))
    if arguments.html:
        from adjudicator.cli.reports.period_tables import heads_report
        from adjudicator.cli.reports.report_page import render

        arguments.html.write_text(render(heads_report(context, arguments.year, found)), encoding="utf-8")
    if arguments.json:
        print(json.dumps(_as_data(arguments.year, found), ensure_ascii=False, indent=1))
    else:
        _show(context, found)
    return 0


async def _run(arguments: argparse.Namespace, context: PoolContext, request: Request) -> HeadsYear:
    from adjudicator.pooling.periods.by_head import run_heads

    async with settle_month.ledger_of(arguments) as ledger:
        with recorded(arguments, arguments.post):
            return await run_heads(ledger, context, request)


def _as_data(year: int, found: HeadsYear) -> dict[str, Any]:
    from adjudicator.pooling.heads.visit_packages import point_value_yuan

    data: dict[str, Any] = {"year": year}
    if found.institutions:
        data["institutions"] = [{"scheme": scheme} | _slots(one) for scheme, one in found.institutions]
    if found.packages:
        data["schemes"] = {
            scheme: {"value_yuan": point_value_yuan(value), "institutions": [_slots(row) for row in rows]}
            for scheme, (value, rows) in found.packages.items()
        }
    data["counties_fen"] = [[*place, amount] for place, amount in found.counties.items()]
    if found.changes is not None:
        data["posted" if found.done else "would_post"] = [[*place, fen] for place, fen in found.changes.items()]
    return data


def _slots(one: Any) -> dict[str, Any]:
    return {slot: getattr(one, slot) for slot in one.__slots__}


def _show(context: PoolContext, found: HeadsYear) -> None:
    from adjudicator.codes import scheme_zh
    from adjudicator.pooling.heads.visit_packages import point_value_yuan

    for scheme, one in found.institutions:
        name = f"{one.name} {scheme_zh(scheme)}" if scheme else one.name
        print(
            f"{name}: {one.person_months} 人月, 定额 {fen_to_yuan(one.quota_fen)}, 本院 "
            f"{fen_to_yuan(one.own_fen)}, 院外 {fen_to_yuan(one.outside_fen)}, 结余 "
            f"{fen_to_yuan(one.balance_fen)}, 应付 {fen_to_yuan(one.settled_fen)} 元"
        )
    for scheme, (value, rows) in found.packages.items():
        print(f"{scheme} 门诊点值 {point_value_yuan(value)} 元")
        for row in rows:
            package, used, earned = map(fen_to_yuan, (row.package_fen, row.used_fen, row.earned_fen))
            print(f"{row.name}: 包干 {package}, 签约人使用 {used}, 应付 {earned} 元")
    for (county, scheme), amount in found.counties.items():
        print(f"  {context.areas.get(county, county)} {scheme}: {fen_to_yuan(amount)} 元")
    print(f"合计 {fen_to_yuan(sum(found.counties.values()))} 元")
    if found.changes is not None:
        print(settle_month.posted_text(found.changes, done=found.done))
        for text in settle_month.line_texts(context, found.changes):
            print(f"  {text}")
