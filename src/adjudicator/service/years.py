"""The years that the claims of a batch are priced over: each person's own, and the person's other ones."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from adjudicator.claim.batch import Resolved, Result
from adjudicator.claim.care_days import StoredDays
from adjudicator.claim.kin import Kin, name_years
from adjudicator.claim.state import PersonYears
from adjudicator.ledger.states import StateRead
from adjudicator.rules.bundle import Bundle

NO_ROWS = np.zeros(0, np.int64)


def year_keys(bundle: Bundle, resolved: Resolved, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, Kin]:
    """Return the names of all years to read, uint8[m, 16], for each of ``rows`` its own among them, and its kin."""
    return name_years(bundle, resolved.incoming, resolved.claims, resolved.state_keys, rows)


def person_years(states: StateRead, own: np.ndarray, kin: Kin) -> PersonYears:
    """Return the years as read, one row each; pricing may write to them. ``own`` int64[k]: row of each claim's year."""
    days = StoredDays(states.days_offsets[:-1], states.days_offsets[1:], states.days)
    years = PersonYears(states.slots.copy(), days=days)
    if len(states.quotas):
        years.quotas = _quotas(states, np.arange(len(states.keys)))
    # A claim of the batch may be in another's other year.
    if np.count_nonzero(states.versions[kin.rows]) or (len(own) > 1 and (kin.rows <= own.max()).any()):
        years.kin = kin
    return years


def years_of_each(states: StateRead, own: np.ndarray, kin: Kin) -> PersonYears:
    """Return years in which each claim is alone: row i is a copy of the year ``own[i]``, the other years follow."""
    rows = np.concatenate((own, kin.rows))
    days = StoredDays(states.days_offsets[rows], states.days_offsets[rows + 1], states.days)
    moved = kin._replace(rows=len(own) + np.arange(len(kin.rows)))
    return PersonYears(states.slots[rows], _quotas(states, rows), days=days, kin=moved)


def _quotas(states: StateRead, rows: np.ndarray) -> dict[tuple[int, int], int]:
    """Return the disease quotas of some states, by their position among ``rows``."""
    quotas = [states.quotas_of(row) for row in rows.tolist()]
    return {(place, key): fen for place, mapping in enumerate(quotas) for key, fen in mapping.items()}


def guarded(result: Result, kept: np.ndarray, kin: Kin, strict: np.ndarray, parts: Collection[int]) -> np.ndarray:
    """Return the rows of the other years that must be as they were read when the claims ``kept`` are written.

    They are those that decided an amount or a refusal: of assisted persons, of stays that go on (``parts``: rows of the
    batch), and where the pack refuses overlaps (``strict`` bool[packs]).
    """
    claims = result.claims[kept]
    asked = (claims["assistance"] > 0) | strict[claims["pack"]]
    if parts:
        asked |= np.isin(result.rows[kept], list(parts))
    if not asked.any():
        return NO_ROWS
    ranges = zip(kin.starts[kept][asked].tolist(), kin.ends[kept][asked].tolist(), strict=True)
    rows = {row for start, end in ranges for row in kin.rows[start:end].tolist()}
    return np.array(sorted(rows.difference(result.state_rows[kept].tolist())), np.int64)
