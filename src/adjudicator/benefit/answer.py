"""The result row of a claim."""

from __future__ import annotations

from typing import Any

from adjudicator.compiled.jit import inlined
from adjudicator.options import Payer
from adjudicator.rounding import PPM


@inlined
def write_payers(plan: Any, work: Any, answer: Any) -> None:
    """Fill the payers of a claim with a plan; who pays above the cap and catastrophic insurance is the plan's (R10)."""
    if plan.above_cap_payer == Payer.CATASTROPHIC:
        answer.catastrophic_fen += work.large_sum_fen
    else:
        answer.large_sum_fen += work.large_sum_fen
    if plan.catastrophic_payer == Payer.CATASTROPHIC:
        answer.catastrophic_fen += work.catastrophic_fen
    else:
        answer.large_sum_fen += work.catastrophic_fen
    answer.pooled_fen = work.pooled_fen
    answer.civil_servant_fen = work.civil_servant_fen
    answer.enterprise_fen = work.enterprise_fen
    answer.assistance_fen = work.assistance_fen
    answer.tilt_fen = work.tilt_fen
    answer.counts_as_admission = 1 if plan.counts_admission != 0 and work.in_chain == 0 else 0


@inlined
def write(work: Any, answer: Any) -> None:
    """Fill the rest of the row and its sums; the identities F1, F2 and P1 hold by construction."""
    answer.plan = work.plan
    answer.first_pay_fen = work.first_pay_fen
    answer.in_scope_fen = work.in_scope_fen
    answer.deductible_standard_fen = work.standard_fen
    answer.deductible_due_fen = work.due_fen
    answer.deductible_fen = work.deductible_fen
    answer.other_fen = work.programme_fen + work.other_fen
    answer.hospital_borne_fen = work.hospital_fen
    answer.account_current_fen = work.account_current_fen
    answer.account_past_fen = work.account_past_fen
    answer.account_family_fen = work.account_family_fen
    answer.cash_fen = work.cash_fen
    funds = work.pooled_fen + work.large_sum_fen + work.catastrophic_fen + work.civil_servant_fen
    funds += work.enterprise_fen + work.assistance_fen + work.tilt_fen
    answer.fund_total_fen = funds + answer.other_fen
    accounts = work.account_current_fen + work.account_past_fen + work.account_family_fen
    answer.personal_total_fen = accounts + work.cash_fen
    shared = work.in_scope_fen - work.deductible_fen
    answer.pooled_rate_ppm = (2 * work.pooled_fen * PPM + shared) // (2 * shared) if shared > 0 else 0


@inlined
def refuse(answer: Any, error: int) -> None:
    """Fill an all-zero result with the number of the error."""
    answer.plan = -1
    answer.first_pay_fen = 0
    answer.in_scope_fen = 0
    answer.deductible_standard_fen = 0
    answer.deductible_due_fen = 0
    answer.deductible_fen = 0
    answer.pooled_fen = 0
    answer.large_sum_fen = 0
    answer.catastrophic_fen = 0
    answer.civil_servant_fen = 0
    answer.enterprise_fen = 0
    answer.assistance_fen = 0
    answer.tilt_fen = 0
    answer.other_fen = 0
    answer.hospital_borne_fen = 0
    answer.account_current_fen = 0
    answer.account_past_fen = 0
    answer.account_family_fen = 0
    answer.cash_fen = 0
    answer.fund_total_fen = 0
    answer.personal_total_fen = 0
    answer.pooled_rate_ppm = 0
    answer.counts_as_admission = 0
    answer.unverified = 0
    answer.error = error
    answer.padding = 0
