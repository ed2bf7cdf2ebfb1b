"""Discharge records from text lines to columns and groups back to text, without a Python object for a record.

A line holds fields divided by one separator byte; code lists are joined by ``|``. A line that cannot be read gets a
number of ``Fault`` and its column; its record has no diagnoses, so that it groups as nothing.
"""

from __future__ import annotations

import numpy as np

from adjudicator.compiled.jit import inlined, kernel
from adjudicator.limits import MAX_AGE_YEARS, MAX_CODE_BYTES, MAX_DIAGNOSES_PER_CLAIM, MAX_ID_BYTES, MAX_STAY_DAYS
from adjudicator.wire.codetable import find_code

IGNORED, ID, DEPARTMENT, DIAGNOSES, PROCEDURES, FIRST_NUMBER = 0, 1, 2, 3, 4, 8
"""What a column holds; a number column is ``FIRST_NUMBER`` plus its row in ``numbers``."""
NUMBERS = ("sex", "age_years", "age_days", "birth_weight_g", "stay_days", "discharge_way", "icu_hours")
HIGHEST = np.array(
    [9, MAX_AGE_YEARS, (MAX_AGE_YEARS + 1) * 366, 100_000, MAX_STAY_DAYS, 9, MAX_STAY_DAYS * 24], np.int64
)
MISSING = np.array([0, -1, -1, 0, -1, 0, -1], np.int32)
(
    GOOD, TOO_FEW_COLUMNS, TOO_MANY_COLUMNS, NOT_A_NUMBER, OUT_OF_RANGE, TOO_MANY_CODES, CODE_TOO_LONG, NOT_UTF8,
    ID_TOO_LONG, QUOTES,
) = range(10)  # fmt: skip
NEWLINE, RETURN, QUOTE, BAR, ZERO, MINUS = 10, 13, 34, 124, 48, 45
MAX_CODES, MAX_CODE, MAX_ID, MAX_DIGITS = MAX_DIAGNOSES_PER_CLAIM, MAX_CODE_BYTES, MAX_ID_BYTES, 12


@inlined
def _is_utf8(buffer, start, end):
    """Whether the bytes are UTF-8 (RFC 3629: shortest form, no surrogates)."""
    good = True
    position = start
    while position < end and good:
        byte = buffer[position]
        length, low, high = 1, 0x80, 0xBF
        if byte >= 0x80:
            if 0xC2 <= byte <= 0xDF:
                length = 2
            elif 0xE0 <= byte <= 0xEF:
                length = 3
                low = 0xA0 if byte == 0xE0 else 0x80
                high = 0x9F if byte == 0xED else 0xBF
            elif 0xF0 <= byte <= 0xF4:
                length = 4
                low = 0x90 if byte == 0xF0 else 0x80
                high = 0x8F if byte == 0xF4 else 0xBF
            else:
                good = False
            for step in range(1, length):
                inside = position + step < end
                follow = buffer[position + step] if inside else 0
                good = good and inside and low <= follow <= high
                low, high = 0x80, 0xBF
        position += length
    return good


@kernel
def parse_records(
    buffer, separator, kinds, diagnosis_table, procedure_table, department_table, numbers, departments,
    diagnosis_offsets, diagnoses, procedure_offsets, procedures, places, ids, faults, lines,
):  # fmt: skip
    """Reads whole lines.

    ``buffer`` uint8 ends with a newline; ``kinds`` int64 by column; tables are ``CodeTable.arrays``.
    Written: ``numbers`` int32[7, n], ``departments`` int32[n], offsets int64[n + 1], ids of codes int32, ``places``
    int64[2, codes, 2] (start, size of each diagnosis and procedure; not written where it is empty), ``ids`` int64[n, 2]
    (start, end in the buffer), ``faults`` int32[n, 2] (fault, column), ``lines`` int64[n] (line of the buffer, from 0).
    Returns the number of records; blank lines are none.
    """
    d_keys, d_offsets, d_slots, d_tags = diagnosis_table
    p_keys, p_offsets, p_slots, p_tags = procedure_table
    w_keys, w_offsets, w_slots, w_tags = department_table
    size = len(buffer)
    columns = len(kinds)
    position, line, record = 0, 0, 0
    d_count, p_count = 0, 0
    keep = places.shape[1] > 0
    diagnosis_offsets[0] = 0
    procedure_offsets[0] = 0
    while position < size:
        end = position
        ascii_only = np.uint8(0)
        while buffer[end] != NEWLINE:
            ascii_only |= buffer[end]
            end += 1
        after = end + 1
        if end > position and buffer[end - 1] == RETURN:
            end -= 1
        if end > position:
            fault, fault_column, column = GOOD, 0, 0
            for number in range(len(MISSING)):
                numbers[number, record] = MISSING[number]
            departments[record] = 0
            ids[record, 0] = position
            ids[record, 1] = position
            if ascii_only >= 128 and not _is_utf8(buffer, position, end):
                fault = NOT_UTF8
            d_start, p_start = d_count, p_count
            start = position
            while start <= end and fault == GOOD:
                stop = start
                if start < end and buffer[start] == QUOTE:
                    # A quoted field: up to the closing quote; a doubled quote inside is not a code and not a number.
                    stop = start + 1
                    while stop < end and buffer[stop] != QUOTE:
                        stop += 1
                    first, last = start + 1, stop
                    stop += 1
                    if stop > end or (stop < end and buffer[stop] != separator):
                        fault, fault_column = QUOTES, column
                else:
                    while stop < end and buffer[stop] != separator:
                        stop += 1
                    first, last = start, stop
                if column >= columns:
                    fault = TOO_MANY_COLUMNS
                kind = kinds[column] if column < columns else IGNORED
                if fault != GOOD:
                    pass
                elif kind == ID:
                    ids[record, 0] = start
                    ids[record, 1] = stop
                    if last - first > MAX_ID:
                        fault, fault_column = ID_TOO_LONG, column
                elif kind == DEPARTMENT:
                    departments[record] = find_code(buffer, first, last - first, w_keys, w_offsets, w_slots, w_tags) + 1
                elif kind in (DIAGNOSES, PROCEDURES):
                    in_list = 0
                    code = first
                    while code < last and fault == GOOD:
                        code_end = code
                        while code_end < last and buffer[code_end] != BAR:
                            code_end += 1
                        in_list += 1
                        if in_list > MAX_CODES:
                            fault, fault_column = TOO_MANY_CODES, column
                        elif code_end - code > MAX_CODE:
                            fault, fault_column = CODE_TOO_LONG, column
                        elif kind == DIAGNOSES:
                            diagnoses[d_count] = find_code(
                                buffer, code, code_end - code, d_keys, d_offsets, d_slots, d_tags
                            )
                            if keep:
                                places[0, d_count, 0], places[0, d_count, 1] = code, code_end - code
                            d_count += 1
                        else:
                            procedures[p_count] = find_code(
                                buffer, code, code_end - code, p_keys, p_offsets, p_slots, p_tags
                            )
                            if keep:
                                places[1, p_count, 0], places[1, p_count, 1] = code, code_end - code
                            p_count += 1
                        code = code_end + 1
                elif kind >= FIRST_NUMBER and first < last:
                    number = kind - FIRST_NUMBER
                    value = np.int64(0)
                    if last - first > MAX_DIGITS:
                        fault, fault_column = NOT_A_NUMBER, column
                    else:
                        negative = buffer[first] == MINUS and last - first > 1
                        for digit in range(first + 1 if negative else first, last):
                            figure = np.int64(buffer[digit]) - ZERO
                            if figure < 0 or figure > 9:
                                fault, fault_column = NOT_A_NUMBER, column
                            value = value * 10 + figure
                        if fault == GOOD and (negative or value > HIGHEST[number]):
                            fault, fault_column = OUT_OF_RANGE, column
                        if fault == GOOD:
                            numbers[number, record] = value
                column += 1
                start = stop + 1
            if fault == GOOD and column < columns:
                fault, fault_column = TOO_FEW_COLUMNS, column
            if fault != GOOD:
                d_count, p_count = d_start, p_start
            faults[record, 0] = fault
            faults[record, 1] = fault_column
            lines[record] = line
            record += 1
            diagnosis_offsets[record] = d_count
            procedure_offsets[record] = p_count
        position = after
        line += 1
    return record


@kernel
def write_results(buffer, ids, groups, malformed, texts, text_offsets, status_row, separator, out):
    """Writes ``id``, separator and the text of the answer for every record; returns the bytes written.

    ``texts`` uint8 with ``text_offsets`` int64: by DRG, then by status from row ``status_row``; the last row is the
    text of a malformed line. ``out`` uint8 must be large enough (see ``grouping.records.files``).
    """
    written = 0
    for record in range(len(ids)):
        for position in range(ids[record, 0], ids[record, 1]):
            out[written] = buffer[position]
            written += 1
        out[written] = separator
        written += 1
        row = np.int64(groups[record].drg)
        if row < 0:
            row = status_row + groups[record].status
        if malformed[record, 0] != GOOD:
            row = len(text_offsets) - 2
        for position in range(text_offsets[row], text_offsets[row + 1]):
            out[written] = texts[position]
            written += 1
    return written


@kernel
def split_codes(octets, starts, ends, table, offsets, codes, places):
    """Ids of code lists joined by ``|``: text ``octets[starts[i] : ends[i]]`` of each record.

    ``offsets`` int64[n + 1], ``codes`` int32 and ``places`` int64[2, codes] (start, end) are written; they need room
    for one code a record and one more for every bar. Returns the number of codes.
    """
    keys, key_offsets, slots, tags = table
    count = 0
    offsets[0] = 0
    for record in range(len(starts)):
        code, last = starts[record], ends[record]
        while code < last:
            end = code
            while end < last and octets[end] != BAR:
                end += 1
            codes[count] = find_code(octets, code, end - code, keys, key_offsets, slots, tags)
            places[0, count], places[1, count] = code, end
            count += 1
            code = end + 1
        offsets[record + 1] = count
    return count
