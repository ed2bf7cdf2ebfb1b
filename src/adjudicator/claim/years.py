"""The year each claim of a round is priced over: the ledger's, or the one that the claim brings from the platform.

A claim that brings its accumulators [5206] is priced over these; what it adds is added to the ledger's year as well, so
that the ledger's year stays the sum of its settlements.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from adjudicator.benefit.records import PART
from adjudicator.benefit.tables import NO_STAYS, Stays
from adjudicator.claim.incoming import Incoming
from adjudicator.claim.kin import ELSEWHERE
from adjudicator.claim.problems import Detail
from adjudicator.claim.round_kernel import HAS_DISEASE, HAS_YEAR, begin_round
from adjudicator.claim.state import UNKNOWN_CHAIN, PersonYears, StayParts, quota_key
from adjudicator.columns import ACCUMULATOR_COUNT, QUOTA, SLOT
from adjudicator.errors import E
from adjudicator.limits import MAX_AMOUNT_FEN
from adjudicator.options import QuotaPeriod
from adjudicator.rules.bundle import Bundle

QUOTA_NAME = "quota_fen"
"""Name of what a disease's quota has used up; it goes with a disease code and a period."""


def period_of(date: int, kind: QuotaPeriod) -> int:
    """Return the period of a date YYYYMMDD: YYYY, YYYYQ or YYYYMM.

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
    ledger_quota: np.ndarray
    """int64[k]: the ledger's use of the claim's quota before the claim."""
    stays: Stays
    """Stays that go on; ``stay_row`` of a claim is 1 + row."""

    @classmethod
    def gather(
        cls,
        bundle: Bundle,
        incoming: Incoming,
        rows: np.ndarray,
        claims: np.ndarray,
        state_rows: np.ndarray,
        years: PersonYears,
        details: dict[int, Detail],
    ) -> ClaimYears:
        """Copy the years of a round and set ``claims["state"]``, ``claims["quota"]`` and those of a stay in parts.

        ``claims`` CLAIM[k] are those of the round, ``rows`` and ``state_rows`` int64[k]; a claim that brings a wrong
        year gets an error, and ``details`` (by row) says what is wrong.
        """
        count = rows.shape[0]
        slots = np.empty((count, ACCUMULATOR_COUNT), np.int64)
        quotas, ledger_quota = np.zeros(count, QUOTA), np.zeros(count, np.int64)
        found = begin_round(claims, state_rows, years.slots, slots)
        if found & HAS_DISEASE:
            for position in np.flatnonzero((claims["disease"] >= 0) & (claims["error"] == 0)).tolist():
                disease = bundle.packs[claims["pack"][position]].diseases[claims["disease"][position]]
                if disease.period != QuotaPeriod.NONE:
                    key = quota_key(disease.code, period_of(int(claims["rule_date"][position]), disease.period))
                    used = years.quotas.get((int(state_rows[position]), key), 0)
                    quotas[position] = (key, used)
                    claims["quota"][position] = position
            ledger_quota = quotas["used_fen"].copy()
        if found & HAS_YEAR:
            for position in np.flatnonzero((claims["accumulators_given"] != 0) & (claims["error"] == 0)).tolist():
                year, quota = int(claims["benefit_year"][position]), quotas[position : position + 1]
                wrong = _read_given(incoming, int(rows[position]), year, slots[position], quota)
                if wrong:
                    claims["error"][position] = int(E.INVALID_ACCUMULATOR)
                    details[int(rows[position])] = Detail(wrong)
        if years.chains:
            join_chains(claims, rows, years.chains)
        stays = join_stays(claims, rows, years.stays) if years.stays else NO_STAYS
        return cls(slots, quotas, ledger_quota, stays)

    def add_elsewhere(self, claims: np.ndarray, amounts: np.ndarray) -> np.ndarray:
        """Add what other schemes' years have of the amounts that count together, int64[k, len(ELSEWHERE)].

        Return what was added: nothing to a claim (CLAIM[k]) that brought its year with it.
        """
        added: np.ndarray = np.where(claims["accumulators_given"][:, None] != 0, 0, amounts)
        self.slots[:, ELSEWHERE] += added
        return added

    def give_quotas_back(self, state_rows: np.ndarray, used: np.ndarray, years: PersonYears) -> None:
        """Write what the disease quotas of the years have used after the claims, int64[k] fen."""
        for position in self.quotas["key"].nonzero()[0].tolist():
            years.quotas[int(state_rows[position]), int(self.quotas["key"][position])] = int(used[position])


def join_chains(claims: np.ndarray, rows: np.ndarray, chains: Mapping[int, int]) -> None:
    """Write to the claims (CLAIM[k], ``rows`` of the batch) what their referral chains have been charged.

    The amount that a claim states counts only where the ledger does not know the earlier stay; with neither, the stay
    is one of its own (V03).
    """
    for position, row in enumerate(rows.tolist()):
        charged_fen = chains.get(row)
        if charged_fen is None:
            continue
        if charged_fen != UNKNOWN_CHAIN:
            claims["chain_deductible_fen"][position] = charged_fen
        elif claims["chain_deductible_fen"][position] == 0:
            claims["chain_continues"][position] = 0


def join_stays(claims: np.ndarray, rows: np.ndarray, stays: Mapping[int, StayParts]) -> Stays:
    """Tell the claims (CLAIM[k], ``rows`` of the batch) about the earlier parts of their stays.

    Return these stays. Parts of one benefit year have one row for both readings of ``deductible_over_year``.
    """
    slots, sums = [], [np.zeros(1, PART)]
    for position, row in enumerate(rows.tolist()):
        parts = stays.get(row)
        if parts is None:
            continue
        slots.append(parts.begun_over_years)
        sums.append(parts.sums_over_years)
        claims["stay_row_over_years"][position] = len(slots)
        claims["stay_charged_over_years_fen"][position] = parts.charged_over_years_fen
        if parts.begun is None:
            continue
        if parts.begun is not parts.begun_over_years:
            slots.append(parts.begun)
            sums.append(parts.sums)
        claims["stay_row"][position], claims["stay_charged_fen"][position] = len(slots), parts.charged_fen
    return Stays(np.array(slots, np.int64).reshape(-1, ACCUMULATOR_COUNT), np.concatenate(sums))


def _read_given(incoming: Incoming, row: int, year: int, slots: np.ndarray, quota: np.ndarray) -> str:
    """Replace a claim's year by the one it brings and return which part is wrong, "" where none is.

    Wrong is another year than the claim's, an unknown name, a name given twice and an impossible amount.
    """
    tables = incoming.decoded.tables
    given = tables["accumulators"][int(incoming.claims["accumulators"][row])]
    if int(given["year"]) not in (0, year):
        return f"year ≠ {year}"
    slots[:] = 0
    quota["used_fen"] = 0
    seen = set()
    for position in range(int(given["entries_start"]), int(given["entries_end"])):
        entry = tables["accumulators.entries"][position]
        name, disease = _text(incoming.heap, entry, "name"), _text(incoming.heap, entry, "disease_code")
        named = (name, disease, int(entry["period"]) if disease else 0)
        known = name == QUOTA_NAME if disease else name in SLOT
        if not known or named in seen or not 0 <= entry["value"] <= MAX_AMOUNT_FEN:
            return f"entries[{position - int(given['entries_start'])}]"
        seen.add(named)
        if not disease:
            slots[SLOT[name]] = entry["value"]
        elif quota_key(disease, named[2]) == int(quota["key"][0]):
            quota["used_fen"] = entry["value"]
    return ""


def _text(heap: np.ndarray, entry: np.void, name: str) -> str:
    start = int(entry[f"{name}_start"])
    return bytes(heap[start : start + int(entry[f"{name}_size"])]).decode()
