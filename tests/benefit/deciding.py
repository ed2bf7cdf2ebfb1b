"""The deciding dates of claims that a test makes in columns."""

from __future__ import annotations

import numpy as np

from adjudicator.benefit.compile import Benefit
from adjudicator.benefit.dates import decide


def decide_dates(benefit: Benefit, claims: np.ndarray) -> None:
    """Write ``rule_date`` and ``benefit_year`` of ``claims[CLAIM]`` by the options of each claim's pack."""
    decide(claims, benefit.rule_date, benefit.benefit_year, benefit.year_begins)
