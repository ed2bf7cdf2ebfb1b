"""``adjudicator settle-year``: yearly clearing, the capitation year, or a made-up year from claims to deficit."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path

from adjudicator.cli import settle_month
from adjudicator.money import fen_to_yuan


def add_parser(subparsers) -> None:
    """Registers the command."""
    parser = subparsers.add_parser(
        "settle-year", help="yearly clearing with the hospitals",
        description="Point value of a year with surplus kept and overspend shared, quality deposit, money by hospital "
        "and county. Posts what the year differs from its months. With --enrolments it settles capitation instead; "
        "--synthetic N runs a made-up year.",
    )  # fmt: skip
    parser.add_argument("--year", type=int, default=2025, metavar="YYYY", help="the year (default %(default)s)")
    parser.add_argument("--scores", type=Path, metavar="FILE", help="quality scores: hospital, score")
    parser.add_argument("--enrolments", type=Path, metavar="FILE", help="capitation contracts of persons")
    parser.add_argument(
        "--care", type=Path, metavar="FILE", help="cost of signed people: institution, own, outside, consortium"
    )
    parser.add_argument("--synthetic", type=int, default=0, metavar="N", help="claims of a made-up year, no case file")
    parser.add_argument("--seed", type=int, default=1, help="seed of the made-up year (default %(default)s)")
    settle_month.add_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Settles a year."""
    if arguments.synthetic:
        from adjudicator.pooling.synthetic_year import run_command

        return run_command(arguments)
    if arguments.enrolments:
        return _capitation(arguments)
    scores = None
    if arguments.scores:
        from adjudicator.pooling.context import read_scores

        scores = read_scores(arguments.scores)
    return settle_month.settle_period(arguments, arguments.year, scores)


def _capitation(arguments: argparse.Namespace) -> int:
    from adjudicator.pooling import capitation
    from adjudicator.pooling.context import last_day, load_context, read_care, read_enrolments

    context = load_context(arguments.pack)
    people = read_enrolments(arguments.enrolments, context.areas)
    own, outside, consortia = read_care(arguments.care) if arguments.care else ({}, {}, {})
    schemes = sorted({person.scheme for person in people})
    terms = context.pooling.pick("capitation", last_day(arguments.year), schemes[0] if schemes else "310")
    results = capitation.settle_year(
        arguments.year, people, terms.quota_fen, terms.weights, own, outside, terms.surplus_kept_ppm,
        terms.overspend_shared_ppm, consortia,
    )  # fmt: skip
    counties = capitation.county_postings(arguments.year, people, results, consortia)
    posted = asyncio.run(_post(arguments, context.pool, counties))
    if arguments.json:
        rows = [{slot: getattr(result, slot) for slot in result.__slots__} for result in results]
        data = {"year": arguments.year, "institutions": rows, "counties_fen": [[*k, v] for k, v in counties.items()]}
        print(json.dumps(data | {"posted": posted}, ensure_ascii=False, indent=1))
        return 0
    for result in results:
        print(
            f"{result.name}: {result.person_months} 人月, 定额 {fen_to_yuan(result.quota_fen)}, 本院 "
            f"{fen_to_yuan(result.own_fen)}, 院外 {fen_to_yuan(result.outside_fen)}, 结余 "
            f"{fen_to_yuan(result.balance_fen)}, 应付 {fen_to_yuan(result.settled_fen)} 元"
        )
    for (county, scheme), amount in counties.items():
        print(f"  {context.areas.get(county, county)} {scheme}: {fen_to_yuan(amount)} 元")
    return 0


async def _post(
    arguments: argparse.Namespace, pool: str, counties: dict[tuple[str, str], int]
) -> list[list[int]] | None:
    """Posts the capitation year; again, only the difference."""
    from adjudicator.codes import SCHEME_CODES, Fund
    from adjudicator.pooling.posting import post_targets

    targets = {
        (int(county), int(SCHEME_CODES[scheme]), int(Fund.PROVIDER_CAPITATION)): amount
        for (county, scheme), amount in counties.items()
    }
    async with settle_month.ledger_of(arguments) as ledger:
        if ledger is None:
            return None
        changes = await post_targets(ledger, pool, "capitation", arguments.year, targets, {Fund.PROVIDER_CAPITATION})
        return [[*place, amount] for place, amount in changes.items()]
