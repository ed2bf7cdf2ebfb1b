"""Stages 7 to 14 of the benefit cascade: catastrophic insurance, supplements, assistance, other payers, account, cash.

Same form as ``benefit_stages``. Each layer pays out of what the former layers left of the personal burden, which is
kept in four parts: in scope, first pay, over the ceiling, self-paid. Source: benefit-rules.md section 1 (the printed
formula of the bases), open-readings.md R07–R11, R20, R34, R35.
"""

from __future__ import annotations

import numpy as np

from adjudicator.benefit.layout import (
    A_ASSISTANCE,
    A_ASSISTANCE_BASE,
    A_ASSISTANCE_OUTPATIENT,
    A_CII,
    A_CII_BASE,
    A_CIVIL,
    A_CIVIL_DEDUCTIBLE,
    A_ENTERPRISE,
    A_SUPPLEMENTARY_BASE,
    A_TILT,
    A_TILT_BASE,
    ACCOUNT_OUTPATIENT,
    ASSISTANCE_ACCOUNT,
    ASSISTANCE_BASE,
    ASSISTANCE_CAP,
    ASSISTANCE_INCREMENT,
    ASSISTANCE_OUTPATIENT_CAP,
    ASSISTANCE_RATE,
    ASSISTANCE_THRESHOLD,
    BANDS,
    BANDS_ABOVE_THRESHOLD,
    CII_BASE,
    CII_CAP,
    CII_FROM,
    CII_INCREMENT,
    CII_ORIGIN,
    CII_RATE,
    CII_TAKEN_FROM,
    CII_THRESHOLD,
    CIVIL_CAP,
    CIVIL_DEDUCTIBLE,
    CIVIL_OWN_DEDUCTIBLE,
    CIVIL_RATE,
    CROSS_NO_TILT,
    CURRENT_PAYS,
    DIFFERENCE_OF_ROUNDED,
    ENTERPRISE_CAP,
    ENTERPRISE_RATE,
    FAMILY_PAYS,
    HAS_ASSISTANCE,
    HAS_TILT,
    PART_ABOVE_CAP,
    PART_DEDUCTIBLE,
    PART_EXTRA,
    PART_FIRST_PAY,
    PART_IN_SCOPE,
    PART_OVER_CEILING,
    PART_SELF_PAID,
    PART_SPECIAL_DRUGS,
    PAST_PAYS,
    PRO_RATA,
    PROGRAMME_PART,
    PROGRAMME_PART_FIELDS,
    PROGRAMME_PARTS,
    S_ACCOUNT,
    S_ASSISTANCE,
    S_CATASTROPHIC,
    S_CIVIL,
    S_ENTERPRISE,
    S_TILT,
    TILT_CAP,
    TILT_RATE,
    TILT_THRESHOLD,
    UNLIMITED,
    W_ACCOUNT_CURRENT,
    W_ACCOUNT_FAMILY,
    W_ACCOUNT_FIRST,
    W_ACCOUNT_PAST,
    W_ASSISTANCE,
    W_ASSISTANCE_BASE,
    W_CASH,
    W_CATEGORY,
    W_CII,
    W_CII_BASE,
    W_CIVIL,
    W_CIVIL_DEDUCTIBLE,
    W_CROSS,
    W_DEDUCTIBLE,
    W_ENTERPRISE,
    W_EXTRA,
    W_GROUP,
    W_HOSPITAL,
    W_LARGE_SUM,
    W_LEFT,
    W_LEFT_FIRST_PAY,
    W_LEFT_OVER_CEILING,
    W_LEFT_SELF_PAID,
    W_OTHER,
    W_OVER_CAP,
    W_PROGRAMME,
    W_SPECIAL_DRUG,
    W_SUPPLEMENTARY,
    W_SUPPLEMENTARY_BASE,
    W_TILT,
    W_TILT_BASE,
    W_UNVERIFIED,
    YEAR_LESS_PAID,
)
from adjudicator.benefit.stages import EXACT_LIMIT, PPM, cell, rounded
from adjudicator.compiled.jit import inlined

ALL_PARTS = PART_IN_SCOPE | PART_FIRST_PAY | PART_OVER_CEILING | PART_SELF_PAID


@inlined
def take(w, amount, mask):
    """Takes an amount out of the burden: in scope, first pay, over ceiling, self-paid; returns what it took."""
    rest = amount
    if mask & PART_IN_SCOPE:
        part = min(rest, w[W_LEFT])
        w[W_LEFT] -= part
        rest -= part
    if mask & PART_FIRST_PAY:
        part = min(rest, w[W_LEFT_FIRST_PAY])
        w[W_LEFT_FIRST_PAY] -= part
        rest -= part
    if mask & PART_OVER_CEILING:
        part = min(rest, w[W_LEFT_OVER_CEILING])
        w[W_LEFT_OVER_CEILING] -= part
        rest -= part
    if mask & PART_SELF_PAID:
        part = min(rest, w[W_LEFT_SELF_PAID])
        w[W_LEFT_SELF_PAID] -= part
        rest -= part
    return amount - rest


@inlined
def left_in(w, mask):
    """The burden left in the parts of a mask."""
    total = np.int64(0)
    if mask & PART_IN_SCOPE:
        total += w[W_LEFT]
    if mask & PART_FIRST_PAY:
        total += w[W_LEFT_FIRST_PAY]
    if mask & PART_OVER_CEILING:
        total += w[W_LEFT_OVER_CEILING]
    if mask & PART_SELF_PAID:
        total += w[W_LEFT_SELF_PAID]
    return total


@inlined
def share_of(amount, part, whole):
    """amount * part / whole, half-up, for part <= whole < 2**41 and amount <= 2**41, without overflow."""
    high = np.uint64(part) >> np.uint64(20)
    low = np.uint64(part) & np.uint64(0xFFFFF)
    divisor = np.uint64(max(whole, np.int64(1)))
    first = np.uint64(amount) * high
    rest = (first % divisor << np.uint64(20)) + np.uint64(amount) * low
    quotient = (first // divisor << np.uint64(20)) + rest // divisor
    return np.int64(quotient) + (np.int64(1) if 2 * (rest % divisor) >= divisor else np.int64(0))


@inlined
def bands_between(plans, p, category, low, high):
    """Exact payment (fen * ppm) of catastrophic insurance on the year's burden from ``low`` to ``high`` (V10)."""
    threshold = cell(plans, p, CII_THRESHOLD + category)
    origin = threshold if cell(plans, p, CII_ORIGIN) == BANDS_ABOVE_THRESHOLD else np.int64(0)
    exact = np.int64(0)
    band = np.int64(0)
    begin = cell(plans, p, CII_FROM)
    while band < BANDS and begin < UNLIMITED and max(begin + origin, threshold) < high:
        following = cell(plans, p, CII_FROM + band + 1) if band + 1 < BANDS else np.int64(UNLIMITED)
        end = following + origin if following < UNLIMITED else np.int64(UNLIMITED)
        part = min(high, end) - max(low, max(begin + origin, threshold))
        if part > 0:
            exact += part * cell(plans, p, CII_RATE + category * BANDS + band)
        begin = following
        band += 1
    return exact


@inlined
def increment_of(mode, difference_exact, after_exact, before_exact, paid_before):
    """What a claim gets of a benefit measured over the year (R07, R34)."""
    pay = rounded(difference_exact)
    if mode == DIFFERENCE_OF_ROUNDED:
        pay = rounded(after_exact) - rounded(before_exact)
    elif mode == YEAR_LESS_PAID:
        pay = max(rounded(after_exact) - paid_before, np.int64(0))
    return pay


@inlined
def catastrophic(plans, p, year, w):
    """Stage 7: on the year's accumulated burden (V09), by bands (V10), as an increment (R07), taken by R09."""
    mask = cell(plans, p, CII_BASE)
    base, pay = np.int64(0), np.int64(0)
    if mask != 0:
        left = w[W_LEFT]
        deductible = min(w[W_DEDUCTIBLE], left)
        above = min(max(w[W_OVER_CAP] - w[W_LARGE_SUM], np.int64(0)), left - deductible)
        in_scope = np.int64(0)
        if mask & PART_DEDUCTIBLE:
            in_scope += deductible
        if mask & PART_ABOVE_CAP:
            in_scope += above
        if mask & PART_IN_SCOPE:
            in_scope += left - deductible - above
        first_pay = np.int64(0)
        extra = min(w[W_EXTRA], w[W_LEFT_FIRST_PAY])
        if mask & PART_FIRST_PAY:
            first_pay += w[W_LEFT_FIRST_PAY] - extra
        if mask & PART_EXTRA:
            first_pay += extra
        if mask & PART_SPECIAL_DRUGS:
            # Special drugs count even where the rest of the claim does not.
            missing = min(w[W_SPECIAL_DRUG], left + w[W_LEFT_FIRST_PAY]) - in_scope - first_pay
            missing = max(missing, np.int64(0))
            more = min(missing, left - in_scope)
            in_scope += more
            first_pay += min(missing - more, w[W_LEFT_FIRST_PAY] - first_pay)
        over_ceiling = w[W_LEFT_OVER_CEILING] if mask & PART_OVER_CEILING else np.int64(0)
        base = in_scope + first_pay + over_ceiling
        category = w[W_CATEGORY]
        before = year[A_CII_BASE]
        exact = bands_between(plans, p, category, before, before + base)
        mode = cell(plans, p, CII_INCREMENT)
        exact_after, exact_before = np.int64(0), np.int64(0)
        if mode != 0:
            exact_after = bands_between(plans, p, category, np.int64(0), before + base)
            exact_before = bands_between(plans, p, category, np.int64(0), before)
        pay = increment_of(mode, exact, exact_after, exact_before, year[A_CII])
        pay = min(min(pay, base), max(cell(plans, p, CII_CAP + category) - year[A_CII], np.int64(0)))
        if base > 0:
            w[W_UNVERIFIED] |= S_CATASTROPHIC
        if cell(plans, p, CII_TAKEN_FROM) == PRO_RATA and pay > 0:
            from_scope = share_of(pay, in_scope, base)
            from_first = min(share_of(pay, first_pay, base), pay - from_scope)
            from_over = min(pay - from_scope - from_first, over_ceiling)
            from_scope += pay - from_scope - from_first - from_over
            w[W_LEFT] -= from_scope
            w[W_LEFT_FIRST_PAY] -= from_first
            w[W_LEFT_OVER_CEILING] -= from_over
        else:
            take(w, pay, PART_IN_SCOPE | PART_FIRST_PAY | PART_OVER_CEILING)
    w[W_CII_BASE] = base
    w[W_CII] = pay


@inlined
def civil_servant(plans, p, year, w):
    """Stage 8a: part of the deductible and of the co-pay (V18); what is left of the deductible is paid last (R35)."""
    group = w[W_GROUP]
    of_deductible = cell(plans, p, CIVIL_DEDUCTIBLE + group)
    of_copay = cell(plans, p, CIVIL_RATE + group)
    pay, charged = np.int64(0), np.int64(0)
    if of_deductible > 0 or of_copay > 0:
        deductible = min(w[W_DEDUCTIBLE], w[W_LEFT])
        copay = w[W_LEFT] - deductible
        charged = max(cell(plans, p, CIVIL_OWN_DEDUCTIBLE + group) - year[A_CIVIL_DEDUCTIBLE], np.int64(0))
        charged = min(charged, copay)
        pay = rounded(deductible * of_deductible + (copay - charged) * of_copay)
        pay = min(pay, max(cell(plans, p, CIVIL_CAP + group) - year[A_CIVIL], np.int64(0)))
        take(w, pay, PART_IN_SCOPE)
        w[W_UNVERIFIED] |= S_CIVIL
    w[W_CIVIL] = pay
    w[W_CIVIL_DEDUCTIBLE] = charged


@inlined
def enterprise(plans, p, year, w):
    """Stage 8b: a share of the in-scope burden that is left."""
    group = w[W_GROUP]
    rate = cell(plans, p, ENTERPRISE_RATE + group)
    pay = np.int64(0)
    if rate > 0:
        pay = min(
            rounded(w[W_LEFT] * rate), max(cell(plans, p, ENTERPRISE_CAP + group) - year[A_ENTERPRISE], np.int64(0))
        )
        take(w, pay, PART_IN_SCOPE)
        w[W_UNVERIFIED] |= S_ENTERPRISE
    w[W_ENTERPRISE] = pay


@inlined
def above_threshold(threshold, rate, before, base, mode, paid_before):
    """Increment of a share of what the year's base exceeds a threshold."""
    after_part = max(before + base - threshold, np.int64(0))
    before_part = max(before - threshold, np.int64(0))
    return increment_of(mode, (after_part - before_part) * rate, after_part * rate, before_part * rate, paid_before)


@inlined
def assistance(plans, p, year, w):
    """Stages 9 and 10: medical assistance on what is left (R11), then tilt assistance on what that leaves."""
    base, pay, tilt_base, tilt = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    mask = cell(plans, p, ASSISTANCE_BASE) & (PART_IN_SCOPE | PART_FIRST_PAY | PART_OVER_CEILING)
    category = w[W_CATEGORY]
    mode = cell(plans, p, ASSISTANCE_INCREMENT)
    if cell(plans, p, HAS_ASSISTANCE) != 0:
        base = left_in(w, mask)
        rate = cell(plans, p, ASSISTANCE_RATE + category)
        if rate > 0:
            paid = year[A_ASSISTANCE] + year[A_ASSISTANCE_OUTPATIENT]
            threshold = cell(plans, p, ASSISTANCE_THRESHOLD + category)
            pay = above_threshold(threshold, rate, year[A_ASSISTANCE_BASE], base, mode, paid)
            pay = min(min(pay, base), max(cell(plans, p, ASSISTANCE_CAP + category) - paid, np.int64(0)))
            if cell(plans, p, ASSISTANCE_ACCOUNT) == ACCOUNT_OUTPATIENT:
                most = cell(plans, p, ASSISTANCE_OUTPATIENT_CAP + category)
                pay = min(pay, max(most - year[A_ASSISTANCE_OUTPATIENT], np.int64(0)))
            take(w, pay, mask)
            if base > 0:
                w[W_UNVERIFIED] |= S_ASSISTANCE
    if cell(plans, p, HAS_TILT) != 0:
        tilt_base = left_in(w, mask)
        rate = cell(plans, p, TILT_RATE + category)
        if rate > 0 and cell(plans, p, CROSS_NO_TILT + w[W_CROSS]) == 0:
            threshold = cell(plans, p, TILT_THRESHOLD + category)
            tilt = above_threshold(threshold, rate, year[A_TILT_BASE], tilt_base, mode, year[A_TILT])
            tilt = min(min(tilt, tilt_base), max(cell(plans, p, TILT_CAP + category) - year[A_TILT], np.int64(0)))
            take(w, tilt, mask)
            if tilt_base > 0:
                w[W_UNVERIFIED] |= S_TILT
    w[W_ASSISTANCE_BASE], w[W_ASSISTANCE] = base, pay
    w[W_TILT_BASE], w[W_TILT] = tilt_base, tilt


@inlined
def supplementary(programmes, k, n, year, w):
    """Stage 11: supplementary insurance (惠民保), each part above its own threshold of the year (BEN-24, BEN-25).

    An increment over the year, as catastrophic insurance (R07): f(counted after) - f(counted before), rounded.
    """
    total = np.int64(0)
    for part in range(PROGRAMME_PARTS):
        c = np.uint64(PROGRAMME_PART + part * PROGRAMME_PART_FIELDS)
        rate = programmes[k, n, c + np.uint64(5)]
        if rate > 0:
            in_scope, first_pay = programmes[k, n, c], programmes[k, n, c + np.uint64(1)]
            over_ceiling, self_paid = programmes[k, n, c + np.uint64(2)], programmes[k, n, c + np.uint64(3)]
            threshold, cap = programmes[k, n, c + np.uint64(4)], programmes[k, n, c + np.uint64(6)]
            counted = rounded(
                w[W_LEFT] * in_scope
                + w[W_LEFT_FIRST_PAY] * first_pay
                + w[W_LEFT_OVER_CEILING] * over_ceiling
                + w[W_LEFT_SELF_PAID] * self_paid
            )
            before = year[np.uint64(A_SUPPLEMENTARY_BASE + part)]
            paid_before = max(before - threshold, np.int64(0)) * rate
            paid_after = max(before + counted - threshold, np.int64(0)) * rate
            if cap < EXACT_LIMIT:
                paid_before, paid_after = min(paid_before, cap * PPM), min(paid_after, cap * PPM)
            mask = PART_IN_SCOPE if in_scope > 0 else 0
            mask |= PART_FIRST_PAY if first_pay > 0 else 0
            mask |= PART_OVER_CEILING if over_ceiling > 0 else 0
            mask |= PART_SELF_PAID if self_paid > 0 else 0
            total += take(w, rounded(paid_after - paid_before), mask)
            w[np.uint64(W_SUPPLEMENTARY_BASE + part)] = counted
    w[W_SUPPLEMENTARY] = total


@inlined
def other_payers(claim, pays_parts, pays_ppm, w):
    """Stages 11 and 12: the programme's payer, payers outside the funds, the hospital."""
    parts = pays_parts & ALL_PARTS
    w[W_PROGRAMME] = w[W_SUPPLEMENTARY] + take(w, rounded(left_in(w, parts) * pays_ppm), parts)
    w[W_OTHER] = take(w, max(claim.other_payer_fen, np.int64(0)), ALL_PARTS)
    # The hospital waives what the person would pay alone before what a fund shares in (B2).
    rest = max(claim.hospital_borne_fen, np.int64(0))
    borne = take(w, rest, PART_SELF_PAID)
    borne += take(w, rest - borne, PART_OVER_CEILING)
    borne += take(w, rest - borne, PART_FIRST_PAY)
    w[W_HOSPITAL] += borne + take(w, rest - borne, PART_IN_SCOPE)


@inlined
def pots(plans, p, has_plan, claim, w):
    """Stages 13 and 14: current-year, past-years and family account by what each may pay (V13, R20, R21); cash."""
    current, past, family = w[W_ACCOUNT_FIRST], np.int64(0), np.int64(0)
    if claim.use_account != 0 and has_plan:
        room = max(claim.account_current_fen - current, np.int64(0))
        current += take(w, room, cell(plans, p, CURRENT_PAYS))
        past = take(w, max(claim.account_past_fen, np.int64(0)), cell(plans, p, PAST_PAYS))
        family = take(w, max(claim.account_family_fen, np.int64(0)), cell(plans, p, FAMILY_PAYS))
        if current + past + family > 0:
            w[W_UNVERIFIED] |= S_ACCOUNT
    w[W_ACCOUNT_CURRENT] = current
    w[W_ACCOUNT_PAST] = past
    w[W_ACCOUNT_FAMILY] = family
    w[W_CASH] = left_in(w, ALL_PARTS)
