"""Line split (明细切分): each fee line becomes wholly self-paid, over the ceiling, first-pay, and in scope.

Source: national-interface.md 3.3 and 4, benefit-rules.md 10.1, 10.4, 10.6, 10.7; readings R22, R23, R24, R36. The slow
twin is ``tests/catalogue/naive.py``. L1 holds for every line and H2 for every claim without an error.

A hot loop over plain lines (``split``), and a rare one for refunds (``split_refunds``), which need their original.
Helpers stay in this file, have one exit and return scalars: an array-taking helper that is not inlined, or has several
exits, keeps reference counts in the loop and costs nine times as much.
"""

from __future__ import annotations

import numpy as np

from adjudicator import limits
from adjudicator.catalogue.check import LEVEL_COLUMNS
from adjudicator.catalogue.tables import CO_PAY_FREE, HANDLING, LAST, RESTRICTED, SPECIAL_DRUG, UNVERIFIED
from adjudicator.codes import ItemClass, LineNote, Place
from adjudicator.compiled.jit import inlined, kernel
from adjudicator.errors import E

NO_CEILING_E4 = limits.NO_CEILING_E4
MAX_QUANTITY_E4, MAX_PRICE_E4, MAX_AMOUNT_FEN = limits.MAX_QUANTITY_E4, limits.MAX_UNIT_PRICE_E4, limits.MAX_AMOUNT_FEN
LOCAL = int(Place.LOCAL)
CLASS_A, CLASS_B, CLASS_C = int(ItemClass.A), int(ItemClass.B), int(ItemClass.C)
WHOLE_PPM = 1_000_000

EXCESS_TO_PATIENT, ITEM_SELF_PAID = HANDLING["excess_to_patient"], HANDLING["item_self_paid"]
EXCESS_TO_HOSPITAL, EXCESS_IN_CATALOGUE = HANDLING["excess_to_hospital"], HANDLING["excess_in_catalogue"]
LINE_CEILING = HANDLING["line_ceiling"]

NOTE_CLASS_C, NOTE_REFUSED = int(LineNote.CLASS_C), int(LineNote.RESTRICTED_USE_REFUSED)
NOTE_UNKNOWN, NOTE_NOT_VALID = int(LineNote.NOT_IN_CATALOGUE), int(LineNote.NOT_VALID_ON_FEE_DATE)
NOTE_WHOLE, NOTE_OVER = int(LineNote.OVER_CEILING_WHOLE_SELF_PAID), int(LineNote.OVER_CEILING_SELF_PAID)
NOTE_HOSPITAL, NOTE_IN_CATALOGUE = int(LineNote.OVER_CEILING_BORNE_BY_HOSPITAL), int(LineNote.OVER_CEILING_IN_CATALOGUE)
NOTE_REFUND, NOTE_DIFFERS = int(LineNote.REFUND), int(LineNote.PRICE_TIMES_QUANTITY_DIFFERS)
NOTE_SUSPENDED, NOTE_PROGRAMME = int(LineNote.ENROLMENT_SUSPENDED), int(LineNote.PROGRAMME_COVERS)
NOTE_CO_PAY_FREE = int(LineNote.CO_PAY_FREE)

ADD_UP, NO_LINES, UNKNOWN_ITEM = int(E.LINES_DO_NOT_ADD_UP), int(E.NO_LINES), int(E.UNKNOWN_ITEM)
ZERO_QUANTITY, QUANTITY_RANGE = int(E.ZERO_QUANTITY), int(E.QUANTITY_OUT_OF_RANGE)
PRICE_RANGE, AMOUNT_RANGE = int(E.PRICE_OUT_OF_RANGE), int(E.LINE_AMOUNT_OUT_OF_RANGE)
SIGN, NOT_VALID, UNDEFINED = int(E.LINE_SIGN), int(E.ITEM_NOT_VALID_ON_DATE), int(E.RULE_UNDEFINED)
NO_ORIGINAL, EXCEEDS = int(E.REFUND_WITHOUT_ORIGINAL), int(E.REFUND_EXCEEDS_ORIGINAL)

REFUND_FLAG = 1
"""Bit of ``LINE.flags``."""

LEFT_COLUMNS = 8
"""Columns of the refund scratch: left of quantity, of amount, of the four parts; 1 where the row is in use; unused."""


@inlined
def times_fen(price_e4, quantity_e4):
    """Price times quantity in fen, half-up, exact; both not negative, price <= 10**14, quantity <= 10**10.

    The product has 24 digits, so it is formed in two parts: with quantity = whole * 10**4 + rest and price * whole
    = high * 10**4 + low, the fen are high + round((low * 10**4 + price * rest) / 10**8). Bounds: price * whole needs
    price <= 10**12 for a whole of 10**6 (10**18); price * rest < 10**16.
    """
    whole = np.uint64(quantity_e4) // np.uint64(10_000)
    rest = np.uint64(quantity_e4) - whole * np.uint64(10_000)
    product = np.uint64(price_e4) * whole
    high = product // np.uint64(10_000)
    low = product - high * np.uint64(10_000)
    parts = low * np.uint64(10_000) + np.uint64(price_e4) * rest + np.uint64(50_000_000)
    return np.int64(high + parts // np.uint64(100_000_000))


@inlined
def differs(price_e4, quantity_e4, amount_fen):
    """Whether price times quantity, half-up, is another amount (L2); small numbers need one product only."""
    if price_e4 | quantity_e4 | (amount_fen >> 5) < 1 << 31:
        distance = price_e4 * quantity_e4 - amount_fen * np.int64(100_000_000) + np.int64(50_000_000)
        other = np.uint64(distance) >= np.uint64(100_000_000)
    else:
        other = times_fen(price_e4, quantity_e4) != amount_fen
    return other


@inlined
def share_fen(amount_fen, rate_ppm):
    """Rate times amount in fen, half-up (V19); 0 <= amount <= 10**12, 0 <= rate <= 10**6, so the product is < 2**63."""
    return np.int64((np.uint64(amount_fen) * np.uint64(rate_ppm) + np.uint64(500_000)) // np.uint64(1_000_000))


@inlined
def excess_fen(price_e4, ceiling_e4, quantity_e4, amount_fen, handling, amount_less_ceiling):
    """What of an amount is over the ceiling, from 0 to the amount; reading R22. The price is over the ceiling."""
    if handling == LINE_CEILING:
        excess = amount_fen - np.int64((np.uint64(ceiling_e4) + np.uint64(5_000)) // np.uint64(10_000))
    elif amount_less_ceiling != 0:
        excess = amount_fen - times_fen(ceiling_e4, quantity_e4)
    else:
        excess = times_fen(price_e4 - ceiling_e4, quantity_e4)
    return min(max(excess, np.int64(0)), amount_fen)


@inlined
def is_over(price_e4, ceiling_e4, amount_fen, handling):
    """Whether a line is over its ceiling: by its price, or by its amount where the ceiling is one on the line."""
    over = price_e4 > ceiling_e4
    if handling == LINE_CEILING:
        over = amount_fen > np.int64((np.uint64(ceiling_e4) + np.uint64(5_000)) // np.uint64(10_000))
    return over


@inlined
def first_pay_fen(amount_fen, over_fen, rate_ppm, whole_price):
    """First-pay of class B: on the rest after the ceiling, or on the whole price, at most the rest (R23)."""
    rest = amount_fen - over_fen
    if whole_price != 0:
        pay = min(share_fen(amount_fen, rate_ppm), rest)
    else:
        pay = share_fen(rest, rate_ppm)
    return pay


@inlined
def version_on(first, versions, group, item, date):
    """The version of an item that holds on a day: its row; -1 unknown in the area, -2 not valid on the day.

    For the rare paths: taking arrays costs two reference counts a call, so the hot loop writes this out.
    """
    row = np.int64(-1)
    if group >= 0 and item >= 0:
        row = np.int64(first[np.uint64(group), np.uint64(item)])
        if row >= 0:
            while versions[np.uint64(row)]["from"] > date and versions[np.uint64(row)].flags & LAST == 0:
                row += 1
            version = versions[np.uint64(row)]
            if version["from"] > date or version["to"] < date:
                row = np.int64(-2)
    return row


@inlined
def line_fault(price_e4, quantity_e4, amount_fen, flags, original):
    """Number of what is wrong with the numbers of a line, 0 nothing; lower numbers take precedence."""
    error = 0
    if quantity_e4 == 0:
        error = ZERO_QUANTITY
    elif quantity_e4 > MAX_QUANTITY_E4 or quantity_e4 < -MAX_QUANTITY_E4:
        error = QUANTITY_RANGE
    elif price_e4 < 0 or price_e4 > MAX_PRICE_E4:
        error = PRICE_RANGE
    elif amount_fen > MAX_AMOUNT_FEN or amount_fen < -MAX_AMOUNT_FEN:
        error = AMOUNT_RANGE
    else:
        refund = flags & REFUND_FLAG != 0 or original >= 0
        if (quantity_e4 > 0 and (amount_fen < 0 or refund)) or (quantity_e4 < 0 and amount_fen > 0):
            error = SIGN
    return error


@kernel
def split(rules, claims, lines, line_out, split_out, refund_claims):
    """Splits every line that is no refund; refunds are left for :func:`split_refunds`.

    rules: ``catalogue.section.LineRules``; claims[CLAIM]; lines[LINE]; line_out[LINE_SPLIT] and split_out[SPLIT] are
    fully overwritten; refund_claims int64[n] takes the claims that have refunds. Returns how many those are.
    Sets ``claims["error"]`` and ``error_line`` (line of the claim) where no error stands yet.
    """
    first, versions = rules.first, rules.versions
    ceiling_sets, handling_sets, ratio_sets = rules.ceiling_e4, rules.handling, rules.ratio_ppm
    group_of, level_column, covers = rules.group_of, rules.level_column, rules.covers
    options, option_start = rules.options, rules.option_start
    person_types = np.int64(rules.person_types)
    item_count = np.uint64(first.shape[1])
    refund_count = np.int64(0)
    for index in range(claims.shape[0]):
        claim = claims[np.uint64(index)]
        pack = np.int64(claim.pack)
        known_pack = pack >= 0 and pack < group_of.shape[0]
        insured_group = np.int64(-1)
        care_group = np.int64(-1)
        column = np.uint64(LEVEL_COLUMNS - 1)
        first_pay_on = 0
        over_ceiling = 0
        refuse_unknown = True
        refuse_not_valid = False
        unverified = np.int64(0)
        if known_pack:
            county = np.int64(claim.county) + 1
            insured_group = np.int64(group_of[np.uint64(pack), np.uint64(county if county > 0 else 0)])
            care_group = insured_group
            row = np.uint64(option_start[np.uint64(pack)])
            last = np.uint64(option_start[np.uint64(pack + 1)])
            while row + np.uint64(1) < last and options[row]["to"] < claim.settlement_date:
                row += np.uint64(1)
            option = options[row]
            first_pay_on = option.first_pay_on
            over_ceiling = option.over_ceiling
            refuse_unknown = option.unknown_item == 0
            refuse_not_valid = option.not_valid_item == 1
            unverified = np.int64(option.unverified)
            if option.cross_region == 0:
                if claim.care_county >= 0:
                    care_group = np.int64(group_of[np.uint64(pack), np.uint64(claim.care_county + 1)])
                elif claim.care_catalogue > 0:
                    care_group = np.int64(claim.care_catalogue) - 1
            if claim.price_level >= 0 and claim.price_level < LEVEL_COLUMNS and care_group >= 0:
                column = np.uint64(level_column[np.uint64(pack), np.uint64(care_group), np.uint64(claim.price_level)])
        person = (np.int64(claim.scheme) * person_types + np.int64(claim.person_type)) * 2
        person += 1 if claim.place != LOCAL else 0
        suspended = claim.suspended != 0
        programme_bit = 1 << (np.int64(claim.programme) - 1) if claim.programme > 0 and known_pack else 0

        rare_claim = np.int64(1) if suspended or programme_bit != 0 or care_group != insured_group else np.int64(0)
        start = np.uint64(claim.line_start)
        end = np.uint64(claim.line_end)
        has_refund = False
        error = np.int64(0)
        error_line = np.int64(-1)
        charged = np.int64(0)  # lines that are no refund and have no fault
        other_amounts = np.int64(0)
        wholly = np.int64(0)
        over = np.int64(0)
        first_pay = np.int64(0)
        copay_free = np.int64(0)
        special = np.int64(0)
        hospital = np.int64(0)
        in_catalogue = np.int64(0)
        class_a = np.int64(0)
        used_flags = np.int64(0)
        i = start
        while i < end:
            line = lines[i]
            out = line_out[i]
            amount = line.amount_fen
            quantity = line.quantity_e4
            price = line.unit_price_e4
            item = line.item
            out_wholly = np.int64(0)
            out_over = np.int64(0)
            out_first_pay = np.int64(0)
            ceiling = np.int64(NO_CEILING_E4)
            rate = np.int64(WHOLE_PPM)
            item_class = np.int64(CLASS_C)
            note = np.int64(0)
            line_error = np.int64(0)
            # One test for everything that is unusual about the numbers: unsigned, so that negative is too large.
            unusual = (
                (np.uint64(quantity - 1) >= np.uint64(MAX_QUANTITY_E4))
                | (np.uint64(price) > np.uint64(MAX_PRICE_E4))
                | (np.uint64(amount) > np.uint64(MAX_AMOUNT_FEN))
                | (line.flags & REFUND_FLAG != 0)
                | (line.original >= 0)
            )
            if unusual:
                line_error = np.int64(line_fault(price, quantity, amount, line.flags, line.original))
                other_amounts += amount if line_error != AMOUNT_RANGE else np.int64(0)
                has_refund = has_refund or line_error == 0
                note = np.int64(NOTE_REFUND) if line_error == 0 else np.int64(0)
                amount = np.int64(0)
                item_class = np.int64(0)
                ceiling = np.int64(0)
                rate = np.int64(0)
            else:
                charged += amount
                # version_on, written out.
                version = np.int64(-1)
                if np.uint64(item) < item_count and care_group >= 0:
                    version = np.int64(first[np.uint64(care_group), np.uint64(item)])
                    if version >= 0:
                        date = line.fee_date
                        while versions[np.uint64(version)]["from"] > date and (
                            np.int64(versions[np.uint64(version)].flags) & LAST == 0
                        ):
                            version += 1
                        if versions[np.uint64(version)]["from"] > date or versions[np.uint64(version)]["to"] < date:
                            version = np.int64(-2)
                if version < 0:
                    out_wholly = amount
                    note = np.int64(NOTE_UNKNOWN if version == -1 else NOTE_NOT_VALID)
                    if version == -1 and refuse_unknown:
                        line_error = np.int64(UNKNOWN_ITEM)
                    elif version == -2 and refuse_not_valid:
                        line_error = np.int64(NOT_VALID)
                    if suspended and line_error == 0:
                        note = np.int64(NOTE_SUSPENDED)
                else:
                    held = versions[np.uint64(version)]
                    flags = np.int64(held.flags)
                    used_flags |= flags
                    item_class = np.int64(held.item_class)
                    rate = np.int64(ratio_sets[np.uint64(held.ratio), np.uint64(person)])
                    ceiling = ceiling_sets[np.uint64(held.ceiling), column]
                    whole = item_class == CLASS_C
                    note = np.int64(NOTE_CLASS_C) if whole else np.int64(0)
                    # Restricted use is bit 0 and refused approval is 2, so that one shift finds both.
                    if (flags & (CO_PAY_FREE | (np.int64(line.approval) >> 1) & RESTRICTED)) | rare_claim != 0:
                        covered = False
                        if programme_bit != 0:
                            covered = np.int64(covers[np.uint64(pack), np.uint64(item)]) & programme_bit != 0
                        if suspended:
                            whole = True
                            note = np.int64(NOTE_SUSPENDED)
                        elif covered:
                            whole = False
                            item_class = np.int64(CLASS_A)
                            rate = np.int64(0)
                            note = np.int64(NOTE_PROGRAMME)
                        elif not whole:
                            if flags & RESTRICTED != 0 and line.approval == 2:
                                whole = True
                                note = np.int64(NOTE_REFUSED)
                            elif flags & CO_PAY_FREE != 0:
                                note = np.int64(NOTE_CO_PAY_FREE)
                            if care_group != insured_group and item_class == CLASS_B:
                                own = version_on(first, versions, insured_group, item, line.fee_date)
                                if own >= 0 and versions[np.uint64(own)].item_class == CLASS_B:
                                    own_ratio = np.uint64(versions[np.uint64(own)].ratio)
                                    rate = np.int64(ratio_sets[own_ratio, np.uint64(person)])
                                    used_flags |= np.int64(versions[np.uint64(own)].flags)
                    if price > ceiling:  # a ceiling on the line is negative
                        handling = np.int64(handling_sets[np.uint64(held.ceiling), column])
                        ceiling = np.int64(-1) - ceiling if handling == LINE_CEILING else ceiling
                        over_it = not whole and is_over(price, ceiling, amount, handling)
                        if over_it and handling == ITEM_SELF_PAID:
                            whole = True
                            note = np.int64(NOTE_WHOLE)
                        elif over_it:
                            out_over = excess_fen(price, ceiling, quantity, amount, handling, over_ceiling)
                            note = np.int64(NOTE_OVER)
                            if handling == EXCESS_TO_HOSPITAL:
                                hospital += out_over
                                note = np.int64(NOTE_HOSPITAL)
                            elif handling == EXCESS_IN_CATALOGUE:
                                in_catalogue += out_over
                                note = np.int64(NOTE_IN_CATALOGUE)
                    rate = np.int64(WHOLE_PPM) if whole else rate
                    if rate < 0:
                        line_error = np.int64(UNDEFINED)
                        rate = np.int64(0)
                    out_wholly = amount if whole else np.int64(0)
                    pay = first_pay_fen(amount, out_over, rate, first_pay_on)
                    out_first_pay = np.int64(0) if whole else pay
                    class_a += amount - out_wholly if item_class == CLASS_A else np.int64(0)
                    if flags & (CO_PAY_FREE | SPECIAL_DRUG) != 0:
                        rest = amount - out_wholly - out_over
                        copay_free += rest - out_first_pay if flags & CO_PAY_FREE != 0 else np.int64(0)
                        special += rest if flags & SPECIAL_DRUG != 0 else np.int64(0)
                    if note == 0 and differs(price, quantity, amount):
                        note = np.int64(NOTE_DIFFERS)
            out.wholly_self_paid_fen = out_wholly
            out.over_ceiling_fen = out_over
            out.first_pay_fen = out_first_pay
            out.in_scope_fen = amount - out_wholly - out_over - out_first_pay
            out.price_ceiling_e4 = ceiling
            out.first_pay_ppm = np.int32(rate)
            out.item_class = np.int32(item_class)
            out.note = np.int32(note)
            out.error = np.int32(line_error)
            wholly += out_wholly
            over += out_over
            first_pay += out_first_pay
            if line_error != 0 and (error == 0 or line_error < error):
                error = line_error
                error_line = np.int64(i - start)
            i += np.uint64(1)

        if start >= end:
            error = np.int64(NO_LINES)
        elif charged + other_amounts != claim.total_fen and error != AMOUNT_RANGE:
            error = np.int64(ADD_UP)
            error_line = np.int64(-1)
        if error != 0 and claim.error == 0:
            claim.error = np.int32(error)
            claim.error_line = np.int32(error_line)
        keep = np.int64(1) if claim.error == 0 else np.int64(0)
        total = split_out[np.uint64(index)]
        total.wholly_self_paid_fen = wholly * keep
        total.over_ceiling_fen = over * keep
        total.first_pay_fen = first_pay * keep
        total.in_scope_fen = (charged - wholly - over - first_pay) * keep
        total.copay_free_fen = copay_free * keep
        total.special_drug_fen = special * keep
        total.hospital_borne_fen = hospital * keep
        total.class_a_fen = class_a * keep
        total.class_b_fen = (charged - wholly - class_a) * keep  # what is not self-paid is of class A or B
        total.in_catalogue_excess_fen = in_catalogue * keep
        total.unverified = (np.int64(1) if unverified != 0 or used_flags & UNVERIFIED != 0 else np.int64(0)) * keep
        if has_refund:
            refund_claims[np.uint64(refund_count)] = index
            refund_count += 1
    return refund_count


@kernel
def split_refunds(rules, claims, lines, line_out, split_out, refund_claims, left):
    """Splits the refund lines of the claims that :func:`split` named; same arrays.

    A refund is the negative of a line of its size with the item, price, day and approval of its original (R24
    ``mirror``), or the original's split less the split of what remains (``remainder``). No part is taken back more
    than the original has left of it, so that no sum becomes negative. ``left`` int64 (longest claim, LEFT_COLUMNS)
    is all zero, and is so again after.
    """
    first, versions = rules.first, rules.versions
    handling_sets = rules.handling
    group_of, level_column = rules.group_of, rules.level_column
    options, option_start = rules.options, rules.option_start
    item_count = np.int64(first.shape[1])
    for number in range(refund_claims.shape[0]):
        index = np.uint64(refund_claims[np.uint64(number)])
        claim = claims[index]
        total = split_out[index]
        pack = np.int64(claim.pack)
        known_pack = pack >= 0 and pack < group_of.shape[0]
        care_group = np.int64(-1)
        column = np.uint64(LEVEL_COLUMNS - 1)
        first_pay_on = 0
        over_ceiling = 0
        remainder = False
        if known_pack:
            county = np.int64(claim.county) + 1
            care_group = np.int64(group_of[np.uint64(pack), np.uint64(county if county > 0 else 0)])
            row = np.uint64(option_start[np.uint64(pack)])
            last = np.uint64(option_start[np.uint64(pack + 1)])
            while row + np.uint64(1) < last and options[row]["to"] < claim.settlement_date:
                row += np.uint64(1)
            option = options[row]
            first_pay_on = option.first_pay_on
            over_ceiling = option.over_ceiling
            remainder = option.refund == 1
            if option.cross_region == 0:
                if claim.care_county >= 0:
                    care_group = np.int64(group_of[np.uint64(pack), np.uint64(claim.care_county + 1)])
                elif claim.care_catalogue > 0:
                    care_group = np.int64(claim.care_catalogue) - 1
            if claim.price_level >= 0 and claim.price_level < LEVEL_COLUMNS and care_group >= 0:
                column = np.uint64(level_column[np.uint64(pack), np.uint64(care_group), np.uint64(claim.price_level)])
        start = np.uint64(claim.line_start)
        end = np.uint64(claim.line_end)
        error = np.int64(0)
        error_line = np.int64(-1)
        i = start
        while i < end:
            line = lines[i]
            out = line_out[i]
            if line.quantity_e4 < 0 and out.error == 0:
                original = np.int64(line.original)
                fault = np.int64(NO_ORIGINAL)
                if original >= np.int64(start) and original < np.int64(end):
                    source = lines[np.uint64(original)]
                    if source.item == line.item and source.quantity_e4 > 0:
                        fault = np.int64(0)
                if fault == 0 and line_out[np.uint64(original)].error == 0:
                    source = lines[np.uint64(original)]
                    whole = line_out[np.uint64(original)]
                    place = np.uint64(original) - start
                    if left[place, 6] == 0:
                        left[place, 0] = source.quantity_e4
                        left[place, 1] = source.amount_fen
                        left[place, 2] = whole.wholly_self_paid_fen
                        left[place, 3] = whole.over_ceiling_fen
                        left[place, 4] = whole.first_pay_fen
                        left[place, 5] = whole.in_scope_fen
                        left[place, 6] = 1
                    quantity = -line.quantity_e4
                    amount = -line.amount_fen
                    if quantity > left[place, 0] or amount > left[place, 1]:
                        fault = np.int64(EXCEEDS)
                    else:
                        handling = np.int64(0)
                        flags = np.int64(0)
                        if source.item >= 0 and source.item < item_count:
                            version = version_on(first, versions, care_group, source.item, source.fee_date)
                            if version >= 0:
                                held = versions[np.uint64(version)]
                                flags = np.int64(held.flags)
                                handling = np.int64(handling_sets[np.uint64(held.ceiling), column])
                        size = amount
                        count = quantity
                        if remainder:
                            size = left[place, 1] - amount
                            count = left[place, 0] - quantity
                        wholly = np.int64(0)
                        over = np.int64(0)
                        pay = np.int64(0)
                        if whole.wholly_self_paid_fen == source.amount_fen:
                            wholly = size
                        else:
                            price = source.unit_price_e4
                            ceiling = whole.price_ceiling_e4
                            if ceiling != NO_CEILING_E4 and is_over(price, ceiling, size, handling):
                                over = excess_fen(price, ceiling, count, size, handling, over_ceiling)
                            pay = first_pay_fen(size, over, whole.first_pay_ppm, first_pay_on)
                        if remainder:
                            wholly = left[place, 2] - wholly
                            over = left[place, 3] - over
                            pay = left[place, 4] - pay
                        # Never more than is left of a part; what is then missing comes from the others, in scope first.
                        # A line is wholly self-paid or not at all, so that part needs no care.
                        over = min(max(over, np.int64(0)), left[place, 3], amount - wholly)
                        pay = min(max(pay, np.int64(0)), left[place, 4], amount - wholly - over)
                        scope = min(amount - wholly - over - pay, left[place, 5])
                        missing = amount - wholly - over - pay - scope
                        more = min(missing, left[place, 4] - pay)
                        pay += more
                        over += missing - more
                        left[place, 0] -= quantity
                        left[place, 1] -= amount
                        left[place, 2] -= wholly
                        left[place, 3] -= over
                        left[place, 4] -= pay
                        left[place, 5] -= scope
                        out.wholly_self_paid_fen = -wholly
                        out.over_ceiling_fen = -over
                        out.first_pay_fen = -pay
                        out.in_scope_fen = -scope
                        out.price_ceiling_e4 = whole.price_ceiling_e4
                        out.first_pay_ppm = whole.first_pay_ppm
                        out.item_class = whole.item_class
                        if claim.error == 0:
                            total.wholly_self_paid_fen -= wholly
                            total.over_ceiling_fen -= over
                            total.first_pay_fen -= pay
                            total.in_scope_fen -= scope
                            if handling == EXCESS_TO_HOSPITAL:
                                total.hospital_borne_fen -= over
                            elif handling == EXCESS_IN_CATALOGUE:
                                total.in_catalogue_excess_fen -= over
                            if whole.item_class == CLASS_A:
                                total.class_a_fen -= amount - wholly
                            elif whole.item_class == CLASS_B:
                                total.class_b_fen -= amount - wholly
                            if flags & CO_PAY_FREE != 0:
                                total.copay_free_fen -= scope
                            if flags & SPECIAL_DRUG != 0:
                                total.special_drug_fen -= pay + scope
                if fault != 0:
                    out.error = np.int32(fault)
                    if error == 0 or fault < error:
                        error = fault
                        error_line = np.int64(i - start)
            i += np.uint64(1)
        i = start
        while i < end:
            for part in range(LEFT_COLUMNS):
                left[i - start, np.uint64(part)] = 0
            i += np.uint64(1)
        if error != 0 and (claim.error == 0 or (claim.error > error and claim.error in (NOT_VALID, UNDEFINED))):
            claim.error = np.int32(error)
            claim.error_line = np.int32(error_line)
            clear_split(split_out, index)


@inlined
def clear_split(split_out, index):
    """Zeroes one row: a refused claim has no sums."""
    total = split_out[index]
    total.wholly_self_paid_fen = 0
    total.over_ceiling_fen = 0
    total.first_pay_fen = 0
    total.in_scope_fen = 0
    total.copay_free_fen = 0
    total.special_drug_fen = 0
    total.hospital_borne_fen = 0
    total.class_a_fen = 0
    total.class_b_fen = 0
    total.in_catalogue_excess_fen = 0
    total.unverified = 0
