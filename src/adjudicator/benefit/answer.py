"""The result row of a claim.

An amount of the work record that has the name of a column of the result is copied there, and the payers of
``payers.PAYERS`` give the sums; so a payer is named by its own stage and by that table, and not here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from adjudicator.benefit.records import PART, WORK, common_words, words_called
from adjudicator.columns import BENEFIT
from adjudicator.compiled.jit import inlined
from adjudicator.options import Payer
from adjudicator.payers import PAYERS, Identity
from adjudicator.rounding import PPM

COPIED = common_words(WORK, BENEFIT)
OF_PART = common_words(WORK, PART)
FUND_WORDS, ACCOUNT_WORDS = (
    words_called(BENEFIT, [column for payer in PAYERS if payer.identity is identity for column in payer.columns])
    for identity in (Identity.FUND, Identity.ACCOUNT)
)


@inlined
def copy_words(source: np.ndarray, target: np.ndarray, row: Any) -> None:
    """Copy the amounts of the work record to the row of the result."""
    for k in range(COPIED.shape[0]):
        place = np.uint64(k)
        target[row, COPIED[place, np.uint64(1)]] = source[COPIED[place, np.uint64(0)]]


@inlined
def copy_part(source: np.ndarray, target: np.ndarray, row: Any) -> None:
    """Copy the amounts of the work record to the row of what the claim is as a part of its stay."""
    for k in range(OF_PART.shape[0]):
        place = np.uint64(k)
        target[row, OF_PART[place, np.uint64(1)]] = source[OF_PART[place, np.uint64(0)]]


@inlined
def sum_words(words: np.ndarray, row: Any, places: np.ndarray) -> int:
    """Return the sum of some words of a row."""
    total = 0
    for k in range(places.shape[0]):
        total += words[row, places[np.uint64(k)]]
    return total


@inlined
def write_payers(plan: Any, work: Any, answer: Any) -> None:
    """Give the payments above the cap and of catastrophic insurance to the payer that the plan names (R10)."""
    large_sum, catastrophic = work.large_sum_fen, work.catastrophic_fen
    if plan.above_cap_payer == Payer.CATASTROPHIC:
        answer.large_sum_fen -= large_sum
        answer.catastrophic_fen += large_sum
    if plan.catastrophic_payer != Payer.CATASTROPHIC:
        answer.catastrophic_fen -= catastrophic
        answer.large_sum_fen += catastrophic
    counts = plan.counts_admission != 0 and work.in_chain == 0 and work.stay_row == 0
    answer.counts_as_admission = 1 if counts else 0


@inlined
def write(work: Any, answer: Any, words: np.ndarray, row: Any) -> None:
    """Fill the sums of the row; the identities F1, F2 and P1 hold by construction."""
    write_own(work, answer)
    answer.fund_total_fen = sum_words(words, row, FUND_WORDS)
    answer.personal_total_fen = sum_words(words, row, ACCOUNT_WORDS) + work.cash_fen


@inlined
def write_own(work: Any, answer: Any) -> None:
    """Fill what has another name in the work record or is no amount of a stage."""
    answer.counts_as_admission = answer.unverified = answer.padding = 0
    answer.deductible_standard_fen = work.standard_fen
    answer.deductible_due_fen = work.due_fen
    answer.other_fen += work.programme_fen


@inlined
def pooled_rate(work: Any) -> int:
    """Return what the pooled fund paid of the cost in scope above the deductible, half up."""
    shared = work.in_scope_fen - work.deductible_fen
    return (2 * work.pooled_fen * PPM + shared) // (2 * shared) if shared > 0 else 0


@inlined
def clear_row(words: np.ndarray, row: Any) -> None:
    """Set every word of a row of the result to 0."""
    for place in range(words.shape[1]):
        words[row, np.uint64(place)] = 0
