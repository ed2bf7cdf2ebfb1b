"""``adjudicator points``: base points and coefficients from past cases; cases that may go to special-case review."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adjudicator.cli import points_review
from adjudicator.cli.given_cases import add_cases, cases_given

if TYPE_CHECKING:
    from adjudicator.pooling.periods.context import PoolContext
    from adjudicator.pooling.points.calibrate import CalibrationResult
    from adjudicator.pooling.points.files import Before, PointsTable
    from adjudicator.pooling.points.past_cases import LeftOut


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command and what it can do."""
    parser = subparsers.add_parser("points", help="base points of DRGs from past cases; special-case review")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    calibrate = actions.add_parser(
        "calibrate", help="base points and coefficients from past cases",
        description="Averages of the DRG cases of past periods, as points and coefficients: a payment.toml with the "
        "new table and its files, to be copied over those of the pack.",
    )  # fmt: skip
    add_cases(calibrate, "rule pack with [[calibration]] in pooling.toml")
    calibrate.add_argument("--period", type=int, action="append", default=[], metavar="YYYY|YYYYMM",
                           help="year or month whose cases count; repeatable (needed with --from-ledger)")  # fmt: skip
    calibrate.add_argument("--from", dest="first_day", type=int, default=0, metavar="YYYYMMDD",
                           help="day on which the points begin (default: the day after the last period)")  # fmt: skip
    calibrate.add_argument("--rare", choices=("no_points", "former"), default="no_points",
                           help="groups with too few cases: none (default), or their former points")  # fmt: skip
    calibrate.add_argument("--scheme", default="310", help="scheme whose [[calibration]] holds (default %(default)s)")
    calibrate.add_argument("--output", type=Path, metavar="DIR", help="write payment.toml and its files there")
    calibrate.add_argument("--html", type=Path, metavar="FILE", help="write a page: groups, hospitals, changes")
    calibrate.add_argument("--json", action="store_true", help="print JSON")
    calibrate.set_defaults(run=run)
    review = actions.add_parser(
        "review", help="cases of a period that may go to special-case review",
        description="DRG cases over a multiple of their group's average, largest excess first, and which of them the "
        "quota of [drg.special_cases] takes.",
    )  # fmt: skip
    add_cases(review, "rule pack with [drg.special_cases] in payment.toml")
    points_review.add_arguments(review)


def run(arguments: argparse.Namespace) -> int:
    """Calibrate points."""
    from adjudicator.cli.reports.points_tables import Calibrated, Names, calibration_report
    from adjudicator.cli.reports.report_page import put
    from adjudicator.pooling.periods.context import last_day, load_context
    from adjudicator.pooling.points.calibrate import calibrate
    from adjudicator.pooling.points.files import payment_toml, points_table
    from adjudicator.pooling.points.past_cases import choose

    context = load_context(arguments.pack)
    given = asyncio.run(cases_given(arguments, context, arguments.period))
    last = max(map(last_day, arguments.period or [int(given.rows["month"].max(initial=190001))]))
    rules = context.pooling.pick("calibration", last, arguments.scheme)
    before = _before(context, last)
    view = context.payment.view
    levels = {code: name for code, name in zip(view.hospitals, view.hospital_classes, strict=True) if name}
    kinds = {drg: drg in before.terms.groups and before.terms.groups[drg].bed_day for drg in before.codes.points_needed}
    register = levels if rules.level_weight_ppm else dict.fromkeys(view.hospitals, "")
    cases, left = choose(given, arguments.period, register, kinds)
    result = calibrate(
        cases.rows["total_fen"],
        cases.rows["group"],
        cases.rows["hospital"],
        cases.groups,
        cases.hospitals,
        levels,
        rules,
    )
    table = points_table(result, rules, before, _first_day(arguments, before, last), arguments.rare == "former")
    if arguments.output:
        document = f"calibrated from {len(cases)} DRG cases of {', '.join(map(str, arguments.period)) or last // 100}"
        _write(arguments.output, context, before, table, payment_toml(table, rules, before, document))
    periods = "、".join(map(str, arguments.period or [last // 100]))
    run_of, names = Calibrated(periods, cases, result, table, before, left), Names.of(context, last)
    put(arguments.html, arguments.json, lambda unit: calibration_report(run_of, names, unit),
        lambda: _as_data(result, table, left))  # fmt: skip
    return 0


def _before(context: PoolContext, day: int) -> Before:
    """Return the table of points of a day. Errors: E.PAYMENT_RULE_UNDEFINED without one."""
    from adjudicator.errors import E, refuse
    from adjudicator.payment.conditions import FILE
    from adjudicator.pooling.points.files import Before

    terms = context.drg_terms(day)
    codes = None if terms is None else context.payment.groupings.on(terms.source.from_date)
    if terms is None or codes is None:
        raise refuse(
            E.PAYMENT_RULE_UNDEFINED,
            "drg",
            f"the pack has no [[drg]] table on {day}",
            f"规则包在 {day} 没有 [[drg]] 表",
        )
    text = (context.folder / FILE).read_text(encoding="utf-8")
    return Before(terms, codes, context.payment.view.classes, text)


def _first_day(arguments: argparse.Namespace, before: Before, last: int) -> int:
    """Return the day on which the new points begin."""
    from adjudicator.dates import is_date, next_day
    from adjudicator.errors import E, refuse

    day: int = arguments.first_day or next_day(last)
    if not is_date(day) or day <= before.terms.source.from_date:
        since = before.terms.source.from_date
        raise refuse(
            E.CANNOT_CLEAR, "from", f"{day} is no day after {since}, when the present points began; write a later one",
            f"{day} 不是现行点数起始日 {since} 之后的日期，请填写之后的日期",
        )  # fmt: skip
    return day


def _write(folder: Path, context: PoolContext, before: Before, table: PointsTable, text: str) -> None:
    """Write the files of the pack. Errors: E.CANNOT_CLEAR where they would lie over those that were read."""
    from adjudicator.errors import E, refuse
    from adjudicator.payment.conditions import FILE
    from adjudicator.pooling.periods.files import write_rows
    from adjudicator.pooling.points.files import point_columns

    if folder.resolve() == context.folder.resolve():
        raise refuse(
            E.CANNOT_CLEAR, "output", "--output is the folder of the pack that is read; name another folder",
            "--output 是正在读取的规则包文件夹，请换一个文件夹",
        )  # fmt: skip
    points, coefficients = (folder / name for name in table.names)
    points.parent.mkdir(parents=True, exist_ok=True)
    write_rows(points, point_columns(before.classes), table.points)
    write_rows(coefficients, ("component", "subject", "drg", "value"), table.coefficients)
    write_rows(folder / "unstable.csv", ("drg", "cases", "cv_ppm", "reason", "former_points"), table.without)
    (folder / FILE).write_text(text, encoding="utf-8")


def _as_data(result: CalibrationResult, table: PointsTable, left: list[LeftOut]) -> dict[str, Any]:
    return {
        "all_average_fen": result.all_average_fen,
        "from": table.first_day,
        "groups": [{slot: getattr(group, slot) for slot in group.__slots__} for group in result.groups],
        "no_points": table.no_points,
        "bed_day": list(table.carried),
        "left_out": [{"reason": one.reason, "cases": one.cases, "names": list(one.names)} for one in left],
    }
