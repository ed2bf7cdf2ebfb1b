"""What is due for a stay paid by bed-days; sources: docs/law.md, section "Bed-days"."""

from __future__ import annotations

from typing import Any

from adjudicator.compiled.jit import uncounted_inlined
from adjudicator.compiled.rounding import share
from adjudicator.payment.case import NO_BED_DAY_RATE, PAID, UNVERIFIED_BED_DAY, Case, ClaimCodes
from adjudicator.payment.exact import scaled_product
from adjudicator.payment.matching import highest_rate
from adjudicator.payment.methods.bed_day.terms import BedDayFormula
from adjudicator.payment.point_values import DRG_POINT, price_points
from adjudicator.rounding import PPM

LESS_PATIENT = int(BedDayFormula.LESS_PATIENT)
FUND_SHARE = int(BedDayFormula.FUND_SHARE)
CLASS_SHARE = int(BedDayFormula.CLASS_SHARE)


@uncounted_inlined
def rates_of_the_stay(rules: Any, terms: Any, rank: int, days: int) -> Any:
    """Return the sum of day rates over the tiers, of the class or else of any class; -1 where a day has no rate."""
    own, any_class = 0, 0
    own_days, any_days = 0, 0
    for place in range(terms.rate_start, terms.rate_end):
        tier = rules.bed_day_rates[place]
        inside = min(days, tier.day_to) - tier.day_from + 1
        if inside > 0 and tier.rank == rank:
            own += tier.rate * inside
            own_days += inside
        elif inside > 0 and tier.rank < 0:
            any_class += tier.rate * inside
            any_days += inside
    amount = -1
    if own_days == days:
        amount = own
    elif any_days == days:
        amount = any_class
    return amount


@uncounted_inlined
def fund_share_of_rates(terms: Any, rates_fen: int) -> Any:
    """Return a fixed share of the rates."""
    return share(rates_fen, terms.fund_ppm)


@uncounted_inlined
def rates_by_share_of_classes(terms: Any, rates_fen: int, case: Case) -> Any:
    """Return the rates x the shares of classes A and B in the cost, each at its rate, up to a multiple of by item."""
    split, cost_fen, payable_fen = case.split, case.claim.total_fen, 0
    if cost_fen > 0:
        weighted = split.class_a_fen * terms.rate_a_ppm + split.class_b_fen * terms.rate_b_ppm
        payable_fen = scaled_product(max(0, weighted), rates_fen, 1, cost_fen, PPM)
        if terms.cap_ppm > 0:
            payable_fen = min(payable_fen, share(case.clearing_fen, terms.cap_ppm))
    return payable_fen


@uncounted_inlined
def bed_days(rules: Any, codes: ClaimCodes, case: Case, table: int, due: Any) -> int:
    """Pay a stay: the rates of its days x the highest fitting factor, by the formula of its table.

    In the points form the rates are points; else they are money.
    """
    terms = rules.bed_day_sets[table]
    rates = rates_of_the_stay(rules, terms, case.rank, max(1, case.claim.stay_days))
    factor_ppm, doubtful = highest_rate(rules, codes, case, terms.factor_start, terms.factor_end)
    if terms.unverified or doubtful:
        due.unverified |= UNVERIFIED_BED_DAY
    if factor_ppm != 0 and rates > 0:
        rates = scaled_product(rates, factor_ppm, 1, PPM, 1)
    if rates < 0:
        due.error = NO_BED_DAY_RATE
    elif terms.formula == LESS_PATIENT:
        due.due_fen = rates - case.others_fen
    elif terms.formula == FUND_SHARE:
        due.due_fen = fund_share_of_rates(terms, rates)
    elif terms.formula == CLASS_SHARE:
        due.due_fen = rates_by_share_of_classes(terms, rates, case)
    else:
        price_points(rules, case, DRG_POINT, rates, due)
        due.due_fen -= case.others_fen
    return PAID
