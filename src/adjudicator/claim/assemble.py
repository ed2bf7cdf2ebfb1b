"""Result columns become the rows of the answer message, and the identities of the national result are checked.

Strings of the answer are ranges of the request (ids, line serials), of the work area behind it (settlement ids), or of
the bundle's static text (offset ``-1 - position``).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from adjudicator.codes import Fund, LineNote
from adjudicator.compiled.jit import inlined, kernel

OK, BROKEN_L1, BROKEN_H1, BROKEN_H2, BROKEN_F1, BROKEN_F2, BROKEN_P1, BROKEN_SIGN, BROKEN_B1 = range(9)
BROKEN_A1, BROKEN_D1 = 9, 10
IDENTITY_NAMES = ("", "L1", "H1", "H2", "F1", "F2", "P1", "sign", "B1", "A1", "D1")
"""Names of the identities in national-interface.md section 6, by the number that ``check`` returns."""

FUND_COUNT = 9
"""Payers that get a row of their own in ``funds``: codes.Fund up to HOSPITAL."""
ACCOUNT, HOSPITAL = int(Fund.ACCOUNT), int(Fund.HOSPITAL)
OVER_CEILING_BORNE_BY_HOSPITAL = int(LineNote.OVER_CEILING_BORNE_BY_HOSPITAL)

DIRECTION_SETTLE = 1


class StaticText(NamedTuple):
    """Where constant texts stand in the static heap; start is the offset to use (negative), size in bytes."""

    fund_start: np.ndarray  # int64[schemes, FUND_COUNT]
    fund_size: np.ndarray  # int32[schemes, FUND_COUNT]
    version_start: np.ndarray  # int64[plans + 1]; the last row is empty
    version_size: np.ndarray  # int32[plans + 1]
    hash_start: np.ndarray  # int64[1]
    hash_size: np.ndarray  # int32[1]


class GroupText(NamedTuple):
    """Texts of grouping schemes in the static heap; ids are offset by the scheme's first row."""

    scheme_start: np.ndarray
    scheme_size: np.ndarray
    mdc_first: np.ndarray  # int64[schemes]: first row of the scheme in mdc_start
    mdc_start: np.ndarray
    mdc_size: np.ndarray
    adrg_first: np.ndarray
    adrg_start: np.ndarray
    adrg_size: np.ndarray
    drg_first: np.ndarray
    drg_start: np.ndarray
    drg_size: np.ndarray


@inlined
def check(claim, split, benefit, line_sum, wholly_sum, over_sum):
    """0 if every identity holds for the claim, else which one is broken (see IDENTITY_NAMES).

    Exact to the fen: H1, H2, F1, F2, P1, A1, B1 of national-interface.md section 6; L1 is checked line by line, D1
    where the fund rows are written. ``line_sum``, ``wholly_sum``, ``over_sum``: sums over the lines. A1 holds for each
    pot: none pays more than its balance.
    """
    funds = (
        benefit.pooled_fen
        + benefit.large_sum_fen
        + benefit.catastrophic_fen
        + benefit.civil_servant_fen
        + benefit.enterprise_fen
        + benefit.assistance_fen
        + benefit.tilt_fen
        + benefit.other_fen
    )
    accounts = benefit.account_current_fen + benefit.account_past_fen + benefit.account_family_fen
    broken = OK
    if line_sum != claim.total_fen or wholly_sum != split.wholly_self_paid_fen or over_sum != split.over_ceiling_fen:
        broken = BROKEN_H2
    elif (
        split.wholly_self_paid_fen + split.over_ceiling_fen + benefit.first_pay_fen + benefit.in_scope_fen
        != claim.total_fen
    ):
        broken = BROKEN_H1
    elif benefit.fund_total_fen != funds:
        broken = BROKEN_F1
    elif benefit.fund_total_fen + benefit.personal_total_fen + benefit.hospital_borne_fen != claim.total_fen:
        broken = BROKEN_F2
    elif benefit.personal_total_fen != accounts + benefit.cash_fen:
        broken = BROKEN_P1
    elif (
        benefit.account_current_fen > claim.account_current_fen
        or benefit.account_past_fen > claim.account_past_fen
        or benefit.account_family_fen > claim.account_family_fen
    ):
        broken = BROKEN_A1
    elif benefit.deductible_fen < 0 or benefit.deductible_fen > benefit.in_scope_fen:
        broken = BROKEN_B1
    elif (
        min(benefit.pooled_fen, benefit.large_sum_fen, benefit.catastrophic_fen, benefit.civil_servant_fen) < 0
        or min(benefit.enterprise_fen, benefit.assistance_fen, benefit.tilt_fen, benefit.other_fen) < 0
        or min(benefit.account_current_fen, benefit.account_past_fen, benefit.account_family_fen) < 0
        or min(benefit.cash_fen, benefit.hospital_borne_fen, benefit.in_scope_fen, benefit.first_pay_fen) < 0
    ):
        broken = BROKEN_SIGN
    return broken


@inlined
def write_hex(heap, position, key):
    """Writes 16 bytes as 32 hexadecimal characters."""
    p = np.uint64(position)
    for i in range(16):
        high = key[np.uint64(i)] >> np.uint8(4)
        low = key[np.uint64(i)] & np.uint8(15)
        heap[p] = high + np.uint8(48) if high < np.uint8(10) else high + np.uint8(87)
        heap[p + np.uint64(1)] = low + np.uint8(48) if low < np.uint8(10) else low + np.uint8(87)
        p += np.uint64(2)


@kernel
def assemble(
    rows, outcome, heap, id_start, keys, wire_claims, wire_lines, claims, splits, line_splits, benefits, groups,
    group_scheme, payments, clearing_ways, text, group_text, out, out_lines, out_funds, out_grouping, out_payment,
    identities,
):  # fmt: skip
    """Fills the answer tables for the claims ``rows``; refused claims (error set) keep only their identity.

    rows int64[n] into the batch; outcome: wire value of the outcome; heap uint8: request and work area, ids are
    written from ``id_start``, 32 bytes for each claim of the batch, so that parts of a batch may be answered at the
    same time; keys uint8[batch, 16]; identities int32[n] takes the broken identity.
    Returns (lines, funds, groupings, payments) written.
    """
    line_count = np.int64(0)
    fund_count = np.int64(0)
    grouping_count = np.int64(0)
    payment_count = np.int64(0)
    for position in range(rows.shape[0]):
        index = np.uint64(rows[np.uint64(position)])
        claim = claims[index]
        wire = wire_claims[index]
        split = splits[index]
        benefit = benefits[index]
        answer = out[np.uint64(position)]
        answer.institution_code_start = wire.institution_code_start
        answer.institution_code_size = wire.institution_code_size
        answer.encounter_id_start = wire.encounter_id_start
        answer.encounter_id_size = wire.encounter_id_size
        answer.settlement_sequence = wire.settlement_sequence
        answer.direction = DIRECTION_SETTLE
        answer.lines_start = line_count
        answer.lines_end = line_count
        answer.funds_start = fund_count
        answer.funds_end = fund_count
        answer.grouping = -1
        answer.payment = -1
        answer.problems_start = 0
        answer.problems_end = 0
        identities[np.uint64(position)] = OK
        if claim.error != 0:
            answer.outcome = 4
            continue
        answer.outcome = outcome
        if outcome != 1:
            place = id_start + np.int64(32) * rows[np.uint64(position)]
            write_hex(heap, place, keys[index])
            answer.settlement_id_start = place
            answer.settlement_id_size = 32
        answer.total_fen = claim.total_fen
        answer.wholly_self_paid_fen = split.wholly_self_paid_fen
        answer.over_ceiling_fen = split.over_ceiling_fen
        answer.first_pay_fen = benefit.first_pay_fen
        answer.in_scope_fen = benefit.in_scope_fen
        answer.deductible_standard_fen = benefit.deductible_standard_fen
        answer.deductible_fen = benefit.deductible_fen
        answer.pooled_fund_fen = benefit.pooled_fen
        answer.pooled_rate_ppm = benefit.pooled_rate_ppm
        answer.large_sum_fen = benefit.large_sum_fen
        answer.catastrophic_fen = benefit.catastrophic_fen
        answer.civil_servant_fen = benefit.civil_servant_fen
        answer.enterprise_fen = benefit.enterprise_fen
        answer.assistance_fen = benefit.assistance_fen + benefit.tilt_fen
        answer.other_fund_fen = benefit.other_fen
        answer.hospital_borne_fen = benefit.hospital_borne_fen
        answer.fund_total_fen = benefit.fund_total_fen
        answer.personal_total_fen = benefit.personal_total_fen
        own_account = benefit.account_current_fen + benefit.account_past_fen
        answer.account_fen = own_account
        answer.family_account_fen = benefit.account_family_fen
        answer.cash_fen = benefit.cash_fen
        answer.account_balance_fen = claim.account_current_fen + claim.account_past_fen - own_account
        answer.benefit_year = claim.benefit_year
        answer.counts_as_admission = benefit.counts_as_admission != 0
        answer.rules_hash_start = text.hash_start[0]
        answer.rules_hash_size = text.hash_size[0]
        plan = benefit.plan if benefit.plan >= 0 else np.int64(text.version_start.shape[0] - 1)
        answer.rules_version_start = text.version_start[np.uint64(plan)]
        answer.rules_version_size = text.version_size[np.uint64(plan)]
        unverified = benefit.unverified != 0 or split.unverified != 0

        line_sum = np.int64(0)
        wholly_sum = np.int64(0)
        over_sum = np.int64(0)
        broken = OK
        for i in range(claim.line_start, claim.line_end):
            row = line_splits[np.uint64(i)]
            wire_line = wire_lines[np.uint64(i)]
            line = out_lines[np.uint64(line_count)]
            line.line_id_start = wire_line.line_id_start
            line.line_id_size = wire_line.line_id_size
            line.amount_fen = wire_line.amount_fen
            line.wholly_self_paid_fen = row.wholly_self_paid_fen
            line.over_ceiling_fen = row.over_ceiling_fen
            line.first_pay_fen = row.first_pay_fen
            line.in_scope_fen = row.in_scope_fen
            line.price_ceiling_e4 = row.price_ceiling_e4
            line.first_pay_ppm = row.first_pay_ppm
            line.item_class = row.item_class
            line.note = row.note
            parts = row.wholly_self_paid_fen + row.over_ceiling_fen + row.first_pay_fen + row.in_scope_fen
            if parts != wire_line.amount_fen:
                broken = BROKEN_L1
            line_sum += parts
            wholly_sum += row.wholly_self_paid_fen
            over_sum += row.over_ceiling_fen
            line_count += 1
        answer.lines_end = line_count
        if broken == OK:
            broken = check(claim, split, benefit, line_sum, wholly_sum, over_sum)

        scheme = np.uint64(claim.scheme)
        fund_sum = np.int64(0)
        for fund in range(FUND_COUNT):
            amount = benefit.pooled_fen
            if fund == 1:
                amount = benefit.large_sum_fen
            elif fund == 2:
                amount = benefit.catastrophic_fen
            elif fund == 3:
                amount = benefit.civil_servant_fen
            elif fund == 4:
                amount = benefit.enterprise_fen
            elif fund == 5:
                amount = benefit.assistance_fen + benefit.tilt_fen
            elif fund == 6:
                amount = benefit.other_fen
            elif fund == 7:
                amount = own_account
            elif fund == 8:
                amount = benefit.hospital_borne_fen
            if amount != 0:
                row_out = out_funds[np.uint64(fund_count)]
                row_out.fund_type_start = text.fund_start[scheme, np.uint64(fund)]
                row_out.fund_type_size = text.fund_size[scheme, np.uint64(fund)]
                row_out.amount_fen = amount
                fund_sum += amount
                fund_count += 1
        answer.funds_end = fund_count
        if broken == OK and fund_sum != answer.fund_total_fen + answer.account_fen + answer.hospital_borne_fen:
            broken = BROKEN_D1
        identities[np.uint64(position)] = broken

        group = groups[index]
        which = group_scheme[index]
        if group.status != 0 and which >= 0:
            grouping = out_grouping[np.uint64(grouping_count)]
            s = np.uint64(which)
            grouping.scheme_start = group_text.scheme_start[s]
            grouping.scheme_size = group_text.scheme_size[s]
            grouping.status = group.status
            if group.mdc >= 0:
                row_at = np.uint64(group_text.mdc_first[s] + group.mdc)
                grouping.mdc_start = group_text.mdc_start[row_at]
                grouping.mdc_size = group_text.mdc_size[row_at]
            if group.adrg >= 0:
                row_at = np.uint64(group_text.adrg_first[s] + group.adrg)
                grouping.adrg_start = group_text.adrg_start[row_at]
                grouping.adrg_size = group_text.adrg_size[row_at]
            if group.drg >= 0:
                row_at = np.uint64(group_text.drg_first[s] + group.drg)
                grouping.drg_start = group_text.drg_start[row_at]
                grouping.drg_size = group_text.drg_size[row_at]
            answer.grouping = grouping_count
            grouping_count += 1

        paid = payments[index]
        payment = out_payment[np.uint64(payment_count)]
        payment.method = paid.method
        payment.points_e8 = paid.points_e8
        payment.point_value_e4 = paid.point_value_e4
        payment.due_fen = paid.due_fen
        payment.difference_fen = paid.due_fen - paid.by_item_fen
        answer.payment = payment_count
        payment_count += 1
        answer.clearing_method = clearing_ways[np.uint64(paid.method)]
        answer.unverified_rules = unverified or paid.unverified != 0
    return line_count, fund_count, grouping_count, payment_count
