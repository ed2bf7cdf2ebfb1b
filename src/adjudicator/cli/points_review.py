"""``adjudicator points review``: the cases of a period that may go to special-case review (特例单议)."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adjudicator.cli.given_cases import cases_given
from adjudicator.money import fen_to_yuan

if TYPE_CHECKING:
    from adjudicator.pooling.hospitals.applications import Application, Quota
    from adjudicator.pooling.periods.context import PoolContext

COLUMNS = ("case", "hospital", "group", "cost_yuan", "average_yuan", "excess_yuan", "taken")


def add_arguments(review: argparse.ArgumentParser) -> None:
    """Register the arguments of the list, besides where its cases come from."""
    review.add_argument("--period", type=int, required=True, metavar="YYYY|YYYYMM", help="the month or year")
    review.add_argument("--multiple", metavar="N",
                        help="multiple of the group's average, instead of the pack's [[review]]")  # fmt: skip
    review.add_argument("--hospital", metavar="CODE", help="only the cases of one hospital")
    review.add_argument("--scheme", default="310", help="scheme whose [[review]] holds (default %(default)s)")
    review.add_argument("--output", type=Path, metavar="FILE", help="write the list as CSV")
    review.add_argument("--html", type=Path, metavar="FILE", help="write a page of the list")
    review.add_argument("--json", action="store_true", help="print JSON")
    review.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """List the cases. Errors: E.PAYMENT_RULE_UNDEFINED for a pack without quota or multiple."""
    from adjudicator.cli.reports.points_tables import Names, review_report
    from adjudicator.cli.reports.report_page import put
    from adjudicator.errors import E, refuse
    from adjudicator.pooling.hospitals.applications import applications, drg_cases_of
    from adjudicator.pooling.periods.context import last_day, load_context

    context = load_context(arguments.pack)
    given = asyncio.run(cases_given(arguments, context, [arguments.period]))
    day = last_day(arguments.period)
    terms = context.drg_terms(day)
    if terms is None or terms.special is None:
        raise refuse(
            E.PAYMENT_RULE_UNDEFINED, "special_cases", f"the pack has no [drg.special_cases] on {day}",
            f"规则包在 {day} 没有 [drg.special_cases]",
        )  # fmt: skip
    classes = dict(zip(context.payment.view.hospitals, context.payment.view.hospital_classes, strict=True))
    averages = {drg: points.average_fen for drg, points in terms.groups.items()}
    multiple_ppm = _multiple_ppm(arguments, context, day)
    found, quotas = applications(
        drg_cases_of(given, arguments.period), averages, multiple_ppm, terms.special, classes
    )  # fmt: skip
    listed = [one for one in found if not arguments.hospital or one.hospital == arguments.hospital]
    if arguments.output:
        from adjudicator.pooling.periods.files import write_rows

        write_rows(arguments.output, COLUMNS, [_row(one) for one in listed])
    names = Names.of(context, day)
    put(arguments.html, arguments.json,
        lambda unit: review_report(arguments.period, listed, quotas, names, unit),
        lambda: _as_data(arguments.period, listed, quotas))  # fmt: skip
    return 0


def _multiple_ppm(arguments: argparse.Namespace, context: PoolContext, day: int) -> int:
    from adjudicator.errors import E, refuse
    from adjudicator.money import MoneyError, decimal_to_scaled

    if arguments.multiple is None:
        return int(context.pooling.pick("review", day, arguments.scheme))
    try:
        multiple = decimal_to_scaled(arguments.multiple, 6)
    except MoneyError:
        multiple = 0
    if not 0 < multiple <= 50_000_000:
        raise refuse(
            E.CANNOT_CLEAR, "multiple", f"{arguments.multiple[:20]} is no multiple; write a number such as 3 or 2.5",
            f"{arguments.multiple[:20]} 不是倍数，请填写数字，如 3 或 2.5",
        )  # fmt: skip
    return multiple


def _row(one: Application) -> tuple[str, ...]:
    amounts = (fen_to_yuan(fen) for fen in (one.cost_fen, one.average_fen, one.excess_fen))
    return one.case, one.hospital, one.group, *amounts, str(one.taken).lower()


def _as_data(period: int, listed: list[Application], quotas: list[Quota]) -> dict[str, Any]:
    rows: list[dict[str, Any]] = [dict(zip(COLUMNS, _row(one), strict=True)) for one in listed]
    limits = [{slot: getattr(quota, slot) for slot in quota.__slots__} for quota in quotas]
    return {"period": period, "quotas": limits, "cases": rows}
