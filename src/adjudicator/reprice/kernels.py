"""Kernels of re-pricing: columns into wire tables, persons and keys into dense numbers, amounts into result columns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from adjudicator.claim.assemble import ACCOUNT as OWN_ACCOUNT
from adjudicator.claim.assemble import (
    FUND,
    GROUPS,
    HOSPITAL,
    OK,
    PAYER_COUNT,
    Sums,
    check,
    least_column,
    payer_amount,
)
from adjudicator.claim.checks import put_number
from adjudicator.claim.fields import Records
from adjudicator.compiled.jit import int64, kernel, uint64, uncounted_inlined, uncounted_kernel
from adjudicator.payers import ROW_COUNT
from adjudicator.wire.digest import KEY, siphash128

KEY_LOW, KEY_HIGH = KEY


class Texts(NamedTuple):
    """A column of texts: that of row i begins at ``starts[places[i]]`` of the heap; none where ``places[i]`` is -1."""

    places: np.ndarray  # int32[rows]
    starts: np.ndarray  # int64[values]
    sizes: np.ndarray  # int32[values]


class LineColumns(NamedTuple):
    """The columns of fee lines that every table has."""

    line_id: Texts
    item_code: Texts
    original: Texts
    unit_price_e4: np.ndarray  # int64
    quantity_e4: np.ndarray
    amount_fen: np.ndarray
    fee_date: np.ndarray  # int32
    approval: np.ndarray  # uint32


@uncounted_kernel
def fill_lines(columns: LineColumns, out: np.ndarray) -> None:
    """Write the wire rows of fee lines; what ``columns`` does not have is empty."""
    ids, items, originals = columns.line_id, columns.item_code, columns.original
    id_index, id_starts, id_sizes = ids.places, ids.starts, ids.sizes
    item_index, item_starts, item_sizes = items.places, items.starts, items.sizes
    original_index, original_starts, original_sizes = originals.places, originals.starts, originals.sizes
    for number in range(out.shape[0]):
        i = uint64(number)
        row = out[i]
        row.line_id_start, row.line_id_size = 0, 0
        row.item_code_start, row.item_code_size = 0, 0
        row.original_line_id_start, row.original_line_id_size = 0, 0
        if id_index[i] >= 0:
            at = uint64(id_index[i])
            row.line_id_start, row.line_id_size = id_starts[at], id_sizes[at]
        if item_index[i] >= 0:
            at = uint64(item_index[i])
            row.item_code_start, row.item_code_size = item_starts[at], item_sizes[at]
        if original_index[i] >= 0:
            at = uint64(original_index[i])
            row.original_line_id_start, row.original_line_id_size = original_starts[at], original_sizes[at]
        row.unit_price_e4, row.quantity_e4 = columns.unit_price_e4[i], columns.quantity_e4[i]
        row.amount_fen, row.fee_date, row.approval = columns.amount_fen[i], columns.fee_date[i], columns.approval[i]
        row.institution_item_code_start, row.institution_item_code_size = 0, 0
        row.department_start, row.department_size = 0, 0
        row.before_admission, row.discharge_drug, row.external_prescription, row.maternity = 0, 0, 0, 0


class ClaimColumns(NamedTuple):
    """Columns of claims, and where each goes: (place, kind) in units of its kind, see ``claim.fields.Records``."""

    numbers: np.ndarray  # int64[columns, n]
    places: np.ndarray  # PLACE[columns]


PLACE = np.dtype([("target", "i8"), ("target_kind", "i8")], align=True)
"""Where a column stands in a wire record, as ``claim.checks.put_number`` takes it."""


@uncounted_kernel
def fill_claims(columns: ClaimColumns, out: Records) -> None:
    """Write columns of numbers into wire rows of claims, which are zeroed."""
    numbers, places = columns.numbers, columns.places
    for row in range(numbers.shape[1]):
        for column in range(numbers.shape[0]):
            value = numbers[uint64(column), uint64(row)]
            if value != 0:
                put_number(out, row, places[uint64(column)], value)


@uncounted_kernel
def find_texts(texts: Texts, starts: np.ndarray, sizes: np.ndarray) -> None:
    """Write where the text of each row stands: ``starts`` and ``sizes`` int64[rows]."""
    for number in range(starts.shape[0]):
        i = uint64(number)
        starts[i], sizes[i] = 0, 0
        if texts.places[i] >= 0:
            at = uint64(texts.places[i])
            starts[i], sizes[i] = texts.starts[at], texts.sizes[at]


@uncounted_kernel
def encounter_keys(heap: np.ndarray, wire_claims: np.ndarray, claims: np.ndarray, out: np.ndarray) -> None:
    """Write the digest of each encounter id to ``out`` uint64[n, 2], zero for a claim with an error."""
    for number in range(claims.shape[0]):
        row = uint64(number)
        low, high = uint64(0), uint64(0)
        if claims[row].error == 0:
            wire = wire_claims[row]
            low, high = siphash128(
                heap, uint64(wire.encounter_id_start), uint64(wire.encounter_id_start + int64(wire.encounter_id_size)),
                KEY_LOW, KEY_HIGH,
            )  # fmt: skip
        out[row, uint64(0)] = low
        out[row, uint64(1)] = high


@uncounted_kernel
def principal_codes(heap: np.ndarray, wire_claims: np.ndarray, codes: np.ndarray, out: np.ndarray) -> None:
    """Write the principal diagnosis of each claim to ``out`` uint8[n, size], as far as it fits, else zeros."""
    for number in range(out.shape[0]):
        row = uint64(number)
        begin, end = int64(wire_claims[row].diagnoses_start), int64(wire_claims[row].diagnoses_end)
        size = int64(0)
        if begin < end:
            code = codes[uint64(begin)]
            size = min(int64(code.size), int64(out.shape[1]))
            for place in range(size):
                out[row, uint64(place)] = heap[uint64(code.start + place)]
        for place in range(size, out.shape[1]):
            out[row, uint64(place)] = 0


@uncounted_kernel
def encounters_here(
    heap: np.ndarray, wire_claims: np.ndarray, claims: np.ndarray, encounters: np.ndarray, out: np.ndarray
) -> None:
    """Write to ``out`` int64[n, 2] the digest of pool, institution and encounter, its first half with 62 bits.

    ``encounters`` uint64[n, 2] are those of ``encounter_keys``; a claim with an error has zeros.
    """
    for number in range(claims.shape[0]):
        row = uint64(number)
        low, high = uint64(0), uint64(0)
        if claims[row].error == 0:
            wire = wire_claims[row]
            low, high = siphash128(
                heap, uint64(wire.institution_code_start),
                uint64(wire.institution_code_start + int64(wire.institution_code_size)),
                encounters[row, uint64(0)] ^ uint64(claims[row].pack), encounters[row, uint64(1)],
            )  # fmt: skip
        out[row, uint64(0)] = int64(low >> uint64(2))
        out[row, uint64(1)] = int64(high)


@uncounted_kernel
def number_keys(keys: np.ndarray, packs: np.ndarray, table: np.ndarray, firsts: np.ndarray, out: np.ndarray) -> int:
    """Give numbers to the different (pack, key) from 0 in the order of their first rows; return how many there are.

    keys uint64[n, 2]; packs int32[n]; table int32[2**k] of -1, at least twice the keys; firsts int64[n] takes the first
    row of each number, out int64[n] the number of each row.
    """
    count = int64(0)
    mask = uint64(table.shape[0] - 1)
    for number in range(keys.shape[0]):
        row = uint64(number)
        low, high, pack = keys[row, uint64(0)], keys[row, uint64(1)], packs[row]
        slot = (low ^ uint64(pack)) & mask
        found = int64(-1)
        while found < 0:
            entry = int64(table[slot])
            if entry < 0:
                table[slot] = np.int32(count)
                firsts[uint64(count)] = number
                found = count
                count += 1
            else:
                first = uint64(firsts[uint64(entry)])
                if keys[first, uint64(0)] == low and keys[first, uint64(1)] == high and packs[first] == pack:
                    found = entry
                slot = (slot + uint64(1)) & mask
        out[row] = found
    return count


class Priced(NamedTuple):
    """Claims of a bucket as priced, one row each."""

    claims: np.ndarray  # CLAIM
    splits: np.ndarray  # SPLIT
    benefits: np.ndarray  # BENEFIT
    benefit_words: np.ndarray  # the same as int64[n, words]
    payments: np.ndarray  # PAYMENT
    groups: np.ndarray  # GROUP
    schemes: np.ndarray  # int64[n]


@uncounted_inlined
def sums_of(priced: Priced, place: int) -> Sums:
    """Return the sums over the payers of a claim; those over lines were checked when the lines were split."""
    funds, accounts, hospital, shown, least = int64(0), int64(0), int64(0), int64(0), int64(0)
    for payer in range(PAYER_COUNT):
        amount = payer_amount(priced.benefit_words, place, payer)
        least = least_column(priced.benefit_words, place, payer, least)
        group = GROUPS[uint64(payer)]
        if group == FUND:
            funds += amount
        elif group == OWN_ACCOUNT:
            accounts += amount
        elif group == HOSPITAL:
            hospital += amount
        if payer < ROW_COUNT:
            shown += amount
    split = priced.splits[uint64(place)]
    total = priced.claims[uint64(place)].total_fen
    return Sums(total, split.wholly_self_paid_fen, split.over_ceiling_fen, funds, accounts, hospital, shown, least)


@kernel
def fill_results(priced: Priced, clearing_ways: np.ndarray, out: np.ndarray) -> int:
    """Write the results of claims to ``out`` int64[n, columns] (``results.COLUMNS``, payers first).

    Return the broken identity of the first claim that breaks one, OK where all hold. A refused claim has zeros.
    """
    broken = OK
    groups, schemes, payments = priced.groups, priced.schemes, priced.payments
    for number in range(priced.claims.shape[0]):
        row = uint64(number)
        claim = priced.claims[row]
        if claim.error != 0:
            for column in range(out.shape[1]):
                out[row, uint64(column)] = 0
            out[row, uint64(PAYER_COUNT)] = claim.error
            continue
        split, benefit, paid, group = priced.splits[row], priced.benefits[row], payments[row], groups[row]
        for payer in range(PAYER_COUNT):
            out[row, uint64(payer)] = payer_amount(priced.benefit_words, number, payer)
        if broken == OK:
            broken = check(claim, split, benefit, sums_of(priced, number))
        at = uint64(PAYER_COUNT)
        grouped = group.status != 0 and schemes[row] >= 0
        own_account = benefit.account_current_fen + benefit.account_past_fen
        values = (
            int64(0), claim.total_fen, split.wholly_self_paid_fen, split.over_ceiling_fen, benefit.first_pay_fen,
            benefit.in_scope_fen, benefit.deductible_standard_fen, benefit.deductible_fen, benefit.pooled_rate_ppm,
            benefit.fund_total_fen, benefit.personal_total_fen,
            claim.account_current_fen + claim.account_past_fen - own_account,
            int64(clearing_ways[uint64(paid.method)]), int64(claim.benefit_year), int64(benefit.plan),
            int64(benefit.unverified != 0 or split.unverified != 0 or paid.unverified != 0),
            int64(benefit.counts_as_admission != 0),
            int64(schemes[row]) if grouped else int64(-1), int64(group.status) if grouped else int64(0),
            int64(group.mdc) if grouped else int64(-1), int64(group.adrg) if grouped else int64(-1),
            int64(group.drg) if grouped else int64(-1),
            int64(paid.method), paid.points_e8, paid.point_value_e4, paid.due_fen, paid.due_fen - paid.by_item_fen,
        )  # fmt: skip
        for value in values:
            out[row, at] = value
            at += uint64(1)
    return int(broken)


@uncounted_kernel
def lines_that_do_not_add_up(claims: np.ndarray, lines: np.ndarray, line_splits: np.ndarray, splits: np.ndarray) -> int:
    """Return the first claim without error whose lines differ from their parts or from its sums (L1, H2), -1 none."""
    found = int64(-1)
    for number in range(claims.shape[0]):
        claim, split = claims[uint64(number)], splits[uint64(number)]
        wholly, over, broken = int64(0), int64(0), False
        if claim.error == 0:
            for i in range(claim.line_start, claim.line_end):
                part = line_splits[uint64(i)]
                wholly += part.wholly_self_paid_fen
                over += part.over_ceiling_fen
                parts = part.wholly_self_paid_fen + part.over_ceiling_fen + part.first_pay_fen + part.in_scope_fen
                broken |= parts != lines[uint64(i)].amount_fen
            broken |= wholly != split.wholly_self_paid_fen or over != split.over_ceiling_fen
        if broken and found < 0:
            found = int64(number)
    return int(found)
