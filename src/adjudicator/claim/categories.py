"""Persons of several assistance categories: the one that pays most counts, once (reading R11).

With thresholds and limits that need not be the one with the highest rate, so each category is priced over the person's
year and the one with the largest sum of all funds is kept; of equal ones the first that the claim names.
"""

from __future__ import annotations

import numpy as np

from adjudicator import columns
from adjudicator.benefit import settle as benefit
from adjudicator.claim.batch import Batch
from adjudicator.claim.years import ClaimYears
from adjudicator.errors import E
from adjudicator.rules.bundle import Bundle


def choose_categories(
    bundle: Bundle, batch: Batch, rows: np.ndarray, claims: np.ndarray, years: ClaimYears, in_scope: np.ndarray | None
) -> None:
    """Sets ``assistance`` of the claims of a round that name further categories; an unknown name is an error."""
    wire = batch.decoded.tables[""]
    named = wire["other_assistance_categories_end"][rows] > wire["other_assistance_categories_start"][rows]
    for position in np.flatnonzero(named & (claims["error"] == 0)).tolist():
        row = int(rows[position])
        known = bundle.lookup.assistance[claims["pack"][position]]
        names = [batch.text(row, "assistance_category"), *_others(batch, row)]
        if any(name not in known for name in names):
            claims["error"][position] = int(E.UNKNOWN_ASSISTANCE_CATEGORY)
            continue
        numbers = list(dict.fromkeys(known.index(name) for name in names if name))
        one = slice(position, position + 1)
        totals = [
            _funds(bundle, claims[one], batch.splits[row : row + 1], years, one, number, in_scope) for number in numbers
        ]
        claims["assistance"][position] = numbers[totals.index(max(totals))] if numbers else 0
        batch.claims["assistance"][row] = claims["assistance"][position]


def _others(batch: Batch, row: int) -> list[str]:
    wire = batch.decoded.tables[""][row]
    start, end = int(wire["other_assistance_categories_start"]), int(wire["other_assistance_categories_end"])
    texts = batch.decoded.tables["other_assistance_categories"][start:end]
    return [bytes(batch.heap[int(text["start"]) : int(text["start"] + text["size"])]).decode() for text in texts]


def _funds(
    bundle: Bundle, claim: np.ndarray, split: np.ndarray, years: ClaimYears, one: slice, category: int,
    in_scope: np.ndarray | None,
) -> int:  # fmt: skip
    """What all funds would pay of one claim under a category; nothing is changed."""
    trial, out = claim.copy(), np.zeros(1, columns.BENEFIT)
    trial["assistance"], trial["state"] = category, 0
    trial["quota"] = np.where(trial["quota"] >= 0, 0, -1)
    benefit.settle(bundle, trial, split, years.slots[one].copy(), years.quotas[one].copy(), out, in_scope)
    return int(out["fund_total_fen"][0]) if trial["error"][0] == 0 else -1
