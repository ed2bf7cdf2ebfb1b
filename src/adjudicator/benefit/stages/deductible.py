"""Stage 3: the deductible of a stay or visit (V01–V05; readings R01, R16, R27, R33).

V01 how often it is charged, V02 an unused part carried over, V03 referral chains, V05 signed doctors and assisted
persons. V04, the deductible after the rate, is in the pooled fund.
"""

from __future__ import annotations

from typing import Any

from adjudicator.benefit.amounts import not_negative
from adjudicator.benefit.plan.keys import AXIS_LENGTH, UNDEFINED, Stage
from adjudicator.benefit.stages.burden import had_part
from adjudicator.benefit.trace import PROGRAMME, TRACED, trace
from adjudicator.codes import Referral
from adjudicator.compiled.jit import inlined
from adjudicator.compiled.rounding import per_million
from adjudicator.errors import E
from adjudicator.options import Account, DeductibleCounting, HighestReading, NthOver, ReferralDeductible
from adjudicator.rounding import PPM

RULE_UNDEFINED = int(E.RULE_UNDEFINED)
LAST_STAY = AXIS_LENGTH["nth"] - 1
"""The last share by number of the stay; it holds for all stays that follow."""


@inlined
def in_referral_chain(plan: Any, claim: Any) -> int:
    """Return 1 for a later stay of a referral chain where the plan knows chains (V03)."""
    chained = claim.referral == Referral.UP or claim.referral == Referral.DOWN or claim.referral == Referral.SAME
    chained = chained and claim.chain_continues != 0
    return 1 if chained and plan.deductible_referral != ReferralDeductible.NORMAL else 0


@inlined
def standard_of_place(plan: Any, work: Any) -> int:
    """Return the standard of the hospital level, or of the place and filing class (V11); below 0 undefined."""
    standard: int = plan.deductible_fen[work.group, work.level]
    fixed = plan.cross_deductible_fen[work.place, work.filing, work.channel]
    if fixed >= 0:
        standard = fixed
    share_ppm = plan.cross_deductible_ppm[work.place, work.filing, work.channel]
    if share_ppm > 0:
        least = plan.cross_deductible_at_least_fen[work.place, work.filing, work.channel]
        most = plan.cross_deductible_at_most_fen[work.place, work.filing, work.channel]
        standard = min(max(per_million((work.stay_total_fen + work.total_fen) * share_ppm), least), most)
    if TRACED:
        is_own = fixed >= 0 or share_ppm > 0
        trace.because("deductible", "cross_region", is_own)
        trace.cite("deductible", "deductible_yuan", not is_own)
    return standard


@inlined
def standard_of_stay(plan: Any, claim: Any, year: Any, work: Any) -> int:
    """Return the standard by level, signed doctor, category and nth stay, each step half-up (V01, V05)."""
    standard = standard_of_place(plan, work)
    if standard < 0 and work.base_fen > 0:
        work.error = RULE_UNDEFINED
    standard = not_negative(standard)
    if is_signed(plan, claim):
        signed = plan.deductible_signed_fen[work.level]
        if TRACED:
            trace.because("deductible", "deductible_signed_yuan", signed != UNDEFINED and signed < standard)
            less = plan.deductible_signed_less_fen[work.level] > 0 and standard > 0
            trace.because("deductible", "deductible_signed_less_yuan", less)
        if signed != UNDEFINED:
            standard = min(standard, signed)
        standard = not_negative(standard - plan.deductible_signed_less_fen[work.level])
    standard = per_million(standard * plan.deductible_category_ppm[work.category])
    before = year.visits_outpatient
    if plan.deductible_account != Account.OUTPATIENT:
        before = year.stays
        if plan.deductible_nth_over == NthOver.SAME_LEVEL:
            before = year.stays_level[work.level]
    # A referral chain is one episode: its first stay has been counted already (R27).
    nth = before - 1 if work.in_chain != 0 and before > 0 else before
    if TRACED and standard > 0:
        trace.because("deductible", "deductible_category_percent", plan.deductible_category_ppm[work.category] != PPM)
        is_later = plan.deductible_nth_ppm[min(nth, LAST_STAY)] != PPM
        trace.because("deductible", "deductible_nth_percent", is_later)
        trace.cite("deductible", "deductible_nth_over", is_later)
    standard = per_million(standard * plan.deductible_nth_ppm[min(nth, LAST_STAY)])
    return less_of_later_stay(plan, nth, standard, work)


@inlined
def less_of_later_stay(plan: Any, nth: int, standard: int, work: Any) -> int:
    """Return the standard less a sum of money for each stay before, down to its least amount (V01)."""
    less = nth * plan.deductible_later_less_fen[work.level]
    if TRACED:
        trace.because("deductible", "deductible_later_less_yuan", less > 0 and standard > 0)
    if less > 0:
        least = min(standard, plan.deductible_later_least_fen[work.level])
        if TRACED:
            trace.cite("deductible", "deductible_later_least_yuan", standard - less < least)
        standard = max(standard - less, least)
    return not_negative(standard)


@inlined
def is_signed(plan: Any, claim: Any) -> bool:
    """Return whether the lower deductible of a signed family doctor holds: at that doctor, or sent up by one (V05)."""
    at_doctor = claim.at_signed_institution != 0
    sent = plan.deductible_signed_referred != 0 and claim.referral == Referral.UP
    signed: bool = claim.family_doctor != 0 and (at_doctor or sent)
    if TRACED:
        trace.cite("deductible", "deductible_signed_referred", signed and not at_doctor)
    return signed


@inlined
def due_per_stay(plan: Any, claim: Any, year: Any, standard: int, work: Any) -> int:
    """Return what a stay owes where each stay is charged: long stays again, later stays of a chain less (V03, R33)."""
    due = standard
    period = work.period_days
    if period > 0:
        # R33: day 90 belongs to the first period, day 91 begins the second.
        due = standard * max(1, (claim.stay_days + period - 1) // period)
        if TRACED:
            trace.because("deductible", "deductible_period_days", due > standard)
    if work.in_chain != 0:
        paid = claim.chain_deductible_fen
        if plan.deductible_referral == ReferralDeductible.LESS_STANDARD:
            paid = year.last_standard_fen
        if TRACED:
            trace.because("deductible", "deductible_referral", due > 0 and paid > 0)
        due = not_negative(due - paid)
    return due


@inlined
def due_by_highest(plan: Any, standard: int, charged: int, highest: int) -> int:
    """Return what a stay owes where the year is charged once at the highest standard (R01)."""
    due = not_negative(max(standard, highest) - charged)
    if plan.deductible_reading == HighestReading.UNUSED_IS_LOST:
        due = not_negative(standard - highest)
    elif plan.deductible_reading == HighestReading.OWN_LESS_CHARGED:
        due = not_negative(standard - charged)
    return due


@inlined
def charged_before(plan: Any, year: Any, work: Any) -> tuple[int, int, int]:
    """Return what the year was charged in all and at this level, and its highest standard."""
    charged, of_level, highest = 0, 0, 0
    if plan.deductible_account == Account.OUTPATIENT:
        charged, highest = year.deductible_outpatient_fen, year.highest_standard_outpatient_fen
        of_level = year.deductible_outpatient_level_fen[work.level]
    elif plan.deductible_account == Account.INPATIENT:
        charged, highest = year.deductible_charged_fen, year.highest_standard_fen
        of_level = year.deductible_charged_level_fen[work.level]
    return charged, of_level, highest


@inlined
def due_now(plan: Any, claim: Any, year: Any, standard: int, work: Any) -> int:
    """Return what this stay owes: by the way of counting, less in a chain, up to the yearly ceilings (V01–V03)."""
    charged, of_level, highest = charged_before(plan, year, work)
    due = 0
    if plan.deductible_counting == DeductibleCounting.PER_STAY:
        due = due_per_stay(plan, claim, year, standard, work)
    elif plan.deductible_counting == DeductibleCounting.YEAR_HIGHEST:
        due = due_by_highest(plan, standard, charged, highest)
    elif plan.deductible_counting == DeductibleCounting.YEAR_PER_LEVEL:
        due = not_negative(standard - of_level)
    if TRACED:
        trace.cite("deductible", "deductible_counting")
        is_less = plan.deductible_counting != DeductibleCounting.PER_STAY and due < standard
        if is_less:
            trace.note("deductible", "charged_before")
    if work.in_chain != 0 and claim.referral == Referral.DOWN:
        if TRACED:
            trace.because("deductible", "deductible_referral", due > 0)
        due = 0
    carried = plan.deductible_carried != 0 and work.in_chain == 0
    if carried and year.stays > 0:
        work.shortfall_used_fen = year.deductible_shortfall_fen
        due += year.deductible_shortfall_fen
        if TRACED:
            trace.because("deductible", "deductible_carried", year.deductible_shortfall_fen > 0)
    room_of_year = not_negative(plan.deductible_year_ceiling_fen[work.group] - charged)
    room_of_level = not_negative(plan.deductible_level_ceiling_fen[work.level] - of_level)
    if TRACED:
        trace.because("deductible", "deductible_year_ceiling_yuan", due > room_of_year)
        trace.because("deductible", "deductible_level_ceiling_yuan", min(due, room_of_year) > room_of_level)
    due = min(min(due, room_of_year), room_of_level)
    if work.stay_row > 0:
        if TRACED:
            trace.note("deductible", "earlier_parts", work.stay_charged_fen)
            trace.cite("deductible", "deductible_over_year", claim.stay_row != claim.stay_row_over_years)
        due = not_negative(due - work.stay_charged_fen)
    if carried and year.stays == 0:
        work.shortfall_fen = due - min(due, work.base_fen)
    return due


@inlined
def deductible(plan: Any, claim: Any, year: Any, begun: Any, work: Any) -> None:
    """Fill the standard of this stay, what it owes and what of it the cost covers.

    ``begun`` is the year before the first part of a stay that goes on, and the year itself for any other claim.
    """
    standard, due = 0, 0
    if plan.deductible_counting != DeductibleCounting.NONE and work.no_deductible == 0:
        standard = standard_of_stay(plan, claim, begun, work)
        due = due_now(plan, claim, begun, standard, work)
        if work.stay_row > 0:
            # What the earlier parts left unused is counted anew, with this part.
            work.shortfall_used_fen += year.deductible_shortfall_fen - begun.deductible_shortfall_fen
            if work.stay_row != claim.stay_row:
                work.shortfall_fen = work.shortfall_used_fen = 0
        if work.base_fen > 0:
            had_part(work, Stage.DEDUCTIBLE)
    work.standard_fen = standard
    work.due_fen = due
    work.deductible_fen = min(due, work.base_fen)
    if TRACED:
        waived = work.no_deductible if plan.deductible_counting != DeductibleCounting.NONE else 0
        trace.cite("deductible", PROGRAMME, waived == 1)
        if waived != 0:
            trace.note("deductible", ("waived", "waived_of_disease", "waived_of_ward")[waived - 1])
        if due > work.base_fen:
            trace.note("deductible", "cost_below_due", work.base_fen)
        before = charged_before(plan, year, work)[0]
        trace.step("deductible", work.deductible_fen, standard, before, due, work.deductible_fen)
