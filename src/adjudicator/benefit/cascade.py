"""The benefit cascade over columns: what each fund and the person pay, and how the person's year changes.

One pass over the claims; each is priced over its person's year, which is updated in place, so that claims of one person
run in order. The order of the stages is here, the stages are in ``stages``. Cities differ only by the values and
options of the plan row (V01–V19, ``options``).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from adjudicator.benefit.amounts import not_negative
from adjudicator.benefit.answer import clear_row, copy_part, copy_words, pooled_rate, write, write_payers
from adjudicator.benefit.choose import choose
from adjudicator.benefit.stages.above_the_cap import above_the_cap
from adjudicator.benefit.stages.account import accounts, cash
from adjudicator.benefit.stages.assistance import assistance
from adjudicator.benefit.stages.burden import left_after_pooling
from adjudicator.benefit.stages.catastrophic import catastrophic
from adjudicator.benefit.stages.cross_region import base_of_cascade, cross_region
from adjudicator.benefit.stages.deductible import deductible
from adjudicator.benefit.stages.other_payers import other_payers, programme_payer, supplementary
from adjudicator.benefit.stages.pooled_fund import pooled_fund
from adjudicator.benefit.stages.quotas import OF_QUOTA, fixed_price_excess, narrowest, quota_left, terms_of_stay
from adjudicator.benefit.stages.supplements import civil_servant, enterprise
from adjudicator.benefit.tables import Claims, Rules
from adjudicator.benefit.trace import TRACED, trace
from adjudicator.benefit.year import add_words, count_in_year
from adjudicator.compiled.jit import inlined, kernel
from adjudicator.compiled.unowned import unowned
from adjudicator.errors import E
from adjudicator.options import Position

INTERNAL = int(E.INTERNAL)


@inlined
def clear(words: np.ndarray) -> None:
    """Set every word of a work record to 0."""
    for position in range(words.shape[0]):
        words[np.uint64(position)] = 0


@inlined
def begin(claim: Any, split: Any, work: Any) -> None:
    """Fill the amounts of the claim as the line split left them; the hospital's part of the excess comes off."""
    work.total_fen = claim.total_fen
    work.self_paid_fen = split.wholly_self_paid_fen
    work.over_ceiling_fen = split.over_ceiling_fen
    work.first_pay_fen = split.first_pay_fen
    work.in_scope_fen = split.in_scope_fen
    work.copay_free_fen = min(not_negative(split.copay_free_fen), split.in_scope_fen)
    work.special_drug_fen = split.special_drug_fen
    work.special_self_paid_fen = split.special_self_paid_fen
    work.hospital_borne_fen = min(split.hospital_borne_fen, split.over_ceiling_fen)
    if TRACED:
        trace.step("wholly_self_paid", work.self_paid_fen)
        trace.step("over_ceiling", work.over_ceiling_fen)
        trace.step("first_pay", work.first_pay_fen)


@inlined
def pooled_stages(rules: Any, batch: Any, plan: Any, claim: Any, year: Any, work: Any) -> int:
    """Run stages 2 to 6, up to the payment above the cap; return the entry of the disease's quota, -1 none."""
    quota = narrowest(rules.disease_values, rules.disease_ranges, claim.disease, claim, work.group, OF_QUOTA)
    work.quota_left_fen = quota_left(rules.disease_values, quota, batch.quotas, claim)
    cross_region(plan, claim, batch.lines_in_scope, work)
    stay = batch.stay_parts[np.uint64(claim.stay_row_over_years)]
    values, ranges = rules.disease_values, rules.disease_ranges
    work.fixed_price_excess_fen = fixed_price_excess(plan, values, ranges, claim, stay, work)
    base_of_cascade(plan, claim, work)
    terms_of_stay(plan, rules, claim, work)
    # A later part of a stay owes what the whole stay owes, less what its earlier parts were charged.
    begun = batch.stay_years[np.uint64(work.stay_row - 1)] if work.stay_row > 0 else year
    work.stay_total_fen = batch.stay_parts[np.uint64(work.stay_row)].total_fen
    deductible(plan, claim, year, begun, work)
    pooled_fund(plan, claim, year, stay, work)
    above_the_cap(plan, year, work)
    return quota


@inlined
def layers(plan: Any, claim: Any, year: Any, work: Any) -> None:
    """Run stages 7 to 10 on the burden that the pooled fund left."""
    early = plan.civil_servant_position == Position.BEFORE_CATASTROPHIC
    if claim.civil_servant != 0 and early:
        civil_servant(plan, year, work)
    if plan.enterprise_position == Position.BEFORE_CATASTROPHIC:
        enterprise(plan, year, work)
    catastrophic(plan, year, work)
    if claim.civil_servant != 0 and not early:
        civil_servant(plan, year, work)
    if plan.enterprise_position != Position.BEFORE_CATASTROPHIC:
        enterprise(plan, year, work)
    assistance(plan, year, work)
    work.burden_in_scope_fen = work.left_in_scope_fen


@inlined
def last_payers(rules: Any, plan: Any, claim: Any, year: Any, work: Any) -> None:
    """Run stages 11 to 14: programme, other payers, hospital, accounts, cash."""
    if claim.programme > 0:
        programme = rules.programmes[np.uint64(claim.pack), np.uint64(claim.programme)]
        if work.plan >= 0:
            supplementary(programme, year, work)
        programme_payer(programme, work)
    other_payers(plan, claim, work)
    if work.plan >= 0:
        accounts(plan, claim, work)
    cash(work)


@inlined
def unverified(rules: Any, plan: Any, claim: Any, quota: int, work: Any) -> int:
    """Return 1 where a value that had a part in the answer is not verified."""
    doubtful = (work.stages & plan.unverified) | work.disease_unverified
    if quota >= 0:
        doubtful |= rules.disease_values[np.uint64(quota)].unverified
    if claim.programme > 0:
        doubtful |= rules.programmes[np.uint64(claim.pack), np.uint64(claim.programme)].unverified
    return 1 if doubtful != 0 else 0


@inlined
def run_stages(rules: Any, batch: Any, plan: Any, claim: Any, year: Any, work: Any) -> tuple[int, int]:
    """Run the stages of one claim over its year, which they only read.

    Return the error, 0 none, and the entry of the disease's quota, -1 none.
    """
    error, quota = 0, -1
    if work.plan >= 0:
        quota = pooled_stages(rules, batch, plan, claim, year, work)
        error = work.error
    else:
        work.base_fen = work.in_scope_fen - work.copay_free_fen
        if TRACED:
            trace.step("copay_free", work.copay_free_fen)
    if error == 0:
        left_after_pooling(work)
        if work.plan >= 0:
            layers(plan, claim, year, work)
        last_payers(rules, plan, claim, year, work)
    return error, quota


@inlined
def count(batch: Any, plan: Any, claim: Any, work: Any, words: np.ndarray) -> None:
    """Add the claim to the person's year and to the use of its quota; nothing can be refused any more."""
    if claim.state >= 0:
        count_in_year(plan, batch.years[np.uint64(claim.state)], work)
        add_words(words, batch.slots, np.uint64(claim.state))
    if claim.quota >= 0:
        batch.quotas[np.uint64(claim.quota)].used_fen += work.quota_paid_fen


@kernel
def settle_claims(
    rules: Rules, batch: Claims, works: np.ndarray, words: np.ndarray, out: np.ndarray, out_words: np.ndarray
) -> None:
    """Price the claims of a batch in order into ``out[BENEFIT]``; update ``batch.years`` and ``batch.quotas``.

    ``works`` is WORK[1], the work amounts of one claim after the other; ``words`` int64[:] and ``out_words``
    int64[n, :] are the words of ``works`` and ``out``. A claim with an error keeps an all-zero result and leaves year
    and quota untouched.
    """
    rules = Rules(
        unowned(rules.plans), unowned(rules.selector), unowned(rules.spans), unowned(rules.person_group),
        unowned(rules.disease_values), unowned(rules.disease_ranges), unowned(rules.ward_ranges),
        unowned(rules.programmes),
    )  # fmt: skip
    batch = Claims(
        unowned(batch.claims), unowned(batch.splits), unowned(batch.lines_in_scope), unowned(batch.years),
        unowned(batch.slots), unowned(batch.quotas), unowned(batch.empty_year), unowned(batch.stay_years),
        unowned(batch.stay_parts), unowned(batch.part_words),
    )  # fmt: skip
    works, words, out, out_words = unowned(works), unowned(words), unowned(out), unowned(out_words)
    for index in range(batch.claims.shape[0]):
        i = np.uint64(index)
        claim, answer, work = batch.claims[i], out[i], works[np.uint64(0)]
        if claim.error == 0:
            clear(words)
            begin(claim, batch.splits[i], work)
            error, quota = choose(rules, claim, work), -1
            plan = rules.plans[np.uint64(max(work.plan, 0))]
            if max(work.stay_row, claim.stay_row_over_years) >= batch.stay_parts.shape[0]:
                error = INTERNAL
            if error == 0:
                year = batch.years[np.uint64(claim.state)] if claim.state >= 0 else batch.empty_year[np.uint64(0)]
                error, quota = run_stages(rules, batch, plan, claim, year, work)
            if error == 0:
                copy_words(words, out_words, i)
                if index < batch.part_words.shape[0]:
                    copy_part(words, batch.part_words, i)
                write(work, answer, out_words, i)
                answer.pooled_rate_ppm = pooled_rate(work)
                if work.plan >= 0:
                    write_payers(plan, work, answer)
                    answer.unverified = unverified(rules, plan, claim, quota, work)
                    count(batch, plan, claim, work, words)
            claim.error = np.int32(error)
        if claim.error != 0:
            clear_row(out_words, i)
            answer.plan = -1
        answer.error = claim.error
