"""Stages 9 and 10: medical assistance on what is left (R11), then tilt assistance on what that leaves (R07)."""

from __future__ import annotations

from typing import Any

from adjudicator.benefit.amounts import not_negative
from adjudicator.benefit.stages.burden import had_part, left_in, take
from adjudicator.benefit.stages.increments import increment_of
from adjudicator.compiled.jit import inlined
from adjudicator.options import Account, BurdenPart, Stage

ASSISTED_PARTS = BurdenPart.IN_SCOPE | BurdenPart.FIRST_PAY | BurdenPart.OVER_CEILING


@inlined
def above_threshold(threshold: int, rate_ppm: int, before: int, base: int, mode: int, paid_before: int) -> int:
    """Return the increment of a share of what the year's base exceeds a threshold."""
    after_part = not_negative(before + base - threshold)
    before_part = not_negative(before - threshold)
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
        pay = above_threshold(threshold, rate_ppm, year.assistance_base_fen, base, plan.assistance_increment, paid)
        pay = min(min(pay, base), not_negative(plan.assistance_cap_fen[category] - paid))
        if plan.assistance_account == Account.OUTPATIENT:
            room = plan.assistance_outpatient_cap_fen[category] - year.assistance_outpatient_fen
            pay = min(pay, not_negative(room))
        take(work, pay, parts)
        if base > 0:
            had_part(work, Stage.ASSISTANCE)
        work.assistance_fen = pay


@inlined
def tilt_assistance(plan: Any, year: Any, work: Any) -> None:
    """Fill stage 10: a share of what medical assistance left, not for a filing class that excludes it (V11)."""
    parts, category = plan.assistance_base & ASSISTED_PARTS, work.category
    rate_ppm = plan.tilt_ppm[category]
    work.tilt_base_fen = left_in(work, parts)
    if rate_ppm > 0 and plan.cross_no_tilt[work.place, work.filing] == 0:
        base, threshold = work.tilt_base_fen, plan.tilt_threshold_fen[category]
        pay = above_threshold(threshold, rate_ppm, year.tilt_base_fen, base, plan.assistance_increment, year.tilt_fen)
        pay = min(min(pay, base), not_negative(plan.tilt_cap_fen[category] - year.tilt_fen))
        take(work, pay, parts)
        if base > 0:
            had_part(work, Stage.TILT)
        work.tilt_fen = pay


@inlined
def assistance(plan: Any, year: Any, work: Any) -> None:
    """Fill stages 9 and 10, where the plan has them."""
    if plan.has_assistance != 0:
        medical_assistance(plan, year, work)
    if plan.has_tilt != 0:
        tilt_assistance(plan, year, work)
