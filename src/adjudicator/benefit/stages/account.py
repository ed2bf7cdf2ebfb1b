"""Stages 13 and 14: current-year, past-years and family account, each by what it may pay (V12, V13, R20, R21); cash."""

from __future__ import annotations

from typing import Any

from adjudicator.benefit.amounts import not_negative
from adjudicator.benefit.plan.keys import Stage
from adjudicator.benefit.stages.burden import ALL_PARTS, had_part, left_in, take
from adjudicator.benefit.trace import TRACED, trace
from adjudicator.compiled.jit import inlined
from adjudicator.options import BurdenPart


@inlined
def accounts(plan: Any, claim: Any, work: Any) -> None:
    """Fill what the accounts pay, each of the parts that it may pay."""
    if work.account_first_fen > 0:
        work.account_current_fen = take(work, work.account_first_fen, BurdenPart.IN_SCOPE)
    if claim.use_account != 0:
        room = not_negative(claim.account_current_fen - work.account_current_fen)
        work.account_current_fen += take(work, room, plan.account_current_pays)
        work.account_past_fen = take(work, not_negative(claim.account_past_fen), plan.account_past_pays)
        work.account_family_fen = take(work, not_negative(claim.account_family_fen), plan.account_family_pays)
        if work.account_current_fen + work.account_past_fen + work.account_family_fen > 0:
            had_part(work, Stage.ACCOUNT)
    if TRACED:
        trace.cite("account_current", "account_current_pays")
        trace.step("account_current", work.account_current_fen, claim.account_current_fen)
        trace.cite("account_past", "account_past_pays")
        trace.step("account_past", work.account_past_fen, claim.account_past_fen)
        trace.cite("family_account", "account_family_pays")
        trace.step("family_account", work.account_family_fen, claim.account_family_fen)


@inlined
def cash(work: Any) -> None:
    """Fill what is left for the person."""
    work.cash_fen = left_in(work, ALL_PARTS)
    if TRACED:
        trace.step("cash", work.cash_fen)
