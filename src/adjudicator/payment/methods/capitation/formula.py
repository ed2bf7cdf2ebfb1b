"""What is due for the claim of a signed person: nothing. Contracts in their compiled form."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjudicator.compiled.jit import uncounted_inlined
from adjudicator.payment.case import PAID, Case, ClaimCodes

CONTRACT = np.dtype([("hospital", "i8"), ("scheme", "i8"), ("from_date", "i8"), ("to_date", "i8")], align=True)
"""One contract; dates YYYYMMDD, both inclusive."""


@uncounted_inlined
def signed(rules: Any, claim: Any, pack: Any, date: int) -> bool:
    """Return whether the person is signed with the institution and it has a contract on the day."""
    found = False
    if claim.at_signed_institution != 0:
        for place in range(pack.contract_start, pack.contract_end):
            contract = rules.contracts[place]
            if (
                contract.hospital == claim.hospital
                and contract.scheme == claim.scheme
                and contract.from_date <= date <= contract.to_date
            ):
                found = True
    return found


@uncounted_inlined
def nothing_for_the_claim(rules: Any, codes: ClaimCodes, case: Case, table: int, due: Any) -> int:
    """Pay nothing: the contract pays a quota for each person."""
    due.due_fen = 0
    return PAID
