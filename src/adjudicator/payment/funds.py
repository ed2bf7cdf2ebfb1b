"""The funds whose payments by item a payment method can replace (``clearing_funds`` of payment.toml)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from adjudicator.compiled.jit import uncounted_inlined
from adjudicator.payers import FUNDS, Payer

CLEARING_FUNDS: dict[str, Payer] = {payer.id: payer for payer in FUNDS}
"""Word of payment.toml and the fund."""


def funds_mask(words: Iterable[str]) -> int:
    """Return the set of some funds, one bit each in the order of ``payers.FUNDS``.

    >>> funds_mask(["pooled", "catastrophic"])
    5
    """
    return sum(1 << place for place, word in enumerate(CLEARING_FUNDS) if word in set(words))


@uncounted_inlined
def _nothing(mask: Any, benefit: Any) -> Any:
    return 0


def _and(place: int, column: str, others: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    bit = np.uint64(1 << place)

    @uncounted_inlined
    def paid(mask: Any, benefit: Any) -> Any:
        own = benefit[column] if mask & bit else 0
        return others(mask, benefit) + own

    return paid


def _sum_of_columns() -> Callable[[Any, Any], Any]:
    total: Callable[[Any, Any], Any] = _nothing
    for place, payer in enumerate(CLEARING_FUNDS.values()):
        for column in payer.columns:
            total = _and(place, column, total)
    return total


clearing_fund_fen = _sum_of_columns()
"""Compiled: what the funds of a mask pay of a claim (row of BENEFIT) by the benefit rules, in fen."""
