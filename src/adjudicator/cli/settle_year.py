"""``adjudicator settle-year``: yearly clearing, the capitation year, or a made-up year from claims to deficit."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adjudicator.cli import settle_month
from adjudicator.money import fen_to_yuan

if TYPE_CHECKING:
    from adjudicator.pooling.capitation import CapitationTerms, Enrolment
    from adjudicator.pooling.context import PoolContext


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
    if arguments.enrolments or arguments.visits or arguments.care:
        return _heads(arguments)
    from adjudicator.pooling.files import read_limits, read_scores

    scores = read_scores(arguments.scores) if arguments.scores else None
    limits = read_limits(arguments.quotas) if arguments.quotas else ()
    return settle_month.settle_period(arguments, arguments.year, scores, limits)


def _heads(arguments: argparse.Namespace) -> int:
    """Settles what goes by the head: the packages by points with --visits, else capitation."""
    from adjudicator.errors import E, refuse
    from adjudicator.pooling.context import load_context
    from adjudicator.pooling.files import read_enrolments

    if not arguments.enrolments:
        raise refuse(
            E.CANNOT_CLEAR, "enrolments", "--care and --visits need the signed people: give --enrolments",
            "--care 与 --visits 需要签约名册：请加 --enrolments",
        )  # fmt: skip
    if arguments.care and arguments.visits:
        raise refuse(
            E.CANNOT_CLEAR, "visits", "give --care (by item) or --visits (by points), not both",
            "--care（按项目）与 --visits（按点数）只能给出一个",
        )  # fmt: skip
    context = load_context(arguments.pack)
    people = read_enrolments(arguments.enrolments, context.areas)
    return (_packages if arguments.visits else _capitation)(arguments, context, people)


def _terms(context: PoolContext, year: int, people: list[Enrolment]) -> dict[str, CapitationTerms]:
    """Capitation terms of each scheme in the register."""
    from adjudicator.pooling.context import last_day

    schemes = sorted({person.scheme for person in people})
    return {scheme: context.pooling.pick("capitation", last_day(year), scheme) for scheme in schemes}


def _capitation(arguments: argparse.Namespace, context: PoolContext, people: list[Enrolment]) -> int:
    from adjudicator.codes import scheme_zh
    from adjudicator.errors import E, refuse
    from adjudicator.pooling import capitation
    from adjudicator.pooling.files import read_care

    care = read_care(arguments.care) if arguments.care else capitation.NO_CARE
    known = _terms(context, arguments.year, people)
    terms = next(iter(known.values()), None)
    if terms is None or any(other != terms for other in known.values()):
        listed, listed_zh = ", ".join(known) or "no scheme", "、".join(map(scheme_zh, known)) or "无"
        raise refuse(
            E.CANNOT_CLEAR, "enrolments", f"schemes with other terms ({listed}): settle each in its own run",
            f"各险种按人头规则不同（{listed_zh}），请分别运行",
        )  # fmt: skip
    results = capitation.settle_year(arguments.year, people, terms, care, context.contract_fen)
    counties = capitation.county_postings(arguments.year, people, results, care.consortia)
    posted = asyncio.run(_post(arguments, context.pool, counties))
    if arguments.json:
        rows = [{slot: getattr(result, slot) for slot in result.__slots__} for result in results]
        _print_json(arguments.year, {"institutions": rows}, counties, posted, done=arguments.post)
        return 0
    for result in results:
        print(
            f"{result.name}: {result.person_months} 人月, 定额 {fen_to_yuan(result.quota_fen)}, 本院 "
            f"{fen_to_yuan(result.own_fen)}, 院外 {fen_to_yuan(result.outside_fen)}, 结余 "
            f"{fen_to_yuan(result.balance_fen)}, 应付 {fen_to_yuan(result.settled_fen)} 元"
        )
    _show_counties(context, counties, posted, done=arguments.post)
    return 0


def _packages(arguments: argparse.Namespace, context: PoolContext, people: list[Enrolment]) -> int:
    """Per-head packages divided by outpatient points, scheme by scheme (门诊按人头包干结合 APG 点数法)."""
    from adjudicator.codes import scheme_zh
    from adjudicator.errors import E, refuse
    from adjudicator.pooling import capitation
    from adjudicator.pooling.files import read_visits
    from adjudicator.pooling.visit_packages import point_value_yuan, settle_packages

    visits = read_visits(arguments.visits)
    known = _terms(context, arguments.year, people)
    strange = sorted({visit.scheme for visit in visits} - set(known))
    if strange:
        raise refuse(
            E.CANNOT_CLEAR, "visits",
            f"scheme {', '.join(strange)} has visits but nobody is signed; add its people to the register",
            f"险种 {'、'.join(map(scheme_zh, strange))} 有就诊点数而无人签约，请补充签约名册",
        )  # fmt: skip
    counties: dict[tuple[str, str], int] = {}
    schemes: dict[str, dict[str, Any]] = {}
    for scheme, terms in known.items():
        own = [person for person in people if person.scheme == scheme]
        quotas = capitation.settle_year(arguments.year, own, terms, contract_fen=context.contract_fen)
        packages = {result.name: result.quota_fen for result in quotas}
        value, rows = settle_packages(packages, [visit for visit in visits if visit.scheme == scheme])
        used = {row.name: row.used_fen for row in rows if row.name in packages}
        counties |= capitation.split_over_counties(arguments.year, own, used)
        schemes[scheme] = {
            "value_yuan": point_value_yuan(value),
            "institutions": [{slot: getattr(row, slot) for slot in row.__slots__} for row in rows],
        }
    posted = asyncio.run(_post(arguments, context.pool, counties, "packages"))
    if arguments.json:
        _print_json(arguments.year, {"schemes": schemes}, counties, posted, done=arguments.post)
        return 0
    for scheme, found in schemes.items():
        print(f"{scheme} 门诊点值 {found['value_yuan']} 元")
        for row in found["institutions"]:
            package, used_fen, earned = (fen_to_yuan(row[f"{name}_fen"]) for name in ("package", "used", "earned"))
            print(f"{row['name']}: 包干 {package}, 签约人使用 {used_fen}, 应付 {earned} 元")
    _show_counties(context, counties, posted, done=arguments.post)
    return 0


def _print_json(
    year: int,
    found: dict[str, Any],
    counties: dict[tuple[str, str], int],
    posted: list[list[int]] | None,
    *,
    done: bool,
) -> None:
    listed = [[*place, amount] for place, amount in counties.items()]
    data = {"year": year, **found, "counties_fen": listed, "posted" if done else "would_post": posted}
    print(json.dumps(data, ensure_ascii=False, indent=1))


def _show_counties(
    context: PoolContext, counties: dict[tuple[str, str], int], posted: list[list[int]] | None, *, done: bool
) -> None:
    for (county, scheme), amount in counties.items():
        print(f"  {context.areas.get(county, county)} {scheme}: {fen_to_yuan(amount)} 元")
    print(f"合计 {fen_to_yuan(sum(counties.values()))} 元")
    if posted is not None:
        print(settle_month.posted_text({(row[0], row[1], row[2]): row[3] for row in posted}, done=done))


async def _post(
    arguments: argparse.Namespace, pool: str, counties: dict[tuple[str, str], int], kind: str = "capitation"
) -> list[list[int]] | None:
    """Return the difference of what the year owes by the head to the ledger, and post it if asked to."""
    from adjudicator.codes import SCHEME_CODES
    from adjudicator.payers import Fund
    from adjudicator.pooling.posting import Accounts, post_targets

    targets = {
        (int(county), int(SCHEME_CODES[scheme]), int(Fund.PROVIDER_CAPITATION)): amount
        for (county, scheme), amount in counties.items()
    }
    async with settle_month.ledger_of(arguments) as ledger:
        if ledger is None:
            return None
        schemes = frozenset(place[1] for place in targets)
        accounts = Accounts(kind, arguments.year, frozenset({Fund.PROVIDER_CAPITATION}), schemes)
        changes = await post_targets(ledger, pool, accounts, targets, only_look=not arguments.post)
        return [[*place, amount] for place, amount in changes.items()]
