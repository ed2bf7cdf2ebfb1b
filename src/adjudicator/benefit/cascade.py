"""The benefit cascade over columns: what each fund and the person pay, and how the person's year changes.

One pass over the claims; each is priced over its person's year, which is updated in place, so that claims of one person
run in order. Cities differ only by the values and options of the plan row. Source: benefit-rules.md sections 1 and 1.1;
national-interface.md section 6 (F1, F2, P1, B1).
"""

from __future__ import annotations

import numpy as np

from adjudicator.benefit.layers import (
    assistance,
    catastrophic,
    civil_servant,
    enterprise,
    other_payers,
    pots,
    supplementary,
)
from adjudicator.benefit.layout import (
    A_ACCOUNT,
    A_ASSISTANCE,
    A_ASSISTANCE_BASE,
    A_ASSISTANCE_OUTPATIENT,
    A_BURDEN,
    A_CII,
    A_CII_BASE,
    A_CIVIL,
    A_CIVIL_DEDUCTIBLE,
    A_COST,
    A_COST_OUTPATIENT,
    A_DEDUCTIBLE,
    A_DEDUCTIBLE_LEVEL,
    A_ENTERPRISE,
    A_HIGHEST,
    A_HIGHEST_OUTPATIENT,
    A_LARGE_SUM,
    A_LAST_STANDARD,
    A_OTHER,
    A_OUTPATIENT,
    A_OUTPATIENT_LEVEL,
    A_POOLED,
    A_POOLED_COST,
    A_PRENATAL,
    A_SHORTFALL,
    A_STAYS,
    A_STAYS_LEVEL,
    A_SUPPLEMENTARY_BASE,
    A_TILT,
    A_TILT_BASE,
    A_VISITS,
    ABOVE_CAP_PAYER,
    ACCOUNT_NONE,
    ACCOUNT_OUTPATIENT,
    ASSISTANCE_ACCOUNT,
    BEFORE_CATASTROPHIC,
    CAP_MEASURE,
    CAP_ON_COST,
    CARE_NOT_COVERED,
    CII_PAYER,
    CIVIL_POSITION,
    COST_ACCOUNT,
    COUNTS_ADMISSION,
    DEDUCTIBLE_ACCOUNT,
    DEDUCTIBLE_REFERRAL,
    DOWN,
    FILINGS,
    FIXED_PRICE,
    HAS_ASSISTANCE,
    HAS_TILT,
    LEVELS,
    LOCAL,
    NO_PLAN,
    NO_RULE_ON_DATE,
    NOT_FILED,
    OUTSIDE,
    PAID_CATEGORY,
    PAID_PRENATAL,
    PAYER_CATASTROPHIC,
    PLAN_UNVERIFIED,
    PROGRAMME_PARTS,
    REFERRAL_NORMAL,
    REQUIRES_DISEASE,
    RULE_UNDEFINED,
    SAME,
    SHARE_OF_PRICE,
    UNKNOWN_PROGRAMME,
    UP,
    W_ACCOUNT_CURRENT,
    W_ACCOUNT_FAMILY,
    W_ACCOUNT_PAST,
    W_ASSISTANCE,
    W_ASSISTANCE_BASE,
    W_BASE,
    W_BURDEN,
    W_CASH,
    W_CATEGORY,
    W_CII,
    W_CII_BASE,
    W_CIVIL,
    W_CIVIL_DEDUCTIBLE,
    W_COPAY_FREE,
    W_CROSS,
    W_DEDUCTIBLE,
    W_DUE,
    W_ENTERPRISE,
    W_ERROR,
    W_FIRST_PAY,
    W_FIXED_EXCESS,
    W_GROUP,
    W_HOSPITAL,
    W_IN_CHAIN,
    W_IN_SCOPE,
    W_LARGE_SUM,
    W_LEFT,
    W_LEFT_FIRST_PAY,
    W_LEFT_OVER_CEILING,
    W_LEFT_SELF_PAID,
    W_LEVEL,
    W_OTHER,
    W_OVER_CAP,
    W_OVER_CEILING,
    W_PLAN,
    W_POOLED,
    W_PROGRAMME,
    W_QUOTA_PAID,
    W_RATE_AT_LEAST,
    W_SELF_PAID,
    W_SHORTFALL,
    W_SHORTFALL_USED,
    W_SPECIAL_DRUG,
    W_STANDARD,
    W_SUPPLEMENTARY_BASE,
    W_TILT,
    W_TILT_BASE,
    W_TOTAL,
    W_UNVERIFIED,
    WORK,
)
from adjudicator.benefit.stages import (
    above_the_cap,
    base_of_cascade,
    cell,
    cross_region,
    deductible,
    pooled_fund,
)
from adjudicator.columns import ACCUMULATOR_COUNT
from adjudicator.compiled.jit import inlined, kernel
from adjudicator.compiled.unowned import unowned

WORK_COUNT = len(WORK)
SLOTS = ACCUMULATOR_COUNT


@inlined
def plan_row(selector, dated, claim, filing):
    """Plan row of a claim, or minus the number of the error."""
    row = np.int64(-NO_PLAN)
    inside = claim.pack >= 0 and claim.care_kind >= 0 and claim.care_kind < selector.shape[2]
    inside = inside and claim.scheme >= 0 and claim.scheme < selector.shape[1]
    if inside and claim.place >= LOCAL and claim.place <= OUTSIDE:
        k = (np.uint64(claim.pack), np.uint64(claim.scheme), np.uint64(claim.care_kind), np.uint64(claim.place), filing)
        start = np.int64(selector[k[0], k[1], k[2], k[3], k[4], np.uint64(0)])
        end = np.int64(selector[k[0], k[1], k[2], k[3], k[4], np.uint64(1)])
        if start < end:
            row = np.int64(-NO_RULE_ON_DATE)
            for entry in range(start, end):
                e = np.uint64(entry)
                if dated[e, np.uint64(0)] <= claim.rule_date and claim.rule_date <= dated[e, np.uint64(1)]:
                    row = dated[e, np.uint64(2)]
                    if row < 0:
                        row = np.int64(-RULE_UNDEFINED)
    return row


@inlined
def disease_value(values, ranges, claim, group, column):
    """A quota or a fixed price of the claim's disease on the day, -1 none; the narrowest entry that fits decides."""
    found, narrowest = np.int64(-1), np.int64(-1)
    if claim.disease >= 0 and claim.disease < ranges.shape[1]:
        k, d = np.uint64(claim.pack), np.uint64(claim.disease)
        for entry in range(ranges[k, d, np.uint64(0)], ranges[k, d, np.uint64(1)]):
            e = np.uint64(entry)
            scheme, of_group = values[e, np.uint64(0)], values[e, np.uint64(1)]
            fits = (scheme == 0 or scheme == claim.scheme) and (of_group < 0 or of_group == group)
            fits = fits and values[e, np.uint64(2)] <= claim.rule_date and claim.rule_date <= values[e, np.uint64(3)]
            narrow = (np.int64(2) if of_group >= 0 else np.int64(0)) + (np.int64(1) if scheme > 0 else np.int64(0))
            if fits and values[e, np.uint64(column)] >= 0 and narrow > narrowest:
                found = values[e, np.uint64(column)] * 2 + values[e, np.uint64(6)]
                narrowest = narrow
    return found


@inlined
def begin(claim, split, w):
    """Amounts of the claim as the line split left them; the hospital's part of the ceiling excess comes off."""
    for position in range(WORK_COUNT):
        w[np.uint64(position)] = 0
    w[W_TOTAL] = claim.total_fen
    w[W_SELF_PAID] = split.wholly_self_paid_fen
    w[W_OVER_CEILING] = split.over_ceiling_fen
    w[W_FIRST_PAY] = split.first_pay_fen
    w[W_IN_SCOPE] = split.in_scope_fen
    w[W_COPAY_FREE] = min(max(split.copay_free_fen, np.int64(0)), split.in_scope_fen)
    w[W_SPECIAL_DRUG] = split.special_drug_fen
    w[W_HOSPITAL] = min(split.hospital_borne_fen, split.over_ceiling_fen)
    w[W_PLAN] = -1


@inlined
def left_after_pooling(w):
    """The personal burden after stage 6, in its four parts."""
    paid = w[W_POOLED] + w[W_LARGE_SUM]
    w[W_LEFT] = w[W_BASE] + w[W_COPAY_FREE] - paid
    w[W_LEFT_FIRST_PAY] = w[W_FIRST_PAY]
    w[W_LEFT_OVER_CEILING] = w[W_OVER_CEILING] - w[W_HOSPITAL]
    w[W_LEFT_SELF_PAID] = w[W_SELF_PAID]
    w[W_HOSPITAL] += w[W_FIXED_EXCESS]


@inlined
def count_in_year(plans, p, claim, year, w):
    """Adds the claim to the person's year; every change is a difference, so that a reversal can take it back."""
    level = w[W_LEVEL]
    account = cell(plans, p, DEDUCTIBLE_ACCOUNT)
    if account == ACCOUNT_OUTPATIENT:
        year[A_OUTPATIENT] += w[W_DEDUCTIBLE]
        year[np.uint64(A_OUTPATIENT_LEVEL + level)] += w[W_DEDUCTIBLE]
        year[A_HIGHEST_OUTPATIENT] = max(year[A_HIGHEST_OUTPATIENT], w[W_STANDARD])
        year[A_VISITS] += 1
    elif account != ACCOUNT_NONE:
        year[A_DEDUCTIBLE] += w[W_DEDUCTIBLE]
        year[np.uint64(A_DEDUCTIBLE_LEVEL + level)] += w[W_DEDUCTIBLE]
        year[A_HIGHEST] = max(year[A_HIGHEST], w[W_STANDARD])
        year[A_SHORTFALL] += w[W_SHORTFALL] - w[W_SHORTFALL_USED]
    if cell(plans, p, COUNTS_ADMISSION) != 0:
        year[A_LAST_STANDARD] = w[W_STANDARD]
        if w[W_IN_CHAIN] == 0:
            year[A_STAYS] += 1
            year[np.uint64(A_STAYS_LEVEL + level)] += 1
    cost = cell(plans, p, COST_ACCOUNT)
    if cost == ACCOUNT_OUTPATIENT:
        year[A_COST_OUTPATIENT] += w[W_BASE]
    elif cost != ACCOUNT_NONE:
        year[A_COST] += w[W_BASE]
        if cell(plans, p, CAP_MEASURE) == CAP_ON_COST:
            year[A_POOLED_COST] += w[W_BASE] - w[W_OVER_CAP]
    category = cell(plans, p, PAID_CATEGORY)
    year[np.uint64(A_PRENATAL if category == PAID_PRENATAL else A_POOLED + category)] += w[W_POOLED]
    year[A_LARGE_SUM] += w[W_LARGE_SUM]
    year[A_CII_BASE] += w[W_CII_BASE]
    year[A_CII] += w[W_CII]
    year[A_CIVIL] += w[W_CIVIL]
    year[A_CIVIL_DEDUCTIBLE] += w[W_CIVIL_DEDUCTIBLE]
    year[A_ENTERPRISE] += w[W_ENTERPRISE]
    if cell(plans, p, HAS_ASSISTANCE) != 0:
        year[A_ASSISTANCE_BASE] += w[W_ASSISTANCE_BASE]
        outpatient = cell(plans, p, ASSISTANCE_ACCOUNT) == ACCOUNT_OUTPATIENT
        year[np.uint64(A_ASSISTANCE_OUTPATIENT if outpatient else A_ASSISTANCE)] += w[W_ASSISTANCE]
    if cell(plans, p, HAS_TILT) != 0:
        year[A_TILT_BASE] += w[W_TILT_BASE]
        year[A_TILT] += w[W_TILT]
    year[A_BURDEN] += w[W_BURDEN]
    year[A_OTHER] += w[W_PROGRAMME] + w[W_OTHER]
    for part in range(PROGRAMME_PARTS):
        year[np.uint64(A_SUPPLEMENTARY_BASE + part)] += w[np.uint64(W_SUPPLEMENTARY_BASE + part)]
    year[A_ACCOUNT] += w[W_ACCOUNT_CURRENT] + w[W_ACCOUNT_PAST] + w[W_ACCOUNT_FAMILY]


@inlined
def write(plans, p, has_plan, w, row):
    """One result row; F1, F2 and P1 hold by construction."""
    for_residents = np.int64(0)
    large = np.int64(0)
    if has_plan:
        if cell(plans, p, ABOVE_CAP_PAYER) == PAYER_CATASTROPHIC:
            for_residents += w[W_LARGE_SUM]
        else:
            large += w[W_LARGE_SUM]
        if cell(plans, p, CII_PAYER) == PAYER_CATASTROPHIC:
            for_residents += w[W_CII]
        else:
            large += w[W_CII]
    row.plan = w[W_PLAN]
    row.first_pay_fen = w[W_FIRST_PAY]
    row.in_scope_fen = w[W_IN_SCOPE]
    row.deductible_standard_fen = w[W_STANDARD]
    row.deductible_due_fen = w[W_DUE]
    row.deductible_fen = w[W_DEDUCTIBLE]
    row.pooled_fen = w[W_POOLED]
    row.large_sum_fen = large
    row.catastrophic_fen = for_residents
    row.civil_servant_fen = w[W_CIVIL]
    row.enterprise_fen = w[W_ENTERPRISE]
    row.assistance_fen = w[W_ASSISTANCE]
    row.tilt_fen = w[W_TILT]
    row.other_fen = w[W_PROGRAMME] + w[W_OTHER]
    row.hospital_borne_fen = w[W_HOSPITAL]
    row.account_current_fen = w[W_ACCOUNT_CURRENT]
    row.account_past_fen = w[W_ACCOUNT_PAST]
    row.account_family_fen = w[W_ACCOUNT_FAMILY]
    row.cash_fen = w[W_CASH]
    funds = w[W_POOLED] + w[W_LARGE_SUM] + w[W_CII] + w[W_CIVIL] + w[W_ENTERPRISE] + w[W_ASSISTANCE] + w[W_TILT]
    row.fund_total_fen = funds + row.other_fen
    row.personal_total_fen = w[W_ACCOUNT_CURRENT] + w[W_ACCOUNT_PAST] + w[W_ACCOUNT_FAMILY] + w[W_CASH]
    shared = w[W_IN_SCOPE] - w[W_DEDUCTIBLE]
    row.pooled_rate_ppm = (2 * w[W_POOLED] * 1_000_000 + shared) // (2 * shared) if shared > 0 else 0


@inlined
def refuse(row, error):
    """An all-zero result with the number of the error."""
    row.plan = -1
    row.first_pay_fen = 0
    row.in_scope_fen = 0
    row.deductible_standard_fen = 0
    row.deductible_due_fen = 0
    row.deductible_fen = 0
    row.pooled_fen = 0
    row.large_sum_fen = 0
    row.catastrophic_fen = 0
    row.civil_servant_fen = 0
    row.enterprise_fen = 0
    row.assistance_fen = 0
    row.tilt_fen = 0
    row.other_fen = 0
    row.hospital_borne_fen = 0
    row.account_current_fen = 0
    row.account_past_fen = 0
    row.account_family_fen = 0
    row.cash_fen = 0
    row.fund_total_fen = 0
    row.personal_total_fen = 0
    row.pooled_rate_ppm = 0
    row.counts_as_admission = 0
    row.unverified = 0
    row.error = error
    row.padding = 0


@kernel
def settle_claims(
    plans,
    selector,
    dated,
    person_group,
    disease_values,
    disease_ranges,
    programmes,
    claims,
    splits,
    lines_in_scope,
    states,
    quotas,
    out,
    trace,
    scratch,
):
    """Prices ``claims[CLAIM]`` in order into ``out[BENEFIT]``; updates ``states`` int64[k, 64] and ``quotas[QUOTA]``.

    plans int64[n, fields] (a view of PLAN), selector int32[packs, schemes, kinds, places, filings, 2],
    dated int64[m, 3], person_group int8[packs, schemes, person types, tiers], disease_values int64[d, 7],
    disease_ranges int32[packs, diseases, 2], programmes int64[packs, programmes, 30]; splits[SPLIT];
    lines_in_scope int64[lines] or empty (R25 line by line); trace int64[claims, WORK] or empty: the work amounts;
    scratch int64[2, at least WORK and 64].
    A claim with an error keeps an all-zero result and leaves state and quota untouched.
    """
    plans, selector, dated, person_group = unowned(plans), unowned(selector), unowned(dated), unowned(person_group)
    disease_values, disease_ranges = unowned(disease_values), unowned(disease_ranges)
    programmes, lines_in_scope = unowned(programmes), unowned(lines_in_scope)
    claims, splits, states, quotas = unowned(claims), unowned(splits), unowned(states), unowned(quotas)
    out, trace = unowned(out), unowned(trace)
    w, empty_year = unowned(scratch[0]), unowned(scratch[1])
    for slot in range(SLOTS):
        empty_year[np.uint64(slot)] = 0
    for index in range(claims.shape[0]):
        i = np.uint64(index)
        claim = claims[i]
        row = out[i]
        refuse(row, claim.error)
        if claim.error != 0:
            continue
        begin(claim, splits[i], w)
        place = np.int64(claim.place)
        filing = np.int64(claim.filing)
        if filing < 0 or filing >= FILINGS or (place != LOCAL and filing == 0):
            filing = np.int64(NOT_FILED)
        has_plan = claim.suspended == 0
        p = np.int64(0)
        error = np.int64(0)
        if has_plan:
            found = plan_row(selector, dated, claim, np.uint64(filing))
            error = -found if found < 0 else np.int64(0)
            p = found if found >= 0 else np.int64(0)
        group = np.int64(-1)
        if has_plan and error == 0:
            tier = claim.contribution_tier
            if claim.person_type < person_group.shape[2] and tier >= 0 and tier < person_group.shape[3]:
                group = np.int64(
                    person_group[
                        np.uint64(claim.pack), np.uint64(claim.scheme), np.uint64(claim.person_type), np.uint64(tier)
                    ]
                )
            if group < 0 or (cell(plans, p, REQUIRES_DISEASE) != 0 and claim.disease < 0):
                error = np.int64(CARE_NOT_COVERED)
            elif claim.deductible_level < 0 or claim.deductible_level >= LEVELS:
                error = np.int64(RULE_UNDEFINED)
        parts, parts_ppm, floor = np.int64(0), np.int64(0), np.int64(0)
        waived, unreduced, no_cap, unverified_programme = False, False, False, np.int64(0)
        if error == 0 and claim.programme > 0:
            k, n = np.uint64(claim.pack), np.uint64(claim.programme)
            if (
                claim.programme >= programmes.shape[1]
                or programmes[k, n, np.uint64(0)] == 0
                or programmes[k, n, np.uint64(0)] > claim.admission_date
                or programmes[k, n, np.uint64(1)] < claim.admission_date
            ):
                error = np.int64(UNKNOWN_PROGRAMME)
            else:
                parts, parts_ppm = programmes[k, n, np.uint64(2)], programmes[k, n, np.uint64(3)]
                waived, unreduced = programmes[k, n, np.uint64(4)] != 0, programmes[k, n, np.uint64(5)] != 0
                no_cap, floor = programmes[k, n, np.uint64(6)] != 0, programmes[k, n, np.uint64(7)]
                unverified_programme = programmes[k, n, np.uint64(8)]
        if error != 0:
            claim.error = np.int32(error)
            row.error = np.int32(error)
            continue

        # The stages only read the year; it changes at the end, when nothing can be refused any more.
        year = states[np.uint64(claim.state)] if claim.state >= 0 else empty_year
        quota_left, quota_found = np.int64(-1), np.int64(-1)
        if has_plan:
            w[W_PLAN], w[W_GROUP], w[W_LEVEL] = p, group, claim.deductible_level
            w[W_CATEGORY] = min(max(np.int64(claim.assistance), np.int64(0)), np.int64(11))
            w[W_CROSS] = place * FILINGS + filing
            w[W_RATE_AT_LEAST] = floor
            chained = claim.referral == UP or claim.referral == DOWN or claim.referral == SAME
            if claim.chain_continues != 0 and chained and cell(plans, p, DEDUCTIBLE_REFERRAL) != REFERRAL_NORMAL:
                w[W_IN_CHAIN] = 1
            quota_found = disease_value(disease_values, disease_ranges, claim, group, 4)
            if quota_found >= 0:
                used = quotas[np.uint64(claim.quota)].used_fen if claim.quota >= 0 else np.int64(0)
                quota_left = max(quota_found // 2 - used, np.int64(0))
            cross_region(plans, p, claim, lines_in_scope, unreduced, w)
            price = np.int64(-1)
            if cell(plans, p, FIXED_PRICE) == SHARE_OF_PRICE:
                price = disease_value(disease_values, disease_ranges, claim, group, 5)
            if price >= 0:
                w[W_FIXED_EXCESS] = max(w[W_IN_SCOPE] - w[W_COPAY_FREE] - price // 2, np.int64(0))
            base_of_cascade(plans, p, claim, w)
            deductible(plans, p, claim, year, waived, w)
            pooled_fund(plans, p, claim, year, no_cap, quota_left, w)
            above_the_cap(plans, p, year, w)
            if w[W_ERROR] != 0:
                claim.error = np.int32(w[W_ERROR])
                row.error = np.int32(w[W_ERROR])
                continue
            left_after_pooling(w)
            early = cell(plans, p, CIVIL_POSITION) == BEFORE_CATASTROPHIC
            if claim.civil_servant != 0 and early:
                civil_servant(plans, p, year, w)
            catastrophic(plans, p, year, w)
            if claim.civil_servant != 0 and not early:
                civil_servant(plans, p, year, w)
            enterprise(plans, p, year, w)
            assistance(plans, p, year, w)
            w[W_BURDEN] = w[W_LEFT]
            if claim.programme > 0:
                supplementary(programmes, np.uint64(claim.pack), np.uint64(claim.programme), year, w)
        else:
            w[W_BASE] = w[W_IN_SCOPE] - w[W_COPAY_FREE]
            left_after_pooling(w)
        other_payers(claim, parts, parts_ppm, w)
        pots(plans, p, has_plan, claim, w)
        write(plans, p, has_plan, w, row)
        if has_plan:
            if claim.state >= 0:
                count_in_year(plans, p, claim, year, w)
            row.counts_as_admission = 1 if cell(plans, p, COUNTS_ADMISSION) != 0 and w[W_IN_CHAIN] == 0 else 0
            doubtful = w[W_UNVERIFIED] & cell(plans, p, PLAN_UNVERIFIED)
            doubtful |= unverified_programme | (quota_found & 1 if quota_found >= 0 else np.int64(0))
            row.unverified = 1 if doubtful != 0 else 0
            if claim.quota >= 0:
                quotas[np.uint64(claim.quota)].used_fen += w[W_QUOTA_PAID]
        if trace.shape[0] > 0:
            for position in range(WORK_COUNT):
                trace[i, np.uint64(position)] = w[np.uint64(position)]
