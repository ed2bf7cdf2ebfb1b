"""Stage 2: what care elsewhere or without a referral changes (V11), and the cost that the later stages see (V13, R36).

A place and filing class may add a first-pay share of the in-scope cost, take points off the rate and multiply it. The
deductible of the class is read in stage 3.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from adjudicator.benefit.amounts import not_negative
from adjudicator.benefit.plan.keys import Stage
from adjudicator.benefit.stages.burden import had_part
from adjudicator.benefit.trace import TRACED, trace
from adjudicator.codes import Place, Referral
from adjudicator.compiled.jit import inlined
from adjudicator.compiled.rounding import per_million
from adjudicator.errors import E
from adjudicator.options import AccountPosition, BurdenPart, ExtraPosition
from adjudicator.rounding import PPM

RULE_UNDEFINED = int(E.RULE_UNDEFINED)


@inlined
def cross_region(plan: Any, claim: Any, lines_in_scope: np.ndarray, work: Any) -> None:
    """Fill the extra first-pay, the points off and the factor of the rate (V11); take the extra out of the scope."""
    extra_ppm, minus_ppm, factor_ppm = 0, 0, PPM
    if plan.cross_defined[work.place, work.filing, work.channel] == 0:
        if work.in_scope_fen > 0:
            work.error = RULE_UNDEFINED
    elif work.no_cross_region == 0:
        extra_ppm = plan.cross_extra_first_pay_ppm[work.place, work.filing, work.channel]
        minus_ppm = plan.cross_minus_points_ppm[work.place, work.filing, work.channel]
        factor_ppm = plan.cross_factor_ppm[work.place, work.filing, work.channel]
        if claim.referral == Referral.MISSING:
            # The heavier of the two reductions, once.
            extra_ppm = max(extra_ppm, plan.unreferred_extra_ppm)
            minus_ppm = max(minus_ppm, plan.unreferred_points_ppm)
    extra = extra_first_pay(plan, claim, lines_in_scope, extra_ppm, work)
    if TRACED:
        is_own = extra_ppm == plan.cross_extra_first_pay_ppm[work.place, work.filing, work.channel]
        trace.cite("cross_region_first_pay", "cross_region" if is_own else "unreferred_extra_percent")
        trace.part("cross_region_first_pay", work.in_scope_fen, extra_ppm)
        trace.step("cross_region_first_pay", extra)
        is_own = minus_ppm == plan.cross_minus_points_ppm[work.place, work.filing, work.channel]
        trace.because("rate", "unreferred_points", minus_ppm > 0 and not is_own)
        if (minus_ppm > 0 and is_own) or factor_ppm != PPM:
            trace.cite("rate", "cross_region")
            trace.note("rate", "rate_elsewhere")
    if extra_ppm > 0 or minus_ppm > 0 or factor_ppm != PPM or claim.place != Place.LOCAL:
        had_part(work, Stage.CROSS_REGION)
    work.extra_first_pay_fen = extra
    work.first_pay_fen += extra
    work.in_scope_fen -= extra
    work.copay_free_fen = min(work.copay_free_fen, work.in_scope_fen)
    work.cost_fen = work.in_scope_fen - work.copay_free_fen
    work.minus_ppm = minus_ppm
    work.factor_ppm = factor_ppm


@inlined
def extra_first_pay(plan: Any, claim: Any, lines_in_scope: np.ndarray, extra_ppm: int, work: Any) -> int:
    """Return the extra first-pay, once on the claim or line by line (R25)."""
    extra = 0
    if extra_ppm > 0:
        if plan.extra_position == ExtraPosition.LINES and lines_in_scope.shape[0] > 0:
            for line in range(claim.line_start, claim.line_end):
                extra += per_million(lines_in_scope[np.uint64(line)] * extra_ppm)
            extra = min(not_negative(extra), work.in_scope_fen)
            if TRACED:
                trace.because("cross_region_first_pay", "extra_position")
        else:
            extra = per_million(work.in_scope_fen * extra_ppm)
    return extra


@inlined
def base_of_cascade(plan: Any, claim: Any, work: Any) -> None:
    """Fill the in-scope cost that the deductible and the tiers see.

    It is without co-pay-free lines (R36), the part of a fixed price that the hospital bears, and what an account that
    pays first has paid (V13, R20).
    """
    base = work.cost_fen - work.fixed_price_excess_fen
    account = 0
    if (
        plan.account_position == AccountPosition.BEFORE_DEDUCTIBLE
        and claim.use_account != 0
        and plan.account_current_pays & BurdenPart.IN_SCOPE
    ):
        account = min(claim.account_current_fen, base)
    work.account_first_fen = account
    work.base_fen = base - account
    if TRACED:
        trace.step("copay_free", work.copay_free_fen)
        trace.cite("over_fixed_price", "fixed_price")
        trace.step("over_fixed_price", work.fixed_price_excess_fen)
        trace.cite("account_first", "account_position")
        trace.step("account_first", account)
