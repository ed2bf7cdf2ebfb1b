"""Stages 4 and 5 together: tiers, deductible after the rate (V04), co-pay-free lines (R36), floor (V16), caps."""

from __future__ import annotations

from typing import Any

from adjudicator.benefit.amounts import not_negative
from adjudicator.benefit.plan.keys import NO_LIMIT, Stage
from adjudicator.benefit.stages.burden import had_part
from adjudicator.benefit.stages.caps import cap_of_year, limit_of_care, room_for_tiers
from adjudicator.benefit.stages.quotas import maternity_quota, quota_of
from adjudicator.benefit.stages.tiers import before_in_year, pay_tiers, rate_changes, start_of_scale
from adjudicator.benefit.trace import TRACED, trace
from adjudicator.compiled.jit import inlined
from adjudicator.compiled.rounding import per_million
from adjudicator.options import CapMeasure, DeductiblePosition, FloorBase, QuotaMode
from adjudicator.rounding import PPM


@inlined
def tiers_up_to_cap(plan: Any, year: Any, stay: Any, work: Any) -> None:
    """Fill what the tiers pay (V06, R03) up to the cap, on cost (R04) or on payment (V07, R05)."""
    after_rate = plan.deductible_position == DeductiblePosition.AFTER_RATE
    charged = 0 if after_rate else work.deductible_fen
    work.payable_fen = work.base_fen - charged
    cost_before, deductible_before = before_in_year(plan, year)
    cap_of_year(plan, year, cost_before, charged, work)
    start = start_of_scale(plan, stay, cost_before, deductible_before, charged)
    pay_tiers(plan, start, start + work.payable_fen - work.over_cap_whole_fen, room_for_tiers(plan, stay, work), work)


@inlined
def cost_over_cap(work: Any) -> int:
    """Return the cost that a cap leaves unpaid by the tiers, half-up."""
    over: int = work.over_cap_whole_fen
    if work.over_cap_numerator > 0:
        over += (2 * work.over_cap_numerator + work.over_cap_divisor) // (2 * work.over_cap_divisor)
    over = min(over, work.payable_fen)
    return over


@inlined
def guaranteed(plan: Any, stay: Any, work: Any) -> int:
    """Return the guaranteed payment (V16) of the stay so far: a share of the in-scope amount or of the total.

    What the hospital bears, over a fixed price or a ceiling, is no cost of the person (R29). No more than the cost that
    may be paid at all.
    """
    base = work.in_scope_fen
    if plan.floor_base == FloorBase.TOTAL:
        base = work.total_fen - work.hospital_borne_fen
    work.floor_base_fen = base - work.fixed_price_excess_fen
    least = per_million((stay.floor_base_fen + work.floor_base_fen) * plan.floor_ppm)
    return min(least, stay.coverable_fen + work.coverable_fen)


@inlined
def up_to_guaranteed(plan: Any, stay: Any, pooled: int, work: Any) -> int:
    """Return the payment raised to the guaranteed one; what it gave earlier parts ahead of the rate is taken off."""
    ahead = stay.guaranteed_fen
    if plan.floor_ppm > 0 or ahead > 0:
        lack = not_negative(guaranteed(plan, stay, work) - stay.by_rate_fen - pooled)
        # Nothing is taken back from an earlier part, and no more is paid than this part's cost and the cap leave.
        most = min(work.room_fen, work.base_fen + work.copay_free_fen) + ahead - pooled
        work.guaranteed_fen = max(min(lack, most), ahead - pooled) - ahead
        if TRACED:
            trace.because("pooled", "floor_percent", work.guaranteed_fen > 0)
            if ahead > 0:
                trace.note("pooled", "guaranteed_before", ahead)
    return pooled + work.guaranteed_fen


@inlined
def less_deductible(plan: Any, stay: Any, pooled: int, work: Any) -> int:
    """Return the payment less the deductible after the rate (V04), with what earlier parts could not bear of it."""
    owed = work.deductible_fen + stay.deductible_left_fen
    if TRACED:
        trace.plus("pooled", -min(pooled, owed))
        trace.because("pooled", "deductible_position", owed > 0)
    work.deductible_left_fen = not_negative(owed - pooled) - stay.deductible_left_fen
    return min(not_negative(pooled - owed), not_negative(work.room_fen + stay.guaranteed_fen - work.copay_free_fen))


@inlined
def by_rate(plan: Any, claim: Any, year: Any, stay: Any, work: Any) -> None:
    """Fill the payment by rate: tiers, deductible after the rate, co-pay-free lines, floor, a quota on the payment."""
    tiers_up_to_cap(plan, year, stay, work)
    pooled = per_million(work.tiers_exact)
    if plan.deductible_position == DeductiblePosition.AFTER_RATE:
        pooled = less_deductible(plan, stay, pooled, work)
    over = cost_over_cap(work)
    copay_free_paid = min(work.copay_free_fen, work.room_fen + stay.guaranteed_fen)
    over += work.copay_free_fen - copay_free_paid
    work.over_cap_whole_fen += work.copay_free_fen - copay_free_paid
    pooled += copay_free_paid
    if TRACED:
        trace.plus("pooled", copay_free_paid)
        if copay_free_paid > 0:
            trace.note("pooled", "copay_free", copay_free_paid)
    work.by_rate_fen = pooled
    work.coverable_fen = work.base_fen + work.copay_free_fen - over
    pooled = up_to_guaranteed(plan, stay, pooled, work)
    work.over_cap_fen = over
    if plan.quota_mode == QuotaMode.PAYMENT_UP_TO_QUOTA:
        quota = not_negative(quota_of(plan, claim, work) - stay.pooled_fen)
        if TRACED:
            trace.because("pooled", "maternity_quota_yuan", pooled > quota)
            if pooled > quota and stay.pooled_fen > 0:
                trace.note("pooled", "quota_of_earlier_parts", stay.pooled_fen)
        pooled = min(pooled, quota)
    work.pooled_fen = pooled


@inlined
def only_above_the_cap(plan: Any, work: Any) -> None:
    """Let no cost lie above a cap on payment that a limit or quota keeps the payment below (V17, R18)."""
    if plan.cap_measure == CapMeasure.PAID and work.pooled_fen < work.room_fen:
        work.over_cap_fen = work.over_cap_whole_fen = work.over_cap_numerator = 0
    if TRACED and work.over_cap_fen > 0:
        on_cost = plan.cap_measure == CapMeasure.COST
        trace.cite("pooled", "cap_yuan")
        trace.cite("pooled", "cap_measure", on_cost)
        trace.note("pooled", "over_cap_on_cost" if on_cost else "over_cap", work.over_cap_fen)


@inlined
def by_quota(plan: Any, claim: Any, stay: Any, work: Any) -> None:
    """Fill the payment of the cost up to the quota; no cap on the year applies."""
    work.pooled_fen = maternity_quota(plan, claim, stay, work)
    work.room_fen = NO_LIMIT
    work.over_cap_divisor = 1
    work.payable_fen = work.base_fen - work.deductible_fen
    work.tiers_exact = work.pooled_fen * PPM


@inlined
def pooled_fund(plan: Any, claim: Any, year: Any, stay: Any, work: Any) -> None:
    """Fill what the pooled fund pays; ``stay`` PART is the sum over the earlier parts of the stay."""
    work.plus_ppm = rate_changes(plan, claim, work)
    if plan.quota_mode == QuotaMode.COST_UP_TO_QUOTA:
        by_quota(plan, claim, stay, work)
    else:
        by_rate(plan, claim, year, stay, work)
    limit_of_care(plan, claim, year, work)
    if work.quota_left_fen >= 0:
        if TRACED and work.pooled_fen > work.quota_left_fen:
            trace.note("pooled", "disease_quota", work.quota_left_fen)
        work.pooled_fen = min(work.pooled_fen, work.quota_left_fen)
        work.quota_paid_fen = work.pooled_fen
    only_above_the_cap(plan, work)
    if work.payable_fen > 0 or work.pooled_fen > 0:
        had_part(work, Stage.POOLED)
    if TRACED:
        if work.payable_fen == 0:
            trace.note("pooled", "nothing_left")
        trace.step("pooled", work.pooled_fen)
