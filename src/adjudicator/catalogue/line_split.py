"""Line split (明细切分): each fee line becomes wholly self-paid, over the ceiling, first-pay, and in scope.

Readings R22, R23 and R36 of docs/readings.md. The slow twin is ``tests/catalogue/naive.py``. The parts of a line add up
to the line (L1), the sums of a claim without an error to the claim (H2). Refunds, which need their original, are split
afterwards by ``catalogue.line_refunds``.

One function answers one question: ``line_terms`` which area, option, ceiling column and version hold, this file which
note, class, first-pay ratio and part, ``line_amounts`` how much. A row of output takes the answers, so that no helper
returns more than a number.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from adjudicator import limits
from adjudicator.catalogue.layout import Handling, LineRules, VersionFlag
from adjudicator.catalogue.line_amounts import compare, excess_fen, first_pay_fen, is_over
from adjudicator.catalogue.line_terms import UNKNOWN_VERSION, LineTerms, read_terms, version_on
from adjudicator.codes import ItemClass, LineNote
from adjudicator.compiled.jit import int64, uint64, uncounted_inlined, uncounted_kernel
from adjudicator.compiled.rounding import share
from adjudicator.errors import E

NO_CEILING_E4 = limits.NO_CEILING_E4
MAX_QUANTITY_E4, MAX_PRICE_E4, MAX_AMOUNT_FEN = limits.MAX_QUANTITY_E4, limits.MAX_UNIT_PRICE_E4, limits.MAX_AMOUNT_FEN
WHOLE_PPM = 1_000_000
CLASS_A, CLASS_B, CLASS_C = int(ItemClass.A), int(ItemClass.B), int(ItemClass.C)
APPROVAL_REFUSED = 2
"""Value of ``LINE.approval``; shifted by one it is the bit of restricted use, so that one test finds both."""
REFUND_FLAG = 1
"""Bit of ``LINE.flags``."""

RESTRICTED, CO_PAY_FREE = int(VersionFlag.RESTRICTED), int(VersionFlag.CO_PAY_FREE)
SPECIAL_DRUG, UNVERIFIED = int(VersionFlag.SPECIAL_DRUG), int(VersionFlag.UNVERIFIED)
ITEM_SELF_PAID, LINE_CEILING = int(Handling.ITEM_SELF_PAID), int(Handling.LINE_CEILING)
EXCESS_TO_HOSPITAL, EXCESS_IN_CATALOGUE = int(Handling.EXCESS_TO_HOSPITAL), int(Handling.EXCESS_IN_CATALOGUE)

NOTE_NONE, NOTE_CLASS_C, NOTE_REFUSED = int(LineNote.NONE), int(LineNote.CLASS_C), int(LineNote.RESTRICTED_USE_REFUSED)
NOTE_UNKNOWN, NOTE_NOT_VALID = int(LineNote.NOT_IN_CATALOGUE), int(LineNote.NOT_VALID_ON_FEE_DATE)
NOTE_REFUND, NOTE_DIFFERS = int(LineNote.REFUND), int(LineNote.PRICE_TIMES_QUANTITY_DIFFERS)
NOTE_SUSPENDED, NOTE_PROGRAMME = int(LineNote.ENROLMENT_SUSPENDED), int(LineNote.PROGRAMME_COVERS)
NOTE_CO_PAY_FREE = int(LineNote.CO_PAY_FREE)
NOTE_OVER = np.zeros(len(Handling), np.int64)
"""Note of a line over its ceiling, by handling way."""
NOTE_OVER[Handling.EXCESS_TO_PATIENT] = LineNote.OVER_CEILING_SELF_PAID
NOTE_OVER[Handling.ITEM_SELF_PAID] = LineNote.OVER_CEILING_WHOLE_SELF_PAID
NOTE_OVER[Handling.EXCESS_TO_HOSPITAL] = LineNote.OVER_CEILING_BORNE_BY_HOSPITAL
NOTE_OVER[Handling.EXCESS_IN_CATALOGUE] = LineNote.OVER_CEILING_IN_CATALOGUE
NOTE_OVER[Handling.LINE_CEILING] = LineNote.OVER_CEILING_SELF_PAID

SELF_PAID_NOTES = sum(
    1 << note
    for note in (
        LineNote.CLASS_C, LineNote.RESTRICTED_USE_REFUSED, LineNote.ENROLMENT_SUSPENDED,
        LineNote.OVER_CEILING_WHOLE_SELF_PAID,
    )
)  # fmt: skip
"""Bit n: a catalogue line with note n is wholly self-paid."""

ADD_UP, NO_LINES, UNKNOWN_ITEM = int(E.LINES_DO_NOT_ADD_UP), int(E.NO_LINES), int(E.UNKNOWN_ITEM)
ZERO_QUANTITY, QUANTITY_RANGE = int(E.ZERO_QUANTITY), int(E.QUANTITY_OUT_OF_RANGE)
PRICE_RANGE, AMOUNT_RANGE = int(E.PRICE_OUT_OF_RANGE), int(E.LINE_AMOUNT_OUT_OF_RANGE)
SIGN, NOT_VALID, UNDEFINED = int(E.LINE_SIGN), int(E.ITEM_NOT_VALID_ON_DATE), int(E.RULE_UNDEFINED)


class LineBatch(NamedTuple):
    """Claims and fee lines of a batch, and what becomes of them; rows CLAIM, LINE, LINE_SPLIT and SPLIT."""

    claims: np.ndarray
    lines: np.ndarray
    line_out: np.ndarray
    split_out: np.ndarray


@uncounted_inlined
def is_unusual(line: Any) -> bool:
    """Return whether the numbers of a line are out of range or those of a refund.

    The comparisons are unsigned, so that a negative number is too large, and joined without a branch.
    """
    unusual: bool = (
        (uint64(line.quantity_e4 - 1) >= uint64(MAX_QUANTITY_E4))
        | (uint64(line.unit_price_e4) > uint64(MAX_PRICE_E4))
        | (uint64(line.amount_fen) > uint64(MAX_AMOUNT_FEN))
        | (line.flags & REFUND_FLAG != 0)
        | (line.original >= 0)
    )
    return unusual


@uncounted_inlined
def line_fault(line: Any) -> int:
    """Return the number of what is wrong with the numbers of a line, 0 nothing; lower numbers take precedence."""
    error = 0
    if line.quantity_e4 == 0:
        error = ZERO_QUANTITY
    elif line.quantity_e4 > MAX_QUANTITY_E4 or line.quantity_e4 < -MAX_QUANTITY_E4:
        error = QUANTITY_RANGE
    elif line.unit_price_e4 < 0 or line.unit_price_e4 > MAX_PRICE_E4:
        error = PRICE_RANGE
    elif line.amount_fen > MAX_AMOUNT_FEN or line.amount_fen < -MAX_AMOUNT_FEN:
        error = AMOUNT_RANGE
    else:
        refund = line.flags & REFUND_FLAG != 0 or line.original >= 0
        if (line.quantity_e4 > 0 and (line.amount_fen < 0 or refund)) or (line.quantity_e4 < 0 and line.amount_fen > 0):
            error = SIGN
    return error


@uncounted_inlined
def set_aside(line: Any, out: Any) -> None:
    """Write an empty split for a refund, which is split later, or for a line whose numbers are wrong."""
    error = line_fault(line)
    out.wholly_self_paid_fen = 0
    out.over_ceiling_fen = 0
    out.first_pay_fen = 0
    out.in_scope_fen = 0
    out.price_ceiling_e4 = 0
    out.first_pay_ppm = 0
    out.item_class = 0
    out.note = NOTE_REFUND if error == 0 else NOTE_NONE
    out.error = error


@uncounted_inlined
def leave_out(terms: LineTerms, line: Any, version: int, out: Any) -> None:
    """Write the split of a line without a valid catalogue version: wholly self-paid, or an error, as the pack chose."""
    out.note = NOTE_UNKNOWN if version == UNKNOWN_VERSION else NOTE_NOT_VALID
    out.error = 0
    if version == UNKNOWN_VERSION and terms.unknown_item == 0:
        out.error = UNKNOWN_ITEM
    elif version != UNKNOWN_VERSION and terms.not_valid_item == 1:
        out.error = NOT_VALID
    elif terms.suspended:
        out.note = NOTE_SUSPENDED
    out.wholly_self_paid_fen = line.amount_fen
    out.over_ceiling_fen = 0
    out.first_pay_fen = 0
    out.in_scope_fen = 0
    out.price_ceiling_e4 = NO_CEILING_E4
    out.first_pay_ppm = WHOLE_PPM
    out.item_class = CLASS_C


@uncounted_inlined
def note_of(rules: LineRules, terms: LineTerms, line: Any, held: Any) -> int:
    """Return the note of a line before its ceiling is looked at; ``held`` is the version of its item."""
    note = int64(NOTE_CLASS_C if held.item_class == CLASS_C else NOTE_NONE)
    flags = int64(held.flags)
    if (flags & (CO_PAY_FREE | (int64(line.approval) >> 1) & RESTRICTED)) | terms.unusual != 0:
        covered = int64(0)
        if terms.programme_bit != 0:
            covered = int64(rules.covers[uint64(terms.pack), uint64(line.item)]) & terms.programme_bit
        if terms.suspended:
            note = NOTE_SUSPENDED
        elif covered != 0:
            note = NOTE_PROGRAMME
        elif note != NOTE_CLASS_C:
            if flags & RESTRICTED != 0 and line.approval == APPROVAL_REFUSED:
                note = NOTE_REFUSED
            elif flags & CO_PAY_FREE != 0:
                note = NOTE_CO_PAY_FREE
    return note


@uncounted_inlined
def ratio_version(rules: LineRules, terms: LineTerms, line: Any, version: int, note: int) -> int:
    """Return the version whose first-pay ratio counts: of the place of care, or of the place of insurance.

    In care outside the pool (异地就医) class and ceiling are those of the place of care and the ratio of a class B item
    is that of the place of insurance, where the item is of class B too.
    """
    row = version
    class_b = rules.versions[uint64(version)].item_class == CLASS_B
    if class_b and note != NOTE_SUSPENDED and note != NOTE_PROGRAMME:
        own = version_on(rules, terms.insured_group, line.item, line.fee_date)
        if own >= 0 and rules.versions[uint64(own)].item_class == CLASS_B:
            row = own
    return row


@uncounted_inlined
def is_self_paid(note: int) -> bool:
    """Return whether a catalogue line with this note is wholly self-paid."""
    return (SELF_PAID_NOTES >> note) & 1 != 0


@uncounted_inlined
def bear_excess(excess: int, handling: int, total: Any) -> None:
    """Add what is over a ceiling to the sum (SPLIT) of the payer who bears it, where that is not the patient."""
    if handling == EXCESS_TO_HOSPITAL:
        total.hospital_borne_fen += excess
    elif handling == EXCESS_IN_CATALOGUE:
        total.in_catalogue_excess_fen += excess


@uncounted_inlined
def is_plain(rules: LineRules, terms: LineTerms, line: Any, held: Any) -> bool:
    """Return whether a line is one of the many of which nothing is special: ``split_plain_line`` is then enough.

    Its item is of class A or B with a first-pay ratio, its price is under the ceiling and is the price of its amount.
    The tests are joined without a branch.
    """
    refused = (int64(line.approval) >> 1) & RESTRICTED
    special = (int64(held.flags) & (CO_PAY_FREE | SPECIAL_DRUG | refused)) | terms.unusual
    plain: bool = (
        (special == 0)
        & (compare(line.amount_fen, line.unit_price_e4, line.quantity_e4) == 0)
        & (line.unit_price_e4 <= rules.ceiling_e4[uint64(held.ceiling), uint64(terms.level_column)])
        & (held.item_class != CLASS_C)
        & (rules.ratio_ppm[uint64(held.ratio), uint64(terms.person_class)] >= 0)
    )
    return plain


@uncounted_inlined
def split_plain_line(rules: LineRules, terms: LineTerms, line: Any, held: Any, out: Any) -> None:
    """Split a line that ``is_plain``, as ``split_line`` would: first pay by the ratio, and the rest is in scope."""
    amount = line.amount_fen
    rate = int64(rules.ratio_ppm[uint64(held.ratio), uint64(terms.person_class)])
    pay = share(amount, rate)
    out.wholly_self_paid_fen = 0
    out.over_ceiling_fen = 0
    out.first_pay_fen = pay
    out.in_scope_fen = amount - pay
    out.price_ceiling_e4 = rules.ceiling_e4[uint64(held.ceiling), uint64(terms.level_column)]
    out.first_pay_ppm = rate
    out.item_class = held.item_class
    out.note = NOTE_NONE
    out.error = 0


@uncounted_inlined
def split_line(rules: LineRules, terms: LineTerms, line: Any, version: int, out: Any, total: Any) -> int:
    """Split a line by the version of its item; return the flags of all versions in use."""
    amount = line.amount_fen
    price = line.unit_price_e4
    held = rules.versions[uint64(version)]
    flags = int64(held.flags)
    used = flags
    note = note_of(rules, terms, line, held)
    ratio = int64(held.ratio)
    if terms.care_group != terms.insured_group:
        own = ratio_version(rules, terms, line, version, note)
        ratio = int64(rules.versions[uint64(own)].ratio)
        used |= int64(rules.versions[uint64(own)].flags)
    item_class = int64(held.item_class)
    rate = int64(rules.ratio_ppm[uint64(ratio), uint64(terms.person_class)])
    if note == NOTE_PROGRAMME:
        item_class = int64(CLASS_A)
        rate = int64(0)
    self_paid = is_self_paid(note)
    over = int64(0)
    ceiling = rules.ceiling_e4[uint64(held.ceiling), uint64(terms.level_column)]
    more = compare(amount, price, line.quantity_e4)
    # A ceiling on the line is negative.
    if (price > ceiling) | ((more > 0) & (ceiling < NO_CEILING_E4)):
        handling = int64(rules.handling[uint64(held.ceiling), uint64(terms.level_column)])
        ceiling = int64(-1) - ceiling if handling == LINE_CEILING else ceiling
        if not self_paid and is_over(price, ceiling, line.quantity_e4, amount, handling):
            note = int64(NOTE_OVER[uint64(handling)])
            if handling == ITEM_SELF_PAID:
                self_paid = True
            else:
                over = excess_fen(price, ceiling, line.quantity_e4, amount, handling, terms.over_ceiling)
                bear_excess(over, handling, total)
    rate = int64(WHOLE_PPM) if self_paid else rate
    out.error = 0
    if rate < 0:
        out.error = UNDEFINED
        rate = int64(0)
    wholly = amount if self_paid else int64(0)
    pay = first_pay_fen(amount, over, rate, terms.first_pay_on)
    pay = int64(0) if self_paid else pay
    scope = amount - wholly - over - pay
    if flags & (CO_PAY_FREE | SPECIAL_DRUG) != 0:
        total.copay_free_fen += scope if flags & CO_PAY_FREE != 0 else int64(0)
        if flags & SPECIAL_DRUG != 0:
            total.special_drug_fen += scope + pay
            total.special_self_paid_fen += wholly if item_class == CLASS_C else int64(0)
    if (note == NOTE_NONE) & (more != 0):
        note = int64(NOTE_DIFFERS)
    out.wholly_self_paid_fen = wholly
    out.over_ceiling_fen = over
    out.first_pay_fen = pay
    out.in_scope_fen = scope
    out.price_ceiling_e4 = ceiling
    out.first_pay_ppm = rate
    out.item_class = item_class
    out.note = note
    return used


@uncounted_inlined
def clear_sums(total: Any) -> None:
    """Set a row of sums (SPLIT) to zero."""
    total.wholly_self_paid_fen = 0
    total.over_ceiling_fen = 0
    total.first_pay_fen = 0
    total.in_scope_fen = 0
    total.copay_free_fen = 0
    total.special_drug_fen = 0
    total.special_self_paid_fen = 0
    total.hospital_borne_fen = 0
    total.class_a_fen = 0
    total.class_b_fen = 0
    total.in_catalogue_excess_fen = 0
    total.unverified = 0


@uncounted_kernel
def split(rules: LineRules, batch: LineBatch, refund_claims: np.ndarray) -> int:
    """Split every line that is no refund; refunds are left for ``line_refunds.split_refunds``.

    ``line_out`` and ``split_out`` of the batch are fully overwritten;
    ``refund_claims`` int64[n] takes the claims that have refunds. Returns how many those are.
    Sets ``claims["error"]`` and ``error_line`` (line of the claim) where there was no error.
    """
    refund_count = int64(0)
    for index in range(batch.claims.shape[0]):
        claim = batch.claims[uint64(index)]
        total = batch.split_out[uint64(index)]
        terms = read_terms(rules, claim)
        clear_sums(total)
        start = uint64(claim.line_start)
        end = uint64(claim.line_end)
        has_refund = False
        error = int64(0)
        error_line = int64(-1)
        charged = int64(0)  # lines that are no refund and have no fault
        other_amounts = int64(0)
        wholly = int64(0)
        over = int64(0)
        first_pay = int64(0)
        class_a = int64(0)
        used_flags = int64(0)
        i = start
        while i < end:
            line = batch.lines[i]
            out = batch.line_out[i]
            if is_unusual(line):
                set_aside(line, out)
                other_amounts += line.amount_fen if out.error != AMOUNT_RANGE else int64(0)
                has_refund = has_refund or out.error == 0
            else:
                version = version_on(rules, terms.care_group, line.item, line.fee_date)
                if version < 0:
                    leave_out(terms, line, version, out)
                elif is_plain(rules, terms, line, rules.versions[uint64(version)]):
                    split_plain_line(rules, terms, line, rules.versions[uint64(version)], out)
                    used_flags |= int64(rules.versions[uint64(version)].flags)
                else:
                    used_flags |= split_line(rules, terms, line, version, out, total)
                # Read first, then chosen: a read under the condition would be a branch that is often mispredicted.
                amount = line.amount_fen
                in_catalogue = amount - out.wholly_self_paid_fen
                charged += amount
                class_a += in_catalogue if out.item_class == CLASS_A else int64(0)
            wholly += out.wholly_self_paid_fen
            over += out.over_ceiling_fen
            first_pay += out.first_pay_fen
            if out.error != 0 and (error == 0 or out.error < error):
                error = int64(out.error)
                error_line = int64(i - start)
            i += uint64(1)

        if start >= end:
            error = int64(NO_LINES)
        elif charged + other_amounts != claim.total_fen and error != AMOUNT_RANGE:
            error = int64(ADD_UP)
            error_line = int64(-1)
        if error != 0 and claim.error == 0:
            claim.error = error
            claim.error_line = error_line
        if claim.error != 0:
            clear_sums(total)
        else:
            total.wholly_self_paid_fen = wholly
            total.over_ceiling_fen = over
            total.first_pay_fen = first_pay
            total.in_scope_fen = charged - wholly - over - first_pay
            total.class_a_fen = class_a
            total.class_b_fen = charged - wholly - class_a  # what is not self-paid is of class A or B
            total.unverified = 1 if terms.unverified != 0 or used_flags & UNVERIFIED != 0 else 0
        if has_refund:
            refund_claims[uint64(refund_count)] = index
            refund_count += 1
    return refund_count
