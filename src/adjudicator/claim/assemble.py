"""Turn result columns into the rows of the answer message, and check the identities of the national result.

Strings of the answer are ranges of the request (ids, line serials), of the work area behind it (settlement ids), or of
the bundle's static text (offset ``-1 - position``).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from adjudicator.claim.batch import SETTLEMENT_SCHEMA
from adjudicator.claim.incoming import ID_BYTES
from adjudicator.columns import BENEFIT
from adjudicator.compiled.jit import inlined, kernel
from adjudicator.payers import PAYERS, ROW_COUNT, ROWS, Identity
from adjudicator.v1 import settlement_pb2

OK, BROKEN_L1, BROKEN_H1, BROKEN_H2, BROKEN_F1, BROKEN_F2, BROKEN_P1, BROKEN_SIGN, BROKEN_B1 = range(9)
BROKEN_A1, BROKEN_D1 = 9, 10
IDENTITY_NAMES = ("", "L1", "H1", "H2", "F1", "F2", "P1", "sign", "B1", "A1", "D1")
"""Names of the identities of the national result, by the number that ``check`` returns."""

_PAYERS = (*ROWS, *(payer for payer in PAYERS if not payer.has_row))
"""Who pays: first those that get a row of their own in ``funds``, in its order."""
_IDENTITIES = (Identity.FUND, Identity.ACCOUNT, Identity.HOSPITAL)
_SETTLEMENT = SETTLEMENT_SCHEMA.dtype()


def _words(record: np.dtype[np.void], names: tuple[str, ...], width: int) -> list[int]:
    """Return the places of int64 columns in a record, counted in words of 8 bytes; -1 for those that are missing."""
    offsets = [_offset(record, name) for name in names]
    return offsets + [-1] * (width - len(offsets))


def _offset(record: np.dtype[np.void], name: str) -> int:
    assert record.fields is not None
    kind, offset = record.fields[name][:2]
    assert kind == np.int64 and offset % 8 == 0, name
    return offset // 8


PAYER_COUNT = len(_PAYERS)
MOST_COLUMNS = max(len(payer.columns) for payer in _PAYERS)
COLUMN_WORDS = np.array([_words(BENEFIT, payer.columns, MOST_COLUMNS) for payer in _PAYERS], np.int64)
"""int64[payers, columns]: words of ``columns.BENEFIT`` that add up to what a payer pays, -1 none."""
ANSWER_WORDS = np.array([_offset(_SETTLEMENT, payer.field) for payer in _PAYERS], np.int64)
"""int64[payers]: word of the answer that takes it."""
GROUPS = np.array([_IDENTITIES.index(p.identity) if p.identity in _IDENTITIES else -1 for p in _PAYERS], np.int64)
"""int64[payers]: the sum of the national result that a payer belongs to; -1: cash, which is what is left."""
FUND, ACCOUNT, HOSPITAL = range(3)

DIRECTION_SETTLE = int(settlement_pb2.DIRECTION_SETTLE)
TRIAL, REFUSED = int(settlement_pb2.OUTCOME_TRIAL), int(settlement_pb2.OUTCOME_REFUSED)


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
    settlement_words: np.ndarray  # the same as int64[n, words]
    lines: np.ndarray
    funds: np.ndarray
    groupings: np.ndarray
    payments: np.ndarray
    identities: np.ndarray  # int32[n]


class StaticText(NamedTuple):
    """Where constant texts stand in the static heap; start is the offset to use (negative), size in bytes."""

    fund_start: np.ndarray  # int64[schemes, ROW_COUNT]
    fund_size: np.ndarray  # int32[schemes, ROW_COUNT]
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


class Sums(NamedTuple):
    """Sums over the lines and over the payers of one claim, in fen."""

    lines: int
    wholly_self_paid: int
    over_ceiling: int
    funds: int
    accounts: int
    hospital: int
    rows: int
    """The rows of ``funds`` in the answer."""
    least: int
    """The smallest amount of any payer."""


@inlined
def check(claim: Any, split: Any, benefit: Any, sums: Sums) -> int:
    """Return OK if every identity holds for the claim, else which one is broken (see IDENTITY_NAMES).

    Exact to the fen: H1, H2, F1, F2, P1, A1, B1, D1; L1 is checked line by line. A1 holds for each pot: none pays more
    than its balance.
    """
    broken = OK
    if (
        sums.lines != claim.total_fen
        or sums.wholly_self_paid != split.wholly_self_paid_fen
        or sums.over_ceiling != split.over_ceiling_fen
    ):
        broken = BROKEN_H2
    elif (
        split.wholly_self_paid_fen + split.over_ceiling_fen + benefit.first_pay_fen + benefit.in_scope_fen
        != claim.total_fen
    ):
        broken = BROKEN_H1
    elif benefit.fund_total_fen != sums.funds:
        broken = BROKEN_F1
    elif benefit.fund_total_fen + benefit.personal_total_fen + sums.hospital != claim.total_fen:
        broken = BROKEN_F2
    elif benefit.personal_total_fen != sums.accounts + benefit.cash_fen:
        broken = BROKEN_P1
    elif (
        benefit.account_current_fen > claim.account_current_fen
        or benefit.account_past_fen > claim.account_past_fen
        or benefit.account_family_fen > claim.account_family_fen
    ):
        broken = BROKEN_A1
    elif benefit.deductible_fen < 0 or benefit.deductible_fen > benefit.in_scope_fen:
        broken = BROKEN_B1
    elif min(sums.least, benefit.in_scope_fen, benefit.first_pay_fen) < 0:
        broken = BROKEN_SIGN
    elif sums.rows != benefit.fund_total_fen + sums.accounts + sums.hospital:
        broken = BROKEN_D1
    return broken


@inlined
def write_hex(heap: np.ndarray, position: int, key: np.ndarray) -> None:
    """Write 16 bytes as 32 hexadecimal characters."""
    p = np.uint64(position)
    for i in range(16):
        high = key[np.uint64(i)] >> np.uint8(4)
        low = key[np.uint64(i)] & np.uint8(15)
        heap[p] = high + np.uint8(48) if high < np.uint8(10) else high + np.uint8(87)
        heap[p + np.uint64(1)] = low + np.uint8(48) if low < np.uint8(10) else low + np.uint8(87)
        p += np.uint64(2)


@inlined
def payer_amount(words: np.ndarray, place: int, payer: int) -> int:
    """Return what a payer pays in a row of BENEFIT, in fen."""
    amount = np.int64(0)
    for column in range(MOST_COLUMNS):
        word = COLUMN_WORDS[np.uint64(payer), np.uint64(column)]
        if word >= 0:
            amount += words[np.uint64(place), np.uint64(word)]
    return amount


@inlined
def least_column(words: np.ndarray, place: int, payer: int, least: int) -> int:
    """Return the smallest of the columns of a payer and of ``least``, in fen."""
    for column in range(MOST_COLUMNS):
        word = COLUMN_WORDS[np.uint64(payer), np.uint64(column)]
        if word >= 0:
            least = min(least, words[np.uint64(place), np.uint64(word)])
    return least


@inlined
def start_answer(answer: Any, wire: Any, line_count: int, fund_count: int) -> None:
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
def write_amounts(answer: Any, claim: Any, split: Any, benefit: Any, text: StaticText) -> None:
    """Write the amounts of the claim that no payer has, and the rules that they come from."""
    answer.total_fen = claim.total_fen
    answer.wholly_self_paid_fen = split.wholly_self_paid_fen
    answer.over_ceiling_fen = split.over_ceiling_fen
    answer.first_pay_fen = benefit.first_pay_fen
    answer.in_scope_fen = benefit.in_scope_fen
    answer.deductible_standard_fen = benefit.deductible_standard_fen
    answer.deductible_fen = benefit.deductible_fen
    answer.pooled_rate_ppm = benefit.pooled_rate_ppm
    answer.fund_total_fen = benefit.fund_total_fen
    answer.personal_total_fen = benefit.personal_total_fen
    own_account = benefit.account_current_fen + benefit.account_past_fen
    answer.account_balance_fen = claim.account_current_fen + claim.account_past_fen - own_account
    answer.benefit_year = claim.benefit_year
    answer.counts_as_admission = benefit.counts_as_admission != 0
    answer.rules_hash_start = text.hash_start[0]
    answer.rules_hash_size = text.hash_size[0]
    plan = benefit.plan if benefit.plan >= 0 else np.int64(text.version_start.shape[0] - 1)
    answer.rules_version_start = text.version_start[np.uint64(plan)]
    answer.rules_version_size = text.version_size[np.uint64(plan)]


@inlined
def write_line(line: Any, wire_line: Any, row: Any) -> Any:
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
def write_grouping(grouping: Any, group: Any, scheme: int, text: GroupText) -> None:
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
def write_payment(payment: Any, paid: Any) -> None:
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
    benefits, settlement_words = amounts.benefits, out.settlement_words
    benefit_words = benefits.view(np.int64).reshape(benefits.shape[0], benefits.itemsize // 8)
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

        scheme = np.uint64(claim.scheme)
        funds = np.int64(0)
        accounts = np.int64(0)
        hospital = np.int64(0)
        shown = np.int64(0)
        least = np.int64(0)
        for payer in range(PAYER_COUNT):
            amount = payer_amount(benefit_words, place, payer)
            least = least_column(benefit_words, place, payer, least)
            settlement_words[np.uint64(position), np.uint64(ANSWER_WORDS[np.uint64(payer)])] = amount
            group = GROUPS[np.uint64(payer)]
            if group == FUND:
                funds += amount
            elif group == ACCOUNT:
                accounts += amount
            elif group == HOSPITAL:
                hospital += amount
            if amount != 0 and payer < ROW_COUNT:
                row_out = out_funds[np.uint64(fund_count)]
                row_out.fund_type_start = fund_start[scheme, np.uint64(payer)]
                row_out.fund_type_size = fund_size[scheme, np.uint64(payer)]
                row_out.amount_fen = amount
                shown += amount
                fund_count += 1
        answer.funds_end = fund_count
        if broken == OK:
            sums = Sums(line_sum, wholly_sum, over_sum, funds, accounts, hospital, shown, least)
            broken = check(claim, split, benefit, sums)
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
