"""Claims without lines, whose parts are known: what resolving says about missing lines is taken back."""

from __future__ import annotations

import numpy as np

from adjudicator.claim.fields import PROBLEM, F
from adjudicator.errors import E
from adjudicator.limits import MAX_AMOUNT_FEN

PARTS = ("wholly_self_paid_fen", "over_ceiling_fen", "first_pay_fen", "in_scope_fen")


def take_parts(claims: np.ndarray, found: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Set the errors of claims CLAIM[n] without lines and return what is wrong with them, of ``found`` PROBLEM[k].

    ``parts`` SPLIT[n] must add up to the totals; those of a refused claim are set to 0.
    """
    kept: np.ndarray = found[found["number"] != int(E.NO_LINES)]
    amounts = np.stack([parts[name] for name in PARTS])
    below, above = (amounts < 0).any(axis=0), (amounts > MAX_AMOUNT_FEN).any(axis=0)
    whole = ~below & ~above
    differs = whole & (np.where(whole, amounts, 0).sum(axis=0) != claims["total_fen"])
    for number, wrong in (
        (E.NEGATIVE_AMOUNT, below), (E.AMOUNT_OUT_OF_RANGE, above), (E.LINES_DO_NOT_ADD_UP, differs),
    ):  # fmt: skip
        kept = _noted(kept, np.flatnonzero(wrong), number)
    kept = kept[np.lexsort((kept["number"], kept["claim"]))]
    claims["error"], claims["error_line"] = 0, -1
    owners, firsts = np.unique(kept["claim"], return_index=True)
    claims["error"][owners] = kept["number"][firsts]
    parts[claims["error"] != 0] = 0
    return kept


def _noted(found: np.ndarray, rows: np.ndarray, number: E) -> np.ndarray:
    """Return the problems with one more of each of some claims."""
    more = np.zeros(len(rows), PROBLEM)
    more["claim"], more["number"], more["field"], more["line"] = rows, int(number), F["total_fen"], -1
    return np.concatenate([found, more])
