"""Stage 8: the supplements of civil servants (V18, R35) and of enterprises."""

from __future__ import annotations

from typing import Any

from adjudicator.benefit.amounts import not_negative
from adjudicator.benefit.stages.burden import had_part, take
from adjudicator.compiled.jit import inlined
from adjudicator.compiled.rounding import per_million
from adjudicator.options import BurdenPart, Stage


@inlined
def civil_servant(plan: Any, year: Any, work: Any) -> None:
    """Fill the part of the deductible and of the co-pay that is paid (V18); the deductible left is paid last (R35)."""
    of_deductible = plan.civil_servant_deductible_ppm[work.group]
    of_copay = plan.civil_servant_ppm[work.group]
    pay, charged = 0, 0
    work.civil_servant_base_fen = work.left_in_scope_fen
    if of_deductible > 0 or of_copay > 0:
        deductible = min(work.deductible_fen, work.left_in_scope_fen)
        copay = work.left_in_scope_fen - deductible
        own = plan.civil_servant_own_deductible_fen[work.group] - year.deductible_civil_servant_fen
        charged = min(not_negative(own), copay)
        pay = per_million(deductible * of_deductible + (copay - charged) * of_copay)
        pay = min(pay, not_negative(plan.civil_servant_cap_fen[work.group] - year.civil_servant_fen))
        take(work, pay, BurdenPart.IN_SCOPE)
        had_part(work, Stage.CIVIL_SERVANT)
    work.civil_servant_fen = pay
    work.civil_servant_deductible_fen = charged


@inlined
def enterprise(plan: Any, year: Any, work: Any) -> None:
    """Fill a share of the in-scope burden that is left, up to a yearly cap."""
    rate_ppm = plan.enterprise_ppm[work.group]
    pay = 0
    work.enterprise_base_fen = work.left_in_scope_fen
    if rate_ppm > 0:
        room = not_negative(plan.enterprise_cap_fen[work.group] - year.enterprise_fen)
        pay = min(per_million(work.left_in_scope_fen * rate_ppm), room)
        take(work, pay, BurdenPart.IN_SCOPE)
        had_part(work, Stage.ENTERPRISE)
    work.enterprise_fen = pay
