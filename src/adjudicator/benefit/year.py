"""How a claim changes the person's benefit year."""

from __future__ import annotations

from typing import Any

from adjudicator import limits
from adjudicator.benefit.stages.caps import count_paid
from adjudicator.compiled.jit import inlined
from adjudicator.options import Account, CapMeasure

PROGRAMME_PARTS = limits.MAX_PROGRAMME_PARTS


@inlined
def count_deductible(plan: Any, year: Any, work: Any) -> None:
    """Add deductible, standard and stay."""
    if plan.deductible_account == Account.OUTPATIENT:
        year.deductible_outpatient_fen += work.deductible_fen
        year.deductible_outpatient_level_fen[work.level] += work.deductible_fen
        year.highest_standard_outpatient_fen = max(year.highest_standard_outpatient_fen, work.standard_fen)
        year.visits_outpatient += 1
    elif plan.deductible_account == Account.INPATIENT:
        year.deductible_charged_fen += work.deductible_fen
        year.deductible_charged_level_fen[work.level] += work.deductible_fen
        year.highest_standard_fen = max(year.highest_standard_fen, work.standard_fen)
        year.deductible_shortfall_fen += work.shortfall_fen - work.shortfall_used_fen
    if plan.counts_admission != 0:
        year.last_standard_fen = work.standard_fen
        if work.in_chain == 0:
            year.stays += 1
            year.stays_level[work.level] += 1


@inlined
def count_in_year(plan: Any, year: Any, work: Any) -> None:
    """Add the claim to the person's year; every change is a difference, so that a reversal can take it back."""
    count_deductible(plan, year, work)
    if plan.cost_account == Account.OUTPATIENT:
        year.cost_outpatient_fen += work.base_fen
    elif plan.cost_account == Account.INPATIENT:
        year.cost_inpatient_fen += work.base_fen
        if plan.cap_measure == CapMeasure.COST:
            year.pooled_cost_fen += work.base_fen - work.over_cap_fen
    count_paid(year, plan.paid_category, work.pooled_fen)
    year.large_sum_fen += work.large_sum_fen
    year.catastrophic_base_fen += work.catastrophic_base_fen
    year.catastrophic_fen += work.catastrophic_fen
    year.civil_servant_fen += work.civil_servant_fen
    year.deductible_civil_servant_fen += work.civil_servant_deductible_fen
    year.enterprise_fen += work.enterprise_fen
    year.assistance_base_fen += work.assistance_base_fen
    if plan.assistance_account == Account.OUTPATIENT:
        year.assistance_outpatient_fen += work.assistance_fen
    else:
        year.assistance_inpatient_fen += work.assistance_fen
    year.tilt_base_fen += work.tilt_base_fen
    year.tilt_fen += work.tilt_fen
    year.burden_in_scope_fen += work.burden_in_scope_fen
    year.other_fen += work.programme_fen + work.other_fen
    for part in range(PROGRAMME_PARTS):
        year.supplementary_base_fen[part] += work.supplementary_base_fen[part]
    year.account_fen += work.account_current_fen + work.account_past_fen + work.account_family_fen
