"""Kernels of a round of pricing: the years are copied, the claims priced over them, and what changed is given back."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from adjudicator.benefit.cascade import settle_claims
from adjudicator.benefit.records import WORK, YEAR
from adjudicator.benefit.tables import PART_WIDTH, Claims
from adjudicator.columns import GROUP, SPLIT
from adjudicator.compiled.held import Held
from adjudicator.compiled.jit import kernel, uncounted_kernel
from adjudicator.errors import E
from adjudicator.payment.case import ClaimCodes
from adjudicator.payment.kernel import pay_claims

RULE_UNDEFINED = int(E.RULE_UNDEFINED)

# What a round has that few rounds have, as bits.
HAS_DISEASE, HAS_YEAR = 1, 2
IS_UNDEFINED, IS_REFUSED = 1, 2


class Round(NamedTuple):
    """The claims of a round, k of them, and the years that they are priced over."""

    claims: np.ndarray  # CLAIM[k]
    rows: np.ndarray  # int64[k]: rows of the batch
    state_rows: np.ndarray  # int64[k]: rows of the persons' years
    slots: np.ndarray  # int64[k, ACCUMULATOR_COUNT]: each claim's year
    quotas: np.ndarray  # QUOTA[k]
    ledger_quotas: np.ndarray  # int64[k]: use of the quota in the ledger's year
    stay_years: np.ndarray  # int64[m, ACCUMULATOR_COUNT], at least one row; as ``benefit.tables.Stays``
    stay_parts: np.ndarray  # PART[1 + m]
    parts: np.ndarray  # PART[k], or no row where nobody asks


class Around(NamedTuple):
    """Columns of the result that say what a claim changed; ``chosen`` int64[k] are the positions of the round."""

    chosen: np.ndarray
    before: np.ndarray
    after: np.ndarray
    seen: np.ndarray
    quota_keys: np.ndarray
    quota_before: np.ndarray
    quota_after: np.ndarray
    quota_seen: np.ndarray


@uncounted_kernel
def begin_round(claims: np.ndarray, state_rows: np.ndarray, years: np.ndarray, slots: np.ndarray) -> int:
    """Copy each claim's year of ``years`` int64[m, :] to ``slots`` int64[k, :]; return what few rounds have."""
    found = 0
    for i in range(claims.shape[0]):
        claim, row = claims[np.uint64(i)], np.uint64(state_rows[i])
        claim.state, claim.quota = i, -1
        for slot in range(slots.shape[1]):
            slots[np.uint64(i), np.uint64(slot)] = years[row, np.uint64(slot)]
        if claim.error == 0:
            found |= HAS_DISEASE if claim.disease >= 0 else 0
            found |= HAS_YEAR if claim.accumulators_given != 0 else 0
    return found


@uncounted_kernel
def _give_back(
    round_: Round, slots_before: np.ndarray, used_before: np.ndarray, benefits: np.ndarray, years: np.ndarray,
    around: Around,
) -> int:  # fmt: skip
    """Add what the claims changed to the persons' years, note it, and take over their errors."""
    found = 0
    for index in range(round_.claims.shape[0]):
        i = np.uint64(index)
        claim, row, place = round_.claims[i], np.uint64(round_.state_rows[i]), np.uint64(around.chosen[i])
        if claim.error == 0 and benefits[i].error != 0:
            claim.error = benefits[i].error
        found |= IS_UNDEFINED if claim.error == RULE_UNDEFINED else 0
        found |= IS_REFUSED if claim.error != 0 else 0
        claim.state, claim.quota, claim.stay_row, claim.stay_row_over_years = -1, -1, 0, 0  # of this round only
        for number in range(years.shape[1]):
            slot = np.uint64(number)
            around.seen[place, slot] = slots_before[i, slot]
            around.before[place, slot] = years[row, slot]
            years[row, slot] += round_.slots[i, slot] - slots_before[i, slot]
            around.after[place, slot] = years[row, slot]
        quota, ledger = round_.quotas[i], round_.ledger_quotas[i]
        around.quota_keys[place], around.quota_seen[place] = quota.key, used_before[i]
        around.quota_before[place] = ledger
        around.quota_after[place] = ledger + quota.used_fen - used_before[i]
    return found


@kernel
def price_round(
    held: Held, round_: Round, splits: np.ndarray, lines_in_scope: np.ndarray, benefits: np.ndarray, years: np.ndarray,
    around: Around,
) -> int:  # fmt: skip
    """Price the claims of a round, at most one a person, and update ``years`` int64[m, ACCUMULATOR_COUNT] in place.

    ``splits`` SPLIT[n] are those of the batch, ``benefits`` BENEFIT[k] is zero before. Returns what few rounds have.
    ``held``: ``benefit.tables.Rules``.
    """
    claims, rows, slots, parts = round_.claims, round_.rows, round_.slots, round_.parts
    count, width = slots.shape
    own = np.empty(count, SPLIT)
    used_before = np.empty(count, np.int64)
    for i in range(count):
        own[i] = splits[rows[i]]
        used_before[i] = round_.quotas[i].used_fen
    slots_before, work = slots.copy(), np.empty(1, WORK)
    stay_years = round_.stay_years
    batch = Claims(
        claims, own, lines_in_scope, slots.reshape(count * width).view(YEAR), slots, round_.quotas, np.zeros(1, YEAR),
        stay_years.reshape(stay_years.shape[0] * width).view(YEAR), round_.stay_parts,
        parts.view(np.int64).reshape(parts.shape[0], PART_WIDTH),
    )  # fmt: skip
    words = benefits.view(np.int64).reshape(count, benefits.itemsize // 8)
    settle_claims(held.it, batch, work, work.view(np.int64), benefits, words)
    return _give_back(round_, slots_before, used_before, benefits, years, around)


class Priced(NamedTuple):
    """Claims that were priced, ``rows`` int64[k] of their batch."""

    rows: np.ndarray
    claims: np.ndarray  # CLAIM[k]
    benefits: np.ndarray  # BENEFIT[k]
    codes: ClaimCodes


@kernel
def pay_result(held: Held, priced: Priced, splits: np.ndarray, groups: np.ndarray, out: np.ndarray) -> int:
    """Fill ``out`` PAYMENT[k] and return how many claims could not be paid for.

    ``splits`` SPLIT[n] and ``groups`` GROUP[n] are those of the batch. ``held``: ``payment.tables.Tables``.
    """
    rows = priced.rows
    count, wrong = rows.shape[0], 0
    own, grouped = np.empty(count, SPLIT), np.empty(count, GROUP)
    for i in range(count):
        own[i], grouped[i] = splits[rows[i]], groups[rows[i]]
    pay_claims(held.it, priced.claims, own, priced.benefits, grouped, priced.codes, out)
    for i in range(count):
        wrong += out[i].error != 0
    return wrong
