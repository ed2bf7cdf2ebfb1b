"""Points of one case under DRG points; sources: docs/law.md, section "DRG points"."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from adjudicator.compiled.jit import uncounted_inlined
from adjudicator.payment.case import (
    GROUP_WITHOUT_POINTS,
    HOSPITAL_WITHOUT_COEFFICIENT,
    UNDEFINED,
    UNVERIFIED_COEFFICIENT,
    UNVERIFIED_POINTS,
    UNVERIFIED_UNUSUAL,
    Case,
)
from adjudicator.payment.exact import E8, points_value_fen, product_compare, scaled_product
from adjudicator.payment.matching import in_mask
from adjudicator.payment.methods.drg.terms import Cap, GroupKind, High, Low, RatioTo
from adjudicator.payment.point_values import DRG_POINT, point_value_e4
from adjudicator.rounding import PPM

BED_DAY = int(GroupKind.BED_DAY)
CAP_BASE, CAP_FULL = int(Cap.BASE), int(Cap.FULL)
LEVEL_AVERAGE, STANDARD_POINTS = int(RatioTo.LEVEL_AVERAGE), int(RatioTo.STANDARD_POINTS)
STANDARD_MONEY = int(RatioTo.STANDARD_MONEY)
NOT_LOW, ACTUAL = int(Low.NONE), int(Low.ACTUAL)
NOT_HIGH, EXTRA, EXCESS, CONTINUOUS = int(High.NONE), int(High.EXTRA), int(High.EXCESS), int(High.CONTINUOUS)


class Stay(NamedTuple):
    """What the points of a stay are computed from."""

    cost_fen: int
    base_e8: int
    average_fen: int
    """Average cost of the group."""
    level_average_fen: int
    """Average cost of the group in hospitals of the same class, 0 none."""
    coefficient_e8: int
    """-1 none."""
    full_e8: int
    """Points of a complete stay of usual cost."""
    value_e4: int


@uncounted_inlined
def stay_of(rules: Any, terms: Any, case: Case, group: Any) -> Stay:
    """Return the figures of a claim, its group and its hospital."""
    coefficient_e8, full_e8, level_average_fen = -1, -1, 0
    hospital, drg = case.claim.hospital, case.group.drg
    if 0 <= hospital < terms.hospitals:
        own = rules.drg_hospitals[terms.hospital_start + hospital * terms.groups + drg]
        coefficient_e8, full_e8 = own.coefficient_e8, own.full_e8
    if case.rank >= 0:
        level_average_fen = rules.drg_level_average_fen[terms.level_start + drg * terms.classes + case.rank]
    value_e4 = point_value_e4(rules, case, DRG_POINT)
    return Stay(
        case.claim.total_fen, group.base_e8, group.average_fen, level_average_fen, coefficient_e8, full_e8, value_e4
    )


@uncounted_inlined
def is_incomplete(terms: Any, claim: Any) -> bool:
    """Return whether the way of discharge or a settlement in mid-stay makes a stay incomplete."""
    by_way = in_mask(terms.incomplete_ways, claim.discharge_way) != np.uint64(0)
    return bool(by_way or (terms.incomplete_mid_stay != 0 and claim.mid_stay != 0))


@uncounted_inlined
def points_of_cost(terms: Any, stay: Stay, factor_e8: int, cost_fen: int, average_fen: int) -> Any:
    """Return base points x factor x cost / average, rounded once."""
    unit = terms.rounding_unit_e8
    return scaled_product(stay.base_e8, factor_e8, cost_fen, average_fen, E8 * unit) * unit


@uncounted_inlined
def incomplete_points(terms: Any, stay: Stay) -> Any:
    """Return the points of an incomplete stay: of its cost, up to a cap (docs/law.md#S-02)."""
    factor_e8 = stay.coefficient_e8 if terms.incomplete_coefficient else E8
    points_e8 = points_of_cost(terms, stay, factor_e8, stay.cost_fen, stay.average_fen)
    if terms.incomplete_cap == CAP_BASE:
        points_e8 = min(points_e8, stay.base_e8)
    elif terms.incomplete_cap == CAP_FULL and terms.incomplete_coefficient:
        points_e8 = min(points_e8, stay.full_e8)
    return points_e8


@uncounted_inlined
def average_of(ratio_to: int, stay: Stay) -> Any:
    """Return the average that a ratio divides by."""
    return stay.level_average_fen if ratio_to == LEVEL_AVERAGE else stay.average_fen


@uncounted_inlined
def compare_cost(ratio_to: int, stay: Stay, multiple_ppm: int) -> int:
    """Return the sign of cost - multiple x what the cost is compared with, exact."""
    if ratio_to == STANDARD_POINTS:  # points of the cost against base x coefficient
        order = product_compare(stay.cost_fen, E8 * PPM, stay.average_fen * multiple_ppm, stay.coefficient_e8)
    elif ratio_to == STANDARD_MONEY:
        order = product_compare(stay.cost_fen, PPM, points_value_fen(stay.full_e8, stay.value_e4), multiple_ppm)
    else:
        order = product_compare(stay.cost_fen, PPM, average_of(ratio_to, stay), multiple_ppm)
    return order


@uncounted_inlined
def is_low(terms: Any, stay: Stay) -> bool:
    """Return whether the cost is so low that the low strategy applies."""
    order = 1
    if terms.low_strategy != NOT_LOW:
        order = compare_cost(terms.low_ratio_to, stay, terms.low_multiple_ppm)
    return order < 0 or (order == 0 and terms.low_inclusive != 0)


@uncounted_inlined
def is_high(terms: Any, stay: Stay, multiple_ppm: int) -> bool:
    """Return whether the cost is so high that the high strategy applies."""
    order = -1
    if terms.high_strategy != NOT_HIGH:
        order = compare_cost(terms.high_ratio_to, stay, multiple_ppm)
    return order > 0 or (order == 0 and terms.high_inclusive != 0)


@uncounted_inlined
def high_multiple_ppm(rules: Any, terms: Any, base_e8: int) -> Any:
    """Return the multiple above which a case of a group is high: of the first band that holds its base points."""
    multiple_ppm = 0
    for place in range(terms.band_start, terms.band_end):
        band = rules.drg_high_bands[place]
        if multiple_ppm == 0 and base_e8 <= band.points_up_to_e8:
            multiple_ppm = band.multiple_ppm
    return multiple_ppm


@uncounted_inlined
def low_points(terms: Any, stay: Stay) -> Any:
    """Return the points of a low case: of its cost, or the full points where it only goes to review."""
    points_e8 = stay.full_e8
    if terms.low_strategy == ACTUAL:
        factor_e8 = stay.coefficient_e8 if terms.low_coefficient else E8
        points_e8 = points_of_cost(terms, stay, factor_e8, stay.cost_fen, average_of(terms.low_ratio_to, stay))
    return points_e8


@uncounted_inlined
def extra_points(terms: Any, stay: Stay, factor_e8: int, average_fen: int, multiple_ppm: int) -> Any:
    """Return the full points and those of the cost above the multiple, never less than the full points (R39)."""
    unit = terms.rounding_unit_e8
    excess = max(0, stay.cost_fen * PPM - multiple_ppm * average_fen)
    return stay.full_e8 + scaled_product(stay.base_e8, factor_e8, excess, average_fen * PPM, E8 * unit) * unit


@uncounted_inlined
def excess_points(terms: Any, stay: Stay, factor_e8: int, average_fen: int) -> Any:
    """Return the points of the cost above the average (docs/law.md#S-28)."""
    return points_of_cost(terms, stay, factor_e8, max(0, stay.cost_fen - average_fen), average_fen)


@uncounted_inlined
def continuous_points(terms: Any, stay: Stay, average_fen: int, multiple_ppm: int) -> Any:
    """Return the points of the cost less those above which a case is high: no jump there (docs/law.md#S-29)."""
    unit = terms.rounding_unit_e8
    points_e8 = points_of_cost(terms, stay, E8, stay.cost_fen, average_fen)
    return points_e8 - scaled_product(stay.full_e8, multiple_ppm - PPM, 1, PPM, unit) * unit


@uncounted_inlined
def high_points(terms: Any, stay: Stay, multiple_ppm: int) -> Any:
    """Return the points of a high case by the strategy of the rules; the full points where it only goes to review."""
    average_fen = average_of(terms.high_ratio_to, stay)
    factor_e8 = stay.coefficient_e8 if terms.high_coefficient else E8
    points_e8 = stay.full_e8
    if terms.high_strategy == EXTRA:
        points_e8 = extra_points(terms, stay, factor_e8, average_fen, multiple_ppm)
    elif terms.high_strategy == EXCESS:
        points_e8 = excess_points(terms, stay, factor_e8, average_fen)
    elif terms.high_strategy == CONTINUOUS:
        points_e8 = continuous_points(terms, stay, average_fen, multiple_ppm)
    return points_e8


@uncounted_inlined
def complete_points(rules: Any, terms: Any, stay: Stay, due: Any) -> Any:
    """Return the points of a complete stay: full, or by the low or high strategy."""
    points_e8 = stay.full_e8
    if terms.low_strategy != NOT_LOW or terms.high_strategy != NOT_HIGH:
        multiple_ppm = high_multiple_ppm(rules, terms, stay.base_e8)
        no_low_average = terms.low_strategy != NOT_LOW and average_of(terms.low_ratio_to, stay) <= 0
        no_high_average = terms.high_strategy != NOT_HIGH and average_of(terms.high_ratio_to, stay) <= 0
        if no_low_average or no_high_average:
            due.error = UNDEFINED
        elif is_low(terms, stay):
            points_e8 = low_points(terms, stay)
            if terms.unverified_low:
                due.unverified |= UNVERIFIED_UNUSUAL
        elif is_high(terms, stay, multiple_ppm):
            points_e8 = high_points(terms, stay, multiple_ppm)
            if terms.unverified_high:
                due.unverified |= UNVERIFIED_UNUSUAL
    return points_e8


@uncounted_inlined
def case_points(rules: Any, terms: Any, case: Case, due: Any) -> Any:
    """Return the points (1e-8) of a grouped case before support; refuse a case that the rules cannot price."""
    group = rules.drg_groups[terms.group_start + case.group.drg]
    stay = stay_of(rules, terms, case, group)
    incomplete = is_incomplete(terms, case.claim)
    needs_coefficient = not incomplete or terms.incomplete_coefficient != 0
    points_e8 = 0
    if terms.unverified_points:
        due.unverified |= UNVERIFIED_POINTS
    if stay.base_e8 < 0:
        due.error = GROUP_WITHOUT_POINTS
    elif group.kind == BED_DAY:
        points_e8 = stay.base_e8 * case.claim.stay_days
    elif incomplete and stay.average_fen <= 0:
        due.error = UNDEFINED
    elif needs_coefficient and stay.coefficient_e8 < 0:
        due.error = HOSPITAL_WITHOUT_COEFFICIENT
    else:
        if needs_coefficient and terms.unverified_coefficient:
            due.unverified |= UNVERIFIED_COEFFICIENT
        if incomplete:
            points_e8 = incomplete_points(terms, stay)
            if terms.unverified_incomplete:
                due.unverified |= UNVERIFIED_UNUSUAL
        else:
            points_e8 = complete_points(rules, terms, stay, due)
    return points_e8
