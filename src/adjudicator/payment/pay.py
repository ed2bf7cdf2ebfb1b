"""Provider payment over columns: the fund's debt to the institution for each claim (供方支付)."""

from __future__ import annotations

import numpy as np

from adjudicator.payment.compile import PaymentRules
from adjudicator.payment.kernel import ClaimCodes, Tables, pay_claims

_NO_IDS = np.zeros(1, np.int32)


def tables(rules: PaymentRules) -> Tables:
    """The arrays of the rules as the kernel takes them; no copy."""
    return Tables(**{name: getattr(rules, name) for name in Tables._fields})


def pay(bundle, claims, splits, benefits, groups, out, codes=None) -> None:
    """Fills ``out`` (PAYMENT, one row a claim) with method, points, provisional value and amount due.

    ``claims`` CLAIM, ``splits`` SPLIT, ``benefits`` BENEFIT, ``groups`` GROUP: one row a claim; ``codes`` are ids of
    ``grouping.group.GroupColumns``, needed only where ``bundle.payment.needs_codes``. ``due_fen`` is what the funds
    named by the pack's ``clearing_funds`` owe: points x value less the patient's and the other funds' payments in
    total-cost mode (payment-rules 1.7), and it may be negative; ``by_item_fen`` is what they would
    owe by item. Expected errors are numbers 8001 to 8006 in
    ``out["error"]``; a claim or benefit that has an error already gives zeros.
    """
    rules = bundle.payment
    if codes is None:
        if rules.needs_codes:
            raise ValueError("some payment rule asks for diagnoses or procedures: pass codes")
        offsets = np.zeros(claims.shape[0] + 1, np.int64)
        ids = ClaimCodes(offsets, _NO_IDS, offsets, _NO_IDS)
    else:
        ids = ClaimCodes(
            np.asarray(codes.diagnosis_offsets, np.int64), np.asarray(codes.diagnoses, np.int32),
            np.asarray(codes.procedure_offsets, np.int64), np.asarray(codes.procedures, np.int32),
        )  # fmt: skip
    pay_claims(tables(rules), claims, splits, benefits, groups, ids, out)
