"""Stages 11 and 12: supplementary insurance (惠民保), the programme's payer, payers outside the funds, the hospital."""

from __future__ import annotations

from typing import Any

from adjudicator import limits
from adjudicator.benefit.amounts import EXACT_LIMIT, not_negative
from adjudicator.benefit.stages.burden import ALL_PARTS, left_in, take
from adjudicator.benefit.trace import PROGRAMME, TRACED, trace
from adjudicator.compiled.jit import inlined
from adjudicator.compiled.rounding import per_million
from adjudicator.options import BurdenPart
from adjudicator.rounding import PPM

PARTS = limits.MAX_PROGRAMME_PARTS


@inlined
def counted_for(part: Any, work: Any) -> int:
    """Return the burden that counts for a part of supplementary insurance."""
    return per_million(
        work.left_in_scope_fen * part.in_scope_ppm
        + work.left_first_pay_fen * part.first_pay_ppm
        + work.left_over_ceiling_fen * part.over_ceiling_ppm
        + work.left_self_paid_fen * part.self_paid_ppm
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

    An increment over the year, as catastrophic insurance (R07): f(counted after) - f(counted before), rounded.
    """
    for n in range(PARTS):
        part = programme.parts[n]
        if part.rate_ppm > 0:
            counted, before = counted_for(part, work), year.supplementary_base_fen[n]
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
def other_payers(claim: Any, work: Any) -> None:
    """Fill payers outside the funds and the hospital."""
    work.other_fen = take(work, not_negative(claim.other_payer_fen), ALL_PARTS)
    # The hospital waives what the person would pay alone before what a fund shares in (B2).
    rest = not_negative(claim.hospital_borne_fen)
    if TRACED:
        trace.step("other", work.other_fen, claim.other_payer_fen)
    borne = take(work, rest, BurdenPart.SELF_PAID)
    borne += take(work, rest - borne, BurdenPart.OVER_CEILING)
    borne += take(work, rest - borne, BurdenPart.FIRST_PAY)
    borne += take(work, rest - borne, BurdenPart.IN_SCOPE)
    work.hospital_borne_fen += borne
    if TRACED:
        over_ceiling = work.hospital_borne_fen - work.fixed_price_excess_fen - borne
        trace.step("hospital_borne", work.hospital_borne_fen, over_ceiling, work.fixed_price_excess_fen, borne)
