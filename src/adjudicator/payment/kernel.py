"""What the fund owes the institution for each claim: method, points, amount (供方支付).

One pass over claims; tables come compiled from ``payment.section``. Points are 1e-8, a point value 1/10000 fen, so a
case is worth points x value / 1e12 fen. Products of three columns need up to 192 bits, computed exactly in
64-bit limbs; rounding is half-up once (R38). Formulas: payment-rules 1.5 (points of a case), 1.7 (total-cost and
fund-only mode), 2.1 (bed-day), 4.1 to 4.3 (packages). The naive twin is tests/payment/naive.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from adjudicator.codes import GroupStatus, Method
from adjudicator.compiled.jit import uncounted_kernel
from adjudicator.errors import E

UNVERIFIED_METHOD = 1
UNVERIFIED_POINTS = 2
UNVERIFIED_COEFFICIENT = 4
UNVERIFIED_UNUSUAL = 8
UNVERIFIED_VALUE = 16
UNVERIFIED_BED_DAY = 32
UNVERIFIED_PACKAGE = 64
UNVERIFIED_SUPPORT = 128

E8 = 100_000_000
PPM = 1_000_000
POINTS_TIMES_VALUE = 10**12

_NONE = int(Method.NONE)
_BY_ITEM = int(Method.BY_ITEM)
_DRG = int(Method.DRG_POINTS)
_BED_DAY = int(Method.BED_DAY)
_CAPITATION = int(Method.CAPITATION)
_VISITS = int(Method.OUTPATIENT_POINTS)
_GROUPED = int(GroupStatus.GROUPED)
_NO_DRG = 2

_E_METHOD = int(E.NO_PAYMENT_METHOD)
_E_GROUP = int(E.GROUP_WITHOUT_POINTS)
_E_COEFFICIENT = int(E.HOSPITAL_WITHOUT_COEFFICIENT)
_E_VALUE = int(E.NO_POINT_VALUE)
_E_BED_DAY = int(E.NO_BED_DAY_RATE)
_E_UNDEFINED = int(E.PAYMENT_RULE_UNDEFINED)

_U0, _U1, _U2 = np.uint64(0), np.uint64(1), np.uint64(2)
_U32, _U63, _U64 = np.uint64(32), np.uint64(63), np.uint64(64)
_LOW32 = np.uint64(0xFFFFFFFF)
_BASE32 = np.uint64(1 << 32)
_TOP = np.uint64(1 << 63)


class Tables(NamedTuple):
    """Compiled payment rules (see ``payment.compile.PaymentRules``)."""

    packs: np.ndarray
    epochs: np.ndarray
    conditions: np.ndarray
    kind_starts: np.ndarray
    kind_rows: np.ndarray
    set_starts: np.ndarray
    set_members: np.ndarray
    terms: np.ndarray
    base_e8: np.ndarray
    average_fen: np.ndarray
    level_average_fen: np.ndarray
    bed_day_group: np.ndarray
    coefficient_e8: np.ndarray
    full_e8: np.ndarray
    high_bands: np.ndarray
    hospital_class: np.ndarray
    bed_day_sets: np.ndarray
    bed_day_rates: np.ndarray
    package_sets: np.ndarray
    package_rows: np.ndarray
    package_index: np.ndarray
    point_value_e4: np.ndarray
    point_value_unverified: np.ndarray
    contracts: np.ndarray


class ClaimCodes(NamedTuple):
    """Ids of diagnoses and procedures in the code tables of the claim's scheme; empty where no rule asks for them."""

    diagnosis_offsets: np.ndarray
    diagnoses: np.ndarray
    procedure_offsets: np.ndarray
    procedures: np.ndarray


# --- exact products -----------------------------------------------------------------------------------------------


@uncounted_kernel
def multiply_wide(a, b):
    """Product of two uint64 as high and low limb."""
    a_low, a_high = a & _LOW32, a >> _U32
    b_low, b_high = b & _LOW32, b >> _U32
    low = a_low * b_low
    middle = a_high * b_low + (low >> _U32)
    other = a_low * b_high + (middle & _LOW32)
    return a_high * b_high + (middle >> _U32) + (other >> _U32), (other << _U32) | (low & _LOW32)


@uncounted_kernel
def divide_wide(high, low, divisor):
    """Quotient and remainder of a two-limb number by a divisor greater than ``high`` (Knuth's algorithm D)."""
    if high == _U0:
        return low // divisor, low % divisor
    shift = _U0
    while divisor & _TOP == _U0:
        divisor <<= _U1
        shift += _U1
    if shift > _U0:
        high = (high << shift) | (low >> (_U64 - shift))
        low <<= shift
    v1, v0 = divisor >> _U32, divisor & _LOW32
    u1, u0 = low >> _U32, low & _LOW32
    q1 = high // v1
    rest = high - q1 * v1
    while q1 >= _BASE32 or q1 * v0 > ((rest << _U32) | u1):
        q1 -= _U1
        rest += v1
        if rest >= _BASE32:
            break
    middle = (high << _U32) + u1 - q1 * divisor
    q0 = middle // v1
    rest = middle - q0 * v1
    while q0 >= _BASE32 or q0 * v0 > ((rest << _U32) | u0):
        q0 -= _U1
        rest += v1
        if rest >= _BASE32:
            break
    return (q1 << _U32) + q0, ((middle << _U32) + u0 - q0 * divisor) >> shift


@uncounted_kernel
def scaled_product(a, b, c, d1, d2):
    """a x b x c / (d1 x d2), rounded half-up, exact.

    Bounds: each argument is not negative, d1 >= 1, 1 <= d2 < 2**62, c < 2**62, the result is below 2**63. Money up to
    10**12 fen, points up to 10**14, coefficients up to 10**10: the numerator stays below 2**192.
    """
    high, low = multiply_wide(np.uint64(a), np.uint64(b))
    twice = np.uint64(c) * _U2
    n1, n0 = multiply_wide(low, twice)
    n2, part = multiply_wide(high, twice)
    n1 += part
    if n1 < part:
        n2 += _U1
    half_high, half_low = multiply_wide(np.uint64(d1), np.uint64(d2))
    n0 += half_low
    if n0 < half_low:
        n1 += _U1
        if n1 == _U0:
            n2 += _U1
    n1 += half_high
    if n1 < half_high:
        n2 += _U1
    first = np.uint64(d1)
    q2, rest = n2 // first, n2 % first
    q1, rest = divide_wide(rest, n1, first)
    q0, rest = divide_wide(rest, n0, first)
    second = np.uint64(d2) * _U2
    rest = q2 % second
    _, rest = divide_wide(rest, q1, second)
    q0, rest = divide_wide(rest, q0, second)
    return np.int64(q0)


@uncounted_kernel
def product_compare(a, b, c, d):
    """Sign of a x b - c x d for non-negative integers, exact."""
    left_high, left_low = multiply_wide(np.uint64(a), np.uint64(b))
    right_high, right_low = multiply_wide(np.uint64(c), np.uint64(d))
    result = 0
    if left_high != right_high:
        result = 1 if left_high > right_high else -1
    elif left_low != right_low:
        result = 1 if left_low > right_low else -1
    return result


@uncounted_kernel
def points_value_fen(points_e8, value_e4):
    """Worth of points in fen, half-up (R38); negative points mirror."""
    magnitude = points_e8 if points_e8 >= 0 else -points_e8
    result = scaled_product(magnitude, value_e4, 1, POINTS_TIMES_VALUE, 1)
    return result if points_e8 >= 0 else -result


@uncounted_kernel
def share_fen(amount_fen, rate_ppm):
    """Part of an amount (0 to 10**12 fen) at a rate up to 10**6 x 9, half-up; the product stays below 9.2 x 10**18."""
    return (amount_fen * rate_ppm + PPM // 2) // PPM


# --- which row takes a claim --------------------------------------------------------------------------------------


@uncounted_kernel
def in_set(t, number, member):
    """Whether a set (-1: everything) holds an id; ids beyond the set count as not listed."""
    result = True
    if number >= 0:
        start, end = t.set_starts[number], t.set_starts[number + 1]
        place = start + member + 1
        if member < 0 or place >= end:
            place = start
        result = t.set_members[place] != 0
    return result


@uncounted_kernel
def fits(t, row, claim, group, contract, codes, i):
    """Whether a condition accepts a claim."""
    c = t.conditions[row]
    one = _U1
    ok = (
        ((c.care_kinds >> np.uint64(claim.care_kind)) & one) != _U0
        and ((c.schemes >> np.uint64(claim.scheme)) & one) != _U0
        and ((c.places >> np.uint64(claim.place)) & one) != _U0
        and ((c.filings >> np.uint64(claim.filing)) & one) != _U0
        and ((c.statuses >> np.uint64(group.status)) & one) != _U0
        and ((c.maternity_types >> np.uint64(claim.maternity_type)) & one) != _U0
        and ((c.person_types >> np.uint64(claim.person_type)) & one) != _U0
        and ((c.assistances >> np.uint64(claim.assistance)) & one) != _U0
        and (c.contract == 0 or (c.contract == 1) == contract)
        and c.stay_from_days <= claim.stay_days <= c.stay_to_days
        and c.age_from_years <= claim.age_years <= c.age_to_years
        and in_set(t, c.hospitals, claim.hospital)
        and in_set(t, c.departments, claim.department)
        and in_set(t, c.diseases, claim.disease)
        and in_set(t, c.drgs, group.drg)
    )
    if ok and c.diagnoses >= 0:
        first = codes.diagnosis_offsets[i]
        principal = codes.diagnoses[first] if codes.diagnosis_offsets[i + 1] > first else -1
        ok = in_set(t, c.diagnoses, principal)
    if ok and c.procedures >= 0:
        ok = False
        for place in range(codes.procedure_offsets[i], codes.procedure_offsets[i + 1]):
            if in_set(t, c.procedures, codes.procedures[place]):
                ok = True
    return ok


@uncounted_kernel
def highest_rate(t, start, end, claim, group, contract, codes, i):
    """Highest rate of the rows that fit, and whether it is unverified; 0 where none fits (they do not add up, S-29)."""
    rate, unverified = 0, 0
    for row in range(start, end):
        if t.conditions[row].rate_ppm > rate and fits(t, row, claim, group, contract, codes, i):
            rate, unverified = t.conditions[row].rate_ppm, t.conditions[row].unverified
    return rate, unverified


# --- DRG points ---------------------------------------------------------------------------------------------------


@uncounted_kernel
def beyond(ratio_to, inclusive, sign, cost_fen, multiple_ppm, average_fen, coefficient_e8, standard_fen):
    """Whether cost / reference is over (sign 1) or under (-1) a multiple; the boundary belongs to it if inclusive."""
    if ratio_to == 2:  # points of the cost against base x coefficient
        order = product_compare(cost_fen, E8 * PPM, average_fen * multiple_ppm, coefficient_e8)
    elif ratio_to == 3:
        order = product_compare(cost_fen, PPM, standard_fen, multiple_ppm)
    else:
        order = product_compare(cost_fen, PPM, average_fen, multiple_ppm)
    return order == sign or (order == 0 and inclusive != 0)


@uncounted_kernel
def case_points(t, terms_row, epoch_row, class_count, hospital_count, drg_count, rank, claim, drg, value_e4):
    """Points of a grouped case before support; (points_e8, error, unverified bits)."""
    terms, epoch = t.terms[terms_row], t.epochs[epoch_row]
    unit = terms.rounding_unit_e8
    group = epoch.group_start + drg
    base, average = t.base_e8[group], t.average_fen[group]
    points, error, marks = np.int64(0), 0, np.int64(0)
    if terms.unverified_points:
        marks |= UNVERIFIED_POINTS
    hospital = claim.hospital
    coefficient, full = np.int64(-1), np.int64(-1)
    if 0 <= hospital < hospital_count:
        place = epoch.matrix_start + hospital * drg_count + drg
        coefficient, full = t.coefficient_e8[place], t.full_e8[place]
    incomplete = (terms.incomplete_mid_stay != 0 and claim.mid_stay != 0) or (
        (terms.incomplete_ways >> np.uint64(claim.discharge_way)) & _U1
    ) != _U0
    if base < 0:
        error = _E_GROUP
    elif t.bed_day_group[group] == 1:
        points = base * claim.stay_days
    elif incomplete and average <= 0:
        error = _E_UNDEFINED
    elif incomplete and terms.incomplete_coefficient == 0:
        points = scaled_product(base, claim.total_fen, 1, average, unit) * unit
        if terms.incomplete_cap == 1 and points > base:
            points = base
        if terms.unverified_incomplete:
            marks |= UNVERIFIED_UNUSUAL
    elif coefficient < 0:
        error = _E_COEFFICIENT
    else:
        if terms.unverified_coefficient:
            marks |= UNVERIFIED_COEFFICIENT
        points = full
        if incomplete:
            points = scaled_product(base, coefficient, claim.total_fen, average, E8 * unit) * unit
            limit = base if terms.incomplete_cap == 1 else full
            if terms.incomplete_cap != 0 and points > limit:
                points = limit
            if terms.unverified_incomplete:
                marks |= UNVERIFIED_UNUSUAL
        elif terms.low_strategy + terms.high_strategy > 0:
            standard_fen = points_value_fen(full, value_e4)
            level_average = t.level_average_fen[epoch.level_start + drg * class_count + rank] if rank >= 0 else 0
            low_average = level_average if terms.low_ratio_to == 1 else average
            high_average = level_average if terms.high_ratio_to == 1 else average
            multiple = np.int64(0)
            for band in range(epoch.high_start, epoch.high_end):
                if multiple == 0 and base <= t.high_bands[2 * band]:
                    multiple = t.high_bands[2 * band + 1]
            if (terms.low_strategy > 0 and low_average <= 0) or (terms.high_strategy > 0 and high_average <= 0):
                error = _E_UNDEFINED
            elif terms.low_strategy > 0 and beyond(
                terms.low_ratio_to,
                terms.low_inclusive,
                -1,
                claim.total_fen,
                terms.low_multiple_ppm,
                low_average,
                coefficient,
                standard_fen,
            ):
                if terms.unverified_low:
                    marks |= UNVERIFIED_UNUSUAL
                if terms.low_strategy == 2:
                    factor = coefficient if terms.low_coefficient else np.int64(E8)
                    points = scaled_product(base, factor, claim.total_fen, low_average, E8 * unit) * unit
            elif terms.high_strategy > 0 and beyond(
                terms.high_ratio_to,
                terms.high_inclusive,
                1,
                claim.total_fen,
                multiple,
                high_average,
                coefficient,
                standard_fen,
            ):
                if terms.unverified_high:
                    marks |= UNVERIFIED_UNUSUAL
                factor = coefficient if terms.high_coefficient else np.int64(E8)
                if terms.high_strategy == 2:  # extra points, R39
                    excess = max(np.int64(0), claim.total_fen * PPM - multiple * high_average)
                    points = full + scaled_product(base, factor, excess, high_average * PPM, E8 * unit) * unit
                elif terms.high_strategy == 3:  # (m - 1) x points
                    excess = max(np.int64(0), claim.total_fen - high_average)
                    points = scaled_product(base, factor, excess, high_average, E8 * unit) * unit
                elif terms.high_strategy == 4:  # continuous at the limit
                    points = scaled_product(base, 1, claim.total_fen, high_average, unit) * unit
                    points -= scaled_product(full, multiple - PPM, 1, PPM, unit) * unit
    return points, error, marks


# --- bed-days and packages ----------------------------------------------------------------------------------------


@uncounted_kernel
def bed_day_amount(t, table, rank, days):
    """Sum of day rates over the tiers for a class, or for any class where it has none; -1 where a day has no rate."""
    row = t.bed_day_sets[table]
    own, any_class = np.int64(0), np.int64(0)
    own_days, any_days = np.int64(0), np.int64(0)
    for place in range(row.rate_start, row.rate_end):
        rate = t.bed_day_rates[place]
        inside = min(days, rate.day_to) - rate.day_from + 1
        if inside > 0 and rate["class"] == rank:
            own += rate.rate * inside
            own_days += inside
        elif inside > 0 and rate["class"] < 0:
            any_class += rate.rate * inside
            any_days += inside
    amount = np.int64(-1)
    if own_days == days:
        amount = own
    elif any_days == days:
        amount = any_class
    return amount


@uncounted_kernel
def package_place(t, table, claim, group, rank):
    """Row of a package price for a claim and hospital class, -1 none."""
    row = t.package_sets[table]
    key = np.int64(0)
    if row.key == 1:
        key = claim.disease
    elif row.key == 2:
        key = claim.maternity_type
    elif row.key == 3:
        key = claim.care_kind
    elif row.key == 4:
        key = group.drg
    place = np.int64(-1)
    if 0 <= key < row.keys:
        start = row.index_start + key * (row.classes + 1)
        if rank >= 0:
            place = t.package_index[start + rank + 1]
        if place < 0:
            place = t.package_index[start]
    return place


@uncounted_kernel
def package_due(t, table, place, claim, clearing_fen, others_fen):
    """Amount due under a package formula that is not in points; (due_fen, error)."""
    row, price_row = t.package_sets[table], t.package_rows[place]
    cost = claim.total_fen
    price = price_row.price_fen + price_row.extra_fetus_fen * max(0, claim.fetus_count - 1)
    due, error = np.int64(0), 0
    if row.formula == 0:  # fixed: the fund part is fixed whatever the cost (S-59)
        due = price_row.fund_fen + price_row.extra_fetus_fen * max(0, claim.fetus_count - 1)
    elif row.formula == 1:  # package: surplus and overspend are the hospital's (PUB-04)
        due = price - others_fen
    elif row.formula == 2:  # ceiling: below normal with a reward, above the hospital bears it (S-60)
        due = clearing_fen + share_fen(price - cost, row.reward_ppm) if cost <= price else price - others_fen
    elif row.formula == 3:  # the fund settles on the limit, the patient on the cost (S-62)
        due = price - others_fen
        if cost > price and row.above_defined == 0:
            due, error = np.int64(0), _E_UNDEFINED
    elif row.formula == 4:  # quota bands (S-49)
        payable = price + share_fen(min(cost - price, share_fen(price, row.band_ppm)), row.band_share_ppm)
        if cost <= price:
            reward = share_fen(price - cost, row.reward_ppm)
            payable = cost + min(reward, share_fen(price, row.reward_cap_ppm))
        due = payable - others_fen
    elif row.formula == 5:  # patient share by bands of cost, the fund pays the rest (S-66)
        first = max(np.int64(0), min(cost, price_row.second_fen) - price)
        second = max(np.int64(0), cost - price_row.second_fen)
        due = cost - share_fen(first, price_row.first_ppm) - share_fen(second, price_row.second_ppm)
    elif row.formula == 6:  # actual cost up to the quota (S-68, S-70)
        due = min(cost, price)
    else:  # average limit: by item until the year is settled (S-61)
        due = clearing_fen
    return due, error


# --- the pass -----------------------------------------------------------------------------------------------------


@uncounted_kernel
def clearing_fund_fen(mask, b):
    """What the funds that clearing replaces pay of a claim by the benefit rules."""
    total = np.int64(0)
    if mask & np.uint64(1):
        total += b.pooled_fen
    if mask & np.uint64(2):
        total += b.large_sum_fen
    if mask & np.uint64(4):
        total += b.catastrophic_fen
    if mask & np.uint64(8):
        total += b.civil_servant_fen
    if mask & np.uint64(16):
        total += b.enterprise_fen
    if mask & np.uint64(32):
        total += b.assistance_fen + b.tilt_fen
    if mask & np.uint64(64):
        total += b.other_fen
    return total


@uncounted_kernel
def pay_claims(t, claims, splits, benefits, groups, codes, out):
    """Fills one row of PAYMENT for each claim; a claim with an error has zeros."""
    for i in range(claims.shape[0]):
        claim, b, group, o = claims[i], benefits[i], groups[i], out[i]
        o.method, o.error, o.points_e8, o.point_value_e4, o.due_fen, o.by_item_fen, o.unverified = 0, 0, 0, 0, 0, 0, 0
        if claim.error != 0 or b.error != 0 or claim.pack < 0:
            continue
        pack = t.packs[claim.pack]
        date = claim.settlement_date
        if pack.deciding_date == 1 and claim.discharge_date > 0:
            date = claim.discharge_date
        elif pack.deciding_date == 2 and claim.admission_date > 0:
            date = claim.admission_date
        epoch_row = np.int64(-1)
        for place in range(pack.epoch_start, pack.epoch_end):
            if t.epochs[place].from_date <= date <= t.epochs[place].to_date:
                epoch_row = place
        contract = False
        for place in range(pack.contract_start, pack.contract_end):
            c = t.contracts[place]
            if (
                claim.at_signed_institution != 0
                and c.hospital == claim.hospital
                and c.scheme == claim.scheme
                and c.from_date <= date <= c.to_date
            ):
                contract = True
        method, table, marks, error = np.int64(_NONE), np.int64(-1), np.int64(0), 0
        if epoch_row >= 0:
            by_kind = t.epochs[epoch_row].by_kind + claim.care_kind
            place = t.kind_starts[by_kind]
            end = t.kind_starts[by_kind + 1]
            while place < end:
                row = t.kind_rows[place]
                if fits(t, row, claim, group, contract, codes, i):
                    method, table = t.conditions[row].method, t.conditions[row].table
                    if t.conditions[row].unverified:
                        marks |= UNVERIFIED_METHOD
                    place = end
                place += 1
        rank = np.int64(-1)
        if 0 <= claim.hospital < pack.hospitals:
            rank = t.hospital_class[pack.class_start + claim.hospital]
        clearing = clearing_fund_fen(pack.clearing_funds, b)
        others = b.personal_total_fen + b.fund_total_fen - clearing
        month = claim.settlement_date // 10_000 * 12 + claim.settlement_date // 100 % 100 - 1 - pack.first_month
        value_place = np.int64(-1)
        if 0 <= month < pack.months:
            value_place = pack.value_start + (month * 5 + claim.scheme) * 2
        drg_value = t.point_value_e4[value_place] if value_place >= 0 else np.int64(0)
        points, value, due = np.int64(0), np.int64(0), np.int64(0)
        factor_ppm = np.int64(PPM)
        package = np.int64(-1)
        if method == _NONE:
            error = _E_METHOD
        elif method == _BY_ITEM:
            due = clearing
        elif method == _CAPITATION:
            due = np.int64(0)
        elif method == _BED_DAY:
            days = np.int64(max(1, claim.stay_days))
            amount = bed_day_amount(t, table, rank, days)
            terms = t.bed_day_sets[table]
            if terms.unverified:
                marks |= UNVERIFIED_BED_DAY
            rate, doubtful = highest_rate(t, terms.factor_start, terms.factor_end, claim, group, contract, codes, i)
            if amount < 0:
                error = _E_BED_DAY
            elif terms.formula == 3:
                points = amount if rate == 0 else scaled_product(amount, rate, 1, PPM, 1)
                value = drg_value
                if value <= 0:
                    error = _E_VALUE
                else:
                    due = points_value_fen(points, value) - others
            else:
                amount = amount if rate == 0 else share_fen(amount, rate)
                if terms.formula == 0:
                    due = amount - others
                elif terms.formula == 1:
                    due = share_fen(amount, terms.fund_ppm)
                elif claim.total_fen > 0:
                    split = splits[i]
                    weighted = split.class_a_fen * terms.rate_a_ppm + split.class_b_fen * terms.rate_b_ppm
                    due = scaled_product(max(np.int64(0), weighted), amount, 1, claim.total_fen, PPM)
                    if terms.cap_ppm > 0:
                        due = min(due, share_fen(clearing, terms.cap_ppm))
            if doubtful:
                marks |= UNVERIFIED_BED_DAY
        elif method != _DRG:
            package = package_place(t, table, claim, group, rank)
            if package < 0:
                error = _E_UNDEFINED
            else:
                if t.package_rows[package].unverified:
                    marks |= UNVERIFIED_PACKAGE
                formula = t.package_sets[table].formula
                if formula == 9:
                    factor_ppm = t.package_rows[package].first_ppm
                elif formula == 8:
                    points = t.package_rows[package].points_e8
                    if t.package_sets[table].per_head == 0:
                        value = t.point_value_e4[value_place + 1] if value_place >= 0 else np.int64(0)
                        due = points_value_fen(points, value)
                        if value <= 0:
                            error = _E_VALUE
                        elif t.point_value_unverified[value_place + 1]:
                            marks |= UNVERIFIED_VALUE
                else:
                    due, error = package_due(t, table, package, claim, clearing, others)
        if error == 0 and (method == _DRG or (package >= 0 and t.package_sets[table].formula == 9)):
            epoch = t.epochs[epoch_row]
            if epoch.terms < 0:
                error = _E_GROUP
            elif group.status != _GROUPED or (
                0 <= group.drg < epoch.drgs and t.bed_day_group[epoch.group_start + group.drg] == _NO_DRG
            ):
                terms_u = t.terms[epoch.terms]
                if terms_u.ungrouped == 1:
                    method, due = np.int64(_BY_ITEM), clearing
                elif terms_u.ungrouped == 2:
                    unit = terms_u.rounding_unit_e8
                    points = scaled_product(terms_u.scale_e8, claim.total_fen, 1, terms_u.all_average_fen, unit) * unit
                    marks |= UNVERIFIED_POINTS if terms_u.unverified_points else 0
                else:
                    error = _E_UNDEFINED
            elif group.drg < 0 or group.drg >= epoch.drgs:
                error = _E_GROUP
            else:
                points, error, more = case_points(
                    t,
                    epoch.terms,
                    epoch_row,
                    pack.classes,
                    pack.hospitals,
                    epoch.drgs,
                    rank,
                    claim,
                    group.drg,
                    drg_value,
                )
                marks |= more
            if error == 0 and method != _BY_ITEM:
                terms_s = t.terms[epoch.terms]
                unit = terms_s.rounding_unit_e8
                rate, doubtful = highest_rate(
                    t, terms_s.support_start, terms_s.support_end, claim, group, contract, codes, i
                )
                if factor_ppm != PPM:
                    points = scaled_product(points, factor_ppm, 1, PPM, unit) * unit
                if rate > 0:
                    points = scaled_product(points, PPM + rate, 1, PPM, unit) * unit
                    if doubtful:
                        marks |= UNVERIFIED_SUPPORT
                value = drg_value
                if value <= 0:
                    error = _E_VALUE
                else:
                    due = points_value_fen(points, value)
                    if terms_s.mode == 0:
                        due -= others
                    elif terms_s.mode == 2:  # rate form (S-37): the fund's share of the standard, floor 0
                        in_scope = due - splits[i].wholly_self_paid_fen - b.first_pay_fen - b.deductible_fen
                        due = share_fen(max(np.int64(0), in_scope), b.pooled_rate_ppm)
        if error == 0:
            if value > 0 and method != _BY_ITEM and method != _VISITS and t.point_value_unverified[value_place]:
                marks |= UNVERIFIED_VALUE
            o.method, o.points_e8, o.point_value_e4, o.unverified = method, points, value, marks
            o.due_fen, o.by_item_fen = due, clearing
        o.error = error
