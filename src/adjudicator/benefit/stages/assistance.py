"""Stages 9 and 10: medical assistance on what is left (R11), then tilt assistance on what that leaves (R07)."""

from __future__ import annotations

from typing import Any

from adjudicator.benefit.amounts import not_negative
from adjudicator.benefit.plan.keys import Stage
from adjudicator.benefit.stages.burden import had_part, left_in, take
from adjudicator.benefit.stages.increments import increment_of
from adjudicator.benefit.trace import TRACED, trace
from adjudicator.compiled.jit import inlined
from adjudicator.compiled.rounding import per_million
from adjudicator.options import Account, BurdenPart

ASSISTED_PARTS = BurdenPart.IN_SCOPE | BurdenPart.FIRST_PAY | BurdenPart.OVER_CEILING


@inlined
def share_of(rate_ppm: int, after_part: int, before_part: int, mode: int, paid_before: int) -> int:
    """Return the increment of a share of what the year's base exceeds a threshold, after the claim and before it."""
    difference = (after_part - before_part) * rate_ppm
    return increment_of(mode, difference, after_part * rate_ppm, before_part * rate_ppm, paid_before)


@inlined
def medical_assistance(plan: Any, year: Any, work: Any) -> None:
    """Fill stage 9: a share of the burden left above the threshold of the year, up to the yearly limits."""
    parts, category = plan.assistance_base & ASSISTED_PARTS, work.category
    rate_ppm = plan.assistance_ppm[category]
    work.assistance_base_fen = left_in(work, parts)
    if rate_ppm > 0:
        base, paid = work.assistance_base_fen, year.assistance_inpatient_fen + year.assistance_outpatient_fen
        threshold = plan.assistance_threshold_fen[category]
        before = not_negative(year.assistance_base_fen - threshold)
        after = not_negative(year.assistance_base_fen + base - threshold)
        pay = share_of(rate_ppm, after, before, plan.assistance_increment, paid)
        if TRACED:
            trace.part("assistance", after - before, rate_ppm)
            trace.because("assistance", "assistance_increment", pay != per_million((after - before) * rate_ppm))
        pay = min(pay, base)
        room = not_negative(plan.assistance_cap_fen[category] - paid)
        if TRACED:
            trace.cite("assistance", "assistance_percent", base > 0)
            if base > 0 and threshold > 0:
                trace.cite("assistance", "assistance_threshold_yuan")
                trace.note("assistance", "above_threshold", base, year.assistance_base_fen, threshold)
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
