"""What one claim is paid of a benefit that is measured over the year (readings R07, R34)."""

from __future__ import annotations

from adjudicator.benefit.amounts import not_negative
from adjudicator.compiled.jit import inlined
from adjudicator.compiled.rounding import per_million
from adjudicator.options import Increment


@inlined
def increment_of(mode: int, difference_exact: int, after_exact: int, before_exact: int, paid_before: int) -> int:
    """Return the claim's part of a yearly benefit; exact amounts are in fen * ppm."""
    pay = per_million(difference_exact)
    if mode == Increment.DIFFERENCE_OF_ROUNDED:
        pay = per_million(after_exact) - per_million(before_exact)
    elif mode == Increment.YEAR_LESS_PAID:
        pay = not_negative(per_million(after_exact) - paid_before)
    return pay
