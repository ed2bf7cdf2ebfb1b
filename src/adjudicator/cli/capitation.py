"""``adjudicator capitation``: packages and quotas a head of a year; the surplus of a consortium over its members."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from adjudicator.money import fen_to_yuan

if TYPE_CHECKING:
    from adjudicator.pooling.heads.capitation import Budget, Enrolment
    from adjudicator.pooling.periods.context import PoolContext


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command and what it can do."""
    parser = subparsers.add_parser("capitation", help="budgets and quotas a head, a consortium's surplus")
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
    _add_quota(actions)
    _add_share(actions)


def _add_quota(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    quota = actions.add_parser(
        "quota", help="quota a head from the financing of a year",
        description="Financing less risk fund and catastrophic insurance, with carried surplus and interest, less an "
        "adjustment, over the members.",
    )  # fmt: skip
    quota.add_argument("--members", type=int, required=True, metavar="N", help="members of the scheme")
    financing = quota.add_mutually_exclusive_group(required=True)
    financing.add_argument("--financing", metavar="YUAN", help="financing of the year")
    financing.add_argument("--per-head", metavar="YUAN", help="financing of one member")
    quota.add_argument("--personal", metavar="YUAN", default="0", help="what a member pays of it")
    quota.add_argument("--carried", metavar="YUAN", default="0", help="carried surplus")
    quota.add_argument("--interest", metavar="YUAN", default="0", help="interest of the fund")
    quota.add_argument("--risk-percent", metavar="P", default="0", help="risk fund, percent of the financing")
    quota.add_argument("--critical-percent", metavar="P", default="0",
                       help="catastrophic insurance, percent of the financing")  # fmt: skip
    quota.add_argument("--adjustment", metavar="YUAN", default="0", help="adjustment that is held back")
    quota.add_argument("--json", action="store_true", help="print JSON")
    quota.set_defaults(run=run_quota)


def _add_share(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    share = actions.add_parser(
        "share", help="share a consortium's surplus among its members",
        description="The surplus that a consortium keeps (settle-year --care with the column consortium), by weights "
        "such as county : town : village = 6 : 3 : 1; every fen is placed.",
    )  # fmt: skip
    share.add_argument("--surplus", required=True, metavar="YUAN", help="the surplus to share")
    share.add_argument("--part", action="append", required=True, metavar="MEMBER=WEIGHT",
                       help="a member and its weight, a whole number; repeatable")  # fmt: skip
    share.add_argument("--json", action="store_true", help="print JSON")
    share.set_defaults(run=run_share)


def _fen(text: str, field: str) -> int:
    """Return yuan as fen. Errors: E.NOT_AN_AMOUNT."""
    from adjudicator.errors import E, refuse
    from adjudicator.money import MoneyError, yuan_to_fen

    try:
        return yuan_to_fen(text)
    except MoneyError as error:
        raise refuse(E.NOT_AN_AMOUNT, field, text[:32]) from error


def _ppm(text: str, field: str) -> int:
    """Return percent from 0 to 100 as ppm. Errors: E.CANNOT_CLEAR."""
    from adjudicator.errors import E, refuse
    from adjudicator.money import MoneyError, decimal_to_scaled
    from adjudicator.rounding import PPM

    try:
        rate = decimal_to_scaled(text, 4)
    except MoneyError:
        rate = -1
    if not 0 <= rate <= PPM:
        shown = text[:20]
        raise refuse(
            E.CANNOT_CLEAR, field, f"{shown} is no percentage; write a number from 0 to 100, such as 10",
            f"{shown} 不是百分比，请填写 0 至 100 的数字，如 10",
        )  # fmt: skip
    return rate


def run_quota(arguments: argparse.Namespace) -> int:
    """Print the fund of a year and the quota a head."""
    from adjudicator.pooling.heads.capitation import Deductions, members_fund

    members = arguments.members
    per_head = arguments.per_head is not None
    financing = _fen(arguments.per_head if per_head else arguments.financing, "financing") * (
        members if per_head else 1
    )
    deductions = Deductions(
        _ppm(arguments.risk_percent, "risk_percent"),
        _ppm(arguments.critical_percent, "critical_percent"),
        _fen(arguments.adjustment, "adjustment"),
    )
    personal, carried, interest = (_fen(getattr(arguments, name), name) for name in ("personal", "carried", "interest"))
    fund = members_fund(members, financing, personal * members, carried, interest, deductions)
    if arguments.json:
        found = {slot: getattr(fund, slot) for slot in fund.__slots__} | {"quota_fen": fund.quota_fen}
        print(json.dumps(found, ensure_ascii=False))
        return 0
    print(
        f"参保 {fund.members} 人, 筹资 {fen_to_yuan(fund.financing_fen)} 元, "
        f"其中个人 {fen_to_yuan(fund.personal_fen)} 元"
    )
    print(f"  可用基金 {fen_to_yuan(fund.usable_fen)} 元, 扣除后 {fen_to_yuan(fund.package_fen)} 元")
    print(f"  人头定额 (pooling.toml): quota_per_person_yuan = {fen_to_yuan(fund.quota_fen)}")
    return 0


def run_share(arguments: argparse.Namespace) -> int:
    """Print each member's part of a surplus."""
    from adjudicator.errors import E, refuse
    from adjudicator.pooling.heads.capitation import share_surplus

    parts: dict[str, int] = {}
    for text in arguments.part:
        name, _, weight = text.rpartition("=")
        if not name or name in parts or not (weight.isascii() and weight.isdigit()):
            shown = text[:40]
            raise refuse(
                E.CANNOT_CLEAR, "part", f"{shown} is no MEMBER=WEIGHT, or the member is named twice; write county=6",
                f"{shown} 不是“成员=权重”或成员重复，请写作 县级医院=6",
            )  # fmt: skip
        parts[name] = int(weight)
    shares = share_surplus(_fen(arguments.surplus, "surplus"), parts)
    if arguments.json:
        print(json.dumps({"shares_fen": shares}, ensure_ascii=False))
        return 0
    for name, amount in shares.items():
        print(f"{name}: {fen_to_yuan(amount)} 元")
    print(f"合计 {fen_to_yuan(sum(shares.values()))} 元")
    return 0


def run(arguments: argparse.Namespace) -> int:
    """Make the budgets of a year."""
    from adjudicator.pooling.periods.context import load_context
    from adjudicator.pooling.periods.files import read_enrolments, read_past

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
    from adjudicator.pooling.heads.capitation import three_year_budget, weighted_person_years
    from adjudicator.pooling.periods.context import last_day

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
