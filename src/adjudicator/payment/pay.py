"""Provider payment over columns: the fund's debt to the institution for each claim (供方支付)."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjudicator.payment.case import ClaimCodes
from adjudicator.payment.kernel import pay_claims

_NO_IDS = np.zeros(1, np.int32)


def pay(
    bundle: Any,
    claims: np.ndarray,
    splits: np.ndarray,
    benefits: np.ndarray,
    groups: np.ndarray,
    out: np.ndarray,
    codes: Any = None,
) -> None:
    """Fill ``out`` (PAYMENT, one row a claim) with method, points, provisional value and amount due.

    ``claims`` CLAIM, ``splits`` SPLIT, ``benefits`` BENEFIT, ``groups`` GROUP: one row a claim; ``codes`` are ids of
    ``grouping.group.GroupColumns``, needed only where ``bundle.payment.needs_codes``. ``due_fen`` is what the funds
    named by the pack's ``clearing_funds`` owe: points x value less the patient's and the other funds' payments in
    total-cost mode (docs/law.md#S-27), and it may be negative; ``by_item_fen`` is what they would owe by item.
    Expected errors are numbers 8001 to 8006 in ``out["error"]``; a claim or benefit that has an error already gives
    zeros.
    """
    pay_claims(bundle.payment.tables, claims, splits, benefits, groups, code_ids(bundle, len(claims), codes), out)


def code_ids(bundle: Any, count: int, codes: Any) -> ClaimCodes:
    """Return the ids of ``codes``, or those of so many claims without any where no rule asks for them."""
    if codes is None:
        if bundle.payment.needs_codes:
            raise ValueError("some payment rule asks for diagnoses or procedures: pass codes")
        offsets = np.zeros(count + 1, np.int64)
        return ClaimCodes(offsets, _NO_IDS, offsets, _NO_IDS)
    return ClaimCodes(
        np.asarray(codes.diagnosis_offsets, np.int64), np.asarray(codes.diagnoses, np.int32),
        np.asarray(codes.procedure_offsets, np.int64), np.asarray(codes.procedures, np.int32),
    )  # fmt: skip
