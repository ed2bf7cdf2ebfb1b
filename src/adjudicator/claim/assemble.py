"""Turn result columns into the rows of the answer message, and check the identities of the national result.

Strings of the answer are ranges of the request (ids, line serials), of the work area behind it (settlement ids), or of
the bundle's static text (offset ``-1 - position``).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from adjudicator.codes import Fund
from adjudicator.compiled.jit import inlined, kernel
from adjudicator.v1 import settlement_pb2

OK, BROKEN_L1, BROKEN_H1, BROKEN_H2, BROKEN_F1, BROKEN_F2, BROKEN_P1, BROKEN_SIGN, BROKEN_B1 = range(9)
BROKEN_A1, BROKEN_D1 = 9, 10
IDENTITY_NAMES = ("", "L1", "H1", "H2", "F1", "F2", "P1", "sign", "B1", "A1", "D1")
"""Names of the identities of the national result, by the number that ``check`` returns."""

FUND_COUNT = 9
"""Payers that get a row of their own in ``funds``: codes.Fund up to HOSPITAL."""
LARGE_SUM, CATASTROPHIC, CIVIL_SERVANT = int(Fund.LARGE_SUM), int(Fund.CATASTROPHIC), int(Fund.CIVIL_SERVANT)
ENTERPRISE, ASSISTANCE, OTHER = int(Fund.ENTERPRISE), int(Fund.ASSISTANCE), int(Fund.OTHER)
ACCOUNT, HOSPITAL = int(Fund.ACCOUNT), int(Fund.HOSPITAL)

DIRECTION_SETTLE = int(settlement_pb2.DIRECTION_SETTLE)
TRIAL, REFUSED = int(settlement_pb2.OUTCOME_TRIAL), int(settlement_pb2.OUTCOME_REFUSED)
ID_BYTES = 32
"""Characters of a settlement id."""


class Wanted(NamedTuple):
    """Which claims are answered: rows of the batch, their rows in the result (-1: refused before), the outcome."""

    rows: np.ndarray  # int64[n]
    places: np.ndarray  # int64[n]
    outcome: int


class WireTables(NamedTuple):
    """What came in. ``heap`` uint8: request and work area; ids are written from ``id_start``, 32 bytes a claim."""

    heap: np.ndarray
    id_start: int
    claims: np.ndarray
    lines: np.ndarray


class Facts(NamedTuple):
    """What was resolved, one row a claim of the batch; ``line_splits`` one a line."""

    claims: np.ndarray  # CLAIM
    splits: np.ndarray  # SPLIT
    line_splits: np.ndarray  # LINE_SPLIT
    groups: np.ndarray  # GROUP
    group_scheme: np.ndarray  # int64
    keys: np.ndarray  # uint8[batch, 16]


class Amounts(NamedTuple):
    """What came out, one row a priced claim."""

    claims: np.ndarray  # CLAIM, with the error of claims that pricing refused
    benefits: np.ndarray  # BENEFIT
    payments: np.ndarray  # PAYMENT


class Answers(NamedTuple):
    """The answer tables to be filled, and the broken identity of each answer."""

    settlements: np.ndarray
    lines: np.ndarray
    funds: np.ndarray
    groupings: np.ndarray
    payments: np.ndarray
    identities: np.ndarray  # int32[n]


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


class Texts(NamedTuple):
    """Constant texts of a bundle, and the clearing method of each payment method."""

    static: StaticText
    groups: GroupText
    clearing_ways: np.ndarray  # uint32[methods]


@inlined
def check(claim, split, benefit, line_sum, wholly_sum, over_sum):
    """Return OK if every identity holds for the claim, else which one is broken (see IDENTITY_NAMES).

    Exact to the fen: H1, H2, F1, F2, P1, A1 and B1; L1 is checked line by line, D1 where the fund rows are written.
    ``line_sum``, ``wholly_sum``, ``over_sum``: sums over the lines. A1 holds for each pot: none pays more than its
    balance.
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
    """Write 16 bytes as 32 hexadecimal characters."""
    p = np.uint64(position)
    for i in range(16):
        high = key[np.uint64(i)] >> np.uint8(4)
        low = key[np.uint64(i)] & np.uint8(15)
        heap[p] = high + np.uint8(48) if high < np.uint8(10) else high + np.uint8(87)
        heap[p + np.uint64(1)] = low + np.uint8(48) if low < np.uint8(10) else low + np.uint8(87)
        p += np.uint64(2)


@inlined
def fund_amount(benefit, fund):
    """Return what a payer with a row of its own pays, in fen."""
    amount = np.int64(benefit.pooled_fen)
    if fund == LARGE_SUM:
        amount = benefit.large_sum_fen
    elif fund == CATASTROPHIC:
        amount = benefit.catastrophic_fen
    elif fund == CIVIL_SERVANT:
        amount = benefit.civil_servant_fen
    elif fund == ENTERPRISE:
        amount = benefit.enterprise_fen
    elif fund == ASSISTANCE:
        amount = benefit.assistance_fen + benefit.tilt_fen
    elif fund == OTHER:
        amount = benefit.other_fen
    elif fund == ACCOUNT:
        amount = benefit.account_current_fen + benefit.account_past_fen
    elif fund == HOSPITAL:
        amount = benefit.hospital_borne_fen
    return amount


@inlined
def start_answer(answer, wire, line_count, fund_count):
    """Write who the answer is for; everything else is empty yet."""
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


@inlined
def write_amounts(answer, claim, split, benefit, text):
    """Write the amounts of the claim and the rules they come from."""
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


@inlined
def write_line(line, wire_line, row):
    """Write one fee line and return the sum of its parts."""
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
    return row.wholly_self_paid_fen + row.over_ceiling_fen + row.first_pay_fen + row.in_scope_fen


@inlined
def write_grouping(grouping, group, scheme, text):
    """Write the DRG of a claim that a scheme grouped."""
    s = np.uint64(scheme)
    grouping.scheme_start = text.scheme_start[s]
    grouping.scheme_size = text.scheme_size[s]
    grouping.status = group.status
    if group.mdc >= 0:
        row = np.uint64(text.mdc_first[s] + group.mdc)
        grouping.mdc_start = text.mdc_start[row]
        grouping.mdc_size = text.mdc_size[row]
    if group.adrg >= 0:
        row = np.uint64(text.adrg_first[s] + group.adrg)
        grouping.adrg_start = text.adrg_start[row]
        grouping.adrg_size = text.adrg_size[row]
    if group.drg >= 0:
        row = np.uint64(text.drg_first[s] + group.drg)
        grouping.drg_start = text.drg_start[row]
        grouping.drg_size = text.drg_size[row]


@inlined
def write_payment(payment, paid):
    """Write what the fund owes the institution."""
    payment.method = paid.method
    payment.points_e8 = paid.points_e8
    payment.point_value_e4 = paid.point_value_e4
    payment.due_fen = paid.due_fen
    payment.difference_fen = paid.due_fen - paid.by_item_fen


@kernel
def assemble(wanted: Wanted, wire: WireTables, facts: Facts, amounts: Amounts, texts: Texts, out: Answers) -> None:
    """Fill the answer tables for the claims that are wanted; refused claims keep only their identity.

    Ids have a place of their own for each claim of the batch, so that parts of a batch may be answered at the same
    time. ``out.identities`` takes the broken identity of each answer, OK where all hold.
    """
    line_count = np.int64(0)
    fund_count = np.int64(0)
    grouping_count = np.int64(0)
    payment_count = np.int64(0)
    # Arrays are taken out of their tuples once: inside the loops it would count references for each line.
    line_splits, wire_lines, out_lines, out_funds = facts.line_splits, wire.lines, out.lines, out.funds
    fund_start, fund_size = texts.static.fund_start, texts.static.fund_size
    for position in range(wanted.rows.shape[0]):
        index = np.uint64(wanted.rows[np.uint64(position)])
        place = wanted.places[np.uint64(position)]
        answer = out.settlements[np.uint64(position)]
        start_answer(answer, wire.claims[index], line_count, fund_count)
        out.identities[np.uint64(position)] = OK
        refused = place < 0
        if not refused:
            refused = amounts.claims[np.uint64(place)].error != 0
        if refused:
            answer.outcome = REFUSED
            continue
        claim = amounts.claims[np.uint64(place)]
        split = facts.splits[index]
        benefit = amounts.benefits[np.uint64(place)]
        answer.outcome = wanted.outcome
        if wanted.outcome != TRIAL:
            id_at = wire.id_start + np.int64(ID_BYTES) * np.int64(index)
            write_hex(wire.heap, id_at, facts.keys[index])
            answer.settlement_id_start = id_at
            answer.settlement_id_size = ID_BYTES
        write_amounts(answer, claim, split, benefit, texts.static)

        line_sum = np.int64(0)
        wholly_sum = np.int64(0)
        over_sum = np.int64(0)
        broken = OK
        for i in range(claim.line_start, claim.line_end):
            row = line_splits[np.uint64(i)]
            wire_line = wire_lines[np.uint64(i)]
            parts = write_line(out_lines[np.uint64(line_count)], wire_line, row)
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
            amount = fund_amount(benefit, fund)
            if amount != 0:
                row_out = out_funds[np.uint64(fund_count)]
                row_out.fund_type_start = fund_start[scheme, np.uint64(fund)]
                row_out.fund_type_size = fund_size[scheme, np.uint64(fund)]
                row_out.amount_fen = amount
                fund_sum += amount
                fund_count += 1
        answer.funds_end = fund_count
        if broken == OK and fund_sum != answer.fund_total_fen + answer.account_fen + answer.hospital_borne_fen:
            broken = BROKEN_D1
        out.identities[np.uint64(position)] = broken

        if facts.groups[index].status != 0 and facts.group_scheme[index] >= 0:
            write_grouping(
                out.groupings[np.uint64(grouping_count)], facts.groups[index], facts.group_scheme[index], texts.groups
            )
            answer.grouping = grouping_count
            grouping_count += 1

        paid = amounts.payments[np.uint64(place)]
        write_payment(out.payments[np.uint64(payment_count)], paid)
        answer.payment = payment_count
        payment_count += 1
        answer.clearing_method = texts.clearing_ways[np.uint64(paid.method)]
        answer.unverified_rules = benefit.unverified != 0 or split.unverified != 0 or paid.unverified != 0
