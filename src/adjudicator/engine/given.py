"""The year each claim of a round is priced over: the ledger's, or the one that the claim brings from the platform.

A claim that brings its accumulators [5206] is priced over these; what it adds is added to the ledger's year as well, so
that the ledger's year stays the sum of its settlements.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adjudicator.columns import QUOTA, SLOT
from adjudicator.engine.lookup import Lookup
from adjudicator.engine.state import PersonYears, quota_key
from adjudicator.errors import E
from adjudicator.limits import MAX_AMOUNT_FEN
from adjudicator.rules.bundle import Bundle
from adjudicator.rules.options import QuotaPeriod


def period_of(date: int, kind: QuotaPeriod) -> int:
    """The period of a date YYYYMMDD: YYYY, YYYYQ or YYYYMM.

    >>> period_of(20240531, QuotaPeriod.QUARTER)
    20242
    """
    year, month = date // 10_000, date // 100 % 100
    if kind == QuotaPeriod.MONTH:
        return year * 100 + month
    if kind == QuotaPeriod.QUARTER:
        return year * 10 + (month + 2) // 3
    return year


@dataclass(slots=True)
class ClaimYears:
    """One row a claim: ``slots`` int64[k, 64] and ``quotas`` QUOTA[k] are what the benefit kernel updates."""

    slots: np.ndarray
    quotas: np.ndarray
    slots_before: np.ndarray
    quota_before: np.ndarray
    ledger_quota: np.ndarray
    """int64[k]: the ledger's use of the claim's quota before the claim."""

    @classmethod
    def gather(
        cls, bundle: Bundle, lookup: Lookup, batch, rows: np.ndarray, claims: np.ndarray, state_rows: np.ndarray,
        years: PersonYears,
    ) -> ClaimYears:  # fmt: skip
        """Copies the years of a round and sets ``claims["state"]`` and ``claims["quota"]``."""
        count = rows.shape[0]
        slots = years.slots[state_rows]
        quotas = np.zeros(count, QUOTA)
        claims["state"] = np.arange(count)
        claims["quota"] = -1
        for position in np.flatnonzero((claims["disease"] >= 0) & (claims["error"] == 0)).tolist():
            disease = bundle.packs[claims["pack"][position]].diseases[claims["disease"][position]]
            if disease.period != QuotaPeriod.NONE:
                key = quota_key(disease.code, period_of(int(claims["rule_date"][position]), disease.period))
                used = years.quotas.get((int(state_rows[position]), key), 0)
                quotas[position] = (key, used)
                claims["quota"][position] = position
        ledger_quota = quotas["used_fen"].copy()
        for position in np.flatnonzero((claims["accumulators_given"] != 0) & (claims["error"] == 0)).tolist():
            if not _read_given(batch, int(rows[position]), slots[position], quotas[position : position + 1]):
                claims["error"][position] = int(E.INVALID_ACCUMULATOR)
        return cls(slots, quotas, slots.copy(), quotas["used_fen"].copy(), ledger_quota)

    def give_back(self, state_rows: np.ndarray, years: PersonYears) -> None:
        """Adds what the claims changed to the years."""
        years.slots[state_rows] += self.slots - self.slots_before
        used = self.ledger_quota + self.quotas["used_fen"] - self.quota_before
        for position in np.flatnonzero(self.quotas["key"]).tolist():
            years.quotas[int(state_rows[position]), int(self.quotas["key"][position])] = int(used[position])


def _read_given(batch, row: int, slots: np.ndarray, quota: np.ndarray) -> bool:
    """Replaces a claim's year by the one it brings; False for an unknown name or an impossible amount."""
    tables = batch.decoded.tables
    given = tables["accumulators"][int(tables[""]["accumulators"][row])]
    slots[:] = 0
    quota["used_fen"] = 0
    for entry in tables["accumulators.entries"][int(given["entries_start"]) : int(given["entries_end"])]:
        name = _text(batch.heap, entry, "name")
        value = int(entry["value"])
        if not 0 <= value <= MAX_AMOUNT_FEN:
            return False
        if entry["disease_code_size"]:
            if quota_key(_text(batch.heap, entry, "disease_code"), int(entry["period"])) == int(quota["key"][0]):
                quota["used_fen"] = value
        elif name in SLOT:
            slots[SLOT[name]] = value
        else:
            return False
    return True


def _text(heap: np.ndarray, entry: np.void, name: str) -> str:
    start = int(entry[f"{name}_start"])
    return bytes(heap[start : start + int(entry[f"{name}_size"])]).decode()
