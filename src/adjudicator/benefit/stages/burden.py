"""The personal burden that is left after the payers so far, in its four parts, and how a payer takes from it.

The parts are in scope, first pay, over the ceiling and self-paid; a bit mask of ``options.BurdenPart`` names some.
"""

from __future__ import annotations

from typing import Any

from adjudicator.benefit.amounts import not_negative
from adjudicator.compiled.jit import inlined
from adjudicator.compiled.rounding import part_of
from adjudicator.options import BurdenPart

ALL_PARTS = BurdenPart.IN_SCOPE | BurdenPart.FIRST_PAY | BurdenPart.OVER_CEILING | BurdenPart.SELF_PAID


@inlined
def had_part(work: Any, stage: int) -> None:
    """Note that a stage had a part in the answer, so that it counts whether its values are verified."""
    work.stages |= 1 << stage


@inlined
def left_after_pooling(work: Any) -> None:
    """Fill the personal burden after stage 6, in its four parts; what an account pays first is part of it (P1, R20)."""
    paid = work.pooled_fen + work.large_sum_fen
    work.left_in_scope_fen = work.base_fen + work.account_first_fen + work.copay_free_fen - paid
    work.left_deductible_fen = min(work.deductible_fen, work.left_in_scope_fen)
    above = not_negative(work.over_cap_fen - work.large_sum_fen)
    work.left_above_cap_fen = min(above, work.left_in_scope_fen - work.left_deductible_fen)
    work.left_first_pay_fen = work.first_pay_fen
    work.left_over_ceiling_fen = work.over_ceiling_fen - work.hospital_borne_fen
    work.left_self_paid_fen = work.self_paid_fen
    work.hospital_borne_fen += work.fixed_price_excess_fen


@inlined
def pro_rata(amount: int, part: int, whole: int) -> int:
    """Return the part's share of an amount that was paid of the whole, half up; no more than the part."""
    return min(part_of(amount, part, whole), part) if whole > 0 else 0


@inlined
def left_in(work: Any, parts: int) -> int:
    """Return the burden left in some parts."""
    total = 0
    if parts & BurdenPart.IN_SCOPE:
        total += work.left_in_scope_fen
    if parts & BurdenPart.FIRST_PAY:
        total += work.left_first_pay_fen
    if parts & BurdenPart.OVER_CEILING:
        total += work.left_over_ceiling_fen
    if parts & BurdenPart.SELF_PAID:
        total += work.left_self_paid_fen
    return total


@inlined
def take(work: Any, amount: int, parts: int) -> int:
    """Take an amount out of some parts of the burden, in their order; return what was taken."""
    rest = amount
    if parts & BurdenPart.IN_SCOPE:
        part = min(rest, work.left_in_scope_fen)
        work.left_in_scope_fen -= part
        rest -= part
    if parts & BurdenPart.FIRST_PAY:
        part = min(rest, work.left_first_pay_fen)
        work.left_first_pay_fen -= part
        rest -= part
    if parts & BurdenPart.OVER_CEILING:
        part = min(rest, work.left_over_ceiling_fen)
        work.left_over_ceiling_fen -= part
        rest -= part
    if parts & BurdenPart.SELF_PAID:
        part = min(rest, work.left_self_paid_fen)
        work.left_self_paid_fen -= part
        rest -= part
    return amount - rest
