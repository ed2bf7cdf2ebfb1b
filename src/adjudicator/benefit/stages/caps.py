"""Stage 5: yearly caps and limits (V07, V17; readings R04, R05, R18).

A cap lies on the cost that enters or on the fund paid; a limit of a kind of care lies on the fund paid. Plans name the
kinds of payment that fill them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from adjudicator.benefit.amounts import EXACT_LIMIT, not_negative
from adjudicator.benefit.plan.keys import NO_LIMIT, UNDEFINED, Stage
from adjudicator.benefit.stages.burden import had_part
from adjudicator.benefit.trace import TRACED, trace
from adjudicator.compiled.jit import inlined
from adjudicator.options import CapMeasure, DeductiblePosition, PaidCategory
from adjudicator.rounding import PPM

KINDS = len(PaidCategory)


@inlined
def paid_in(year: Any, categories: int) -> int:
    """Return the fund paid this year under some kinds of care, a bit mask of PaidCategory."""
    total = 0
    for kind in range(KINDS):
        if categories & 1 << kind:
            total += year.pooled_by_care_fen[np.uint64(kind)]
    return total


@inlined
def count_paid(year: Any, category: int, amount: int) -> None:
    """Add a payment of the pooled fund to the year, under one kind of care."""
    year.pooled_by_care_fen[np.uint64(category)] += amount


@inlined
def cap_of_year(plan: Any, year: Any, cost_before: int, charged: int, work: Any) -> None:
    """Fill the room below a cap on payment, or the cost above a cap on cost (V07)."""
    room, over = NO_LIMIT, 0
    cap = plan.cap_fen[work.group]
    if cap < NO_LIMIT and work.no_cap == 0:
        if work.payable_fen > 0:
            had_part(work, Stage.CAP)
        if plan.cap_measure == CapMeasure.COST:
            # A stay that begins above the cap still has its deductible (R04).
            over = cost_before + work.base_fen - max(cap, cost_before + charged)
            over = min(not_negative(over), work.payable_fen)
        else:
            room = not_negative(cap - paid_in(year, plan.cap_counts))
    work.room_fen = room
    work.over_cap_whole_fen = over


@inlined
def room_for_tiers(plan: Any, stay: Any, work: Any) -> int:
    """Return the room below a cap on payment that is left for the tiers, in fen * ppm; -1 where it never binds.

    What the guaranteed payment gave to earlier parts of the stay, ahead of the rate, has filled the cap already.
    """
    room = -1
    if work.room_fen < EXACT_LIMIT and plan.deductible_position != DeductiblePosition.AFTER_RATE:
        room = not_negative(work.room_fen + stay.guaranteed_fen - work.copay_free_fen) * PPM
    return room


@inlined
def limit_of_care(plan: Any, claim: Any, year: Any, work: Any) -> None:
    """Lower the payment to the yearly limit of this kind of care (V17, R18); the rest stays with the person."""
    limit = plan.limit_fen[work.group]
    if limit < NO_LIMIT and work.no_cap == 0:
        signed = plan.limit_signed_fen[work.group]
        is_signed = claim.family_doctor != 0 and signed != UNDEFINED
        if is_signed:
            limit = signed
        if claim.disease >= 0:
            limit += plan.limit_disease_extra_fen[work.group]
        room = not_negative(limit - paid_in(year, plan.limit_counts))
        if TRACED and work.pooled_fen > room:
            trace.because("pooled", "limit_signed_yuan" if is_signed else "limit_yuan")
            extra = claim.disease >= 0 and plan.limit_disease_extra_fen[work.group] > 0
            trace.because("pooled", "limit_disease_extra_yuan", extra)
        work.pooled_fen = min(work.pooled_fen, room)
        if work.payable_fen > 0:
            had_part(work, Stage.CAP)
