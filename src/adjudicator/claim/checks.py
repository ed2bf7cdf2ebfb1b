"""What must hold for the plain fields of a claim: copied under their limits, dates in order, lists not too long."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjudicator import limits
from adjudicator.claim.fields import INT, LONG, MOST_PROBLEMS, NOWHERE, OCTET, UNSIGNED, F, Records
from adjudicator.claim.ids import ID_LIMITS, text_fault
from adjudicator.compiled.dates import day_number, is_date
from adjudicator.compiled.jit import uncounted_inlined
from adjudicator.errors import E

# Error numbers, fields and limits as plain integers, which kernels take as constants.
MISSING_INSTITUTION, MISSING_ENCOUNTER = int(E.MISSING_INSTITUTION), int(E.MISSING_ENCOUNTER)
MISSING_SEQUENCE, MISSING_PERSON = int(E.MISSING_SEQUENCE), int(E.MISSING_PERSON)
INVALID_DATE, DATE_ORDER, DATE_OUT_OF_RANGE = int(E.INVALID_DATE), int(E.DATE_ORDER), int(E.DATE_OUT_OF_RANGE)
MISSING_DATE, STAY_OUT_OF_RANGE = int(E.MISSING_DATE), int(E.STAY_OUT_OF_RANGE)
SETTLED_IN_FUTURE = int(E.SETTLED_IN_FUTURE)
TOO_MANY_CODES, NO_DIAGNOSIS, PAYERS_EXCEED_TOTAL = (
    int(E.TOO_MANY_CODES),
    int(E.NO_DIAGNOSIS),
    int(E.PAYERS_EXCEED_TOTAL),
)
MAX_AMOUNT, MAX_STAY = limits.MAX_AMOUNT_FEN, limits.MAX_STAY_DAYS
MOST_INSTITUTION, MOST_ENCOUNTER = ID_LIMITS["institution_code"], ID_LIMITS["encounter_id"]
MOST_PERSON, MOST_CHAIN = ID_LIMITS["person_id"], ID_LIMITS["referral_from_encounter"]
MOST_DEPARTMENT = ID_LIMITS["department"]
MAX_DIAGNOSES, MAX_PROCEDURES = limits.MAX_DIAGNOSES_PER_CLAIM, limits.MAX_PROCEDURES_PER_CLAIM
FIRST_DATE, LAST_DATE = limits.FIRST_DATE, limits.LAST_DATE

INSTITUTION, ENCOUNTER, SEQUENCE, PERSON = (
    F["institution_code"],
    F["encounter_id"],
    F["settlement_sequence"],
    F["person_id"],
)
SETTLEMENT_DATE, ADMISSION_DATE, DISCHARGE_DATE = F["settlement_date"], F["admission_date"], F["discharge_date"]
STAY_DAYS, OTHER_PAYER = F["stay_days"], F["other_payer_fen"]
CHAIN, DEPARTMENT = F["referral_from_encounter"], F["department"]
DIAGNOSES, PROCEDURES = F["diagnoses"], F["procedures"]


@uncounted_inlined
def note(problems: np.ndarray, count: int, claim: int, number: int, field: int, line: int) -> int:
    """Write one problem of a claim, which has MOST_PROBLEMS places; return how many the claim has."""
    if count < MOST_PROBLEMS:
        row = problems[np.uint64(claim * MOST_PROBLEMS + count)]
        row.claim = claim
        row.number = number
        row.field = field
        row.line = line
        count += 1
    return count


@uncounted_inlined
def date_error(date: int) -> int:
    """Return 0, or the number of what is wrong with a date that must be there."""
    error = 0
    if date == 0:
        error = MISSING_DATE
    elif not is_date(date):
        error = INVALID_DATE
    elif date < FIRST_DATE or date > LAST_DATE:
        error = DATE_OUT_OF_RANGE
    return error


@uncounted_inlined
def number_at(records: Records, row: int, place: int, kind: int) -> int:
    """Return a column of a record as a number, whatever its size."""
    r, p = np.uint64(row), np.uint64(place)
    value = np.int64(0)
    if kind == LONG:
        value = records.longs[r, p]
    elif kind == INT:
        value = np.int64(records.ints[r, p])
    elif kind == UNSIGNED:
        value = np.int64(records.ints[r, p]) & np.int64(0xFFFFFFFF)
    elif kind == OCTET:
        value = np.int64(records.octets[r, p])
    return value


@uncounted_inlined
def put_number(records: Records, row: int, rule: Any, value: int) -> None:
    """Write a number, which fits, into the column that a field is copied to."""
    r, p = np.uint64(row), np.uint64(rule.target)
    if rule.target_kind == LONG:
        records.longs[r, p] = value
    elif rule.target_kind == INT:
        records.ints[r, p] = np.int32(value)
    elif rule.target_kind == OCTET:
        records.octets[r, p] = np.int8(value)


@uncounted_inlined
def copy_fields(plain: np.ndarray, wire: Records, claims: Records, index: int, problems: np.ndarray, count: int) -> int:
    """Copy every plain field within its limit; one beyond it is a problem, and its column stays empty."""
    for k in range(plain.shape[0]):
        rule = plain[np.uint64(k)]
        present = rule.has < 0
        if not present:
            present = wire.octets[np.uint64(index), np.uint64(rule.has)] != 0
        if present:
            value = number_at(wire, index, rule.source, rule.source_kind)
            if value < rule.least:
                count = note(problems, count, index, rule.below, rule.field, -1)
            elif value > rule.most and value != rule.also:
                count = note(problems, count, index, rule.above, rule.field, -1)
            elif rule.target_kind != NOWHERE:
                put_number(claims, index, rule, value)
    return count


@uncounted_inlined
def check_identity(buffer: np.ndarray, wire: Any, problems: np.ndarray, count: int, index: int) -> int:
    """Check the ids that name the settlement, the person and the stay before, and the department."""
    fault = text_fault(buffer, wire.institution_code_start, wire.institution_code_size, MOST_INSTITUTION)
    if wire.institution_code_size == 0:
        fault = MISSING_INSTITUTION
    if fault != 0:
        count = note(problems, count, index, fault, INSTITUTION, -1)
    fault = text_fault(buffer, wire.encounter_id_start, wire.encounter_id_size, MOST_ENCOUNTER)
    if wire.encounter_id_size == 0:
        fault = MISSING_ENCOUNTER
    if fault != 0:
        count = note(problems, count, index, fault, ENCOUNTER, -1)
    if wire.settlement_sequence == 0:
        count = note(problems, count, index, MISSING_SEQUENCE, SEQUENCE, -1)
    fault = text_fault(buffer, wire.person_id_start, wire.person_id_size, MOST_PERSON)
    if wire.person_id_size == 0:
        fault = MISSING_PERSON
    if fault != 0:
        count = note(problems, count, index, fault, PERSON, -1)
    fault = text_fault(buffer, wire.referral_from_encounter_start, wire.referral_from_encounter_size, MOST_CHAIN)
    if fault != 0:
        count = note(problems, count, index, fault, CHAIN, -1)
    fault = text_fault(buffer, wire.department_start, wire.department_size, MOST_DEPARTMENT)
    if fault != 0:
        count = note(problems, count, index, fault, DEPARTMENT, -1)
    return count


@uncounted_inlined
def check_dates(
    wire: Any, claim: Any, inpatient: bool, latest: int, problems: np.ndarray, count: int, index: int
) -> int:
    """Check that admission, discharge and settlement follow each other, and that the last is not after ``latest``.

    The days of the stay are worked out.
    """
    settled = np.int64(wire.settlement_date)
    admitted = np.int64(wire.admission_date)
    discharged = np.int64(wire.discharge_date)
    settled_error = date_error(settled)
    admitted_error = date_error(admitted)
    discharged_error = date_error(discharged) if discharged != 0 else 0
    if settled_error != 0:
        count = note(problems, count, index, settled_error, SETTLEMENT_DATE, -1)
    elif settled > latest:
        count = note(problems, count, index, SETTLED_IN_FUTURE, SETTLEMENT_DATE, -1)
    if admitted_error != 0:
        count = note(problems, count, index, admitted_error, ADMISSION_DATE, -1)
    if discharged_error != 0:
        count = note(problems, count, index, discharged_error, DISCHARGE_DATE, -1)
    elif discharged == 0 and inpatient and wire.mid_stay == 0:
        discharged_error = MISSING_DATE
        count = note(problems, count, index, MISSING_DATE, DISCHARGE_DATE, -1)
    if settled_error == 0 and admitted_error == 0 and discharged_error == 0:
        end = discharged if discharged != 0 else settled
        if admitted > end or end > settled:
            count = note(problems, count, index, DATE_ORDER, DISCHARGE_DATE, -1)
        elif wire.has_stay_days != 0:
            if wire.stay_days > MAX_STAY:
                count = note(problems, count, index, STAY_OUT_OF_RANGE, STAY_DAYS, -1)
            else:
                claim.stay_days = np.int32(wire.stay_days)
        else:
            claim.stay_days = np.int32(max(day_number(end) - day_number(admitted), 1))
    return count


@uncounted_inlined
def check_payers(wire: Any, problems: np.ndarray, count: int, index: int) -> int:
    """Check that what others bear already is no more than the total; each amount has its own limit."""
    possible = wire.hospital_borne_fen >= 0 and wire.hospital_borne_fen <= MAX_AMOUNT
    possible = possible and wire.other_payer_fen >= 0 and wire.other_payer_fen <= MAX_AMOUNT and wire.total_fen >= 0
    if possible and wire.hospital_borne_fen + wire.other_payer_fen > wire.total_fen:
        count = note(problems, count, index, PAYERS_EXCEED_TOTAL, OTHER_PAYER, -1)
    return count


@uncounted_inlined
def check_lists(wire: Any, inpatient: bool, problems: np.ndarray, count: int, index: int) -> int:
    """Check diagnoses and procedures: not too many, and a diagnosis where there must be one."""
    if wire.diagnoses_end - wire.diagnoses_start > MAX_DIAGNOSES:
        count = note(problems, count, index, TOO_MANY_CODES, DIAGNOSES, -1)
    if wire.procedures_end - wire.procedures_start > MAX_PROCEDURES:
        count = note(problems, count, index, TOO_MANY_CODES, PROCEDURES, -1)
    if inpatient and wire.diagnoses_end == wire.diagnoses_start:
        count = note(problems, count, index, NO_DIAGNOSIS, DIAGNOSES, -1)
    return count
