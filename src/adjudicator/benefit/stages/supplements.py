"""Stage 8: the supplements of civil servants (V18, R35) and of enterprises."""

from __future__ import annotations

from typing import Any

from adjudicator.benefit.amounts import not_negative
from adjudicator.benefit.plan.keys import Stage
from adjudicator.benefit.stages.burden import had_part, pro_rata, take
from adjudicator.benefit.trace import TRACED, trace
from adjudicator.compiled.jit import inlined
from adjudicator.compiled.rounding import per_million
from adjudicator.options import BurdenPart, Position


@inlined
def civil_servant(plan: Any, year: Any, work: Any) -> None:
    """Fill the part of the deductible and of the co-pay that is paid (V18); the deductible left is paid last (R35)."""
    of_deductible = plan.civil_servant_deductible_ppm[work.group]
    of_copay = plan.civil_servant_ppm[work.group]
    pay, charged = 0, 0
    if of_deductible > 0 or of_copay > 0:
        deductible = min(work.left_deductible_fen, work.left_in_scope_fen)
        copay = work.left_in_scope_fen - deductible
        own = plan.civil_servant_own_deductible_fen[work.group] - year.deductible_civil_servant_fen
        charged = min(not_negative(own), copay)
        pay = per_million(deductible * of_deductible + (copay - charged) * of_copay)
        room = not_negative(plan.civil_servant_cap_fen[work.group] - year.civil_servant_fen)
        if TRACED:
            if of_deductible > 0:
                trace.part("civil_servant", deductible, of_deductible)
                trace.cite("civil_servant", "civil_servant_deductible_percent", deductible > 0)
            if of_copay > 0:
                trace.part("civil_servant", copay - charged, of_copay)
                trace.cite("civil_servant", "civil_servant_percent", copay > charged)
            if charged > 0:
                trace.cite("civil_servant", "civil_servant_own_deductible_yuan")
                trace.note("civil_servant", "own_deductible", charged)
            trace.because("civil_servant", "civil_servant_cap_yuan", pay > room)
        pay = min(pay, room)
        # The co-pay comes first where the yearly cap cuts the payment; cost above the cap is paid as the rest of it.
        of_copay_paid = min(pay, per_million((copay - charged) * of_copay))
        work.left_above_cap_fen -= pro_rata(of_copay_paid, work.left_above_cap_fen, copay)
        work.left_deductible_fen = deductible - (pay - of_copay_paid)
        take(work, pay, BurdenPart.IN_SCOPE)
        had_part(work, Stage.CIVIL_SERVANT)
    work.civil_servant_fen = pay
    work.civil_servant_deductible_fen = charged
    if TRACED:
        trace.step("civil_servant", pay)


@inlined
def enterprise(plan: Any, year: Any, work: Any) -> None:
    """Fill a share of the in-scope burden that is left, up to a yearly cap."""
    rate_ppm = plan.enterprise_ppm[work.group]
    pay = 0
    if rate_ppm > 0:
        room = not_negative(plan.enterprise_cap_fen[work.group] - year.enterprise_fen)
        pay = per_million(work.left_in_scope_fen * rate_ppm)
        if TRACED:
            trace.part("enterprise", work.left_in_scope_fen, rate_ppm)
            trace.cite("enterprise", "enterprise_percent")
            trace.cite("enterprise", "enterprise_position", plan.enterprise_position == Position.BEFORE_CATASTROPHIC)
            trace.because("enterprise", "enterprise_cap_yuan", pay > room)
        pay = min(pay, room)
        work.left_deductible_fen -= pro_rata(pay, work.left_deductible_fen, work.left_in_scope_fen)
        work.left_above_cap_fen -= pro_rata(pay, work.left_above_cap_fen, work.left_in_scope_fen)
        take(work, pay, BurdenPart.IN_SCOPE)
        had_part(work, Stage.ENTERPRISE)
    work.enterprise_fen = pay
    if TRACED:
        trace.step("enterprise", pay)
