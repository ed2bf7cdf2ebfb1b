"""Stages 11 and 12: supplementary insurance (惠民保), the programme's payer, payers outside the funds, the hospital."""

from __future__ import annotations

from typing import Any

from adjudicator import limits
from adjudicator.benefit.amounts import EXACT_LIMIT, not_negative
from adjudicator.benefit.stages.burden import ALL_PARTS, left_in, take
from adjudicator.benefit.trace import PROGRAMME, TRACED, trace
from adjudicator.compiled.jit import inlined
from adjudicator.compiled.rounding import per_million
from adjudicator.options import BurdenPart, HospitalBorne
from adjudicator.rounding import PPM

PARTS = limits.MAX_PROGRAMME_PARTS


@inlined
def counted_for(part: Any, in_scope: int, first_pay: int, over_ceiling: int, self_paid: int) -> int:
    """Return how much of a burden counts for a part of supplementary insurance."""
    return per_million(
        in_scope * part.in_scope_ppm
        + first_pay * part.first_pay_ppm
        + over_ceiling * part.over_ceiling_ppm
        + self_paid * part.self_paid_ppm
    )


@inlined
def parts_counted(part: Any) -> int:
    """Return the parts of the burden that count, as bits."""
    parts = 0
    if part.in_scope_ppm > 0:
        parts |= BurdenPart.IN_SCOPE
    if part.first_pay_ppm > 0:
        parts |= BurdenPart.FIRST_PAY
    if part.over_ceiling_ppm > 0:
        parts |= BurdenPart.OVER_CEILING
    if part.self_paid_ppm > 0:
        parts |= BurdenPart.SELF_PAID
    return parts


@inlined
def supplementary(programme: Any, year: Any, work: Any) -> None:
    """Fill supplementary insurance: each part above its own threshold of the year.

    A part counts what the parts before it left of the burden, or the burden before all of them (``parts_count``).
    An increment over the year, as catastrophic insurance (R07): f(counted after) - f(counted before), rounded.
    """
    in_scope, first_pay = work.left_in_scope_fen, work.left_first_pay_fen
    over_ceiling, self_paid = work.left_over_ceiling_fen, work.left_self_paid_fen
    for n in range(PARTS):
        if programme.whole_burden == 0:
            in_scope, first_pay = work.left_in_scope_fen, work.left_first_pay_fen
            over_ceiling, self_paid = work.left_over_ceiling_fen, work.left_self_paid_fen
        part = programme.parts[n]
        if part.rate_ppm > 0:
            counted, before = (
                counted_for(part, in_scope, first_pay, over_ceiling, self_paid),
                year.supplementary_base_fen[n],
            )
            paid_before = not_negative(before - part.threshold_fen) * part.rate_ppm
            paid_after = not_negative(before + counted - part.threshold_fen) * part.rate_ppm
            if part.cap_fen < EXACT_LIMIT:
                if TRACED and paid_after > part.cap_fen * PPM:
                    trace.note("programme", "up_to_its_limit", part.cap_fen)
                paid_before = min(paid_before, part.cap_fen * PPM)
                paid_after = min(paid_after, part.cap_fen * PPM)
            amount = per_million(paid_after - paid_before)
            taken = take(work, amount, parts_counted(part))
            if TRACED:
                over, over_before = before + counted - part.threshold_fen, before - part.threshold_fen
                trace.part("programme", not_negative(over) - not_negative(over_before), part.rate_ppm)
                if (paid_after - paid_before) % PPM > 0:
                    trace.note("programme", "each_part_rounded")
                if taken < amount:
                    trace.note("programme", "up_to_the_burden")
            work.supplementary_fen += taken
            work.supplementary_base_fen[n] = counted


@inlined
def programme_payer(programme: Any, work: Any) -> None:
    """Fill what the payer of a programme pays: supplementary insurance and a share of what is left."""
    parts = programme.pays_parts & ALL_PARTS
    left = left_in(work, parts)
    share = per_million(left * programme.pays_ppm)
    work.programme_fen = work.supplementary_fen + take(work, share, parts)
    if TRACED:
        if programme.pays_ppm > 0:
            trace.part("programme", left, programme.pays_ppm)
        if work.supplementary_fen > 0:
            trace.note("programme", "supplementary", work.supplementary_fen)
        trace.cite("programme", PROGRAMME)
        trace.step("programme", work.programme_fen)


@inlined
def other_payers(plan: Any, claim: Any, work: Any) -> None:
    """Fill payers outside the funds and the hospital."""
    if claim.other_payer_fen > 0:
        work.other_fen = take(work, claim.other_payer_fen, ALL_PARTS)
    rest = not_negative(claim.hospital_borne_fen)
    if TRACED:
        trace.step("other", work.other_fen, claim.other_payer_fen)
    borne = 0
    if rest > 0:
        if work.plan >= 0 and plan.hospital_borne_from == HospitalBorne.IN_SCOPE_FIRST:
            borne = take(work, rest, ALL_PARTS)
        # The hospital waives what the person would pay alone before what a fund shares in (B2).
        borne += take(work, rest - borne, BurdenPart.SELF_PAID)
        borne += take(work, rest - borne, BurdenPart.OVER_CEILING)
        borne += take(work, rest - borne, BurdenPart.FIRST_PAY)
        borne += take(work, rest - borne, BurdenPart.IN_SCOPE)
        work.hospital_borne_fen += borne
    if TRACED:
        over_ceiling = work.hospital_borne_fen - work.fixed_price_excess_fen - borne
        trace.step("hospital_borne", work.hospital_borne_fen, over_ceiling, work.fixed_price_excess_fen, borne)
