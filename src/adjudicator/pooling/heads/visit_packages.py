"""Outpatient points under the per-head package (门诊按人头包干结合 APG 点数法, docs/law.md#S-24)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from adjudicator.errors import E, refuse
from adjudicator.money import fen_to_yuan, split_by_weight
from adjudicator.rounding import divide_half_up


@dataclass(frozen=True, slots=True)
class Visits:
    """Points that people signed with one institution earned at another (or the same)."""

    signed_with: str
    provider: str
    points_e8: int
    scheme: str = ""


@dataclass(frozen=True, slots=True)
class PackageResult:
    """One institution under the per-head package: its package, what its people used by points, what it earned."""

    name: str
    package_fen: int
    used_fen: int
    earned_fen: int


def settle_packages(packages_fen: Mapping[str, int], visits: Sequence[Visits]) -> tuple[Fraction, list[PackageResult]]:
    """Divides the outpatient packages by points.

    Value = all packages / all points. A provider earns points x value; the institution a person signed with is charged
    the same, so used and earned add up to the packages. Errors: no points, no budget, a signer without package.
    """
    total, points = sum(packages_fen.values()), sum(visit.points_e8 for visit in visits)
    if total <= 0 or points <= 0:
        yuan, listed = fen_to_yuan(total), f"{points / 10**8:g}"
        raise refuse(
            E.CANNOT_CLEAR, "points",
            f"packages of {yuan} yuan cannot be divided by {listed} points; check the register and the visits",
            f"包干总额 {yuan} 元无法按 {listed} 点分配，请核对签约名册与就诊点数",
        )  # fmt: skip
    for visit in visits:
        if visit.signed_with not in packages_fen:
            name = visit.signed_with
            raise refuse(
                E.CANNOT_CLEAR, "signed_with", f"{name} has visits but no package; nobody is signed with it",
                f"机构 {name} 有就诊点数而没有包干额，请核对签约名册",
            )  # fmt: skip
    pairs: dict[tuple[str, str], int] = {}
    for visit in visits:
        pair = visit.signed_with, visit.provider
        pairs[pair] = pairs.get(pair, 0) + visit.points_e8
    ordered = sorted(pairs)  # so that neither the order nor the number of the rows decides who gets the last fen
    used: dict[str, int] = {}
    earned: dict[str, int] = {}
    for (signer, provider), amount in zip(
        ordered, split_by_weight(total, [pairs[pair] for pair in ordered]), strict=True
    ):
        used[signer] = used.get(signer, 0) + amount
        earned[provider] = earned.get(provider, 0) + amount
    names = sorted(set(packages_fen) | set(earned))
    rows = [PackageResult(n, packages_fen.get(n, 0), used.get(n, 0), earned.get(n, 0)) for n in names]
    assert sum(row.used_fen for row in rows) == sum(row.earned_fen for row in rows) == total
    return Fraction(total * 10**8, points), rows


def point_value_yuan(value: Fraction) -> str:
    """Return a value of fen a point in yuan with six decimals, for people.

    >>> point_value_yuan(Fraction(1_000_001, 67))
    '149.253881'
    """
    scaled = divide_half_up(value.numerator * 10_000, value.denominator)
    return f"{scaled // 1_000_000}.{scaled % 1_000_000:06d}"
