"""Point value and clearing of a month or a year, for one kind of points, scheme by scheme (点值、月度预付、年度清算).

Formulas: docs/law.md, section "DRG points" (two modes, reserve, sharing, prepayment, deposit). The
point value is a fraction and is not rounded (R38); money is split by largest remainder (R32), so that every fen is
placed: the rows of a hospital add up to the hospital, hospitals to the scheme, and so do counties.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from adjudicator.errors import E, refuse
from adjudicator.money import fen_to_yuan, split_by_weight
from adjudicator.pooling.cases import Cases
from adjudicator.rounding import PPM, divide_half_up, share

TOTAL_COST, FUND_ONLY = "total_cost", "fund_only"


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms of clearing of one scheme; rates in ppm. Values come from ``[[clearing]]`` of pooling.toml."""

    mode: str = TOTAL_COST
    prepay_ppm: int = 850_000
    reserve_ppm: int = 0
    """Part of the budget kept back for overspend sharing (调剂金)."""
    year_total: str = "budget"
    """"budget": the budget is paid out. "shared": what was spent by item, with surplus kept and overspend shared."""
    surplus_kept_ppm: int = 0
    overspend_borne_ppm: int = PPM
    deposit_ppm: int = 0
    """Quality deposit held back of each hospital's money."""
    deposit_bands: tuple[tuple[int, int], ...] = ()
    """Score from which a share of the deposit is paid out, lowest score first: (score, share)."""
    forfeited: str = "fund"
    """What becomes of deposits not paid out: "fund" keeps them, "redistribute" gives them to hospitals by points."""


@dataclass(frozen=True, slots=True)
class Line:
    """What the fund owes one hospital for the cases of one county: a line a hospital can check."""

    hospital: str
    county: str
    cases: int
    points_e8: int
    gross_fen: int
    """Points x value: all the money of these cases; in fund-only mode the fund's."""
    patient_fen: int
    others_fen: int
    fund_fen: int
    """gross - patient - others in total-cost mode, else gross; may be negative and is netted."""
    by_item_fen: int

    def cost_fen(self, mode: str) -> int:
        """Return all the money of these cases: what the fund owes by points, with what patients and others paid."""
        return self.gross_fen + (0 if mode == TOTAL_COST else self.patient_fen + self.others_fen)


@dataclass(frozen=True, slots=True)
class Clearing:
    """Clearing of one scheme and period."""

    scheme: str
    mode: str
    points_e8: int
    budget_fen: int
    reserve_fen: int
    """Part of the budget held back before the value was struck."""
    fund_fen: int
    """What the fund pays the hospitals."""
    reserve_used_fen: int
    """What the reserve adds in an overspend."""
    value: Fraction
    """Fen a point, exact."""
    lines: tuple[Line, ...]
    quality: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Quality deposit of each hospital's year, and what of it the score does not release."""

    @property
    def value_yuan(self) -> str:
        """Value of a point in yuan with six decimals, for people; money is never computed from it."""
        scaled = divide_half_up(self.value.numerator * 10_000, self.value.denominator)
        return f"{scaled // 1_000_000}.{scaled % 1_000_000:06d}"

    def hospital_fen(self) -> dict[str, int]:
        """Return the fund's money by hospital."""
        return _sum((line.hospital, line.fund_fen) for line in self.lines)

    def county_fen(self) -> dict[str, int]:
        """Return the fund's money by county of insurance; the same total."""
        return _sum((line.county, line.fund_fen) for line in self.lines)


def _sum(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for name, amount in pairs:
        totals[name] = totals.get(name, 0) + amount
    return dict(sorted(totals.items()))


@dataclass(frozen=True, slots=True)
class Cell:
    """Sums of the cases of one hospital and county."""

    hospital: str
    county: str
    cases: int
    points_e8: int
    patient_fen: int
    others_fen: int
    by_item_fen: int


def cells(cases: Cases, points_e8: np.ndarray, chosen: np.ndarray) -> list[Cell]:
    """Sum by hospital and county of the chosen cases (bool[n]), in the order of the names."""
    rows, points = cases.rows[chosen], points_e8[chosen]
    key = rows["hospital"].astype(np.int64) * len(cases.counties) + rows["county"]
    known, back = np.unique(key, return_inverse=True)
    sums = np.zeros((len(known), 4), np.int64)
    for column, values in enumerate((points, rows["patient_fen"], rows["others_fen"], rows["fund_fen"])):
        np.add.at(sums[:, column], back, values)
    counts = np.bincount(back, minlength=len(known))
    return [
        Cell(
            cases.hospitals[number // len(cases.counties)],
            cases.counties[number % len(cases.counties)],
            int(count),
            *(int(value) for value in total),
        )
        for number, count, total in zip(known.tolist(), counts, sums, strict=True)
    ]


def check_budget(scheme: str, budget_fen: int, points_e8: int) -> None:
    """Refuse a value without budget or points: zero or negative ones are named, nothing is divided by a default."""
    if budget_fen <= 0:
        yuan = fen_to_yuan(budget_fen)
        raise refuse(
            E.CANNOT_CLEAR, "budget",
            f"scheme {scheme} has the budget {yuan} yuan; set it in pooling.toml ([[budget]]) or with --budget",
            f"险种 {scheme} 的预算为 {yuan} 元，请在 pooling.toml（[[budget]]）中或用 --budget 填写",
        )  # fmt: skip
    if points_e8 <= 0:
        points = f"{points_e8 / 10**8:g}"
        raise refuse(
            E.CANNOT_CLEAR, "points",
            f"scheme {scheme} has {points} points in all; nothing can be divided by them: check the cases' points",
            f"险种 {scheme} 总点数为 {points}，无法计算点值，请核对病例点数",
        )  # fmt: skip


def year_fund(budget_fen: int, by_item_fen: int, reserve_fen: int, terms: Terms) -> tuple[int, int]:
    """Return what the fund pays for the year, and how much of it the reserve gives.

    "budget": the budget less the reserve. "shared": a surplus of the budget over the cost by item is kept in part by
    the hospitals (结余留用); an overspend is borne in part by them (超支分担), the reserve pays the fund's part first.

    >>> shared = Terms(year_total="shared", surplus_kept_ppm=850_000, overspend_borne_ppm=850_000)
    >>> year_fund(1_000, 900, 50, shared), year_fund(1_000, 1_100, 50, shared)
    ((985, 0), (1015, 15))
    """
    if terms.year_total == "budget":
        return budget_fen - reserve_fen, 0
    difference = budget_fen - by_item_fen
    if difference >= 0:
        return by_item_fen + share(difference, terms.surplus_kept_ppm), 0
    fund_part = -difference - share(-difference, terms.overspend_borne_ppm)
    return budget_fen + fund_part, min(fund_part, reserve_fen)


def point_value(fund_fen: int, patient_fen: int, others_fen: int, points_e8: int, mode: str) -> Fraction:
    """Fen a point: the fund's money, in total-cost mode with what patients and other funds pay, over all points.

    >>> point_value(300_000_000_000, 0, 0, 3_000_000_000 * 10**8, FUND_ONLY)
    Fraction(100, 1)
    """
    money = fund_fen + (patient_fen + others_fen if mode == TOTAL_COST else 0)
    return Fraction(money * 10**8, points_e8)


def clear(
    scheme: str, listed: list[Cell], budget_fen: int, terms: Terms, final: bool, scores: Mapping[str, int] | None = None
) -> Clearing:
    """Clear one scheme: value, and money by hospital and county. ``final`` is the year, else a month.

    ``scores`` (hospital -> quality score) releases deposits at the year's end; a hospital without score is refused.
    Errors: E.CANNOT_CLEAR for a budget or total points that are not positive.
    """
    points = sum(cell.points_e8 for cell in listed)
    check_budget(scheme, budget_fen, points)
    patient, others = sum(cell.patient_fen for cell in listed), sum(cell.others_fen for cell in listed)
    reserve = share(budget_fen, terms.reserve_ppm)
    fund, used = budget_fen - reserve, 0
    if final:
        fund, used = year_fund(budget_fen, sum(cell.by_item_fen for cell in listed), reserve, terms)
    value = point_value(fund, patient, others, points, terms.mode)
    if value <= 0:
        raise refuse(
            E.CANNOT_CLEAR, "point_value",
            f"the value of scheme {scheme} is not positive; check the budget and the amounts of its cases",
            f"险种 {scheme} 的点值不是正数，请核对预算与病例金额",
        )  # fmt: skip
    money = fund + (patient + others if terms.mode == TOTAL_COST else 0)
    gross = _split_cells(money, listed)
    lines = []
    for cell, amount in zip(listed, gross, strict=True):
        paid = amount - (cell.patient_fen + cell.others_fen if terms.mode == TOTAL_COST else 0)
        lines.append(
            Line(
                cell.hospital, cell.county, cell.cases, cell.points_e8, amount, cell.patient_fen, cell.others_fen,
                paid, cell.by_item_fen,
            )
        )  # fmt: skip
    quality: dict[str, tuple[int, int]] = {}
    if final and terms.deposit_ppm and scores is not None:
        quality = deposits(lines, terms, scores)
        lines = apply_quality(lines, terms, quality)
    return Clearing(
        scheme,
        terms.mode,
        points,
        budget_fen,
        reserve,
        sum(line.fund_fen for line in lines),
        used,
        value,
        tuple(lines),
        quality,
    )


def _split_cells(money_fen: int, listed: list[Cell]) -> list[int]:
    """Split money over hospitals by points, then each hospital's over its counties; every fen is placed (R32)."""
    hospitals = sorted({cell.hospital for cell in listed})
    weights = [sum(cell.points_e8 for cell in listed if cell.hospital == name) for name in hospitals]
    parts: dict[str, int] = dict(zip(hospitals, split_by_weight(money_fen, weights), strict=True))
    result = [0] * len(listed)
    for name in hospitals:
        places = [place for place, cell in enumerate(listed) if cell.hospital == name]
        own = [listed[place].points_e8 for place in places]
        amounts = split_by_weight(parts[name], own) if sum(own) else [0] * len(own)
        for place, amount in zip(places, amounts, strict=True):
            result[place] = amount
    return result


def released_ppm(score: int, bands: tuple[tuple[int, int], ...]) -> int:
    """Share of the quality deposit that a score releases.

    >>> released_ppm(88, ((0, 0), (60, 500_000), (85, 1_000_000)))
    1000000
    """
    released = [rate for lowest, rate in bands if score >= lowest]
    if not released:
        raise refuse(
            E.PAYMENT_RULE_UNDEFINED, "quality", f"no band of the quality deposit takes the score {score}",
            f"质量保证金没有适用于 {score} 分的档次",
        )  # fmt: skip
    return released[-1]


def deposits(lines: list[Line], terms: Terms, scores: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """Return the quality deposit of each hospital, and what of it the score does not release."""
    totals = _sum((line.hospital, line.fund_fen) for line in lines)
    found: dict[str, tuple[int, int]] = {}
    for name, amount in totals.items():
        if name not in scores:
            raise refuse(
                E.CANNOT_CLEAR, "scores", f"hospital {name} has no quality score; add its row to the scores",
                f"医院 {name} 没有考核得分，请在考核得分中补充该行",
            )  # fmt: skip
        deposit = share(max(amount, 0), terms.deposit_ppm)
        found[name] = deposit, deposit - share(deposit, released_ppm(scores[name], terms.deposit_bands))
    return found


def apply_quality(lines: list[Line], terms: Terms, quality: Mapping[str, tuple[int, int]]) -> list[Line]:
    """Hold back what the quality score does not release of each hospital's deposit; see ``Terms.forfeited``."""
    lost = {name: withheld for name, (_, withheld) in quality.items()}
    change = {name: -amount for name, amount in lost.items()}
    if terms.forfeited == "redistribute":
        weights = [sum(line.points_e8 for line in lines if line.hospital == name) for name in lost]
        for name, amount in zip(lost, split_by_weight(sum(lost.values()), weights), strict=True):
            change[name] += amount
    return _spread(lines, change)


def _spread(lines: list[Line], change: Mapping[str, int]) -> list[Line]:
    """Add a hospital's change to its lines by points."""
    result = []
    for name in dict.fromkeys(line.hospital for line in lines):
        own = [line for line in lines if line.hospital == name]
        weights = [line.points_e8 for line in own]
        parts = split_by_weight(change.get(name, 0), weights) if sum(weights) else [0] * len(own)
        for line, part in zip(own, parts, strict=True):
            values = {slot: getattr(line, slot) for slot in Line.__slots__}
            result.append(Line(**{**values, "fund_fen": line.fund_fen + part}))
    return result


def prepayments(clearing: Clearing, prepay_ppm: int) -> dict[tuple[str, str], int]:
    """Return the prepayment of a month by hospital and county: a share of what a scheme owes the hospital in all.

    The hospital's amount is split over the counties that owe it something, by largest remainder. A hospital that is
    owed nothing over all counties gets nothing.
    """
    result: dict[tuple[str, str], int] = {}
    for hospital, net_fen in clearing.hospital_fen().items():
        own = [line for line in clearing.lines if line.hospital == hospital]
        weights = [max(line.fund_fen, 0) for line in own]
        whole = share(max(net_fen, 0), prepay_ppm)
        parts = split_by_weight(whole, weights) if whole else [0] * len(own)
        for line, amount in zip(own, parts, strict=True):
            result[line.hospital, line.county] = amount
    return result


def case_due_fen(points_e8: int, value: Fraction, patient_fen: int, others_fen: int, mode: str) -> int:
    """Return what the fund pays for one case, half-up (R38); their sum differs from the hospital's money by some
    fen.
    """
    gross = divide_half_up(points_e8 * value.numerator, 10**8 * value.denominator)
    return gross - (patient_fen + others_fen if mode == TOTAL_COST else 0)
