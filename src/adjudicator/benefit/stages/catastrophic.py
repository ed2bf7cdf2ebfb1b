"""Stage 7: catastrophic insurance on the year's accumulated burden (V09, V10; readings R07, R09, R34)."""

from __future__ import annotations

from typing import Any

from adjudicator.benefit.amounts import not_negative
from adjudicator.benefit.plan.keys import AXIS_LENGTH, NO_LIMIT, Stage
from adjudicator.benefit.stages.burden import ALL_PARTS, had_part, take
from adjudicator.benefit.stages.increments import increment_of
from adjudicator.benefit.trace import TRACED, trace
from adjudicator.compiled.jit import inlined
from adjudicator.compiled.rounding import part_of, per_million
from adjudicator.options import BandOrigin, BurdenPart, Increment, TakenFrom

BANDS = AXIS_LENGTH["band"]


@inlined
def bands_between(plan: Any, category: int, low: int, high: int) -> int:
    """Return the exact payment (fen * ppm) on the year's burden from ``low`` to ``high``, by bands (V10)."""
    threshold = plan.catastrophic_threshold_fen[category]
    origin = threshold if plan.catastrophic_origin == BandOrigin.THRESHOLD else 0
    exact, band = 0, 0
    begin = plan.catastrophic_from_fen[band]
    while band < BANDS and begin < NO_LIMIT and max(begin + origin, threshold) < high:
        following = plan.catastrophic_from_fen[band + 1] if band + 1 < BANDS else NO_LIMIT
        end = following + origin if following < NO_LIMIT else NO_LIMIT
        part = min(high, end) - max(low, max(begin + origin, threshold))
        if part > 0:
            exact += part * plan.catastrophic_ppm[category, band]
            if TRACED:
                trace.part("catastrophic", part, plan.catastrophic_ppm[category, band])
        begin = following
        band += 1
    return exact


@inlined
def burden_that_counts(plan: Any, work: Any) -> tuple[int, int, int, int]:
    """Return the burden that counts (V09): in scope, first pay, over the ceiling, self-paid.

    Deductible and cost above the cap are what supplements that pay before (R35) left of them.
    """
    parts = plan.catastrophic_base
    left = work.left_in_scope_fen
    deductible = min(work.left_deductible_fen, left)
    above = min(work.left_above_cap_fen, left - deductible)
    in_scope = 0
    if parts & BurdenPart.DEDUCTIBLE:
        in_scope += deductible
    if parts & BurdenPart.ABOVE_CAP:
        in_scope += above
    if parts & BurdenPart.IN_SCOPE:
        in_scope += left - deductible - above
    first_pay, self_paid = 0, 0
    extra = min(work.extra_first_pay_fen, work.left_first_pay_fen)
    if parts & BurdenPart.FIRST_PAY:
        first_pay += work.left_first_pay_fen - extra
    if parts & BurdenPart.EXTRA_FIRST_PAY:
        first_pay += extra
    if parts & BurdenPart.SPECIAL_DRUGS:
        # Special drugs count even where the rest of the claim does not, in the catalogue and outside it (R08).
        self_paid = min(work.special_self_paid_fen, work.left_self_paid_fen)
        missing = not_negative(min(work.special_drug_fen, left + work.left_first_pay_fen) - in_scope - first_pay)
        more = min(missing, left - in_scope)
        in_scope += more
        first_pay += min(missing - more, work.left_first_pay_fen - first_pay)
    over_ceiling = work.left_over_ceiling_fen if parts & BurdenPart.OVER_CEILING else 0
    return in_scope, first_pay, over_ceiling, self_paid


@inlined
def of_the_year(plan: Any, year: Any, base: int, work: Any) -> int:
    """Return the payment for a base on top of the year's, up to the yearly cap."""
    category, before = work.category, year.catastrophic_base_fen
    exact = bands_between(plan, category, before, before + base)
    if TRACED:
        trace.whole("catastrophic")  # what follows is computed for the whole year
    exact_after, exact_before = 0, 0
    if plan.catastrophic_increment != Increment.ROUNDED_DIFFERENCE:
        exact_after = bands_between(plan, category, 0, before + base)
        exact_before = bands_between(plan, category, 0, before)
    pay = increment_of(plan.catastrophic_increment, exact, exact_after, exact_before, year.catastrophic_fen)
    room = not_negative(plan.catastrophic_cap_fen[category] - year.catastrophic_fen)
    if TRACED and base > 0:
        trace.note("catastrophic", "burden", base, before, plan.catastrophic_threshold_fen[category])
        trace.cite("catastrophic", "catastrophic_percent")
        trace.cite("catastrophic", "catastrophic_threshold_yuan")
        trace.cite("catastrophic", "catastrophic_base")
        trace.because("catastrophic", "catastrophic_increment", pay != per_million(exact))
        trace.because("catastrophic", "catastrophic_cap_yuan", min(pay, base) > room)
    return min(min(pay, base), room)


@inlined
def catastrophic(plan: Any, year: Any, work: Any) -> None:
    """Fill the burden that counts and the payment; lower the burden in scope first or pro rata (R09)."""
    base, pay = 0, 0
    if plan.catastrophic_base != 0:
        in_scope, first_pay, over_ceiling, self_paid = burden_that_counts(plan, work)
        base = in_scope + first_pay + over_ceiling + self_paid
        pay = of_the_year(plan, year, base, work)
        if base > 0:
            had_part(work, Stage.CATASTROPHIC)
        if plan.catastrophic_taken_from == TakenFrom.PRO_RATA and pay > 0:
            from_scope = part_of(pay, in_scope, base)
            from_first = min(part_of(pay, first_pay, base), pay - from_scope)
            from_self = min(part_of(pay, self_paid, base), pay - from_scope - from_first)
            from_over = min(pay - from_scope - from_first - from_self, over_ceiling)
            from_scope += pay - from_scope - from_first - from_self - from_over
            work.left_in_scope_fen -= from_scope
            work.left_first_pay_fen -= from_first
            work.left_over_ceiling_fen -= from_over
            work.left_self_paid_fen -= from_self
        else:
            take(work, pay, ALL_PARTS)  # self-paid last: no more of it than counts
    work.catastrophic_base_fen = base
    work.catastrophic_fen = pay
    if TRACED:
        trace.step("catastrophic", pay)
