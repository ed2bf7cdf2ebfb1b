"""Fee lines of a claim: items, serials, refunds, limits, and whether the lines add up to the claim."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from adjudicator import limits
from adjudicator.claim.checks import MAX_AMOUNT, date_error, note
from adjudicator.claim.doubts import Care, line_is_doubtful
from adjudicator.claim.fields import F
from adjudicator.claim.ids import ID_LIMITS, text_fault
from adjudicator.codes import LineFlag
from adjudicator.compiled.jit import uncounted_inlined
from adjudicator.errors import E
from adjudicator.wire.codetable import find_code, hash_bytes

NO_LINES, TOO_MANY_LINES = int(E.NO_LINES), int(E.TOO_MANY_LINES)
MISSING_LINE_ID, DUPLICATE_LINE_ID = int(E.MISSING_LINE_ID), int(E.DUPLICATE_LINE_ID)
INVALID_FEE_DATE, FEE_AFTER_SETTLEMENT = int(E.INVALID_FEE_DATE), int(E.FEE_AFTER_SETTLEMENT)
INVALID_CODE_VALUE, REFUND_WITHOUT_ORIGINAL = int(E.INVALID_CODE_VALUE), int(E.REFUND_WITHOUT_ORIGINAL)
ZERO_QUANTITY, QUANTITY_OUT_OF_RANGE, LINE_SIGN = (
    int(E.ZERO_QUANTITY),
    int(E.QUANTITY_OUT_OF_RANGE),
    int(E.LINE_SIGN),
)
PRICE_OUT_OF_RANGE, LINE_AMOUNT_OUT_OF_RANGE = int(E.PRICE_OUT_OF_RANGE), int(E.LINE_AMOUNT_OUT_OF_RANGE)
LINES_DO_NOT_ADD_UP = int(E.LINES_DO_NOT_ADD_UP)
MAX_LINES = limits.MAX_LINES_PER_CLAIM
MOST_LINE_ID, MOST_ITEM = ID_LIMITS["lines[].line_id"], ID_LIMITS["lines[].item_code"]
MOST_DEPARTMENT, MOST_OWN_CODE = ID_LIMITS["lines[].department"], ID_LIMITS["lines[].institution_item_code"]
MAX_PRICE, MAX_QUANTITY = limits.MAX_UNIT_PRICE_E4, limits.MAX_QUANTITY_E4
MAX_APPROVAL, MAX_BEFORE_ADMISSION = 2, 2
"""Largest codes of ``approval`` and ``before_admission``."""

TOTAL, LINES = F["total_fen"], F["lines"]
LINE_ID, ITEM, FEE_DATE = F["lines[].line_id"], F["lines[].item_code"], F["lines[].fee_date"]
PRICE, QUANTITY, AMOUNT = F["lines[].unit_price_e4"], F["lines[].quantity_e4"], F["lines[].amount_fen"]
ORIGINAL, APPROVAL, BEFORE = (
    F["lines[].original_line_id"],
    F["lines[].approval"],
    F["lines[].before_admission"],
)
DEPARTMENT, OWN_CODE = F["lines[].department"], F["lines[].institution_item_code"]

REFUND, BEFORE_ADMISSION = int(LineFlag.REFUND), int(LineFlag.BEFORE_ADMISSION)
DISCHARGE_DRUG, EXTERNAL_PRESCRIPTION = int(LineFlag.DISCHARGE_DRUG), int(LineFlag.EXTERNAL_PRESCRIPTION)
MATERNITY = int(LineFlag.MATERNITY)


class Serials(NamedTuple):
    """The line serials of one claim: a hash table int32[2**k, 2] of (stamp of the claim, line), and where it is."""

    table: np.ndarray
    stamp: int
    first: int


@uncounted_inlined
def same_range(buffer: np.ndarray, first: int, second: int, size: int) -> bool:
    """Return whether two ranges of the buffer hold the same bytes."""
    i = np.uint64(0)
    end = np.uint64(size)
    while i < end and buffer[np.uint64(first) + i] == buffer[np.uint64(second) + i]:
        i += np.uint64(1)
    return i == end


@uncounted_inlined
def find_serial(buffer: np.ndarray, start: int, size: int, lines: np.ndarray, serials: Serials) -> int:
    """Return the slot of a line serial, or the free slot where it belongs as ``-1 - slot``."""
    mask = np.uint64(serials.table.shape[0] - 1)
    slot = hash_bytes(buffer, np.uint64(start), np.uint64(size)) & mask
    found = np.int64(0)
    done = False
    while not done:
        if serials.table[slot, 0] != serials.stamp:
            found = np.int64(-1) - np.int64(slot)
            done = True
        else:
            other = lines[np.uint64(serials.first + serials.table[slot, 1])]
            if np.int64(other.line_id_size) == size and same_range(buffer, other.line_id_start, start, size):
                found = np.int64(slot)
                done = True
            else:
                slot = (slot + np.uint64(1)) & mask
    return found


@uncounted_inlined
def copy_line(wire_line: Any, line: Any) -> None:
    """Copy what needs no look-up."""
    line.unit_price_e4 = wire_line.unit_price_e4
    line.quantity_e4 = wire_line.quantity_e4
    line.amount_fen = wire_line.amount_fen
    line.fee_date = wire_line.fee_date
    line.approval = np.int32(wire_line.approval) if wire_line.approval <= MAX_APPROVAL else np.int32(0)
    line.original = -1
    flags = REFUND if wire_line.quantity_e4 < 0 else 0
    flags |= BEFORE_ADMISSION if wire_line.before_admission != 0 else 0
    flags |= DISCHARGE_DRUG if wire_line.discharge_drug != 0 else 0
    flags |= EXTERNAL_PRESCRIPTION if wire_line.external_prescription != 0 else 0
    flags |= MATERNITY if wire_line.maternity != 0 else 0
    line.flags = flags


@uncounted_inlined
def check_serial(
    buffer: np.ndarray, lines: np.ndarray, serials: Serials, position: int, problems: np.ndarray, count: int, index: int
) -> int:
    """Check the serial of a line and enter it into the table."""
    line = lines[np.uint64(serials.first + position)]
    fault = text_fault(buffer, line.line_id_start, line.line_id_size, MOST_LINE_ID)
    if line.line_id_size == 0:
        fault = MISSING_LINE_ID
    if fault == 0:
        slot = find_serial(buffer, line.line_id_start, np.int64(line.line_id_size), lines, serials)
        if slot >= 0:
            fault = DUPLICATE_LINE_ID
        else:
            serials.table[np.uint64(-1 - slot), 0] = serials.stamp
            serials.table[np.uint64(-1 - slot), 1] = position
    if fault != 0:
        count = note(problems, count, index, fault, LINE_ID, position)
    return count


@uncounted_inlined
def check_codes(
    buffer: np.ndarray, line: Any, known: bool, position: int, problems: np.ndarray, count: int, index: int
) -> int:
    """Check the codes of a line that no list has: an item outside the catalogue, and those of the institution."""
    if not known:
        fault = text_fault(buffer, line.item_code_start, line.item_code_size, MOST_ITEM)
        if fault != 0:
            count = note(problems, count, index, fault, ITEM, position)
    fault = text_fault(buffer, line.department_start, line.department_size, MOST_DEPARTMENT)
    if fault != 0:
        count = note(problems, count, index, fault, DEPARTMENT, position)
    fault = text_fault(buffer, line.institution_item_code_start, line.institution_item_code_size, MOST_OWN_CODE)
    if fault != 0:
        count = note(problems, count, index, fault, OWN_CODE, position)
    return count


@uncounted_inlined
def check_values(wire_line: Any, position: int, problems: np.ndarray, count: int, index: int) -> int:
    """Check codes, quantity, price and amount of a line."""
    if wire_line.before_admission > MAX_BEFORE_ADMISSION:
        count = note(problems, count, index, INVALID_CODE_VALUE, BEFORE, position)
    if wire_line.approval > MAX_APPROVAL:
        count = note(problems, count, index, INVALID_CODE_VALUE, APPROVAL, position)
    if wire_line.quantity_e4 == 0:
        count = note(problems, count, index, ZERO_QUANTITY, QUANTITY, position)
    elif wire_line.quantity_e4 > MAX_QUANTITY or wire_line.quantity_e4 < -MAX_QUANTITY:
        count = note(problems, count, index, QUANTITY_OUT_OF_RANGE, QUANTITY, position)
    elif (wire_line.quantity_e4 > 0 and wire_line.amount_fen < 0) or (
        wire_line.quantity_e4 < 0 and wire_line.amount_fen > 0
    ):
        count = note(problems, count, index, LINE_SIGN, AMOUNT, position)
    if wire_line.unit_price_e4 < 0 or wire_line.unit_price_e4 > MAX_PRICE:
        count = note(problems, count, index, PRICE_OUT_OF_RANGE, PRICE, position)
    if wire_line.amount_fen > MAX_AMOUNT or wire_line.amount_fen < -MAX_AMOUNT:
        count = note(problems, count, index, LINE_AMOUNT_OUT_OF_RANGE, AMOUNT, position)
    return count


@uncounted_inlined
def match_refunds(
    wire: Any, out: Any, serials: Serials, line_count: int, problems: np.ndarray, count: int, index: int
) -> int:
    """Find the line that each refund takes back; it may stand before or after its refund."""
    buffer, wire_lines, lines = wire.heap, wire.lines, out.lines
    for position in range(line_count):
        wire_line = wire_lines[np.uint64(serials.first + position)]
        if wire_line.quantity_e4 < 0:
            slot = np.int64(-1)
            if wire_line.original_line_id_size > 0 and wire_line.original_line_id_size <= MOST_LINE_ID:
                slot = find_serial(
                    buffer, wire_line.original_line_id_start, np.int64(wire_line.original_line_id_size),
                    wire_lines, serials,
                )  # fmt: skip
            if slot < 0:
                count = note(problems, count, index, REFUND_WITHOUT_ORIGINAL, ORIGINAL, position)
            else:
                original = serials.first + serials.table[np.uint64(slot), 1]
                lines[np.uint64(serials.first + position)].original = np.int32(original)
    return count


@uncounted_inlined
def resolve_lines(wire: Any, look: Any, out: Any, table: np.ndarray, care: Care, count: int, index: int) -> int:
    """Resolve the fee lines of a claim; ``wire``, ``look``, ``out`` as in ``claim.resolve``."""
    buffer, wire_lines, lines, problems = wire.heap, wire.lines, out.lines, out.problems
    items = look.items
    root = wire.claims[np.uint64(index)]
    claim = out.claims[np.uint64(index)]
    line_count = root.lines_end - root.lines_start
    if line_count == 0:
        count = note(problems, count, index, NO_LINES, LINES, -1)
    if line_count > MAX_LINES:
        count = note(problems, count, index, TOO_MANY_LINES, LINES, -1)
        claim.line_end = claim.line_start
    else:
        serials = Serials(table, np.int32(index + 1), root.lines_start)
        total = np.int64(0)
        refunds = False
        doubtful = False
        checked_date = np.int32(-1)  # no date, so that the first line is looked at even when it has none
        for position in range(line_count):
            wire_line = wire_lines[np.uint64(serials.first + position)]
            line = lines[np.uint64(serials.first + position)]
            copy_line(wire_line, line)
            line.item = find_code(
                buffer, wire_line.item_code_start, np.int64(wire_line.item_code_size),
                items.keys, items.offsets, items.slots, items.tags,
            )  # fmt: skip
            count = check_serial(buffer, wire_lines, serials, position, problems, count, index)
            if wire_line.fee_date != checked_date or wire_line.fee_date == 0:
                if date_error(np.int64(wire_line.fee_date)) != 0:
                    count = note(problems, count, index, INVALID_FEE_DATE, FEE_DATE, position)
                elif wire_line.fee_date > claim.settlement_date and claim.settlement_date > 0:
                    count = note(problems, count, index, FEE_AFTER_SETTLEMENT, FEE_DATE, position)
                else:
                    checked_date = wire_line.fee_date
            count = check_values(wire_line, position, problems, count, index)
            count = check_codes(buffer, wire_line, line.item >= 0, position, problems, count, index)
            doubtful |= line_is_doubtful(wire_line, care)
            if wire_line.amount_fen <= MAX_AMOUNT and wire_line.amount_fen >= -MAX_AMOUNT:
                total += wire_line.amount_fen
            refunds |= wire_line.quantity_e4 < 0
        if doubtful:
            out.doubtful[np.uint64(index)] = 1
        if refunds:
            count = match_refunds(wire, out, serials, line_count, problems, count, index)
        if total != root.total_fen and line_count > 0:
            count = note(problems, count, index, LINES_DO_NOT_ADD_UP, TOTAL, -1)
    return count
