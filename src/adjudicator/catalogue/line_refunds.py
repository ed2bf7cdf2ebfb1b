"""The split of refunds: the negative of a line of the refund's size, or the original less the split of what remains.

Reading R24 of docs/readings.md; the kernel of plain lines is ``catalogue.line_split``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from adjudicator.catalogue.layout import LineRules
from adjudicator.catalogue.line_amounts import excess_fen, first_pay_fen, is_over
from adjudicator.catalogue.line_split import (
    CLASS_A,
    CLASS_B,
    CLASS_C,
    CO_PAY_FREE,
    EXCESS_IN_CATALOGUE,
    EXCESS_TO_HOSPITAL,
    NO_CEILING_E4,
    NOT_VALID,
    SPECIAL_DRUG,
    UNDEFINED,
    LineBatch,
    clear_sums,
)
from adjudicator.catalogue.line_terms import LineTerms, read_terms, version_on
from adjudicator.compiled.jit import int64, uint64, uncounted_inlined, uncounted_kernel
from adjudicator.errors import E

NO_ORIGINAL, EXCEEDS = int(E.REFUND_WITHOUT_ORIGINAL), int(E.REFUND_EXCEEDS_ORIGINAL)

REMAINDER = np.dtype(
    [
        ("quantity_e4", "i8"), ("amount_fen", "i8"),
        ("wholly_self_paid_fen", "i8"), ("over_ceiling_fen", "i8"), ("first_pay_fen", "i8"), ("in_scope_fen", "i8"),
        ("in_use", "i8"),
    ],
    align=True,
)  # fmt: skip
"""What refunds have left of a line, one row a line of the claim; ``in_use`` is 1 once a refund names it."""


@uncounted_inlined
def refund_fault(batch: LineBatch, claim: Any, line: Any) -> int:
    """Return NO_ORIGINAL where the line of the same claim that a refund names is not one it can take back, else 0."""
    fault = NO_ORIGINAL
    if line.original >= claim.line_start and line.original < claim.line_end:
        source = batch.lines[uint64(line.original)]
        if source.item == line.item and source.quantity_e4 > 0:
            fault = 0
    return fault


@uncounted_inlined
def open_remainder(source: Any, whole: Any, left: Any) -> None:
    """Fill the row of an original (LINE with its LINE_SPLIT) when the first refund names it."""
    if left.in_use == 0:
        left.quantity_e4 = source.quantity_e4
        left.amount_fen = source.amount_fen
        left.wholly_self_paid_fen = whole.wholly_self_paid_fen
        left.over_ceiling_fen = whole.over_ceiling_fen
        left.first_pay_fen = whole.first_pay_fen
        left.in_scope_fen = whole.in_scope_fen
        left.in_use = 1


@uncounted_inlined
def over_of_size(source: Any, whole: Any, size_fen: int, count_e4: int, handling: int, over_ceiling: int) -> int:
    """Return what is over the ceiling in a line like the original of another amount and quantity."""
    over = int64(0)
    price = source.unit_price_e4
    ceiling = whole.price_ceiling_e4
    if ceiling != NO_CEILING_E4 and is_over(price, ceiling, count_e4, size_fen, handling):
        over = excess_fen(price, ceiling, count_e4, size_fen, handling, over_ceiling)
    return over


@uncounted_inlined
def split_refund(terms: LineTerms, line: Any, source: Any, whole: Any, left: Any, out: Any, handling: int) -> None:
    """Write the negative parts of a refund into ``out`` and take them from what is left of its original.

    No part is taken back more than the original has left of it, so that no sum becomes negative.
    """
    amount = -line.amount_fen
    size = amount
    count = -line.quantity_e4
    remainder = terms.refund == 1
    if remainder:
        size = left.amount_fen - amount
        count = left.quantity_e4 + line.quantity_e4
    wholly = int64(0)
    over = int64(0)
    pay = int64(0)
    if whole.wholly_self_paid_fen == source.amount_fen:
        wholly = size
    else:
        over = over_of_size(source, whole, size, count, handling, terms.over_ceiling)
        pay = first_pay_fen(size, over, whole.first_pay_ppm, terms.first_pay_on)
    if remainder:
        wholly = left.wholly_self_paid_fen - wholly
        over = left.over_ceiling_fen - over
        pay = left.first_pay_fen - pay
    # What is then missing comes from the other parts, in scope first. A line is wholly self-paid or not at all, so
    # that part needs no care.
    over = min(max(over, int64(0)), left.over_ceiling_fen, amount - wholly)
    pay = min(max(pay, int64(0)), left.first_pay_fen, amount - wholly - over)
    scope = min(amount - wholly - over - pay, left.in_scope_fen)
    missing = amount - wholly - over - pay - scope
    more = min(missing, left.first_pay_fen - pay)
    pay += more
    over += missing - more
    left.quantity_e4 += line.quantity_e4
    left.amount_fen -= amount
    left.wholly_self_paid_fen -= wholly
    left.over_ceiling_fen -= over
    left.first_pay_fen -= pay
    left.in_scope_fen -= scope
    out.wholly_self_paid_fen = -wholly
    out.over_ceiling_fen = -over
    out.first_pay_fen = -pay
    out.in_scope_fen = -scope
    out.price_ceiling_e4 = whole.price_ceiling_e4
    out.first_pay_ppm = whole.first_pay_ppm
    out.item_class = whole.item_class


@uncounted_inlined
def add_refund(out: Any, total: Any, handling: int, flags: int) -> None:
    """Add the (negative) parts of a refund to the sums of its claim."""
    total.wholly_self_paid_fen += out.wholly_self_paid_fen
    total.over_ceiling_fen += out.over_ceiling_fen
    total.first_pay_fen += out.first_pay_fen
    total.in_scope_fen += out.in_scope_fen
    if handling == EXCESS_TO_HOSPITAL:
        total.hospital_borne_fen += out.over_ceiling_fen
    elif handling == EXCESS_IN_CATALOGUE:
        total.in_catalogue_excess_fen += out.over_ceiling_fen
    in_catalogue = out.over_ceiling_fen + out.first_pay_fen + out.in_scope_fen
    if out.item_class == CLASS_A:
        total.class_a_fen += in_catalogue
    elif out.item_class == CLASS_B:
        total.class_b_fen += in_catalogue
    if flags & CO_PAY_FREE != 0:
        total.copay_free_fen += out.in_scope_fen
    if flags & SPECIAL_DRUG != 0:
        total.special_drug_fen += out.first_pay_fen + out.in_scope_fen
        if out.item_class == CLASS_C:
            total.special_self_paid_fen += out.wholly_self_paid_fen


@uncounted_inlined
def take_back(
    rules: LineRules, batch: LineBatch, terms: LineTerms, claim: Any, left: np.ndarray, index: int, i: int
) -> int:
    """Split the refund in line ``i`` of the claim in row ``index``; return the number of its fault, 0 none."""
    line = batch.lines[uint64(i)]
    fault = refund_fault(batch, claim, line)
    if fault == 0 and batch.line_out[uint64(line.original)].error == 0:
        source = batch.lines[uint64(line.original)]
        whole = batch.line_out[uint64(line.original)]
        rest = left[uint64(line.original - claim.line_start)]
        open_remainder(source, whole, rest)
        if -line.quantity_e4 > rest.quantity_e4 or -line.amount_fen > rest.amount_fen:
            fault = EXCEEDS
        else:
            handling = int64(0)
            flags = int64(0)
            version = version_on(rules, terms.care_group, source.item, source.fee_date)
            if version >= 0:
                held = rules.versions[uint64(version)]
                flags = int64(held.flags)
                handling = int64(rules.handling[uint64(held.ceiling), uint64(terms.level_column)])
            out = batch.line_out[uint64(i)]
            split_refund(terms, line, source, whole, rest, out, handling)
            if claim.error == 0:
                add_refund(out, batch.split_out[uint64(index)], handling, flags)
    return fault


@uncounted_kernel
def split_refunds(rules: LineRules, batch: LineBatch, refund_claims: np.ndarray, left: np.ndarray) -> None:
    """Split the refund lines of the claims that ``line_split.split`` named; same batch.

    A refund has the item, price, day and approval of its original. ``left`` REMAINDER[lines of the longest claim] is
    all zero, and is so again after.
    """
    for number in range(refund_claims.shape[0]):
        index = uint64(refund_claims[uint64(number)])
        claim = batch.claims[index]
        terms = read_terms(rules, claim)
        start = uint64(claim.line_start)
        end = uint64(claim.line_end)
        error = int64(0)
        error_line = int64(-1)
        i = start
        while i < end:
            out = batch.line_out[i]
            if batch.lines[i].quantity_e4 < 0 and out.error == 0:
                fault = take_back(rules, batch, terms, claim, left, index, i)
                if fault != 0:
                    out.error = fault
                    if error == 0 or fault < error:
                        error = int64(fault)
                        error_line = int64(i - start)
            i += uint64(1)
        i = uint64(0)
        while i < end - start:
            left[i].in_use = 0
            i += uint64(1)
        if error != 0 and (claim.error == 0 or (claim.error > error and claim.error in (NOT_VALID, UNDEFINED))):
            claim.error = error
            claim.error_line = error_line
            clear_sums(batch.split_out[index])
