"""``adjudicator capitation budget``: next year's packages and quota a head from three past years."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from adjudicator.money import fen_to_yuan

if TYPE_CHECKING:
    from adjudicator.pooling.capitation import Budget, Enrolment
    from adjudicator.pooling.context import PoolContext


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command and what it can do."""
    parser = subparsers.add_parser("capitation", help="budget and quota a head of the per-head packages")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    budget = actions.add_parser(
        "budget", help="weighted three-year budget, its deductions, quota a head",
        description="The outpatient share of the fund in three past years, weighted, with growth, less the "
        "deductions, is the package; with a register of people it gives the quota a head. `adjudicator settle-year "
        "--enrolments` settles the year.",
    )  # fmt: skip
    budget.add_argument("--pack", required=True, help="rule pack with [[capitation]] in pooling.toml")
    budget.add_argument("--year", type=int, required=True, metavar="YYYY", help="the year of the budget")
    budget.add_argument("--past", type=Path, required=True, metavar="FILE",
                        help="CSV in yuan: scheme, year, item (fund, spent, or a deduction), amount")  # fmt: skip
    budget.add_argument("--enrolments", type=Path, metavar="FILE", help="register of people, for the quota a head")
    budget.add_argument("--json", action="store_true", help="print JSON")
    budget.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Make the budgets of a year."""
    from adjudicator.pooling.context import load_context
    from adjudicator.pooling.files import read_enrolments, read_past

    context = load_context(arguments.pack)
    people = read_enrolments(arguments.enrolments, context.areas) if arguments.enrolments else []
    past = read_past(arguments.past)
    found = {scheme: _budget(context, arguments.year, scheme, years, people) for scheme, years in past.items()}
    if arguments.json:
        rows = {scheme: {slot: getattr(one, slot) for slot in one.__slots__} for scheme, one in found.items()}
        print(json.dumps({"year": arguments.year, "schemes": rows}, ensure_ascii=False, indent=1))
        return 0
    for scheme, one in found.items():
        shares = ", ".join(f"{share / 10_000:.4f}%" for share in one.shares_ppm)
        print(f"{scheme} {arguments.year}: 三年占比 {shares}, 加权 {one.weighted_ppm / 10_000:.4f}%")
        print(f"  预算 {fen_to_yuan(one.budget_fen)} 元, 扣除后包干 {fen_to_yuan(one.package_fen)} 元")
        if one.quota_fen:
            print(f"  人头定额 (pooling.toml): quota_per_person_yuan = {fen_to_yuan(one.quota_fen)}")
    return 0


def _budget(
    context: PoolContext, year: int, scheme: str, years: dict[int, dict[str, int]], people: list[Enrolment]
) -> Budget:
    from adjudicator.codes import scheme_zh
    from adjudicator.errors import E, refuse
    from adjudicator.pooling.capitation import three_year_budget, weighted_person_years
    from adjudicator.pooling.context import last_day

    terms = context.pooling.pick("capitation", last_day(year), scheme)
    if not terms.year_weights_ppm:
        raise refuse(
            E.PAYMENT_RULE_UNDEFINED, "capitation", "write year_1_weight to year_3_weight in [[capitation]]",
            "请在 [[capitation]] 中填写 year_1_weight 至 year_3_weight",
        )  # fmt: skip
    before = range(year - len(terms.year_weights_ppm), year)
    missing = [(item, one) for one in before for item in ("fund", "spent") if item not in years.get(one, {})]
    missing += [] if "fund" in years.get(year, {}) else [("fund", year)]
    if missing:
        listed = ", ".join(f"{item} of {one}" for item, one in missing)
        listed_zh = "、".join(f"{one} 年 {item}" for item, one in missing)
        raise refuse(
            E.CANNOT_CLEAR, "past", f"scheme {scheme} lacks {listed}; add these rows",
            f"险种 {scheme_zh(scheme)} 缺少 {listed_zh}，请补充这些行",
        )  # fmt: skip
    deductions = {item: amount for item, amount in years[year].items() if item not in ("fund", "spent")}
    own = [person for person in people if person.scheme == scheme]
    return three_year_budget(
        [(years[one]["fund"], years[one]["spent"]) for one in before], years[year]["fund"], terms.year_weights_ppm,
        terms.growth_ppm, deductions, weighted_person_years(year, own, terms.weights),
    )  # fmt: skip
