"""How a claim changes the person's benefit year."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjudicator.benefit.records import WORK, YEAR, common_words
from adjudicator.benefit.stages.caps import count_paid
from adjudicator.compiled.jit import inlined
from adjudicator.options import Account, CapMeasure

COUNTED = common_words(WORK, YEAR)
"""Words of the work record that are added to the accumulators of the same names."""


@inlined
def add_words(words: np.ndarray, slots: np.ndarray, row: Any) -> None:
    """Add the amounts of the work record to the accumulators of the same names."""
    for k in range(COUNTED.shape[0]):
        place = np.uint64(k)
        slots[row, COUNTED[place, np.uint64(1)]] += words[COUNTED[place, np.uint64(0)]]


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
        if work.in_chain == 0 and work.stay_row == 0:
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
    year.deductible_civil_servant_fen += work.civil_servant_deductible_fen
    if plan.assistance_account == Account.OUTPATIENT:
        year.assistance_outpatient_fen += work.assistance_fen
    else:
        year.assistance_inpatient_fen += work.assistance_fen
    year.other_fen += work.programme_fen
    year.account_fen += work.account_current_fen + work.account_past_fen + work.account_family_fen
