"""What is due for a case under DRG points; sources: docs/law.md, section "DRG points"."""

from __future__ import annotations

from typing import Any

from adjudicator.codes import GroupStatus, Method
from adjudicator.compiled.jit import uncounted_inlined
from adjudicator.compiled.rounding import share
from adjudicator.payment.case import (
    GROUP_WITHOUT_POINTS,
    UNDEFINED,
    UNVERIFIED_POINTS,
    UNVERIFIED_SUPPORT,
    Case,
    ClaimCodes,
)
from adjudicator.payment.exact import scaled_product
from adjudicator.payment.matching import highest_rate
from adjudicator.payment.methods.drg.points import case_points
from adjudicator.payment.methods.drg.terms import GroupKind, Mode, Ungrouped
from adjudicator.payment.point_values import DRG_POINT, price_points
from adjudicator.rounding import PPM

GROUPED, NO_DRG = int(GroupStatus.GROUPED), int(GroupKind.NO_DRG)
PAID_BY_ITEM = int(Method.BY_ITEM)
TOTAL_COST, RATE = int(Mode.TOTAL_COST), int(Mode.RATE)
BY_ITEM, COST_POINTS = int(Ungrouped.BY_ITEM), int(Ungrouped.COST_POINTS)


@uncounted_inlined
def points_of_ungrouped(terms: Any, case: Case, due: Any) -> Any:
    """Return the points of a case without DRG: scale x cost / average of all cases."""
    unit = terms.rounding_unit_e8
    if terms.unverified_points:
        due.unverified |= UNVERIFIED_POINTS
    return scaled_product(terms.scale_e8, case.claim.total_fen, 1, terms.all_average_fen, unit) * unit


@uncounted_inlined
def supported_points(rules: Any, codes: ClaimCodes, case: Case, terms: Any, points_e8: int, due: Any) -> Any:
    """Return points x (1 + the highest support that fits)."""
    unit = terms.rounding_unit_e8
    support_ppm, doubtful = highest_rate(rules, codes, case, terms.support_start, terms.support_end)
    if support_ppm > 0:
        points_e8 = scaled_product(points_e8, PPM + support_ppm, 1, PPM, unit) * unit
        if doubtful:
            due.unverified |= UNVERIFIED_SUPPORT
    return points_e8


@uncounted_inlined
def total_cost_mode(worth_fen: int, case: Case) -> Any:
    """Return the worth of the points less what the person and the other funds pay; may be negative."""
    return worth_fen - case.others_fen


@uncounted_inlined
def rate_mode(worth_fen: int, case: Case) -> Any:
    """Return the fund's share of the worth that is in scope, not below 0 (docs/law.md#S-37)."""
    benefit = case.benefit
    in_scope_fen = worth_fen - case.split.wholly_self_paid_fen - benefit.first_pay_fen - benefit.deductible_fen
    return share(max(0, in_scope_fen), benefit.pooled_rate_ppm)


@uncounted_inlined
def pay_drg(rules: Any, codes: ClaimCodes, case: Case, factor_ppm: int, due: Any) -> None:
    """Pay a case its DRG points x a factor."""
    terms_row, drg = rules.epochs[case.epoch].drg, case.group.drg
    if terms_row < 0:
        due.error = GROUP_WITHOUT_POINTS
    else:
        terms = rules.drg_terms[terms_row]
        known = 0 <= drg < terms.groups
        ungrouped = case.group.status != GROUPED
        if known and rules.drg_groups[terms.group_start + drg].kind == NO_DRG:
            ungrouped = True
        if ungrouped and terms.ungrouped == BY_ITEM:
            due.method, due.due_fen = PAID_BY_ITEM, case.clearing_fen
        elif ungrouped and terms.ungrouped != COST_POINTS:
            due.error = UNDEFINED
        elif not ungrouped and not known:
            due.error = GROUP_WITHOUT_POINTS
        else:
            if ungrouped:
                points_e8 = points_of_ungrouped(terms, case, due)
            else:
                points_e8 = case_points(rules, terms, case, due)
            if due.error == 0:
                if factor_ppm != PPM:
                    unit = terms.rounding_unit_e8
                    points_e8 = scaled_product(points_e8, factor_ppm, 1, PPM, unit) * unit
                points_e8 = supported_points(rules, codes, case, terms, points_e8, due)
                price_points(rules, case, DRG_POINT, points_e8, due)
            if terms.mode == TOTAL_COST:
                due.due_fen = total_cost_mode(due.due_fen, case)
            elif terms.mode == RATE:
                due.due_fen = rate_mode(due.due_fen, case)


@uncounted_inlined
def drg_points(rules: Any, codes: ClaimCodes, case: Case, table: int, due: Any) -> int:
    """Pay a case all of its DRG points."""
    return PPM
