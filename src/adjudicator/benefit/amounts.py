"""Shares of amounts of money: exact integers, rounded half-up to the fen (V19)."""

from __future__ import annotations

import numpy as np

from adjudicator.compiled.jit import inlined

PPM = 1_000_000
EXACT_LIMIT = 10**12
"""Room above this never binds one claim (limits.MAX_AMOUNT_FEN); below it room * PPM stays under 2**63."""


@inlined
def rounded(exact: int) -> int:
    """Return a non-negative amount in fen * ppm in fen, half-up (V19)."""
    return np.int64((np.uint64(exact) + np.uint64(500_000)) // np.uint64(1_000_000))


@inlined
def share_of(amount: int, part: int, whole: int) -> int:
    """Return amount * part / whole, half-up, for part <= whole < 2**41 and amount <= 2**41, without overflow."""
    high = np.uint64(part) >> np.uint64(20)
    low = np.uint64(part) & np.uint64(0xFFFFF)
    divisor = np.uint64(max(whole, np.int64(1)))
    first = np.uint64(amount) * high
    rest = (first % divisor << np.uint64(20)) + np.uint64(amount) * low
    quotient = (first // divisor << np.uint64(20)) + rest // divisor
    return np.int64(quotient) + (np.int64(1) if 2 * (rest % divisor) >= divisor else np.int64(0))


@inlined
def not_negative(amount: int) -> int:
    """Return the amount, or 0 where it is below."""
    return max(amount, np.int64(0))
