"""Coding checks over columns: which codes fall under which check, then what does not go together.

``grouping.coding_checks`` holds the checks, ``grouping.coding`` lays them out. A check is one bit of a 64-bit word.
"""

from __future__ import annotations

import numpy as np

from adjudicator.compiled.jit import inlined, kernel
from adjudicator.wire.codetable import find_code

SEX, AGE, NOT_PRINCIPAL, DUPLICATE, PROCEDURE_NEEDS_DIAGNOSIS, NEWBORN_WEIGHT = range(6)
DIAGNOSIS, PROCEDURE, PERSON = 0, 1, 2


@kernel
def mark_codes(octets, starts, sizes, lengths, table, masks, out):
    """``out`` uint64[n]: the checks that name a beginning of each code.

    ``lengths`` int64: lengths of the beginnings; ``table``: ``CodeTable.arrays`` of them; ``masks`` uint64 by entry.
    """
    keys, offsets, slots, tags = table
    for row in range(len(starts)):
        marked = np.uint64(0)
        for length in lengths:
            if length <= sizes[row]:
                entry = find_code(octets, starts[row], length, keys, offsets, slots, tags)
                if entry >= 0:
                    marked |= masks[entry]
        out[row] = marked


@inlined
def _note(out, found, record, check, system, position):
    """Writes a finding where there is room; returns the count, which goes on when there is none."""
    if found < len(out):
        out[found].record = record
        out[found].check = check
        out[found].system = system
        out[found].position = position
    return found + 1


@inlined
def _same(octets, start, size, other_start, other_size):
    same = size == other_size
    step = 0
    while same and step < size:
        same = octets[start + step] == octets[other_start + step]
        step += 1
    return same


@kernel
def check_records(checks, columns, octets, d_starts, d_sizes, d_marks, p_starts, p_sizes, p_marks, out):
    """Findings of every record, in order of records and checks; returns how many there are.

    ``checks``: rows of ``grouping.coding.CHECK``; ``columns``: ``GroupColumns`` (codes themselves are not read);
    ``out``: rows of ``grouping.coding.FINDING``; findings beyond its length are counted, not written.
    """
    found = 0
    for record in range(len(columns.sex)):
        sex, years, days = columns.sex[record], columns.age_years[record], columns.age_days[record]
        d_start, d_end = columns.diagnosis_offsets[record], columns.diagnosis_offsets[record + 1]
        p_start, p_end = columns.procedure_offsets[record], columns.procedure_offsets[record + 1]
        for number in range(len(checks)):
            check = checks[number]
            bit = np.uint64(1) << np.uint64(number)
            kind = check.kind
            if kind == NEWBORN_WEIGHT:
                young = years == 0 and days >= 0 and days <= check.age_days_high
                if young and columns.birth_weight_g[record] <= 0:
                    found = _note(out, found, record, number, PERSON, 0)
                continue
            every_code = kind == SEX and (sex == 1 or sex == 2) and sex != check.sex
            if kind == AGE:
                if years >= 0:
                    every_code = years < check.age_years_low or years > check.age_years_high
                if days >= 0 and (days < check.age_days_low or days > check.age_days_high):
                    every_code = True
            if every_code:
                for position in range(d_start, d_end):
                    if d_marks[position] & bit != 0:
                        found = _note(out, found, record, number, DIAGNOSIS, position - d_start)
                for position in range(p_start, p_end):
                    if p_marks[position] & bit != 0:
                        found = _note(out, found, record, number, PROCEDURE, position - p_start)
            elif kind == NOT_PRINCIPAL:
                if d_start < d_end and d_marks[d_start] & bit != 0:
                    found = _note(out, found, record, number, DIAGNOSIS, 0)
            elif kind == DUPLICATE:
                for position in range(d_start + 1, d_end if check.system == DIAGNOSIS else 0):
                    twice = False
                    for other in range(d_start, position):
                        twice = twice or _same(
                            octets, d_starts[position], d_sizes[position], d_starts[other], d_sizes[other]
                        )
                    if twice:
                        found = _note(out, found, record, number, DIAGNOSIS, position - d_start)
                for position in range(p_start + 1, p_end if check.system == PROCEDURE else 0):
                    twice = False
                    for other in range(p_start, position):
                        twice = twice or _same(
                            octets, p_starts[position], p_sizes[position], p_starts[other], p_sizes[other]
                        )
                    if twice:
                        found = _note(out, found, record, number, PROCEDURE, position - p_start)
            elif kind == PROCEDURE_NEEDS_DIAGNOSIS:
                fits = False
                for position in range(d_start, d_end):
                    fits = fits or d_marks[position] & bit != 0
                if not fits:
                    for position in range(p_start, p_end):
                        if p_marks[position] & bit != 0:
                            found = _note(out, found, record, number, PROCEDURE, position - p_start)
    return found
