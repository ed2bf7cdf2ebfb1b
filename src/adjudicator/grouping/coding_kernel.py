"""Coding checks over columns: which codes fall under which check, then what does not go together.

``grouping.coding_checks`` defines the checks, ``grouping.coding`` writes them to arrays. A check is one bit of a 64-bit
word.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from adjudicator.compiled.held import Held
from adjudicator.compiled.jit import int64, kernel, uint64, uncounted_inlined, uncounted_kernel
from adjudicator.grouping.coding_checks import CheckKind
from adjudicator.grouping.layout import GroupColumns
from adjudicator.wire.codetable import find_code

SEX, AGE, NOT_PRINCIPAL = int(CheckKind.SEX), int(CheckKind.AGE), int(CheckKind.NOT_PRINCIPAL)
DUPLICATE, NEWBORN_WEIGHT = int(CheckKind.DUPLICATE), int(CheckKind.NEWBORN_WEIGHT)
PROCEDURE_NEEDS_DIAGNOSIS = int(CheckKind.PROCEDURE_NEEDS_DIAGNOSIS)
DIAGNOSIS, PROCEDURE, PERSON = 0, 1, 2


class MarkedCodes(NamedTuple):
    """The codes of one system (diagnoses or procedures) of all records, with the checks that name each."""

    system: int
    offsets: np.ndarray  # int64[records + 1]
    octets: np.ndarray
    starts: np.ndarray  # of the text of each code in ``octets``
    sizes: np.ndarray
    marks: np.ndarray  # uint64 by code: bits of checks


class CodeTexts(NamedTuple):
    """Texts of the codes of ``GroupColumns``: ranges of one byte buffer."""

    octets: np.ndarray
    diagnosis_starts: np.ndarray
    diagnosis_sizes: np.ndarray
    procedure_starts: np.ndarray
    procedure_sizes: np.ndarray

    def code(self, system: int, row: int) -> str:
        """Text of one code by its row in the flat arrays."""
        starts, sizes = self[1:3] if system == DIAGNOSIS else self[3:5]
        return self.octets[starts[row] : starts[row] + sizes[row]].tobytes().decode("utf-8", "replace")


class Beginnings(NamedTuple):
    """Beginnings of codes that the checks name in one system."""

    lengths: np.ndarray  # int64: lengths that occur
    table: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # ``CodeTable.arrays`` of them
    masks: np.ndarray  # uint64 by entry: bits of the checks that name it


class CheckRules(NamedTuple):
    """The checks of a pack."""

    checks: np.ndarray  # rows of ``grouping.coding.CHECK``
    diagnoses: Beginnings
    procedures: Beginnings


@uncounted_inlined
def _mark_codes(
    octets: np.ndarray, starts: np.ndarray, sizes: np.ndarray, beginnings: Beginnings, out: np.ndarray
) -> int:
    """Write to ``out`` uint64[n] the checks that name a beginning of each code; returns how many codes there are."""
    lengths, masks = beginnings.lengths, beginnings.masks
    keys, offsets, slots, tags = beginnings.table
    for row in range(len(starts)):
        marked = uint64(0)
        for place in range(len(lengths)):
            length = lengths[place]
            if length <= sizes[row]:
                entry = find_code(octets, starts[row], length, keys, offsets, slots, tags)
                if entry >= 0:
                    marked |= masks[entry]
        out[row] = marked
    return len(starts)


@uncounted_inlined
def _note(out: np.ndarray, found: int, record: int, check: int, system: int, position: int) -> int:
    """Write a finding where there is room; return the count, which goes on when there is none."""
    if found < len(out):
        row = out[found]
        row.record = record
        row.check = check
        row.system = system
        row.position = position
    return found + 1


@uncounted_inlined
def _is_same(codes: MarkedCodes, one: int, other: int) -> bool:
    """Return whether two codes have the same text."""
    same = codes.sizes[one] == codes.sizes[other]
    step = 0
    while same and step < codes.sizes[one]:
        same = codes.octets[codes.starts[one] + step] == codes.octets[codes.starts[other] + step]
        step += 1
    return same


@uncounted_inlined
def _is_marked(codes: MarkedCodes, record: int, check: int) -> bool:
    """Return whether some code of a record falls under a check."""
    bit = uint64(1) << uint64(check)
    marked = False
    for position in range(codes.offsets[record], codes.offsets[record + 1]):
        marked = marked or codes.marks[position] & bit != 0
    return marked


@uncounted_inlined
def _note_marked(codes: MarkedCodes, record: int, check: int, out: np.ndarray, found: int) -> int:
    """Note every code of a record that falls under a check; return the count of findings."""
    bit = uint64(1) << uint64(check)
    start = codes.offsets[record]
    for position in range(start, codes.offsets[record + 1]):
        if codes.marks[position] & bit != 0:
            found = _note(out, found, record, check, codes.system, position - start)
    return found


@uncounted_inlined
def _note_repeated(codes: MarkedCodes, record: int, check: int, out: np.ndarray, found: int) -> int:
    """Note every code of a record that an earlier position has too; return the count of findings."""
    start = codes.offsets[record]
    for position in range(start + 1, codes.offsets[record + 1]):
        repeated = False
        for other in range(start, position):
            repeated = repeated or _is_same(codes, position, other)
        if repeated:
            found = _note(out, found, record, check, codes.system, position - start)
    return found


@uncounted_inlined
def _is_wrong_person(check: Any, sex: int, years: int, days: int) -> bool:
    """Return whether a record's sex or age is not one that the codes of a check allow; unknown ones are allowed."""
    wrong = check.kind == SEX and (sex == 1 or sex == 2) and sex != check.sex
    if check.kind == AGE:
        if years >= 0:
            wrong = years < check.age_years_low or years > check.age_years_high
        if days >= 0 and (days < check.age_days_low or days > check.age_days_high):
            wrong = True
    return wrong


@uncounted_kernel
def check_records(
    checks: np.ndarray, columns: GroupColumns, diagnoses: MarkedCodes, procedures: MarkedCodes, out: np.ndarray
) -> int:
    """Write the findings of every record, in order of records and checks; return how many there are.

    ``checks``: rows of ``grouping.coding.CHECK``; ``columns``: code ids are not read; ``out``: rows of
    ``grouping.coding.FINDING``; findings beyond its length are counted, not written.
    """
    found = int64(0)
    for record in range(len(columns.sex)):
        sex, years, days = columns.sex[record], columns.age_years[record], columns.age_days[record]
        for number in range(len(checks)):
            check = checks[number]
            kind = check.kind
            if kind == NEWBORN_WEIGHT:
                young = years == 0 and days >= 0 and days <= check.age_days_high
                if young and columns.birth_weight_g[record] <= 0:
                    found = _note(out, found, record, number, PERSON, 0)
            elif kind in (SEX, AGE):
                if _is_wrong_person(check, sex, years, days):
                    found = _note_marked(diagnoses, record, number, out, found)
                    found = _note_marked(procedures, record, number, out, found)
            elif kind == NOT_PRINCIPAL:
                start = diagnoses.offsets[record]
                bit = uint64(1) << uint64(number)
                if start < diagnoses.offsets[record + 1] and diagnoses.marks[start] & bit != 0:
                    found = _note(out, found, record, number, DIAGNOSIS, 0)
            elif kind == DUPLICATE and check.system == DIAGNOSIS:
                found = _note_repeated(diagnoses, record, number, out, found)
            elif kind == DUPLICATE:
                found = _note_repeated(procedures, record, number, out, found)
            elif kind == PROCEDURE_NEEDS_DIAGNOSIS and not _is_marked(diagnoses, record, number):
                found = _note_marked(procedures, record, number, out, found)
    return found


@kernel
def check_texts(held: Held, columns: GroupColumns, texts: CodeTexts, out: np.ndarray) -> int:
    """Write the findings of every record to ``out`` (``grouping.coding.FINDING``); returns how many there are.

    ``columns``: code ids are not read. Findings beyond the length of ``out`` are counted, not written.
    """
    rules = held.it
    starts, sizes = texts.diagnosis_starts, texts.diagnosis_sizes
    marks = np.empty(len(starts), np.uint64)
    _mark_codes(texts.octets, starts, sizes, rules.diagnoses, marks)
    diagnoses = MarkedCodes(DIAGNOSIS, columns.diagnosis_offsets, texts.octets, starts, sizes, marks)
    starts, sizes = texts.procedure_starts, texts.procedure_sizes
    marks = np.empty(len(starts), np.uint64)
    _mark_codes(texts.octets, starts, sizes, rules.procedures, marks)
    procedures = MarkedCodes(PROCEDURE, columns.procedure_offsets, texts.octets, starts, sizes, marks)
    return check_records(rules.checks, columns, diagnoses, procedures, out)
