"""Wire columns become resolved columns: codes turn into dense numbers, dates and limits are checked.

One pass over claims and lines; every problem found is noted (claim, error number, field, line), the claim keeps the
lowest number, which takes precedence in the error table. Strings stay in the request buffer as (start, size).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from adjudicator import limits
from adjudicator.codes import CareKind, Place
from adjudicator.compiled.jit import inlined, kernel
from adjudicator.errors import E
from adjudicator.wire.codetable import find_code, hash_bytes
from adjudicator.wire.decode_kernel import TOO_MANY_ROWS

PROBLEM = np.dtype([("claim", "i4"), ("number", "i4"), ("field", "i4"), ("line", "i4")], align=True)
"""One problem: claim of the batch, number of the error table, position in FIELDS, line of the claim or -1."""

MOST_PROBLEMS = 16
"""Problems kept of one claim; each claim has its own places, so that no claim can use up another's."""

FIELDS: tuple[str, ...] = (
    "", "institution_code", "encounter_id", "settlement_sequence", "person_id", "insured_area", "care_area", "scheme",
    "person_type", "care_type", "settlement_date", "admission_date", "discharge_date", "total_fen", "lines",
    "diagnoses", "procedures", "sex", "age_years", "age_days", "birth_weight_g", "assistance_category",
    "enrolment_status", "filing", "referral", "hospital_level", "stay_days", "discharge_way", "icu_hours",
    "disease_code", "programme", "maternity_type", "account_current_fen", "account_past_fen", "account_family_fen",
    "hospital_borne_fen", "other_payer_fen", "referral_deductible_fen", "accumulators", "contribution_tier",
    "lines[].line_id", "lines[].item_code", "lines[].fee_date", "lines[].unit_price_e4", "lines[].quantity_e4",
    "lines[].amount_fen", "lines[].original_line_id", "lines[].approval", "fetus_count",
    "lines[].before_admission",
)  # fmt: skip
"""Field paths that a problem may name; ``[]`` takes the line."""

F: dict[str, int] = {name: position for position, name in enumerate(FIELDS)}


class CodeArrays(NamedTuple):
    """One code table as arrays (see ``wire.codetable``)."""

    keys: np.ndarray
    offsets: np.ndarray
    slots: np.ndarray
    tags: np.ndarray


class LookupArrays(NamedTuple):
    """What codes mean in a bundle, as arrays; built once by ``claim.lookup``."""

    area_row: np.ndarray  # int32[1_000_000]: six-digit area code -> area row, -1 unknown
    area_pack: np.ndarray  # int32[areas]
    area_county: np.ndarray  # int32[areas]: county index in its pack
    area_catalogue: np.ndarray  # int32[1_000_000]: place of care -> 1 + catalogue area group, 0 not known
    hospital_pack: np.ndarray  # int32[hospitals]
    hospital_area: np.ndarray  # int32[hospitals]: six-digit area code
    hospital_level: np.ndarray  # int32[hospitals]: position in codes.HOSPITAL_LEVELS
    hospital_deductible_level: np.ndarray  # int32[hospitals]
    hospital_price_level: np.ndarray  # int32[hospitals]
    hospital_row: np.ndarray  # int32[hospitals]: row in the pack's register
    scheme_of_code: np.ndarray  # int32[1000]: insutype -> codes.Scheme, 0 unknown
    scheme_accepted: np.ndarray  # bool[packs, schemes]
    person_type_of_code: np.ndarray  # int32[10_000]: psn_type -> position in codes.PERSON_TYPES, 0 unknown
    care_kind_of_code: np.ndarray  # int8[packs, 1_000_000]: med_type -> codes.CareKind, 0 unknown
    level_of_hospital_level: np.ndarray  # int32[packs, 12]: hosp_lv -> level group outside the pool, -1 none
    assistance_of_name: np.ndarray  # int32[packs, names]: -1 unknown
    programme_of_name: np.ndarray  # int32[packs, names]: -1 unknown
    disease_of_name: np.ndarray  # int32[packs, names]: -1 unknown
    needs_diagnosis: np.ndarray  # bool[kinds]: inpatient-like kinds of care


# Compile-time constants: error numbers, fields and limits as plain integers.
_N = {member.name: int(member) for member in E}
MISSING_INSTITUTION, MISSING_ENCOUNTER = _N["MISSING_INSTITUTION"], _N["MISSING_ENCOUNTER"]
MISSING_SEQUENCE, MISSING_PERSON, ID_TOO_LONG = _N["MISSING_SEQUENCE"], _N["MISSING_PERSON"], _N["ID_TOO_LONG"]
UNKNOWN_AREA, UNKNOWN_CARE_AREA, UNKNOWN_SCHEME = _N["UNKNOWN_AREA"], _N["UNKNOWN_CARE_AREA"], _N["UNKNOWN_SCHEME"]
UNKNOWN_PERSON_TYPE, UNKNOWN_CARE_TYPE = _N["UNKNOWN_PERSON_TYPE"], _N["UNKNOWN_CARE_TYPE"]
UNKNOWN_INSTITUTION, UNKNOWN_HOSPITAL_LEVEL = _N["UNKNOWN_INSTITUTION"], _N["UNKNOWN_HOSPITAL_LEVEL"]
UNKNOWN_ASSISTANCE, UNKNOWN_PROGRAMME = _N["UNKNOWN_ASSISTANCE_CATEGORY"], _N["UNKNOWN_PROGRAMME"]
UNKNOWN_DISEASE, INVALID_CODE_VALUE = _N["UNKNOWN_DISEASE"], _N["INVALID_CODE_VALUE"]
INVALID_DATE, DATE_ORDER, DATE_OUT_OF_RANGE = _N["INVALID_DATE"], _N["DATE_ORDER"], _N["DATE_OUT_OF_RANGE"]
MISSING_DATE, AMOUNT_OUT_OF_RANGE, NEGATIVE_AMOUNT = (
    _N["MISSING_DATE"],
    _N["AMOUNT_OUT_OF_RANGE"],
    _N["NEGATIVE_AMOUNT"],
)
NO_LINES, TOO_MANY_LINES, LINES_DO_NOT_ADD_UP = _N["NO_LINES"], _N["TOO_MANY_LINES"], _N["LINES_DO_NOT_ADD_UP"]
TOO_MANY_CODES, AGE_OUT_OF_RANGE, STAY_OUT_OF_RANGE = (
    _N["TOO_MANY_CODES"],
    _N["AGE_OUT_OF_RANGE"],
    _N["STAY_OUT_OF_RANGE"],
)
PAYERS_EXCEED_TOTAL, MISSING_LINE_ID, DUPLICATE_LINE_ID = (
    _N["PAYERS_EXCEED_TOTAL"],
    _N["MISSING_LINE_ID"],
    _N["DUPLICATE_LINE_ID"],
)
FEE_AFTER_SETTLEMENT = _N["FEE_AFTER_SETTLEMENT"]
INVALID_FEE_DATE, REFUND_WITHOUT_ORIGINAL, NO_DIAGNOSIS = (
    _N["INVALID_FEE_DATE"],
    _N["REFUND_WITHOUT_ORIGINAL"],
    _N["NO_DIAGNOSIS"],
)
LINE_AMOUNT_OUT_OF_RANGE, PRICE_OUT_OF_RANGE = _N["LINE_AMOUNT_OUT_OF_RANGE"], _N["PRICE_OUT_OF_RANGE"]
QUANTITY_OUT_OF_RANGE, ZERO_QUANTITY, LINE_SIGN = _N["QUANTITY_OUT_OF_RANGE"], _N["ZERO_QUANTITY"], _N["LINE_SIGN"]

MAX_ID, MAX_CODE = limits.MAX_ID_BYTES, limits.MAX_CODE_BYTES
MAX_LINES, MAX_AMOUNT, MAX_PRICE = limits.MAX_LINES_PER_CLAIM, limits.MAX_AMOUNT_FEN, limits.MAX_UNIT_PRICE_E4
MAX_QUANTITY, MAX_AGE, MAX_STAY = limits.MAX_QUANTITY_E4, limits.MAX_AGE_YEARS, limits.MAX_STAY_DAYS
MAX_DIAGNOSES, MAX_PROCEDURES = limits.MAX_DIAGNOSES_PER_CLAIM, limits.MAX_PROCEDURES_PER_CLAIM
FIRST_DATE, LAST_DATE = limits.FIRST_DATE, limits.LAST_DATE
LOCAL, PROVINCE, OUTSIDE = int(Place.LOCAL), int(Place.PROVINCE), int(Place.OUTSIDE)
INPATIENT = int(CareKind.INPATIENT)

F_INSTITUTION, F_ENCOUNTER, F_SEQUENCE, F_PERSON = 1, 2, 3, 4
F_INSURED_AREA, F_CARE_AREA, F_SCHEME, F_PERSON_TYPE, F_CARE_TYPE = 5, 6, 7, 8, 9
F_SETTLEMENT_DATE, F_ADMISSION_DATE, F_DISCHARGE_DATE, F_TOTAL, F_LINES = 10, 11, 12, 13, 14
F_DIAGNOSES, F_PROCEDURES, F_SEX, F_AGE_YEARS, F_AGE_DAYS, F_WEIGHT = 15, 16, 17, 18, 19, 20
F_ASSISTANCE, F_ENROLMENT, F_FILING, F_REFERRAL, F_HOSPITAL_LEVEL = 21, 22, 23, 24, 25
F_STAY, F_DISCHARGE_WAY, F_ICU, F_DISEASE, F_PROGRAMME, F_MATERNITY = 26, 27, 28, 29, 30, 31
F_ACCOUNT_CURRENT, F_ACCOUNT_PAST, F_ACCOUNT_FAMILY = 32, 33, 34
F_HOSPITAL_BORNE, F_OTHER_PAYER, F_CHAIN, F_TIER = 35, 36, 37, 39
F_LINE_ID, F_ITEM, F_FEE_DATE, F_PRICE, F_QUANTITY, F_AMOUNT, F_ORIGINAL, F_APPROVAL, F_FETUS = (
    40, 41, 42, 43, 44, 45, 46, 47, 48,
)  # fmt: skip
F_BEFORE = 49
LEAST_AREA = 110_000
"""No province has a lower code than Beijing's 11 (GB/T 2260)."""


@inlined
def digits_value(buffer, start, size, most):
    """Value of a run of 1 to ``most`` ASCII digits, -1 for anything else."""
    value = np.int64(0)
    ok = size >= 1 and size <= most
    i = np.uint64(start)
    end = np.uint64(start + size)
    while ok and i < end:
        digit = np.int64(buffer[i]) - 48
        if digit < 0 or digit > 9:
            ok = False
        value = value * 10 + digit
        i += np.uint64(1)
    return value if ok else np.int64(-1)


@inlined
def is_date(date):
    """True for a calendar date written YYYYMMDD."""
    year = date // 10000
    month = date // 100 % 100
    day = date % 100
    leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
    longest = 31
    if month == 2:
        longest = 29 if leap else 28
    elif month == 4 or month == 6 or month == 9 or month == 11:
        longest = 30
    return date > 0 and year >= 1 and month >= 1 and month <= 12 and day >= 1 and day <= longest


@inlined
def day_number(date):
    """Days since 1970-01-01 of a calendar date written YYYYMMDD."""
    year = date // 10000
    month = date // 100 % 100
    day = date % 100
    if month <= 2:
        year -= 1
    era = year // 400
    year_of_era = year - era * 400
    shifted = month - 3 if month > 2 else month + 9
    day_of_year = (153 * shifted + 2) // 5 + day - 1
    return era * 146097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719468


@inlined
def note(problems, count, claim, number, field, line):
    """Writes one problem of a claim, which has MOST_PROBLEMS places; returns how many the claim has."""
    if count < MOST_PROBLEMS:
        row = problems[np.uint64(claim * MOST_PROBLEMS + count)]
        row.claim = claim
        row.number = number
        row.field = field
        row.line = line
        count += 1
    return count


@inlined
def date_error(date):
    """0, or the number of what is wrong with a date that must be there."""
    error = 0
    if date == 0:
        error = MISSING_DATE
    elif not is_date(date):
        error = INVALID_DATE
    elif date < FIRST_DATE or date > LAST_DATE:
        error = DATE_OUT_OF_RANGE
    return error


@inlined
def same_range(buffer, first, second, size):
    """True if two ranges of the buffer hold the same bytes."""
    i = np.uint64(0)
    end = np.uint64(size)
    while i < end and buffer[np.uint64(first) + i] == buffer[np.uint64(second) + i]:
        i += np.uint64(1)
    return i == end


@inlined
def find_serial(buffer, start, size, lines, first, scratch, stamp, mask):
    """Slot of a line serial in the scratch table, or the free slot where it belongs as ``-1 - slot``."""
    slot = hash_bytes(buffer, np.uint64(start), np.uint64(size)) & mask
    found = np.int64(0)
    done = False
    while not done:
        if scratch[slot, 0] != stamp:
            found = np.int64(-1) - np.int64(slot)
            done = True
        else:
            other = lines[np.uint64(first + scratch[slot, 1])]
            if np.int64(other.line_id_size) == size and same_range(buffer, other.line_id_start, start, size):
                found = np.int64(slot)
                done = True
            else:
                slot = (slot + np.uint64(1)) & mask
    return found


@inlined
def copy_plain(wire, claim):
    """Starts a claim: what needs no look-up is copied, the rest is nothing yet."""
    claim.line_start = wire.lines_start
    claim.line_end = wire.lines_end
    claim.state = -1
    claim.quota = -1
    claim.pack = -1
    claim.county = -1
    claim.care_county = -1
    claim.hospital = -1
    claim.scheme = 0
    claim.person_type = 0
    claim.contribution_tier = np.int32(min(wire.contribution_tier, np.uint32(1000)))
    claim.assistance = 0
    claim.care_kind = 0
    claim.place = LOCAL
    claim.filing = wire.filing
    claim.referral = wire.referral
    claim.hospital_level = 0
    claim.deductible_level = -1
    claim.price_level = -1
    claim.disease = -1
    claim.programme = 0
    claim.care_catalogue = 0
    claim.department = 0
    claim.maternity_type = np.int32(min(wire.maternity_type, np.uint32(1000)))
    claim.fetus_count = np.int32(min(wire.fetus_count, np.uint32(1000)))
    claim.sex = np.int32(min(wire.sex, np.uint32(1000)))
    claim.age_years = np.int32(min(wire.age_years, np.uint32(100000))) if wire.has_age_years != 0 else np.int32(-1)
    claim.age_days = np.int32(min(wire.age_days, np.uint32(1000000))) if wire.has_age_days != 0 else np.int32(-1)
    claim.birth_weight_g = np.int32(min(wire.birth_weight_g, np.uint32(1000000)))
    claim.stay_days = 0
    claim.discharge_way = np.int32(min(wire.discharge_way, np.uint32(1000)))
    claim.icu_hours = np.int32(min(wire.icu_hours, np.uint32(10000000)))
    claim.settlement_date = wire.settlement_date
    claim.admission_date = wire.admission_date
    claim.discharge_date = wire.discharge_date
    claim.rule_date = 0
    claim.benefit_year = 0
    claim.civil_servant = wire.civil_servant
    claim.family_doctor = wire.family_doctor_signed
    claim.at_signed_institution = wire.at_signed_institution
    claim.suspended = 1 if wire.enrolment_status == 2 or wire.enrolment_status == 4 else 0
    claim.mid_stay = wire.mid_stay
    claim.use_account = wire.use_account
    claim.chain_continues = 1 if wire.referral_from_encounter_size > 0 else 0
    claim.accumulators_given = 1 if wire.accumulators >= 0 else 0
    claim.total_fen = wire.total_fen
    claim.account_current_fen = wire.account_current_fen
    claim.account_past_fen = wire.account_past_fen
    claim.account_family_fen = wire.account_family_fen
    claim.hospital_borne_fen = wire.hospital_borne_fen
    claim.other_payer_fen = wire.other_payer_fen
    claim.chain_deductible_fen = wire.referral_deductible_fen
    claim.error = 0
    claim.error_line = -1


@inlined
def check_identity(wire, problems, count, index):
    """The ids that name the settlement and the person."""
    if wire.institution_code_size == 0:
        count = note(problems, count, index, MISSING_INSTITUTION, F_INSTITUTION, -1)
    elif wire.institution_code_size > MAX_ID:
        count = note(problems, count, index, ID_TOO_LONG, F_INSTITUTION, -1)
    if wire.encounter_id_size == 0:
        count = note(problems, count, index, MISSING_ENCOUNTER, F_ENCOUNTER, -1)
    elif wire.encounter_id_size > MAX_ID:
        count = note(problems, count, index, ID_TOO_LONG, F_ENCOUNTER, -1)
    if wire.settlement_sequence == 0:
        count = note(problems, count, index, MISSING_SEQUENCE, F_SEQUENCE, -1)
    if wire.person_id_size == 0:
        count = note(problems, count, index, MISSING_PERSON, F_PERSON, -1)
    elif wire.person_id_size > MAX_ID:
        count = note(problems, count, index, ID_TOO_LONG, F_PERSON, -1)
    return count


@inlined
def resolve_place(buffer, wire, claim, look, hospitals, problems, count, index):
    """Pool and county of insurance, institution and place of care.

    Catalogue of the place of care, benefit of the place of insurance (benefit-rules 10.1).
    """
    insured = np.int64(-1)
    if wire.insured_area_size == 6:
        insured = digits_value(buffer, wire.insured_area_start, np.int64(6), 6)
    area = np.int64(-1)
    if insured >= 0:
        area = np.int64(look.area_row[np.uint64(insured)])
    if area < 0:
        count = note(problems, count, index, UNKNOWN_AREA, F_INSURED_AREA, -1)
    else:
        claim.pack = look.area_pack[np.uint64(area)]
        claim.county = look.area_county[np.uint64(area)]
    pack = np.int64(claim.pack)

    hospital = find_code(
        buffer, wire.institution_code_start, np.int64(wire.institution_code_size),
        hospitals.keys, hospitals.offsets, hospitals.slots, hospitals.tags,
    )  # fmt: skip
    care = np.int64(-1)
    if wire.care_area_size == 0:
        care = np.int64(look.hospital_area[np.uint64(hospital)]) if hospital >= 0 else insured
    else:
        if wire.care_area_size == 6:
            care = digits_value(buffer, wire.care_area_start, np.int64(6), 6)
        if care < LEAST_AREA:
            care = np.int64(-1)
            count = note(problems, count, index, UNKNOWN_CARE_AREA, F_CARE_AREA, -1)
    if pack >= 0 and care >= 0:
        if care // 100 == insured // 100:
            claim.place = LOCAL
        elif care // 10000 == insured // 10000:
            claim.place = PROVINCE
        else:
            claim.place = OUTSIDE
        if claim.place != LOCAL:
            claim.care_catalogue = look.area_catalogue[np.uint64(care)]
        care_row = np.int64(look.area_row[np.uint64(care)])
        if care_row >= 0 and np.int64(look.area_pack[np.uint64(care_row)]) == pack:
            claim.care_county = look.area_county[np.uint64(care_row)]
        level = digits_value(buffer, wire.hospital_level_start, np.int64(wire.hospital_level_size), 2)
        if hospital >= 0 and np.int64(look.hospital_pack[np.uint64(hospital)]) == pack:
            h = np.uint64(hospital)
            claim.hospital = look.hospital_row[h]
            claim.hospital_level = look.hospital_level[h]
            claim.deductible_level = look.hospital_deductible_level[h]
            claim.price_level = look.hospital_price_level[h]
        elif claim.place == LOCAL:
            count = note(problems, count, index, UNKNOWN_INSTITUTION, F_INSTITUTION, -1)
        else:
            if wire.hospital_level_size == 0 and hospital >= 0:
                level = np.int64(look.hospital_level[np.uint64(hospital)])
            if level < 1 or level > 11:
                count = note(problems, count, index, UNKNOWN_HOSPITAL_LEVEL, F_HOSPITAL_LEVEL, -1)
            else:
                group = look.level_of_hospital_level[np.uint64(pack), np.uint64(level)]
                if group < 0:
                    count = note(problems, count, index, UNKNOWN_HOSPITAL_LEVEL, F_HOSPITAL_LEVEL, -1)
                claim.hospital_level = np.int32(level)
                claim.deductible_level = group
                claim.price_level = group
    return count


@inlined
def listed(buffer, start, size, names, table, pack):
    """Position of a name in a pack's list, -1 where it is not there; table int32[packs, names]."""
    name = find_code(buffer, start, np.int64(size), names.keys, names.offsets, names.slots, names.tags)
    value = np.int32(-1)
    if name >= 0:
        value = table[np.uint64(pack), np.uint64(name)]
    return value


@inlined
def resolve_person(buffer, wire, claim, look, names, problems, count, index):
    """Scheme, person type, kind of care, and what the pack lists by name."""
    pack = np.int64(claim.pack)
    code = digits_value(buffer, wire.scheme_start, np.int64(wire.scheme_size), 3)
    if code >= 0:
        claim.scheme = look.scheme_of_code[np.uint64(code)]
    if claim.scheme == 0 or (pack >= 0 and not look.scheme_accepted[np.uint64(pack), np.uint64(claim.scheme)]):
        count = note(problems, count, index, UNKNOWN_SCHEME, F_SCHEME, -1)
    code = digits_value(buffer, wire.person_type_start, np.int64(wire.person_type_size), 4)
    if code >= 0:
        claim.person_type = look.person_type_of_code[np.uint64(code)]
    if claim.person_type == 0:
        count = note(problems, count, index, UNKNOWN_PERSON_TYPE, F_PERSON_TYPE, -1)
    code = digits_value(buffer, wire.care_type_start, np.int64(wire.care_type_size), 6)
    if code >= 0 and pack >= 0:
        claim.care_kind = np.int32(look.care_kind_of_code[np.uint64(pack), np.uint64(code)])
    if pack >= 0 and claim.care_kind == 0:
        count = note(problems, count, index, UNKNOWN_CARE_TYPE, F_CARE_TYPE, -1)
    if wire.assistance_category_size > 0 and pack >= 0:
        value = listed(
            buffer, wire.assistance_category_start, wire.assistance_category_size, names, look.assistance_of_name, pack
        )
        if value < 0:
            count = note(problems, count, index, UNKNOWN_ASSISTANCE, F_ASSISTANCE, -1)
        else:
            claim.assistance = value
    if wire.programme_size > 0 and pack >= 0:
        value = listed(buffer, wire.programme_start, wire.programme_size, names, look.programme_of_name, pack)
        if value < 0:
            count = note(problems, count, index, UNKNOWN_PROGRAMME, F_PROGRAMME, -1)
        else:
            claim.programme = value
    if wire.disease_code_size > 0 and pack >= 0:
        claim.disease = listed(
            buffer, wire.disease_code_start, wire.disease_code_size, names, look.disease_of_name, pack
        )
        if claim.disease < 0:
            count = note(problems, count, index, UNKNOWN_DISEASE, F_DISEASE, -1)
    return count


@inlined
def check_codes(wire, claim, problems, count, index):
    """Coded values outside their lists."""
    if not (wire.sex <= 2 or wire.sex == 9):
        count = note(problems, count, index, INVALID_CODE_VALUE, F_SEX, -1)
    if wire.filing < 0 or wire.filing > 8:
        count = note(problems, count, index, INVALID_CODE_VALUE, F_FILING, -1)
    if wire.referral < 0 or wire.referral > 4:
        count = note(problems, count, index, INVALID_CODE_VALUE, F_REFERRAL, -1)
    if wire.discharge_way > 5 and wire.discharge_way != 9:
        count = note(problems, count, index, INVALID_CODE_VALUE, F_DISCHARGE_WAY, -1)
    if wire.maternity_type > 9:
        count = note(problems, count, index, INVALID_CODE_VALUE, F_MATERNITY, -1)
    if wire.fetus_count > limits.MAX_FETUSES:
        count = note(problems, count, index, INVALID_CODE_VALUE, F_FETUS, -1)
    if wire.enrolment_status > 4 or wire.enrolment_status == 3:
        count = note(problems, count, index, INVALID_CODE_VALUE, F_ENROLMENT, -1)
    if wire.contribution_tier > 99:
        count = note(problems, count, index, INVALID_CODE_VALUE, F_TIER, -1)
    if claim.age_years > MAX_AGE:
        count = note(problems, count, index, AGE_OUT_OF_RANGE, F_AGE_YEARS, -1)
    if claim.age_days > MAX_AGE * 366:
        count = note(problems, count, index, AGE_OUT_OF_RANGE, F_AGE_DAYS, -1)
    if wire.icu_hours > MAX_STAY * 24:
        count = note(problems, count, index, STAY_OUT_OF_RANGE, F_ICU, -1)
    if wire.birth_weight_g > 30000:
        count = note(problems, count, index, INVALID_CODE_VALUE, F_WEIGHT, -1)
    return count


@inlined
def check_dates(wire, claim, inpatient, problems, count, index):
    """Admission, discharge and settlement follow each other; the days of the stay."""
    settled = np.int64(wire.settlement_date)
    admitted = np.int64(wire.admission_date)
    discharged = np.int64(wire.discharge_date)
    settled_error = date_error(settled)
    admitted_error = date_error(admitted)
    discharged_error = date_error(discharged) if discharged != 0 else 0
    if settled_error != 0:
        count = note(problems, count, index, settled_error, F_SETTLEMENT_DATE, -1)
    if admitted_error != 0:
        count = note(problems, count, index, admitted_error, F_ADMISSION_DATE, -1)
    if discharged_error != 0:
        count = note(problems, count, index, discharged_error, F_DISCHARGE_DATE, -1)
    elif discharged == 0 and inpatient and wire.mid_stay == 0:
        discharged_error = MISSING_DATE
        count = note(problems, count, index, MISSING_DATE, F_DISCHARGE_DATE, -1)
    if settled_error == 0 and admitted_error == 0 and discharged_error == 0:
        end = discharged if discharged != 0 else settled
        if admitted > end or end > settled:
            count = note(problems, count, index, DATE_ORDER, F_DISCHARGE_DATE, -1)
        elif wire.has_stay_days != 0:
            if wire.stay_days > MAX_STAY:
                count = note(problems, count, index, STAY_OUT_OF_RANGE, F_STAY, -1)
            else:
                claim.stay_days = np.int32(wire.stay_days)
        else:
            claim.stay_days = np.int32(max(day_number(end) - day_number(admitted), 1))
    return count


@inlined
def check_amounts(wire, problems, count, index):
    """Amounts that the claim brings."""
    if wire.total_fen < 0:
        count = note(problems, count, index, NEGATIVE_AMOUNT, F_TOTAL, -1)
    elif wire.total_fen > MAX_AMOUNT:
        count = note(problems, count, index, AMOUNT_OUT_OF_RANGE, F_TOTAL, -1)
    for which in range(6):
        amount = wire.account_current_fen
        field = F_ACCOUNT_CURRENT
        if which == 1:
            amount = wire.account_past_fen
            field = F_ACCOUNT_PAST
        elif which == 2:
            amount = wire.account_family_fen
            field = F_ACCOUNT_FAMILY
        elif which == 3:
            amount = wire.hospital_borne_fen
            field = F_HOSPITAL_BORNE
        elif which == 4:
            amount = wire.other_payer_fen
            field = F_OTHER_PAYER
        elif which == 5:
            amount = wire.referral_deductible_fen
            field = F_CHAIN
        if amount < 0:
            count = note(problems, count, index, NEGATIVE_AMOUNT, field, -1)
        elif amount > MAX_AMOUNT:
            count = note(problems, count, index, AMOUNT_OUT_OF_RANGE, field, -1)
    if (
        wire.hospital_borne_fen >= 0
        and wire.hospital_borne_fen <= MAX_AMOUNT
        and wire.other_payer_fen >= 0
        and wire.other_payer_fen <= MAX_AMOUNT
        and wire.total_fen >= 0
        and wire.hospital_borne_fen + wire.other_payer_fen > wire.total_fen
    ):
        count = note(problems, count, index, PAYERS_EXCEED_TOTAL, F_OTHER_PAYER, -1)
    return count


@inlined
def check_lists(wire, inpatient, problems, count, index):
    """Diagnoses and procedures: not too many, and a diagnosis where there must be one."""
    if wire.diagnoses_end - wire.diagnoses_start > MAX_DIAGNOSES:
        count = note(problems, count, index, TOO_MANY_CODES, F_DIAGNOSES, -1)
    if wire.procedures_end - wire.procedures_start > MAX_PROCEDURES:
        count = note(problems, count, index, TOO_MANY_CODES, F_PROCEDURES, -1)
    if inpatient and wire.diagnoses_end == wire.diagnoses_start:
        count = note(problems, count, index, NO_DIAGNOSIS, F_DIAGNOSES, -1)
    return count


@inlined
def resolve_lines(buffer, wire, claim, wire_lines, items, lines, scratch, problems, count, index):
    """Fee lines: items, serials, refunds; and whether they add up to the claim."""
    mask = np.uint64(scratch.shape[0] - 1)
    line_count = wire.lines_end - wire.lines_start
    if line_count == 0:
        count = note(problems, count, index, NO_LINES, F_LINES, -1)
    if line_count > MAX_LINES:
        count = note(problems, count, index, TOO_MANY_LINES, F_LINES, -1)
        claim.line_end = claim.line_start
    else:
        first = wire.lines_start
        total = np.int64(0)
        stamp = np.int32(index + 1)
        checked_date = np.int32(0)
        for position in range(line_count):
            wire_line = wire_lines[np.uint64(first + position)]
            line = lines[np.uint64(first + position)]
            line.unit_price_e4 = wire_line.unit_price_e4
            line.quantity_e4 = wire_line.quantity_e4
            line.amount_fen = wire_line.amount_fen
            line.fee_date = wire_line.fee_date
            line.approval = np.int32(min(wire_line.approval, np.uint32(1000)))
            line.original = -1
            flags = 1 if wire_line.quantity_e4 < 0 else 0
            flags |= 2 if wire_line.before_admission != 0 else 0
            flags |= 4 if wire_line.discharge_drug != 0 else 0
            flags |= 8 if wire_line.external_prescription != 0 else 0
            flags |= 16 if wire_line.maternity != 0 else 0
            line.flags = flags
            line.item = find_code(
                buffer, wire_line.item_code_start, np.int64(wire_line.item_code_size),
                items.keys, items.offsets, items.slots, items.tags,
            )  # fmt: skip
            if wire_line.line_id_size == 0:
                count = note(problems, count, index, MISSING_LINE_ID, F_LINE_ID, position)
            elif wire_line.line_id_size > MAX_ID or wire_line.item_code_size > MAX_CODE:
                field = F_LINE_ID if wire_line.line_id_size > MAX_ID else F_ITEM
                count = note(problems, count, index, ID_TOO_LONG, field, position)
            else:
                slot = find_serial(
                    buffer, wire_line.line_id_start, np.int64(wire_line.line_id_size),
                    wire_lines, first, scratch, stamp, mask,
                )  # fmt: skip
                if slot >= 0:
                    count = note(problems, count, index, DUPLICATE_LINE_ID, F_LINE_ID, position)
                else:
                    scratch[np.uint64(-1 - slot), 0] = stamp
                    scratch[np.uint64(-1 - slot), 1] = position
            if wire_line.fee_date != checked_date:
                if date_error(np.int64(wire_line.fee_date)) != 0:
                    count = note(problems, count, index, INVALID_FEE_DATE, F_FEE_DATE, position)
                elif wire_line.fee_date > claim.settlement_date and claim.settlement_date > 0:
                    count = note(problems, count, index, FEE_AFTER_SETTLEMENT, F_FEE_DATE, position)
                else:
                    checked_date = wire_line.fee_date
            if wire_line.before_admission > 2:
                count = note(problems, count, index, INVALID_CODE_VALUE, F_BEFORE, position)
            if wire_line.approval > 2:
                count = note(problems, count, index, INVALID_CODE_VALUE, F_APPROVAL, position)
            if wire_line.quantity_e4 == 0:
                count = note(problems, count, index, ZERO_QUANTITY, F_QUANTITY, position)
            elif wire_line.quantity_e4 > MAX_QUANTITY or wire_line.quantity_e4 < -MAX_QUANTITY:
                count = note(problems, count, index, QUANTITY_OUT_OF_RANGE, F_QUANTITY, position)
            elif (wire_line.quantity_e4 > 0 and wire_line.amount_fen < 0) or (
                wire_line.quantity_e4 < 0 and wire_line.amount_fen > 0
            ):
                count = note(problems, count, index, LINE_SIGN, F_AMOUNT, position)
            if wire_line.unit_price_e4 < 0 or wire_line.unit_price_e4 > MAX_PRICE:
                count = note(problems, count, index, PRICE_OUT_OF_RANGE, F_PRICE, position)
            if wire_line.amount_fen > MAX_AMOUNT or wire_line.amount_fen < -MAX_AMOUNT:
                count = note(problems, count, index, LINE_AMOUNT_OUT_OF_RANGE, F_AMOUNT, position)
            else:
                total += wire_line.amount_fen
        # Refunds may stand before or after the line they take back.
        for position in range(line_count):
            wire_line = wire_lines[np.uint64(first + position)]
            if wire_line.quantity_e4 < 0:
                slot = np.int64(-1)
                if wire_line.original_line_id_size > 0 and wire_line.original_line_id_size <= MAX_ID:
                    slot = find_serial(
                        buffer, wire_line.original_line_id_start, np.int64(wire_line.original_line_id_size),
                        wire_lines, first, scratch, stamp, mask,
                    )  # fmt: skip
                if slot < 0:
                    count = note(problems, count, index, REFUND_WITHOUT_ORIGINAL, F_ORIGINAL, position)
                else:
                    original = first + scratch[np.uint64(slot), 1]
                    lines[np.uint64(first + position)].original = np.int32(original)
        if total != wire.total_fen and line_count > 0:
            count = note(problems, count, index, LINES_DO_NOT_ADD_UP, F_TOTAL, -1)
    return count


@kernel
def resolve(
    buffer, wire_claims, wire_lines, status, look, hospitals, names, items, claims, lines, problems, scratch, malformed
):
    """Fills ``claims[CLAIM]`` and ``lines[LINE]`` from the wire tables; returns the number of problems kept.

    buffer uint8; wire_claims, wire_lines: tables of ``wire.decode``; status int32[n] of the decoder (0 is well formed);
    look: LookupArrays; hospitals, names, items: CodeArrays; problems[PROBLEM], MOST_PROBLEMS zeroed rows a claim;
    scratch int32[2**k, 2], zeroed, at least twice the largest number of lines.
    """
    kept = np.int64(0)
    for index in range(wire_claims.shape[0]):
        wire = wire_claims[np.uint64(index)]
        claim = claims[np.uint64(index)]
        count = np.int64(0)
        copy_plain(wire, claim)
        if status[np.uint64(index)] != 0:
            rows_refused = status[np.uint64(index)] == TOO_MANY_ROWS
            claim.error = TOO_MANY_LINES if rows_refused else malformed
            claim.line_end = claim.line_start
            count = note(problems, count, index, claim.error, F_LINES if rows_refused else 0, -1)
            kept += count
            continue
        count = check_identity(wire, problems, count, index)
        count = resolve_place(buffer, wire, claim, look, hospitals, problems, count, index)
        count = resolve_person(buffer, wire, claim, look, names, problems, count, index)
        inpatient = look.needs_diagnosis[np.uint64(claim.care_kind)]
        count = check_codes(wire, claim, problems, count, index)
        count = check_dates(wire, claim, inpatient, problems, count, index)
        count = check_amounts(wire, problems, count, index)
        count = check_lists(wire, inpatient, problems, count, index)
        count = resolve_lines(buffer, wire, claim, wire_lines, items, lines, scratch, problems, count, index)
        kept += count
        for which in range(count):
            row = problems[np.uint64(index * MOST_PROBLEMS + which)]
            if claim.error == 0 or row.number < claim.error:
                claim.error = row.number
                claim.error_line = row.line
    return kept
