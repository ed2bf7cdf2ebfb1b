"""Stage 4: the tiers of the pooled fund (V06, V15, V19; readings R03, R06).

The scale of the tiers begins where the year's cost, the cost after the deductible or the stay begins; each part of the
cost is paid at the rate of its tier, changed by signed doctor, category, age and cross-region care.
"""

from __future__ import annotations

from typing import Any

from adjudicator.benefit.amounts import not_negative
from adjudicator.benefit.plan.keys import AXIS_LENGTH, NO_LIMIT
from adjudicator.benefit.trace import PROGRAMME, TRACED, trace
from adjudicator.compiled.jit import inlined
from adjudicator.compiled.rounding import per_million
from adjudicator.errors import E
from adjudicator.options import Account, FundRounding, TierMeasure
from adjudicator.rounding import PPM

RULE_UNDEFINED = int(E.RULE_UNDEFINED)
TIERS, AGE_STEPS = AXIS_LENGTH["tier"], AXIS_LENGTH["age"]


@inlined
def rate_changes(plan: Any, claim: Any, work: Any) -> int:
    """Return the points on top of the table: signed doctor, category, age (V05, V15)."""
    plus: int = plan.category_points_ppm[work.category]
    if TRACED:
        trace.because("rate", "category_points", plus > 0)
    if claim.family_doctor != 0 and claim.at_signed_institution != 0:
        plus += plan.signed_points_ppm[work.level]
        if TRACED:
            trace.because("rate", "signed_points", plan.signed_points_ppm[work.level] > 0)
    if plan.has_age_steps != 0:
        step = 0
        for age in range(AGE_STEPS):
            if claim.age_years >= plan.age_from_years[age]:
                step = plan.age_points_ppm[age]
        plus += step
        if TRACED:
            trace.because("rate", "age_points", step > 0)
            trace.cite("rate", "age_from_years", step > 0)
    return plus


@inlined
def before_in_year(plan: Any, year: Any) -> tuple[int, int]:
    """Return the in-scope cost and the deductible of the year before this claim, where the plan counts them."""
    cost, charged = 0, 0
    if plan.cost_account == Account.OUTPATIENT:
        cost, charged = year.cost_outpatient_fen, year.deductible_outpatient_fen
    elif plan.cost_account == Account.INPATIENT:
        cost, charged = year.cost_inpatient_fen, year.deductible_charged_fen
    return cost, charged


@inlined
def start_of_scale(plan: Any, stay: Any, cost_before: int, deductible_before: int, charged: int) -> int:
    """Return where on the scale of the tiers the payable cost begins (V06, R03)."""
    start = 0
    if plan.tier_measure == TierMeasure.YEAR_COST:
        start = cost_before + charged
    elif plan.tier_measure == TierMeasure.YEAR_AFTER_DEDUCTIBLE:
        start = not_negative(cost_before - deductible_before)
    elif plan.tier_measure == TierMeasure.STAY_COST:
        start = stay.base_fen + charged
    elif plan.tier_measure == TierMeasure.STAY_AFTER_DEDUCTIBLE:
        start = stay.payable_fen
    of_stay = plan.tier_measure == TierMeasure.STAY_COST or plan.tier_measure == TierMeasure.STAY_AFTER_DEDUCTIBLE
    if TRACED and of_stay and stay.base_fen > 0:
        trace.note("pooled", "scale_of_the_stay", stay.base_fen)
    return start


@inlined
def rate_of_tier(plan: Any, tier: int, work: Any) -> int:
    """Return the rate of a tier for this claim; no rate in the documents is an error."""
    rate: int = plan.rate_ppm[work.group, work.level, tier]
    if rate < 0:
        work.error = RULE_UNDEFINED
        rate = 0
    rate = min(not_negative(rate + work.plus_ppm - work.minus_ppm), PPM)
    if work.factor_ppm != PPM:
        rate = per_million(rate * work.factor_ppm)
    if TRACED and rate < work.rate_at_least_ppm:
        trace.cite("rate", PROGRAMME)
        trace.note("rate", "rate_at_least")
    rate = max(rate, work.rate_at_least_ppm)
    return rate


@inlined
def pay_tiers(plan: Any, start: int, end: int, room_exact: int, work: Any) -> None:
    """Fill what the tiers pay of the cost from ``start`` to ``end``, and the cost that a cap on payment leaves unpaid.

    ``room_exact`` is the room below the cap in fen * ppm, -1 none (R05).
    """
    exact, over_whole = 0, work.over_cap_whole_fen
    numerator, divisor = 0, 1
    capped = False
    tier, low = 0, 0
    while tier < TIERS and low < end:
        high = plan.tier_from_fen[tier + 1] if tier + 1 < TIERS else NO_LIMIT
        part = min(end, high) - max(start, low)
        if part > 0:
            rate = rate_of_tier(plan, tier, work)
            value = part * rate
            if TRACED:
                trace.part("pooled", part, rate)
                trace.cite("pooled", "rate_percent")
                trace.join("pooled", "rate")
                trace.cite("pooled", "tier_from_yuan", tier > 0)
                trace.cite("pooled", "tier_measure", tier > 0)
            if plan.fund_rounding == FundRounding.EACH_TIER:
                if TRACED:
                    trace.because("pooled", "fund_rounding", value % PPM > 0)
                value = per_million(value) * PPM
            if capped:
                over_whole += part
            elif room_exact >= 0 and exact + value > room_exact:
                # The cost that the cap left unpaid in this tier is (value - paid) / rate, kept as a fraction.
                numerator = not_negative(part * rate - (room_exact - exact))
                divisor = max(rate, 1)
                exact = room_exact
                capped = True
            else:
                exact += value
        low = high
        tier += 1
    work.tiers_exact = exact
    work.over_cap_whole_fen = over_whole
    work.over_cap_numerator = numerator
    work.over_cap_divisor = divisor
