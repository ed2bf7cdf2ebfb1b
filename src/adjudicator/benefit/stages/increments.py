"""What one claim is paid of a benefit that is measured over the year (readings R07, R34)."""

from __future__ import annotations

from adjudicator.benefit.amounts import not_negative, rounded
from adjudicator.compiled.jit import inlined
from adjudicator.options import Increment


@inlined
def increment_of(mode: int, difference_exact: int, after_exact: int, before_exact: int, paid_before: int) -> int:
    """Return the claim's part of a yearly benefit; exact amounts are in fen * ppm."""
    pay = rounded(difference_exact)
    if mode == Increment.DIFFERENCE_OF_ROUNDED:
        pay = rounded(after_exact) - rounded(before_exact)
    elif mode == Increment.YEAR_LESS_PAID:
        pay = not_negative(rounded(after_exact) - paid_before)
    return pay
