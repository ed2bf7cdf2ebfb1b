"""Base points from past claims: averages after trimming, stable and unstable groups, coefficients of hospitals.

Formulas: docs/law.md#S-01 (base points), #S-09 (own : same-level weights), #S-17 (trimming, coefficient of variation,
least cases), #S-07 (coefficient of a hospital or level = its average / the city's). All arithmetic is exact on fen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from adjudicator.errors import E, refuse
from adjudicator.payment.exact import E8
from adjudicator.rounding import PPM, divide_half_up


@dataclass(frozen=True, slots=True)
class Calibration:
    """How past costs become points.

    ``trim``: "none"; "multiples" drops costs over ``upper_ppm`` (by band of base points) or under ``lower_ppm`` of the
    group's average; "middle" drops ``drop_ppm`` of the cases at either end (中间区段法).
    """

    scale_e8: int = 100 * E8
    decimals: int = 4
    trim: str = "none"
    upper_ppm: tuple[tuple[int, int], ...] = ((10**14, 3_000_000),)
    lower_ppm: int = 400_000
    drop_ppm: int = 0
    min_cases: int = 5
    cv_max_ppm: int = 1_000_000
    own_weight_ppm: int = PPM
    level_weight_ppm: int = 0
    coefficient_decimals: int = 4


@dataclass(frozen=True, slots=True)
class GroupResult:
    """Calibrated values of one group; cases of groups that are not stable go to review (docs/law.md#S-17)."""

    group: str
    cases: int
    trimmed: int
    average_fen: int
    base_e8: int
    cv_ppm: int
    stable: bool
    reason: str


@dataclass(frozen=True, slots=True)
class CalibrationResult:
    """Points of all groups and coefficients of hospitals and levels in 1e-8, keyed (subject, group)."""

    all_average_fen: int
    groups: tuple[GroupResult, ...]
    hospital_e8: dict[tuple[str, str], int]
    level_e8: dict[tuple[str, str], int]
    level_average_fen: dict[tuple[str, str], int]
    """Average cost of the cases of one level and group, by (level, group)."""


def calibrate(
    costs_fen: np.ndarray,
    groups: np.ndarray,
    hospitals: np.ndarray,
    group_names: Sequence[str],
    hospital_names: Sequence[str],
    levels: dict[str, str],
    rules: Calibration,
) -> CalibrationResult:
    """Calibrates points from past cases.

    Args: costs_fen int64[n]; groups and hospitals int[n], positions in the names; ``levels`` hospital -> level.
    Errors: E.CANNOT_CLEAR where there is no case, a cost is not positive or the average is zero.
    """
    if not len(costs_fen):
        raise refuse(
            E.CANNOT_CLEAR, "cases", "no past cases to calibrate from; check the period and the cases",
            "没有可用于测算的历史病例，请核对期间与病例",
        )  # fmt: skip
    if (costs_fen <= 0).any():
        raise refuse(
            E.CANNOT_CLEAR, "total_fen", "a past case has no cost; take it out",
            "有历史病例没有费用，请剔除",
        )  # fmt: skip
    all_average = Fraction(int(costs_fen.sum()), len(costs_fen))
    kept = np.zeros(len(costs_fen), bool)
    results = []
    for number in range(len(group_names)):
        members = np.flatnonzero(groups == number)
        members = members[np.argsort(hospitals[members], kind="stable")]  # of equal costs the order of the file is none
        if len(members):
            chosen = _trim(costs_fen[members], all_average, rules)
            kept[members[chosen]] = True
    kept_average = Fraction(int(costs_fen[kept].sum()), int(kept.sum()))
    averages: dict[int, Fraction] = {}
    for number, name in enumerate(group_names):
        members = np.flatnonzero((groups == number) & kept)
        if len(members):
            total = int((groups == number).sum())
            averages[number] = Fraction(int(costs_fen[members].sum()), len(members))
            results.append(_group(name, costs_fen[members], total, averages[number], kept_average, rules))
    counted = (costs_fen[kept], groups[kept], hospitals[kept])
    own, same_level = _by_subject(counted, hospital_names, levels, rules)
    hospital, level = _coefficients(own, same_level, averages, levels, rules)
    named = {(subject, group_names[group]): _round(average) for (subject, group), average in same_level.items()}
    return CalibrationResult(
        _round(kept_average),
        tuple(results),
        {(subject, group_names[group]): value for (subject, group), value in hospital.items()},
        {(subject, group_names[group]): value for (subject, group), value in level.items()},
        named,
    )


def _round(value: Fraction) -> int:
    return divide_half_up(value.numerator, value.denominator)


def _trim(costs: np.ndarray, all_average: Fraction, rules: Calibration) -> np.ndarray:
    """Positions of the costs that count; a group whose variation stays too high is trimmed again and tested again."""
    order = np.argsort(costs, kind="stable")
    if rules.trim == "none":
        return order
    if rules.trim == "middle":
        drop = len(costs) * rules.drop_ppm // PPM
        return order[drop : len(costs) - drop]
    kept = order
    while len(kept):
        total, count = int(costs[kept].sum()), len(kept)
        base_e8 = _round(Fraction(total, count) / all_average * rules.scale_e8)
        upper = next(multiple for limit, multiple in rules.upper_ppm if base_e8 <= limit)
        scaled = costs[kept] * count
        high = total * upper // PPM
        low = -((-total * rules.lower_ppm) // PPM)
        inside = kept[(scaled <= high) & (scaled >= low)]
        if len(inside) == len(kept) or not len(inside):
            return kept
        if variation_ppm(costs[inside]) <= rules.cv_max_ppm:
            return inside
        kept = inside
    return kept


def variation_ppm(costs: np.ndarray) -> int:
    """Coefficient of variation (population) in ppm, half-up, exact on whole numbers.

    >>> variation_ppm(np.array([100, 300]))
    500000
    """
    values = [int(cost) for cost in costs]
    total, count = sum(values), len(values)
    if not total:
        return 0
    spread = count * sum(value * value for value in values) - total * total
    return _root_half_up(Fraction(spread * PPM * PPM, total * total))


def _root_half_up(value: Fraction) -> int:
    """Nearest whole number to the square root."""
    from math import isqrt

    return (isqrt(4 * value.numerator // value.denominator) + 1) // 2


def _group(
    name: str, costs: np.ndarray, total: int, average: Fraction, all_average: Fraction, rules: Calibration
) -> GroupResult:
    unit = 10 ** (8 - rules.decimals)
    base = _round(average / all_average * rules.scale_e8 / unit) * unit
    cv = variation_ppm(costs)
    reasons = []
    if total < rules.min_cases:
        reasons.append(f"fewer than {rules.min_cases} cases")
    if cv > rules.cv_max_ppm:
        reasons.append("varies too much")
    return GroupResult(name, total, total - len(costs), _round(average), base, cv, not reasons, " and ".join(reasons))


Averages = dict[tuple[str, int], Fraction]
"""Average cost in fen by (hospital or level, number of the group)."""


def _by_subject(
    counted: tuple[np.ndarray, np.ndarray, np.ndarray],
    hospital_names: Sequence[str],
    levels: dict[str, str],
    rules: Calibration,
) -> tuple[Averages, Averages]:
    """Return the averages of each hospital, and of each level.

    counted: costs in fen, groups and hospitals of the cases that count.
    """
    costs, groups, hospitals = counted
    level_names = sorted(set(levels.values()))
    missing = [name for name in (hospital_names[number] for number in np.unique(hospitals)) if name not in levels]
    if missing and rules.level_weight_ppm:
        raise refuse(
            E.CANNOT_CLEAR, "hospital",
            f"{missing[0]} has no level; give it a payment_class in hospitals.csv, or leave its cases out",
            f"医院 {missing[0]} 没有等级，请在 hospitals.csv 填写 payment_class，或剔除其病例",
        )  # fmt: skip
    level_of = np.array([level_names.index(levels[name]) if name in levels else -1 for name in hospital_names])
    own = _averages(costs, hospitals, groups)
    same_level = _averages(costs, level_of[hospitals], groups)
    return (
        {(hospital_names[subject], group): average for (subject, group), average in own.items()},
        {(level_names[subject], group): average for (subject, group), average in same_level.items() if subject >= 0},
    )


def _coefficients(
    own: Averages, same_level: Averages, averages: dict[int, Fraction], levels: dict[str, str], rules: Calibration
) -> tuple[dict[tuple[str, int], int], dict[tuple[str, int], int]]:
    """Return own average / city average of each hospital and group, mixed with the level's; and the level's alone."""
    unit = 10 ** (8 - rules.coefficient_decimals)
    result, by_level = {}, {}
    for (subject, group), average in own.items():
        mixed = average / averages[group] * rules.own_weight_ppm
        if rules.level_weight_ppm:
            mixed += same_level[levels[subject], group] / averages[group] * rules.level_weight_ppm
        result[subject, group] = _round(mixed / PPM * E8 / unit) * unit
    for (subject, group), average in same_level.items():
        by_level[subject, group] = _round(average / averages[group] * E8 / unit) * unit
    return result, by_level


def _averages(costs: np.ndarray, subjects: np.ndarray, groups: np.ndarray) -> dict[tuple[int, int], Fraction]:
    pairs, back = np.unique(np.stack([subjects, groups], axis=1), axis=0, return_inverse=True)
    back = back.reshape(-1)
    sums, counts = np.zeros(len(pairs), np.int64), np.bincount(back, minlength=len(pairs))
    np.add.at(sums, back, costs)
    return {
        (int(subject), int(group)): Fraction(int(total), int(count))
        for (subject, group), total, count in zip(pairs, sums, counts, strict=True)
    }
