"""The date that decides which rule holds, and the benefit year (V08)."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjudicator.compiled.jit import inlined, kernel
from adjudicator.options import YearBy


@inlined
def deciding_date(claim: Any, option: int) -> int:
    """Return the date that an option names; a claim without discharge date takes its settlement date."""
    date: int = claim.admission_date
    if option == YearBy.SETTLEMENT or (option == YearBy.DISCHARGE and claim.discharge_date == 0):
        date = claim.settlement_date
    elif option == YearBy.DISCHARGE:
        date = claim.discharge_date
    return date


@kernel
def decide(claims: np.ndarray, rule_date: np.ndarray, benefit_year: np.ndarray, year_begins: np.ndarray) -> None:
    """Write ``rule_date`` and ``benefit_year`` of ``claims[CLAIM]``; the options are arrays by pack.

    A benefit year is named by the calendar year in which it begins (``year_begins``: month and day, MMDD).
    """
    for index in range(claims.shape[0]):
        claim = claims[np.uint64(index)]
        claim.rule_date = 0
        claim.benefit_year = 0
        if claim.pack >= 0:
            k = np.uint64(claim.pack)
            claim.rule_date = np.int32(deciding_date(claim, rule_date[k]))
            date = deciding_date(claim, benefit_year[k])
            year = date // 10000
            claim.benefit_year = np.int32(year - 1 if date % 10000 < year_begins[k] else year)
