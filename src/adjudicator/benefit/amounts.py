"""Amounts of money in the stages of the cascade: int64 fen; rounding is in ``compiled.rounding`` (V19)."""

from __future__ import annotations

from adjudicator.compiled.jit import inlined

EXACT_LIMIT = 10**12
"""Room above this never binds one claim (limits.MAX_AMOUNT_FEN); below it room * PPM stays under 2**63."""


@inlined
def not_negative(amount: int) -> int:
    """Return the amount, or 0 where it is below."""
    return max(amount, 0)
