"""Wire columns become resolved columns: codes turn into dense numbers, dates and limits are checked.

One pass over claims and lines; every problem found is noted (claim, error number, field, line), the claim keeps the
lowest number, which takes precedence in the error table. Strings stay in the request buffer as (start, size).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from adjudicator.benefit.dates import deciding_date
from adjudicator.claim.checks import (
    INSTITUTION,
    check_dates,
    check_identity,
    check_lists,
    check_payers,
    copy_fields,
    note,
)
from adjudicator.claim.doubts import care_of, is_doubtful
from adjudicator.claim.fields import MOST_PROBLEMS, F, Records
from adjudicator.claim.lines import LINES, TOO_MANY_LINES, resolve_lines
from adjudicator.codes import HOSPITAL_LEVELS, Place
from adjudicator.compiled.jit import uncounted_inlined, uncounted_kernel
from adjudicator.errors import E
from adjudicator.rules.lookup import NO_END
from adjudicator.wire.codetable import find_code
from adjudicator.wire.decode_kernel import TOO_MANY_ROWS

MALFORMED_MESSAGE = int(E.MALFORMED_MESSAGE)
UNKNOWN_AREA, UNKNOWN_CARE_AREA, UNKNOWN_SCHEME = (
    int(E.UNKNOWN_AREA),
    int(E.UNKNOWN_CARE_AREA),
    int(E.UNKNOWN_SCHEME),
)
UNKNOWN_PERSON_TYPE, UNKNOWN_CARE_TYPE = int(E.UNKNOWN_PERSON_TYPE), int(E.UNKNOWN_CARE_TYPE)
UNKNOWN_INSTITUTION, UNKNOWN_HOSPITAL_LEVEL = int(E.UNKNOWN_INSTITUTION), int(E.UNKNOWN_HOSPITAL_LEVEL)
UNKNOWN_ASSISTANCE, UNKNOWN_PROGRAMME = int(E.UNKNOWN_ASSISTANCE_CATEGORY), int(E.UNKNOWN_PROGRAMME)
UNKNOWN_DISEASE = int(E.UNKNOWN_DISEASE)
LOCAL, PROVINCE, OUTSIDE = int(Place.LOCAL), int(Place.PROVINCE), int(Place.OUTSIDE)
HOSPITAL_LEVEL_COUNT = len(HOSPITAL_LEVELS)
WHOLE_DEPARTMENT = 3
"""Characters of a code that names a department with all its parts, such as A15 of A15.01 (诊疗科目名录)."""
SUSPENDED, ENDED = 2, 4
"""Enrolment states [psn_insu_stas 参保状态] in which nothing is paid."""
LEAST_AREA = 110_000
"""No province has a lower code than Beijing's 11 (GB/T 2260)."""

INSURED_AREA, CARE_AREA, HOSPITAL_LEVEL = F["insured_area"], F["care_area"], F["hospital_level"]
SCHEME, PERSON_TYPE, CARE_TYPE = F["scheme"], F["person_type"], F["care_type"]
ASSISTANCE, PROGRAMME, DISEASE = F["assistance_category"], F["programme"], F["disease_code"]
WHOLE = F[""]


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
    pool_span: np.ndarray  # int64[packs]: what divides an area's six digits so that the pool is left
    area_catalogue: np.ndarray  # int32[1_000_000]: place of care -> 1 + catalogue area group, 0 not known
    hospital_first: np.ndarray  # int32[codes + 1]: a code has the rows from its entry to the next one
    hospital_from: np.ndarray  # int32[hospitals]: first day of the row YYYYMMDD, 0 where it has none
    hospital_to: np.ndarray  # int32[hospitals]: last day, rules.lookup.NO_END where it has none
    rule_date: np.ndarray  # int64[packs]: options.YearBy, the day whose register holds
    hospital_pack: np.ndarray  # int32[hospitals]
    hospital_area: np.ndarray  # int32[hospitals]: six-digit area code
    hospital_level: np.ndarray  # int32[hospitals]: position in codes.HOSPITAL_LEVELS
    hospital_deductible_level: np.ndarray  # int32[hospitals]
    hospital_price_level: np.ndarray  # int32[hospitals]
    hospital_row: np.ndarray  # int32[hospitals]: row in the pack's register, -1 outside the pool
    scheme_of_code: np.ndarray  # int32[1000]: insutype -> codes.Scheme, 0 unknown
    scheme_accepted: np.ndarray  # bool[packs, schemes]
    person_type_of_code: np.ndarray  # int32[10_000]: psn_type -> position in codes.PERSON_TYPES, 0 unknown
    care_kind_of_code: np.ndarray  # int8[packs, 1_000_000]: med_type -> codes.CareKind, 0 unknown
    level_of_hospital_level: np.ndarray  # int32[packs, 12]: hosp_lv -> level group outside the pool, -1 none
    assistance_of_name: np.ndarray  # int32[packs, names]: -1 unknown
    programme_of_name: np.ndarray  # int32[packs, names]: -1 unknown
    disease_of_name: np.ndarray  # int32[packs, names]: -1 unknown
    ward_of_name: np.ndarray  # int32[packs, names]: ward of a department, -1 none
    has_wards: np.ndarray  # bool[packs]
    department_of_name: np.ndarray  # int32[packs, names]: number of a department for payment rules, -1 none
    has_departments: np.ndarray  # bool[packs]
    needs_diagnosis: np.ndarray  # bool[kinds]: inpatient-like kinds of care
    hospitals: CodeArrays  # institutions of all packs
    names: CodeArrays  # names that packs list: assistance categories, programmes, diseases, departments
    items: CodeArrays  # catalogue items
    price_rounding: int  # strictest choice of catalogue.settings.OPTIONS that a pack makes
    plain: np.ndarray  # claim.fields.PLAIN: the fields that are copied


class WireClaims(NamedTuple):
    """What came in: tables of ``wire.decode`` over ``heap``; ``status`` int32[n] of the decoder, 0 is well formed."""

    heap: np.ndarray
    claims: np.ndarray
    lines: np.ndarray
    status: np.ndarray
    numbers: Records  # the claims


class ResolvedColumns(NamedTuple):
    """What is filled: CLAIM[n], each ``EMPTY_CLAIM`` at first; LINE; PROBLEM, MOST_PROBLEMS zeroed rows a claim."""

    claims: np.ndarray
    lines: np.ndarray
    problems: np.ndarray
    numbers: Records  # the claims
    doubtful: np.ndarray  # uint8[n], zeroed: 1 where claim.warnings has to look


@uncounted_inlined
def digits_value(buffer: np.ndarray, start: int, size: int, most: int) -> int:
    """Return the value of a run of 1 to ``most`` ASCII digits, -1 for anything else."""
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


@uncounted_inlined
def registered_row(wire: Any, look: LookupArrays, pack: int, code: int) -> int:
    """Return the row of an institution in the register of the claim's rule date, -1 where none holds."""
    row = np.int64(-1)
    if code >= 0:
        date = np.int64(wire.settlement_date)
        if pack >= 0:
            date = np.int64(deciding_date(wire, look.rule_date[np.uint64(pack)]))
        date = max(np.int64(0), min(date, np.int64(NO_END)))  # a date that is none is refused for itself
        place, end = np.int64(look.hospital_first[np.uint64(code)]), np.int64(look.hospital_first[np.uint64(code + 1)])
        while place < end:
            if look.hospital_from[np.uint64(place)] <= date and date <= look.hospital_to[np.uint64(place)]:
                row = place
            place += 1
    return row


@uncounted_inlined
def care_area_of(buffer: np.ndarray, wire: Any, look: LookupArrays, hospital: int, insured: int) -> int:
    """Return the six digits of the place of care, by default those of the institution, -1 where there are none."""
    care = np.int64(-1)
    if wire.care_area_size == 0:
        care = np.int64(look.hospital_area[np.uint64(hospital)]) if hospital >= 0 else insured
    elif wire.care_area_size == 6:
        care = digits_value(buffer, wire.care_area_start, np.int64(6), 6)
        if care < LEAST_AREA:
            care = np.int64(-1)
    return care


@uncounted_inlined
def resolve_place(
    buffer: np.ndarray, wire: Any, claim: Any, look: LookupArrays, problems: np.ndarray, count: int, index: int
) -> int:
    """Resolve pool and county of insurance, institution and place of care.

    The catalogue is that of the place of care, the benefit that of the place of insurance
    (国家医疗保障局 财政部 医保发〔2022〕22号, 就医地目录、参保地政策).
    """
    hospitals = look.hospitals
    insured = np.int64(-1)
    if wire.insured_area_size == 6:
        insured = digits_value(buffer, wire.insured_area_start, np.int64(6), 6)
    area = np.int64(-1)
    if insured >= 0:
        area = np.int64(look.area_row[np.uint64(insured)])
    if area < 0:
        count = note(problems, count, index, UNKNOWN_AREA, INSURED_AREA, -1)
    else:
        claim.pack = look.area_pack[np.uint64(area)]
        claim.county = look.area_county[np.uint64(area)]
    pack = np.int64(claim.pack)

    code = find_code(
        buffer, wire.institution_code_start, np.int64(wire.institution_code_size),
        hospitals.keys, hospitals.offsets, hospitals.slots, hospitals.tags,
    )  # fmt: skip
    hospital = registered_row(wire, look, pack, code)
    care = care_area_of(buffer, wire, look, hospital, insured)
    if care < 0 and wire.care_area_size > 0:
        count = note(problems, count, index, UNKNOWN_CARE_AREA, CARE_AREA, -1)
    if pack >= 0 and care >= 0:
        span = look.pool_span[np.uint64(pack)]
        if care // span == insured // span:
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
        known_level = level >= 1 and level < HOSPITAL_LEVEL_COUNT
        if hospital >= 0 and np.int64(look.hospital_pack[np.uint64(hospital)]) == pack:
            h = np.uint64(hospital)
            claim.hospital = look.hospital_row[h]
            claim.hospital_level = look.hospital_level[h]
            claim.deductible_level = look.hospital_deductible_level[h]
            claim.price_level = look.hospital_price_level[h]
            if wire.hospital_level_size > 0 and not known_level:
                count = note(problems, count, index, UNKNOWN_HOSPITAL_LEVEL, HOSPITAL_LEVEL, -1)
        elif claim.place == LOCAL:
            count = note(problems, count, index, UNKNOWN_INSTITUTION, INSTITUTION, -1)
        else:
            if wire.hospital_level_size == 0 and hospital >= 0:
                level = np.int64(look.hospital_level[np.uint64(hospital)])
            if level < 1 or level >= HOSPITAL_LEVEL_COUNT:
                count = note(problems, count, index, UNKNOWN_HOSPITAL_LEVEL, HOSPITAL_LEVEL, -1)
            else:
                group = look.level_of_hospital_level[np.uint64(pack), np.uint64(level)]
                if group < 0:
                    count = note(problems, count, index, UNKNOWN_HOSPITAL_LEVEL, HOSPITAL_LEVEL, -1)
                claim.hospital_level = np.int32(level)
                claim.deductible_level = group
                claim.price_level = group
    return count


@uncounted_inlined
def listed(buffer: np.ndarray, start: int, size: int, names: CodeArrays, table: np.ndarray, pack: int) -> int:
    """Return the position of a name in a pack's list, -1 where it is not there; table int32[packs, names]."""
    name = find_code(buffer, start, np.int64(size), names.keys, names.offsets, names.slots, names.tags)
    value = np.int32(-1)
    if name >= 0:
        value = table[np.uint64(pack), np.uint64(name)]
    return value


@uncounted_inlined
def ward_of(buffer: np.ndarray, wire: Any, look: LookupArrays, pack: int) -> int:
    """Return the ward of the department of discharge: by its whole code, else by the first characters; -1 none."""
    ward = np.int32(-1)
    if pack >= 0 and look.has_wards[np.uint64(pack)] and wire.department_size > 0:
        ward = listed(buffer, wire.department_start, wire.department_size, look.names, look.ward_of_name, pack)
        if ward < 0 and wire.department_size > WHOLE_DEPARTMENT:
            ward = listed(buffer, wire.department_start, WHOLE_DEPARTMENT, look.names, look.ward_of_name, pack)
    return ward


@uncounted_inlined
def department_of(buffer: np.ndarray, wire: Any, look: LookupArrays, pack: int) -> int:
    """Return the number of the department of discharge in the grouping schemes of the pack, 0 where none names it."""
    department = np.int32(0)
    if pack >= 0 and look.has_departments[np.uint64(pack)] and wire.department_size > 0:
        department = max(
            department,
            listed(buffer, wire.department_start, wire.department_size, look.names, look.department_of_name, pack),
        )
    return department


@uncounted_inlined
def resolve_person(
    buffer: np.ndarray, wire: Any, claim: Any, look: LookupArrays, problems: np.ndarray, count: int, index: int
) -> int:
    """Resolve scheme, person type, kind of care, and what the pack lists by name."""
    names = look.names
    pack = np.int64(claim.pack)
    code = digits_value(buffer, wire.scheme_start, np.int64(wire.scheme_size), 3)
    if code >= 0:
        claim.scheme = look.scheme_of_code[np.uint64(code)]
    if claim.scheme == 0 or (pack >= 0 and not look.scheme_accepted[np.uint64(pack), np.uint64(claim.scheme)]):
        count = note(problems, count, index, UNKNOWN_SCHEME, SCHEME, -1)
    code = digits_value(buffer, wire.person_type_start, np.int64(wire.person_type_size), 4)
    if code >= 0:
        claim.person_type = look.person_type_of_code[np.uint64(code)]
    if claim.person_type == 0:
        count = note(problems, count, index, UNKNOWN_PERSON_TYPE, PERSON_TYPE, -1)
    code = digits_value(buffer, wire.care_type_start, np.int64(wire.care_type_size), 6)
    if code >= 0 and pack >= 0:
        claim.care_kind = np.int32(look.care_kind_of_code[np.uint64(pack), np.uint64(code)])
    if pack >= 0 and claim.care_kind == 0:
        count = note(problems, count, index, UNKNOWN_CARE_TYPE, CARE_TYPE, -1)
    if wire.assistance_category_size > 0 and pack >= 0:
        value = listed(
            buffer, wire.assistance_category_start, wire.assistance_category_size, names, look.assistance_of_name, pack
        )
        if value < 0:
            count = note(problems, count, index, UNKNOWN_ASSISTANCE, ASSISTANCE, -1)
        else:
            claim.assistance = value
    if wire.programme_size > 0 and pack >= 0:
        value = listed(buffer, wire.programme_start, wire.programme_size, names, look.programme_of_name, pack)
        if value < 0:
            count = note(problems, count, index, UNKNOWN_PROGRAMME, PROGRAMME, -1)
        else:
            claim.programme = value
    if wire.disease_code_size > 0 and pack >= 0:
        claim.disease = listed(
            buffer, wire.disease_code_start, wire.disease_code_size, names, look.disease_of_name, pack
        )
        if claim.disease < 0:
            count = note(problems, count, index, UNKNOWN_DISEASE, DISEASE, -1)
    claim.ward = ward_of(buffer, wire, look, pack)
    claim.department = department_of(buffer, wire, look, pack)
    return count


@uncounted_inlined
def copy_derived(wire: Any, claim: Any) -> None:
    """Set the columns that follow from one field."""
    claim.suspended = wire.enrolment_status == SUSPENDED or wire.enrolment_status == ENDED
    claim.chain_continues = wire.referral_from_encounter_size > 0
    claim.accumulators_given = wire.accumulators >= 0


@uncounted_inlined
def decide(out: ResolvedColumns, index: int, count: int) -> None:
    """Give the claim the lowest of its error numbers."""
    claim = out.claims[np.uint64(index)]
    for which in range(count):
        row = out.problems[np.uint64(index * MOST_PROBLEMS + which)]
        if claim.error == 0 or row.number < claim.error:
            claim.error = row.number
            claim.error_line = row.line


@uncounted_kernel
def resolve(came: WireClaims, look: LookupArrays, out: ResolvedColumns, scratch: np.ndarray, latest: int) -> int:
    """Fill ``out`` from the wire tables and return the number of problems kept.

    ``latest``: a claim that is settled after this day (YYYYMMDD) is refused.
    ``scratch`` int32[2**k, 2], zeroed, at least twice the largest number of lines.
    """
    kept = np.int64(0)
    for index in range(came.claims.shape[0]):
        wire = came.claims[np.uint64(index)]
        claim = out.claims[np.uint64(index)]
        status = came.status[np.uint64(index)]
        count = np.int64(0)
        claim.line_start = wire.lines_start
        claim.line_end = wire.lines_start
        if status == TOO_MANY_ROWS:
            count = note(out.problems, count, index, TOO_MANY_LINES, LINES, -1)
        elif status != 0:
            count = note(out.problems, count, index, MALFORMED_MESSAGE, WHOLE, -1)
        else:
            claim.line_end = wire.lines_end
            copy_derived(wire, claim)
            count = check_identity(came.heap, wire, out.problems, count, index)
            count = resolve_place(came.heap, wire, claim, look, out.problems, count, index)
            count = resolve_person(came.heap, wire, claim, look, out.problems, count, index)
            inpatient = look.needs_diagnosis[np.uint64(claim.care_kind)]
            count = copy_fields(look.plain, came.numbers, out.numbers, index, out.problems, count)
            count = check_dates(wire, claim, inpatient, latest, out.problems, count, index)
            count = check_payers(wire, out.problems, count, index)
            count = check_lists(wire, inpatient, out.problems, count, index)
            if is_doubtful(wire, claim, inpatient):
                out.doubtful[np.uint64(index)] = 1
            count = resolve_lines(came, look, out, scratch, care_of(wire, inpatient, look.price_rounding), count, index)
        decide(out, index, count)
        kept += count
    return kept
