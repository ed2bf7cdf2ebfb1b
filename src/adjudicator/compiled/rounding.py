"""The rounding modes of ``adjudicator.rounding`` for kernels: the same source, compiled into each kernel that calls it.

Amounts are int64. The caller bounds them: an amount up to ``limits.MAX_AMOUNT_FEN`` times a rate up to 10**6 stays
below 2**63.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from adjudicator import rounding
from adjudicator.compiled.jit import inlined

per_million = inlined(rounding.per_million)
share = inlined(rounding.share)


@inlined
def part_of(amount: Any, part: Any, whole: Any) -> Any:
    """Return amount * part / whole, half up, without overflow; ``rounding.divide_half_up`` is its twin.

    0 <= part <= whole < 2**41 and 0 <= amount <= 2**41; the product is formed in two steps of 20 bits.
    """
    high = np.uint64(part) >> np.uint64(20)
    low = np.uint64(part) & np.uint64(0xFFFFF)
    divisor = np.uint64(max(whole, np.int64(1)))
    first = np.uint64(amount) * high
    rest = (first % divisor << np.uint64(20)) + np.uint64(amount) * low
    quotient = (first // divisor << np.uint64(20)) + rest // divisor
    return np.int64(quotient) + (np.int64(1) if 2 * (rest % divisor) >= divisor else np.int64(0))
