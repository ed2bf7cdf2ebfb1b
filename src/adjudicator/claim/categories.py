"""Persons of several assistance categories: the one that pays most counts, once (reading R11).

With thresholds and limits that need not be the one with the highest rate, so each category is priced over the person's
year and the one with the largest sum of all funds is kept; of equal ones the first that the claim names.
"""

from __future__ import annotations

import numpy as np

from adjudicator import columns
from adjudicator.benefit import settle as benefit
from adjudicator.benefit.records import WORK
from adjudicator.benefit.tables import Claims
from adjudicator.claim.batch import Resolved
from adjudicator.claim.years import ClaimYears
from adjudicator.errors import E
from adjudicator.rules.bundle import Bundle


def choose_categories(
    bundle: Bundle,
    resolved: Resolved,
    rows: np.ndarray,
    claims: np.ndarray,
    years: ClaimYears,
    in_scope: np.ndarray,
) -> None:
    """Set ``assistance`` of the claims of a round that name further categories; an unknown name is an error.

    ``rows`` int64[k] of the batch, ``claims`` CLAIM[k] of the round, which it changes.
    """
    wire = resolved.incoming.claims
    named = wire["other_assistance_categories_end"][rows] > wire["other_assistance_categories_start"][rows]
    for position in np.flatnonzero(named & (claims["error"] == 0)).tolist():
        row = int(rows[position])
        known = bundle.lookup.assistance[claims["pack"][position]]
        names = [resolved.incoming.text(row, "assistance_category"), *_others(resolved, row)]
        if any(name not in known for name in names):
            claims["error"][position] = int(E.UNKNOWN_ASSISTANCE_CATEGORY)
            continue
        numbers = list(dict.fromkeys(known.index(name) for name in names if name))
        one = slice(position, position + 1)
        split = resolved.splits[row : row + 1].copy()
        totals = [_funds(bundle, (claims[one], split), (years, one), number, in_scope) for number in numbers]
        claims["assistance"][position] = numbers[totals.index(max(totals))] if numbers else 0


def _others(resolved: Resolved, row: int) -> list[str]:
    wire = resolved.incoming.claims[row]
    start, end = int(wire["other_assistance_categories_start"]), int(wire["other_assistance_categories_end"])
    return resolved.incoming.texts("other_assistance_categories", start, end)


def _funds(
    bundle: Bundle,
    claim_and_split: tuple[np.ndarray, np.ndarray],
    year: tuple[ClaimYears, slice],
    category: int,
    in_scope: np.ndarray,
) -> int:
    """Return what all funds would pay of one claim under a category; nothing is changed."""
    claim, split = claim_and_split
    years, one = year
    trial, out = claim.copy(), np.zeros(1, columns.BENEFIT)
    trial["assistance"], trial["state"] = category, 0
    trial["quota"] = np.where(trial["quota"] >= 0, 0, -1)
    slots, quotas = years.slots[one].copy(), years.quotas[one].copy()
    batch = Claims.over(trial, split, in_scope, slots, quotas, years.stays)
    benefit.run(bundle.benefit, batch, out, np.empty(1, WORK))
    return int(out["fund_total_fen"][0]) if trial["error"][0] == 0 else -1
