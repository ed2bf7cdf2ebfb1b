"""Stages 9 and 10: medical assistance on what is left (R11), then tilt assistance on what that leaves (R07)."""

from __future__ import annotations

from typing import Any

from adjudicator.benefit.amounts import not_negative
from adjudicator.benefit.plan.keys import AXIS_LENGTH, NO_LIMIT, Stage
from adjudicator.benefit.stages.burden import had_part, left_in, take
from adjudicator.benefit.stages.increments import increment_of
from adjudicator.benefit.trace import TRACED, trace
from adjudicator.compiled.jit import inlined
from adjudicator.compiled.rounding import per_million
from adjudicator.options import Account, BandOrigin, BurdenPart, Increment

BANDS = AXIS_LENGTH["burden"]
ASSISTED_PARTS = BurdenPart.IN_SCOPE | BurdenPart.FIRST_PAY | BurdenPart.OVER_CEILING


@inlined
def share_of(rate_ppm: int, after_part: int, before_part: int, mode: int, paid_before: int) -> int:
    """Return the increment of a share of what the year's base exceeds a threshold, after the claim and before it."""
    difference = (after_part - before_part) * rate_ppm
    return increment_of(mode, difference, after_part * rate_ppm, before_part * rate_ppm, paid_before)


@inlined
def is_assisted(plan: Any, category: int) -> bool:
    """Return whether some band pays persons of the category anything."""
    band, found = 0, plan.assistance_ppm[category, 0] > 0
    while band + 1 < BANDS and plan.assistance_from_fen[band + 1] < NO_LIMIT and not found:
        band += 1
        found = plan.assistance_ppm[category, band] > 0
    return bool(found)


@inlined
def bands_between(plan: Any, category: int, low: int, high: int) -> int:
    """Return the exact assistance (fen * ppm) on the year's burden from ``low`` to ``high``, by bands of it."""
    threshold = plan.assistance_threshold_fen[category]
    origin = threshold if plan.assistance_origin == BandOrigin.THRESHOLD else 0
    exact, band, begin = 0, 0, 0
    while band < BANDS and begin < NO_LIMIT and max(begin + origin, threshold) < high:
        following = plan.assistance_from_fen[band + 1] if band + 1 < BANDS else NO_LIMIT
        end = following + origin if following < NO_LIMIT else NO_LIMIT
        part = min(high, end) - max(low, max(begin + origin, threshold))
        if part > 0:
            exact += part * plan.assistance_ppm[category, band]
            if TRACED:
                trace.part("assistance", part, plan.assistance_ppm[category, band])
        begin = following
        band += 1
    return exact


@inlined
def room_of_year(plan: Any, category: int, burden: int, paid: int) -> int:
    """Return what is left of the yearly limit, that of the band which the year's burden has reached."""
    threshold = plan.assistance_threshold_fen[category]
    origin = threshold if plan.assistance_origin == BandOrigin.THRESHOLD else 0
    band = 0
    while band + 1 < BANDS and plan.assistance_from_fen[band + 1] < burden - origin:
        band += 1
    return not_negative(plan.assistance_cap_fen[category, band] - paid)


@inlined
def medical_assistance(plan: Any, year: Any, work: Any) -> None:
    """Fill stage 9: a share of the burden left above the threshold of the year, up to the yearly limits."""
    parts, category = plan.assistance_base & ASSISTED_PARTS, work.category
    work.assistance_base_fen = left_in(work, parts)
    if is_assisted(plan, category):
        base, paid = work.assistance_base_fen, year.assistance_inpatient_fen + year.assistance_outpatient_fen
        before = year.assistance_base_fen
        exact = bands_between(plan, category, before, before + base)
        if TRACED:
            trace.whole("assistance")  # what follows is computed for the whole year
        exact_after, exact_before = 0, 0
        if plan.assistance_increment != Increment.ROUNDED_DIFFERENCE:
            exact_after = bands_between(plan, category, 0, before + base)
            exact_before = bands_between(plan, category, 0, before)
        pay = increment_of(plan.assistance_increment, exact, exact_after, exact_before, paid)
        if TRACED:
            trace.because("assistance", "assistance_increment", pay != per_million(exact))
        pay = min(pay, base)
        room = room_of_year(plan, category, before + base, paid)
        if TRACED:
            threshold = plan.assistance_threshold_fen[category]
            trace.cite("assistance", "assistance_percent", base > 0)
            trace.cite("assistance", "assistance_from_yuan", base > 0)
            if base > 0 and threshold > 0:
                trace.cite("assistance", "assistance_threshold_yuan")
                trace.note("assistance", "above_threshold", base, before, threshold)
            trace.because("assistance", "assistance_cap_yuan", pay > room)
        pay = min(pay, room)
        if plan.assistance_account == Account.OUTPATIENT:
            room = not_negative(plan.assistance_outpatient_cap_fen[category] - year.assistance_outpatient_fen)
            if TRACED:
                trace.because("assistance", "assistance_outpatient_cap_yuan", pay > room)
            pay = min(pay, room)
        else:
            room = not_negative(plan.assistance_inpatient_cap_fen[category] - year.assistance_inpatient_fen)
            if TRACED:
                trace.because("assistance", "assistance_inpatient_cap_yuan", pay > room)
            pay = min(pay, room)
        take(work, pay, parts)
        if base > 0:
            had_part(work, Stage.ASSISTANCE)
        work.assistance_fen = pay
        if TRACED:
            trace.step("assistance", pay)


@inlined
def tilt_assistance(plan: Any, year: Any, work: Any) -> None:
    """Fill stage 10: a share of what medical assistance left, not for a filing class that excludes it (V11)."""
    parts, category = plan.assistance_base & ASSISTED_PARTS, work.category
    rate_ppm = plan.tilt_ppm[category]
    work.tilt_base_fen = left_in(work, parts)
    if rate_ppm > 0 and plan.cross_no_tilt[work.place, work.filing, work.channel] == 0:
        base, threshold = work.tilt_base_fen, plan.tilt_threshold_fen[category]
        before = not_negative(year.tilt_base_fen - threshold)
        after = not_negative(year.tilt_base_fen + base - threshold)
        pay = share_of(rate_ppm, after, before, plan.assistance_increment, year.tilt_fen)
        if TRACED:
            trace.part("tilt", after - before, rate_ppm)
            trace.because("tilt", "assistance_increment", pay != per_million((after - before) * rate_ppm))
        pay = min(pay, base)
        room = not_negative(plan.tilt_cap_fen[category] - year.tilt_fen)
        if TRACED:
            trace.cite("tilt", "tilt_percent", base > 0)
            if base > 0 and threshold > 0:
                trace.cite("tilt", "tilt_threshold_yuan")
                trace.note("tilt", "above_threshold", base, year.tilt_base_fen, threshold)
            trace.because("tilt", "tilt_cap_yuan", pay > room)
        pay = min(pay, room)
        take(work, pay, parts)
        if base > 0:
            had_part(work, Stage.TILT)
        work.tilt_fen = pay
        if TRACED:
            trace.step("tilt", pay)


@inlined
def assistance(plan: Any, year: Any, work: Any) -> None:
    """Fill stages 9 and 10, where the plan has them."""
    if plan.has_assistance != 0:
        medical_assistance(plan, year, work)
    if plan.has_tilt != 0:
        tilt_assistance(plan, year, work)
