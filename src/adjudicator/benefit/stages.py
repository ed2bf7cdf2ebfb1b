"""Stages 2 to 6 of the benefit cascade: cross-region first-pay, deductible, pooled fund, caps, above the cap.

Every stage takes the plan matrix ``plans`` (int64[n, fields]) with a row ``p``, the resolved claim, the person's year
``year`` (int64[64], as before the claim) and the work amounts ``w`` (int64[WORK]); it reads what former stages left
in ``w`` and writes its own. One exit, no return value: see docs/adr on kernels. Source: benefit-rules.md section 1.
"""

from __future__ import annotations

import numpy as np

from adjudicator.benefit.layout import (
    A_COST,
    A_COST_OUTPATIENT,
    A_DEDUCTIBLE,
    A_DEDUCTIBLE_LEVEL,
    A_HIGHEST,
    A_HIGHEST_OUTPATIENT,
    A_LARGE_SUM,
    A_LAST_STANDARD,
    A_OUTPATIENT,
    A_OUTPATIENT_LEVEL,
    A_POOLED,
    A_PRENATAL,
    A_SHORTFALL,
    A_STAYS,
    A_STAYS_LEVEL,
    A_VISITS,
    ABOVE_CAP,
    ABOVE_CAP_LIMIT,
    ACCOUNT_FIRST,
    ACCOUNT_NONE,
    ACCOUNT_OUTPATIENT,
    ACCOUNT_POSITION,
    AFTER_RATE,
    AGE_FROM,
    AGE_POINTS,
    AGES,
    CAP,
    CAP_COUNTS,
    CAP_MEASURE,
    CAP_ON_COST,
    CATEGORY_DEDUCTIBLE,
    CATEGORY_POINTS,
    COST_ACCOUNT,
    COST_UP_TO_QUOTA,
    COUNTING_NONE,
    CROSS_DEDUCTIBLE,
    CROSS_DEDUCTIBLE_LEAST,
    CROSS_DEDUCTIBLE_MOST,
    CROSS_DEDUCTIBLE_RATE,
    CROSS_DEFINED,
    CROSS_EXTRA,
    CROSS_FACTOR,
    CROSS_MINUS,
    CURRENT_PAYS,
    DEDUCTIBLE_ACCOUNT,
    DEDUCTIBLE_CARRIED,
    DEDUCTIBLE_COUNTING,
    DEDUCTIBLE_FEN,
    DEDUCTIBLE_LEVEL_CEILING,
    DEDUCTIBLE_NTH,
    DEDUCTIBLE_NTH_OVER,
    DEDUCTIBLE_PERIOD,
    DEDUCTIBLE_POSITION,
    DEDUCTIBLE_READING,
    DEDUCTIBLE_REFERRAL,
    DEDUCTIBLE_YEAR_CEILING,
    DOWN,
    EACH_TIER,
    EXTRA_ON_LINES,
    EXTRA_POSITION,
    FLOOR,
    FLOOR_BASE,
    FLOOR_OF_TOTAL,
    FUND_ROUNDING,
    HAS_AGE_STEPS,
    LEVELS,
    LIMIT,
    LIMIT_COUNTS,
    LIMIT_DISEASE_EXTRA,
    LIMIT_SIGNED,
    LOCAL,
    MATERNITY_CHILD,
    MATERNITY_QUOTA,
    NO_RULE_VALUE,
    NTH,
    OWN_LESS_CHARGED,
    PAID_CATEGORIES,
    PAID_PRENATAL,
    PAYMENT_UP_TO_QUOTA,
    PER_STAY,
    QUOTA_EXCESS,
    QUOTA_MODE,
    RATE,
    REFERRAL_LESS_STANDARD,
    RULE_UNDEFINED,
    S_CAP,
    S_CROSS,
    S_DEDUCTIBLE,
    S_LARGE_SUM,
    S_POOLED,
    SAME_LEVEL,
    SIGNED_DEDUCTIBLE,
    SIGNED_LESS,
    SIGNED_POINTS,
    STAY_COST,
    TIER_FROM,
    TIER_MEASURE,
    TIERS,
    UNLIMITED,
    UNREFERRED,
    UNREFERRED_EXTRA,
    UNREFERRED_POINTS,
    UNUSED_IS_LOST,
    W_ACCOUNT_FIRST,
    W_BASE,
    W_CATEGORY,
    W_COPAY_FREE,
    W_CROSS,
    W_DEDUCTIBLE,
    W_DUE,
    W_ERROR,
    W_EXTRA,
    W_FACTOR,
    W_FIRST_PAY,
    W_FIXED_EXCESS,
    W_GROUP,
    W_IN_CHAIN,
    W_IN_SCOPE,
    W_LARGE_SUM,
    W_LEVEL,
    W_MINUS,
    W_OVER_CAP,
    W_OVER_NUMERATOR,
    W_OVER_RATE,
    W_OVER_WHOLE,
    W_PAYABLE,
    W_PLUS,
    W_POOLED,
    W_QUOTA_PAID,
    W_RATE_AT_LEAST,
    W_ROOM,
    W_SHORTFALL,
    W_SHORTFALL_USED,
    W_STANDARD,
    W_TIER_EXACT,
    W_TOTAL,
    W_UNVERIFIED,
    YEAR_AFTER_DEDUCTIBLE,
    YEAR_COST,
    YEAR_HIGHEST,
    YEAR_PER_LEVEL,
)
from adjudicator.compiled.jit import inlined

PPM = 1_000_000
EXACT_LIMIT = 10**12
"""Room above this never binds one claim (limits.MAX_AMOUNT_FEN); below it room * PPM stays under 2**63."""


@inlined
def rounded(exact):
    """Half-up to the fen of a non-negative amount in fen * ppm (V19)."""
    return np.int64((np.uint64(exact) + np.uint64(500_000)) // np.uint64(1_000_000))


@inlined
def cell(plans, p, column):
    """One value of a plan row."""
    return plans[np.uint64(p), np.uint64(column)]


@inlined
def cross_region(plans, p, claim, lines_in_scope, programme_suspends, w):
    """Stage 2: extra first-pay, points and factor by place and filing class (V11), and for a missing referral."""
    cross = w[W_CROSS]
    extra_ppm = np.int64(0)
    minus = np.int64(0)
    factor = np.int64(PPM)
    if cell(plans, p, CROSS_DEFINED + cross) == 0:
        if w[W_IN_SCOPE] > 0:
            w[W_ERROR] = RULE_UNDEFINED
    elif not programme_suspends:
        extra_ppm = cell(plans, p, CROSS_EXTRA + cross)
        minus = cell(plans, p, CROSS_MINUS + cross)
        factor = cell(plans, p, CROSS_FACTOR + cross)
        if claim.referral == UNREFERRED:
            # The heavier of the two reductions, once.
            extra_ppm = max(extra_ppm, cell(plans, p, UNREFERRED_EXTRA))
            minus = max(minus, cell(plans, p, UNREFERRED_POINTS))
    extra = np.int64(0)
    if extra_ppm > 0:
        if cell(plans, p, EXTRA_POSITION) == EXTRA_ON_LINES and lines_in_scope.shape[0] > 0:
            for line in range(claim.line_start, claim.line_end):
                part = lines_in_scope[np.uint64(line)] * extra_ppm
                extra += rounded(part) if part >= 0 else -rounded(-part)
            extra = min(max(extra, np.int64(0)), w[W_IN_SCOPE])
        else:
            extra = rounded(w[W_IN_SCOPE] * extra_ppm)
    if extra_ppm > 0 or minus > 0 or factor != PPM or claim.place != LOCAL:
        w[W_UNVERIFIED] |= S_CROSS
    w[W_EXTRA] = extra
    w[W_FIRST_PAY] += extra
    w[W_IN_SCOPE] -= extra
    w[W_COPAY_FREE] = min(w[W_COPAY_FREE], w[W_IN_SCOPE])
    w[W_MINUS] = minus
    w[W_FACTOR] = factor


@inlined
def base_of_cascade(plans, p, claim, w):
    """The in-scope cost that the deductible and the tiers see: without co-pay-free lines (R36), the part of a fixed
    price that the hospital bears, and what an account that pays first has paid (V13, R20)."""
    base = w[W_IN_SCOPE] - w[W_COPAY_FREE] - w[W_FIXED_EXCESS]
    account = np.int64(0)
    if (
        cell(plans, p, ACCOUNT_POSITION) == ACCOUNT_FIRST
        and claim.use_account != 0
        and cell(plans, p, CURRENT_PAYS) & 1
    ):
        account = min(claim.account_current_fen, base)
    w[W_ACCOUNT_FIRST] = account
    w[W_BASE] = base - account


@inlined
def standard_of_stay(plans, p, claim, year, w):
    """Standard of this stay: level, filing, signed doctor, category, nth stay; each step half-up (V01, V05)."""
    group, level, cross = w[W_GROUP], w[W_LEVEL], w[W_CROSS]
    standard = cell(plans, p, DEDUCTIBLE_FEN + group * LEVELS + level)
    if cell(plans, p, CROSS_DEDUCTIBLE + cross) >= 0:
        standard = cell(plans, p, CROSS_DEDUCTIBLE + cross)
    share = cell(plans, p, CROSS_DEDUCTIBLE_RATE + cross)
    if share > 0:
        standard = max(rounded(w[W_TOTAL] * share), cell(plans, p, CROSS_DEDUCTIBLE_LEAST + cross))
        standard = min(standard, cell(plans, p, CROSS_DEDUCTIBLE_MOST + cross))
    if standard < 0 and w[W_BASE] > 0:
        w[W_ERROR] = RULE_UNDEFINED
    standard = max(standard, np.int64(0))
    if claim.family_doctor != 0 and claim.at_signed_institution != 0:
        fixed = cell(plans, p, SIGNED_DEDUCTIBLE + level)
        if fixed != NO_RULE_VALUE:
            standard = min(standard, fixed)
        standard = max(standard - cell(plans, p, SIGNED_LESS + level), np.int64(0))
    standard = rounded(standard * cell(plans, p, CATEGORY_DEDUCTIBLE + w[W_CATEGORY]))
    before = year[A_VISITS]
    if cell(plans, p, DEDUCTIBLE_ACCOUNT) != ACCOUNT_OUTPATIENT:
        before = year[A_STAYS]
        if cell(plans, p, DEDUCTIBLE_NTH_OVER) == SAME_LEVEL:
            before = year[np.uint64(A_STAYS_LEVEL + level)]
    # A referral chain is one episode: its first stay has been counted already (R27).
    nth = before - 1 if w[W_IN_CHAIN] != 0 and before > 0 else before
    return rounded(standard * cell(plans, p, DEDUCTIBLE_NTH + min(nth, np.int64(NTH - 1))))


@inlined
def deductible(plans, p, claim, year, waived, w):
    """Stage 3: what this stay owes (V01–V05) and what of it the cost covers."""
    counting = cell(plans, p, DEDUCTIBLE_COUNTING)
    account = cell(plans, p, DEDUCTIBLE_ACCOUNT)
    level = w[W_LEVEL]
    standard = np.int64(0)
    due = np.int64(0)
    w[W_SHORTFALL] = 0
    w[W_SHORTFALL_USED] = 0
    if counting != COUNTING_NONE and not waived:
        standard = standard_of_stay(plans, p, claim, year, w)
        charged, charged_level, highest = np.int64(0), np.int64(0), np.int64(0)
        if account == ACCOUNT_OUTPATIENT:
            charged, highest = year[A_OUTPATIENT], year[A_HIGHEST_OUTPATIENT]
            charged_level = year[np.uint64(A_OUTPATIENT_LEVEL + level)]
        elif account != ACCOUNT_NONE:
            charged, highest = year[A_DEDUCTIBLE], year[A_HIGHEST]
            charged_level = year[np.uint64(A_DEDUCTIBLE_LEVEL + level)]
        if counting == PER_STAY:
            due = standard
            period = cell(plans, p, DEDUCTIBLE_PERIOD)
            if period > 0:
                # R33: day 90 belongs to the first period, day 91 begins the second.
                due = standard * max(np.int64(1), (np.int64(claim.stay_days) + period - 1) // period)
            if w[W_IN_CHAIN] != 0:
                paid = claim.chain_deductible_fen
                if cell(plans, p, DEDUCTIBLE_REFERRAL) == REFERRAL_LESS_STANDARD:
                    paid = year[A_LAST_STANDARD]
                due = max(due - paid, np.int64(0))
        elif counting == YEAR_HIGHEST:
            reading = cell(plans, p, DEDUCTIBLE_READING)
            if reading == UNUSED_IS_LOST:
                due = max(standard - highest, np.int64(0))
            elif reading == OWN_LESS_CHARGED:
                due = max(standard - charged, np.int64(0))
            else:
                due = max(max(standard, highest) - charged, np.int64(0))
        elif counting == YEAR_PER_LEVEL:
            due = max(standard - charged_level, np.int64(0))
        if w[W_IN_CHAIN] != 0 and claim.referral == DOWN:
            due = np.int64(0)
        carried = cell(plans, p, DEDUCTIBLE_CARRIED) != 0 and w[W_IN_CHAIN] == 0
        if carried and year[A_STAYS] > 0:
            w[W_SHORTFALL_USED] = year[A_SHORTFALL]
            due += year[A_SHORTFALL]
        due = min(due, max(cell(plans, p, DEDUCTIBLE_YEAR_CEILING + w[W_GROUP]) - charged, np.int64(0)))
        due = min(due, max(cell(plans, p, DEDUCTIBLE_LEVEL_CEILING + level) - charged_level, np.int64(0)))
        if carried and year[A_STAYS] == 0:
            w[W_SHORTFALL] = due - min(due, w[W_BASE])
        if w[W_BASE] > 0:
            w[W_UNVERIFIED] |= S_DEDUCTIBLE
    w[W_STANDARD] = standard
    w[W_DUE] = due
    w[W_DEDUCTIBLE] = min(due, w[W_BASE])


@inlined
def paid_in(year, mask):
    """Fund paid this year under the kinds of care named by a bit mask."""
    total = np.int64(0)
    for category in range(PAID_CATEGORIES):
        if mask & (1 << category):
            slot = A_PRENATAL if category == PAID_PRENATAL else A_POOLED + category
            total += year[np.uint64(slot)]
    return total


@inlined
def rate_changes(plans, p, claim, w):
    """Points on top of the table: signed doctor, category, age (V05, V15)."""
    plus = cell(plans, p, CATEGORY_POINTS + w[W_CATEGORY])
    if claim.family_doctor != 0 and claim.at_signed_institution != 0:
        plus += cell(plans, p, SIGNED_POINTS + w[W_LEVEL])
    if cell(plans, p, HAS_AGE_STEPS) != 0:
        step = np.int64(0)
        for age in range(AGES):
            if claim.age_years >= cell(plans, p, AGE_FROM + age):
                step = cell(plans, p, AGE_POINTS + age)
        plus += step
    w[W_PLUS] = plus


@inlined
def pooled_by_tiers(plans, p, year, no_cap, w):
    """Stages 4 and 5: the tiers (V06, R03) up to the cap, on cost (R04) or on payment (V07, R05)."""
    group, level = w[W_GROUP], w[W_LEVEL]
    charged = np.int64(0) if cell(plans, p, DEDUCTIBLE_POSITION) == AFTER_RATE else w[W_DEDUCTIBLE]
    payable = w[W_BASE] - charged
    account = cell(plans, p, COST_ACCOUNT)
    cost_before, deductible_before = np.int64(0), np.int64(0)
    if account == ACCOUNT_OUTPATIENT:
        cost_before, deductible_before = year[A_COST_OUTPATIENT], year[A_OUTPATIENT]
    elif account != ACCOUNT_NONE:
        cost_before, deductible_before = year[A_COST], year[A_DEDUCTIBLE]
    cap = np.int64(UNLIMITED) if no_cap else cell(plans, p, CAP + group)
    room = np.int64(UNLIMITED)
    over_whole = np.int64(0)
    if cap < UNLIMITED:
        if payable > 0:
            w[W_UNVERIFIED] |= S_CAP
        if cell(plans, p, CAP_MEASURE) == CAP_ON_COST:
            # A stay that begins above the cap still has its deductible (R04).
            over_whole = cost_before + w[W_BASE] - max(cap, cost_before + charged)
            over_whole = min(max(over_whole, np.int64(0)), payable)
        else:
            room = max(cap - paid_in(year, cell(plans, p, CAP_COUNTS)), np.int64(0))
    measure = cell(plans, p, TIER_MEASURE)
    start = np.int64(0)
    if measure == YEAR_COST:
        start = cost_before + charged
    elif measure == YEAR_AFTER_DEDUCTIBLE:
        start = max(cost_before - deductible_before, np.int64(0))
    elif measure == STAY_COST:
        start = charged
    end = start + payable - over_whole
    room_exact = np.int64(-1)
    if room < EXACT_LIMIT and cell(plans, p, DEDUCTIBLE_POSITION) != AFTER_RATE:
        room_exact = max(room - w[W_COPAY_FREE], np.int64(0)) * PPM
    exact = np.int64(0)
    numerator, divisor = np.int64(0), np.int64(1)
    capped = False
    each = cell(plans, p, FUND_ROUNDING) == EACH_TIER
    tier = np.int64(0)
    low = np.int64(0)
    while tier < TIERS and low < end:
        high = cell(plans, p, TIER_FROM + tier + 1) if tier + 1 < TIERS else np.int64(UNLIMITED)
        part = min(end, high) - max(start, low)
        if part > 0:
            rate = cell(plans, p, RATE + (group * LEVELS + level) * TIERS + tier)
            if rate < 0:
                w[W_ERROR] = RULE_UNDEFINED
                rate = np.int64(0)
            rate = min(max(rate + w[W_PLUS] - w[W_MINUS], np.int64(0)), np.int64(PPM))
            if w[W_FACTOR] != PPM:
                rate = rounded(rate * w[W_FACTOR])
            rate = max(rate, w[W_RATE_AT_LEAST])
            value = part * rate
            if each:
                value = rounded(value) * PPM
            if capped:
                over_whole += part
            elif room_exact >= 0 and exact + value > room_exact:
                # The cost that the cap left unpaid in this tier is (value - paid) / rate, kept as a fraction.
                numerator = max(part * rate - (room_exact - exact), np.int64(0))
                divisor = max(rate, np.int64(1))
                exact = room_exact
                capped = True
            else:
                exact += value
        low = high
        tier += 1
    w[W_PAYABLE] = payable
    w[W_ROOM] = room
    w[W_TIER_EXACT] = exact
    w[W_OVER_WHOLE] = over_whole
    w[W_OVER_NUMERATOR] = numerator
    w[W_OVER_RATE] = divisor


@inlined
def pooled_fund(plans, p, claim, year, no_cap, quota_left, w):
    """Stages 4 and 5 together: tiers, deductible after the rate (V04), co-pay-free lines (R36), floor (V16), caps."""
    rate_changes(plans, p, claim, w)
    w[W_OVER_CAP] = 0
    w[W_QUOTA_PAID] = 0
    if cell(plans, p, QUOTA_MODE) == COST_UP_TO_QUOTA:
        maternity_quota(plans, p, claim, w)
        w[W_ROOM] = UNLIMITED
        w[W_OVER_WHOLE], w[W_OVER_NUMERATOR], w[W_OVER_RATE] = 0, 0, 1
        w[W_PAYABLE] = w[W_BASE] - w[W_DEDUCTIBLE]
        w[W_TIER_EXACT] = w[W_POOLED] * PPM
    else:
        pooled_by_tiers(plans, p, year, no_cap, w)
        pooled = rounded(w[W_TIER_EXACT])
        if cell(plans, p, DEDUCTIBLE_POSITION) == AFTER_RATE:
            pooled = min(max(pooled - w[W_DEDUCTIBLE], np.int64(0)), max(w[W_ROOM] - w[W_COPAY_FREE], np.int64(0)))
        over = w[W_OVER_WHOLE]
        if w[W_OVER_NUMERATOR] > 0:
            over += (2 * w[W_OVER_NUMERATOR] + w[W_OVER_RATE]) // (2 * w[W_OVER_RATE])
        over = min(over, w[W_PAYABLE])
        copay_free_paid = min(w[W_COPAY_FREE], w[W_ROOM])
        over += w[W_COPAY_FREE] - copay_free_paid
        w[W_OVER_WHOLE] += w[W_COPAY_FREE] - copay_free_paid
        pooled += copay_free_paid
        floor_ppm = cell(plans, p, FLOOR)
        if floor_ppm > 0:
            of_total = cell(plans, p, FLOOR_BASE) == FLOOR_OF_TOTAL
            floor = rounded((w[W_TOTAL] if of_total else w[W_IN_SCOPE]) * floor_ppm)
            payable_most = w[W_BASE] + w[W_COPAY_FREE] - over
            pooled = max(pooled, min(min(floor, payable_most), w[W_ROOM]))
        w[W_OVER_CAP] = over
        if cell(plans, p, QUOTA_MODE) == PAYMENT_UP_TO_QUOTA:
            pooled = min(pooled, quota_of(plans, p, claim, w))
        w[W_POOLED] = pooled
    limit_of_care(plans, p, claim, year, no_cap, w)
    if quota_left >= 0:
        w[W_POOLED] = min(w[W_POOLED], quota_left)
    w[W_QUOTA_PAID] = w[W_POOLED]
    if w[W_PAYABLE] > 0 or w[W_POOLED] > 0:
        w[W_UNVERIFIED] |= S_POOLED


@inlined
def quota_of(plans, p, claim, w):
    """Maternity quota of this claim: by class, more for each further child; undefined classes are an error."""
    kind = np.int64(claim.maternity_type)
    quota = np.int64(NO_RULE_VALUE)
    if kind >= 0 and kind < 10:
        quota = cell(plans, p, MATERNITY_QUOTA + kind)
    if quota < 0:
        if w[W_BASE] > 0:
            w[W_ERROR] = RULE_UNDEFINED
        quota = np.int64(0)
    more = max(np.int64(claim.fetus_count) - 1, np.int64(0))
    return quota + min(more, np.int64(20)) * cell(plans, p, MATERNITY_CHILD)


@inlined
def maternity_quota(plans, p, claim, w):
    """The cost up to the quota in full, above it at the excess rate; never more than the cost (5.5)."""
    cost = w[W_BASE] - w[W_DEDUCTIBLE]
    within = min(cost, quota_of(plans, p, claim, w))
    w[W_POOLED] = within + rounded((cost - within) * cell(plans, p, QUOTA_EXCESS)) + w[W_COPAY_FREE]


@inlined
def limit_of_care(plans, p, claim, year, no_cap, w):
    """The yearly limit of this kind of care, on fund paid (V17, R18); what is above it stays with the person."""
    group = w[W_GROUP]
    limit = cell(plans, p, LIMIT + group)
    if limit < UNLIMITED and not no_cap:
        signed = cell(plans, p, LIMIT_SIGNED + group)
        if claim.family_doctor != 0 and signed != NO_RULE_VALUE:
            limit = signed
        if claim.disease >= 0:
            limit += cell(plans, p, LIMIT_DISEASE_EXTRA + group)
        room = max(limit - paid_in(year, cell(plans, p, LIMIT_COUNTS)), np.int64(0))
        w[W_POOLED] = min(w[W_POOLED], room)
        if w[W_PAYABLE] > 0:
            w[W_UNVERIFIED] |= S_CAP


@inlined
def above_the_cap(plans, p, year, w):
    """Stage 6: what a cap left unpaid, at its own rate; a cap on payment is turned back into cost (BEN-19)."""
    rate = cell(plans, p, ABOVE_CAP + w[W_GROUP] * LEVELS + w[W_LEVEL])
    amount = np.int64(0)
    if w[W_OVER_CAP] > 0:
        divisor = w[W_OVER_RATE]
        whole = w[W_OVER_WHOLE] + w[W_OVER_NUMERATOR] // divisor
        exact = whole * rate + (w[W_OVER_NUMERATOR] % divisor) * rate // divisor
        amount = min(rounded(exact), w[W_OVER_CAP])
        limit = cell(plans, p, ABOVE_CAP_LIMIT + w[W_GROUP])
        amount = min(amount, max(limit - year[A_LARGE_SUM], np.int64(0)))
        w[W_UNVERIFIED] |= S_LARGE_SUM
    w[W_LARGE_SUM] = amount
