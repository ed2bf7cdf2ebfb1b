"""Discharge records from text lines to columns and groups back to text, without a Python object for a record.

A line holds fields divided by one separator byte; code lists are joined by ``|``. A line that cannot be read gets a
number of ``Fault`` and its column; its record has no diagnoses, so that it groups as nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from adjudicator.compiled.jit import int64, uncounted_inlined, uncounted_kernel
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


@uncounted_inlined
def _is_utf8(buffer: np.ndarray, start: int, end: int) -> bool:
    """Return whether the bytes are UTF-8 (RFC 3629: shortest form, no surrogates)."""
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


class RecordTables(NamedTuple):
    """Look-ups of the codes in a record; each is ``CodeTable.arrays``."""

    diagnosis: Any
    procedure: Any
    department: Any


class ParsedRecords(NamedTuple):
    """Where :func:`parse_records` writes; n is at least the number of lines."""

    numbers: np.ndarray  # int32[7, n], rows in the order of NUMBERS
    departments: np.ndarray  # int32[n]
    diagnosis_offsets: np.ndarray  # int64[n + 1]
    diagnoses: np.ndarray  # int32 ids
    procedure_offsets: np.ndarray
    procedures: np.ndarray
    places: np.ndarray  # int64[2, codes, 2]: start and size of each diagnosis and procedure; not written where empty
    ids: np.ndarray  # int64[n, 2]: start and end in the buffer
    faults: np.ndarray  # int32[n, 2]: fault and column
    lines: np.ndarray  # int64[n]: line of the buffer, from 0


class _Line(NamedTuple):
    """One line that is read: its bytes, its record, and how many codes there are before it."""

    start: int
    end: int
    record: int
    diagnosis_count: int
    procedure_count: int


class _LineEnd(NamedTuple):
    """What became of a line: fault and its column, and how many codes there are after it."""

    fault: int
    column: int
    diagnosis_count: int
    procedure_count: int


@uncounted_inlined
def _field_stop(buffer: np.ndarray, start: int, end: int, separator: int) -> int:
    """Return where a field stops: at the separator or the end; one past the closing quote where it is quoted.

    A quote that is never closed stops one past the end. A doubled quote inside is not a code and not a number.
    """
    stop = start
    if start < end and buffer[start] == QUOTE:
        stop = start + 1
        while stop < end and buffer[stop] != QUOTE:
            stop += 1
        stop += 1
    else:
        while stop < end and buffer[stop] != separator:
            stop += 1
    return stop


@uncounted_inlined
def _read_codes(
    buffer: np.ndarray, first: int, last: int, table: Any, codes: np.ndarray, places: np.ndarray, count: int
) -> int:
    """Append the ids of a code list joined by bars to ``codes``; return the new count, or a fault as a negative number.

    ``places`` int64[codes, 2] takes start and size of each, where it is not empty.
    """
    keys, offsets, slots, tags = table
    in_list = 0
    code = first
    while code < last and count >= 0:
        code_end = code
        while code_end < last and buffer[code_end] != BAR:
            code_end += 1
        in_list += 1
        if in_list > MAX_CODES:
            count = int64(-TOO_MANY_CODES)
        elif code_end - code > MAX_CODE:
            count = int64(-CODE_TOO_LONG)
        else:
            codes[count] = find_code(buffer, code, code_end - code, keys, offsets, slots, tags)
            if len(places) > 0:
                places[count, 0] = code
                places[count, 1] = code_end - code
            count += 1
        code = code_end + 1
    return count


@uncounted_inlined
def _read_number(buffer: np.ndarray, first: int, last: int, row: int, numbers: np.ndarray, record: int) -> int:
    """Read a whole number into ``numbers[row, record]``; return the fault, GOOD where there is none."""
    fault = int64(GOOD)
    if last - first > MAX_DIGITS:
        fault = int64(NOT_A_NUMBER)
    else:
        value = int64(0)
        negative = buffer[first] == MINUS and last - first > 1
        for digit in range(first + 1 if negative else first, last):
            figure = int64(buffer[digit]) - ZERO
            if figure < 0 or figure > 9:
                fault = int64(NOT_A_NUMBER)
            value = value * 10 + figure
        if fault == GOOD and (negative or value > HIGHEST[row]):
            fault = int64(OUT_OF_RANGE)
        if fault == GOOD:
            numbers[row, record] = value
    return fault


@uncounted_inlined
def _read_line(
    buffer: np.ndarray, separator: int, kinds: np.ndarray, tables: RecordTables, parsed: ParsedRecords, line: _Line
) -> _LineEnd:
    """Read the fields of a line; return what became of it."""
    department_keys, department_offsets, department_slots, department_tags = tables.department
    record = line.record
    diagnosis_count, procedure_count = line.diagnosis_count, line.procedure_count
    fault = int64(GOOD)
    column = int64(0)
    start = line.start
    while start <= line.end and fault == GOOD:
        stop = _field_stop(buffer, start, line.end, separator)
        quoted = start < line.end and buffer[start] == QUOTE
        first = start + 1 if quoted else start
        last = stop - 1 if quoted else stop
        kind = kinds[column] if column < len(kinds) else int64(IGNORED)
        if column >= len(kinds):
            fault = int64(TOO_MANY_COLUMNS)
        elif quoted and (stop > line.end or (stop < line.end and buffer[stop] != separator)):
            fault = int64(QUOTES)
        elif kind == ID:
            parsed.ids[record, 0] = start
            parsed.ids[record, 1] = stop
            fault = int64(ID_TOO_LONG if last - first > MAX_ID else GOOD)
        elif kind == DEPARTMENT:
            parsed.departments[record] = 1 + find_code(
                buffer, first, last - first, department_keys, department_offsets, department_slots, department_tags
            )
        elif kind == DIAGNOSES:
            diagnosis_count = _read_codes(
                buffer, first, last, tables.diagnosis, parsed.diagnoses, parsed.places[0], diagnosis_count
            )
            fault = max(-diagnosis_count, int64(GOOD))
        elif kind == PROCEDURES:
            procedure_count = _read_codes(
                buffer, first, last, tables.procedure, parsed.procedures, parsed.places[1], procedure_count
            )
            fault = max(-procedure_count, int64(GOOD))
        elif kind >= FIRST_NUMBER and first < last:
            fault = _read_number(buffer, first, last, kind - FIRST_NUMBER, parsed.numbers, record)
        column += 1 if fault == GOOD else 0
        start = stop + 1
    if fault == GOOD and column < len(kinds):
        fault = int64(TOO_FEW_COLUMNS)
    if fault != GOOD:
        diagnosis_count, procedure_count = line.diagnosis_count, line.procedure_count
    return _LineEnd(fault, column, diagnosis_count, procedure_count)


@uncounted_kernel
def parse_records(
    buffer: np.ndarray, separator: int, kinds: np.ndarray, tables: RecordTables, parsed: ParsedRecords
) -> int:
    """Read whole lines into ``parsed``; return the number of records. Blank lines are none.

    ``buffer`` uint8 ends with a newline; ``kinds`` int64 by column.
    """
    size = len(buffer)
    position, number, record = int64(0), int64(0), int64(0)
    diagnosis_count, procedure_count = int64(0), int64(0)
    parsed.diagnosis_offsets[0] = 0
    parsed.procedure_offsets[0] = 0
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
            for row in range(len(MISSING)):
                parsed.numbers[row, record] = MISSING[row]
            parsed.departments[record] = 0
            parsed.ids[record, 0] = position
            parsed.ids[record, 1] = position
            line = _Line(position, end, record, diagnosis_count, procedure_count)
            if ascii_only >= 128 and not _is_utf8(buffer, position, end):
                result = _LineEnd(int64(NOT_UTF8), int64(0), diagnosis_count, procedure_count)
            else:
                result = _read_line(buffer, separator, kinds, tables, parsed, line)
            diagnosis_count, procedure_count = result.diagnosis_count, result.procedure_count
            parsed.faults[record, 0] = result.fault
            parsed.faults[record, 1] = result.column
            parsed.lines[record] = number
            record += 1
            parsed.diagnosis_offsets[record] = diagnosis_count
            parsed.procedure_offsets[record] = procedure_count
        position = after
        number += 1
    return record


class AnswerTexts(NamedTuple):
    """The text of every possible answer: by DRG, then by status from row ``status_row``, last of a malformed line."""

    octets: np.ndarray
    offsets: np.ndarray  # int64
    status_row: int
    separator: int


@uncounted_kernel
def write_results(
    buffer: np.ndarray, ids: np.ndarray, groups: np.ndarray, malformed: np.ndarray, texts: AnswerTexts, out: np.ndarray
) -> int:
    """Write ``id``, separator and the text of the answer for every record; return the bytes written.

    ``out`` uint8 must be large enough (see ``grouping.records.files``).
    """
    written = 0
    for record in range(len(ids)):
        for position in range(ids[record, 0], ids[record, 1]):
            out[written] = buffer[position]
            written += 1
        out[written] = texts.separator
        written += 1
        row = int64(groups[record].drg)
        if row < 0:
            row = texts.status_row + int64(groups[record].status)
        if malformed[record, 0] != GOOD:
            row = int64(len(texts.offsets) - 2)
        for position in range(texts.offsets[row], texts.offsets[row + 1]):
            out[written] = texts.octets[position]
            written += 1
    return written


@uncounted_kernel
def split_codes(
    octets: np.ndarray, starts: np.ndarray, ends: np.ndarray, table: Any, offsets: np.ndarray, codes: np.ndarray,
    places: np.ndarray,
) -> int:  # fmt: skip
    """Read code lists joined by ``|``: the text ``octets[starts[i] : ends[i]]`` of each record.

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
