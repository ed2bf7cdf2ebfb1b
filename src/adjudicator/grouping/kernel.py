"""The grouping kernel: one pass over a record's codes, then the few rules that its codes propose.

For every record the MDCs whose gate may open are a bit mask. Inside an MDC the rules to try come, in order, from short
lists: those that the main procedure proposes, those of the principal diagnosis, those of any other code (only where a
code has one), and those that no list proposes. The first that holds and has a DRG decides. One function answers one
question: is the MDC open, which rule is next, do the diagnoses, the procedures and the limits of a condition hold. The
arrays are described in ``grouping.layout``.

Source: 国家医疗保障疾病诊断相关分组（CHS-DRG）分组方案 1.1 版, and docs/grouping.md.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from adjudicator.codes import GroupStatus
from adjudicator.compiled.jit import int64, kernel, uint32, uint64, uncounted_inlined, uncounted_kernel
from adjudicator.grouping.layout import (
    TABLE_SHIFT,
    DiagnosisFlag,
    DiagnosisTest,
    GroupColumns,
    Limit,
    ProcedureFlag,
    ProcedureTest,
    SchemeArrays,
)

UNGROUPED, INVALID = int(GroupStatus.UNGROUPED), int(GroupStatus.INVALID)
NEWBORN_DAYS = 28
NOTHING = 2**31 - 1
"""Later than every rule."""
UNMAPPABLE_CODE, DROPPED_CODE = -1, -2
"""Values of a code map that are no code."""

PRINCIPAL, NOT_PRINCIPAL = int(DiagnosisTest.PRINCIPAL), int(DiagnosisTest.NOT_PRINCIPAL)
ANY_DIAGNOSIS = int(DiagnosisTest.ANY)
MAIN, MAIN_VALID = int(ProcedureTest.MAIN), int(ProcedureTest.MAIN_VALID)
MAIN_NOT_VALID = int(ProcedureTest.MAIN_NOT_VALID)
ANY_VALID, NONE_VALID, COMBO = int(ProcedureTest.ANY_VALID), int(ProcedureTest.NONE_VALID), int(ProcedureTest.COMBO)
OTHER, ANY_OR_OTHER = int(ProcedureTest.OTHER), int(ProcedureTest.ANY | ProcedureTest.OTHER)
AGE_YEARS, AGE_DAYS, WEIGHT_G = int(Limit.AGE_YEARS), int(Limit.AGE_DAYS), int(Limit.WEIGHT_G)
STAY_DAYS, ICU_HOURS, SEX = int(Limit.STAY_DAYS), int(Limit.ICU_HOURS), int(Limit.SEX)
DISCHARGE_WAY, DEPARTMENT = int(Limit.DISCHARGE_WAY), int(Limit.DEPARTMENT)
ANY_LIST, GATE, VALID = int(DiagnosisFlag.ANY_LIST), int(DiagnosisFlag.GATE), int(ProcedureFlag.VALID)

DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
BIT_POSITION = np.zeros(64, np.int64)
"""Position of the only bit of a word, by the top six bits of its product with DE_BRUIJN."""
for _position in range(64):
    BIT_POSITION[((1 << _position) * 0x03F79D71B4CB0A89 % 2**64) >> 58] = _position


class Case(NamedTuple):
    """One record in one attempt: numbers, ranges of its codes, and what one pass over them found."""

    record: int
    sex: int
    age_years: int
    age_days: int
    weight_g: int
    diagnosis_start: int
    diagnosis_end: int
    procedure_start: int
    procedure_end: int
    principal: int  # row of the principal diagnosis
    main: int  # row of the main procedure, 0 none
    diagnosis_flags: int  # of any diagnosis
    procedure_flags: int  # of any procedure
    severity: int  # bit 0 CC, bit 1 MCC


class Marks(NamedTuple):
    """What the diagnoses of a record have between them."""

    flags: int
    severity: int


@uncounted_inlined
def _code_in_list(code: int, wanted: int, list_start: np.ndarray, lists: np.ndarray) -> bool:
    """Return whether the code with row ``code`` is in list ``wanted``; a code is in a handful of lists."""
    found = False
    for position in range(list_start[code], list_start[code + 1]):
        found |= lists[position] == wanted
    return found


@uncounted_inlined
def _some_in_list(
    codes: np.ndarray, start: int, end: int, wanted: int, list_start: np.ndarray, lists: np.ndarray
) -> bool:
    """Return whether some code of ``codes[start:end]`` is in list ``wanted``."""
    found = False
    position = start
    while position < end and not found:
        found = _code_in_list(codes[position] + 1, wanted, list_start, lists)
        position += 1
    return found


@uncounted_inlined
def _formula_holds(scheme: SchemeArrays, columns: GroupColumns, case: Case, condition: Any) -> bool:
    """Return whether the procedures, at any positions, touch all lists of one of the condition's conjunctions."""
    touched = uint32(0)
    for position in range(case.procedure_start, case.procedure_end):
        code = columns.procedures[position] + 1
        for entry in range(scheme.procedure_list_start[code], scheme.procedure_list_start[code + 1]):
            number = scheme.procedure_lists[entry] - condition.procedure_list
            if number >= 0 and number < 31:
                touched |= uint32(1) << uint32(number)
    holds = False
    for conjunction in range(condition.formula_start, condition.formula_end):
        holds |= (scheme.formulas[conjunction] & ~touched) == 0
    return holds


@uncounted_inlined
def _diagnosis_holds(scheme: SchemeArrays, columns: GroupColumns, case: Case, condition: Any) -> bool:
    """Return whether the diagnoses are as the condition asks; it asks something."""
    test = condition.diagnosis
    wanted = condition.diagnosis_list
    starts, lists = scheme.diagnosis_list_start, scheme.diagnosis_lists
    if test == PRINCIPAL:
        holds = _code_in_list(case.principal, wanted, starts, lists)
    elif test == NOT_PRINCIPAL:
        holds = not _code_in_list(case.principal, wanted, starts, lists)
    else:
        first = case.diagnosis_start if test == ANY_DIAGNOSIS else case.diagnosis_start + 1
        holds = _some_in_list(columns.diagnoses, first, case.diagnosis_end, wanted, starts, lists)
    return holds


@uncounted_inlined
def _procedure_holds(scheme: SchemeArrays, columns: GroupColumns, case: Case, condition: Any) -> bool:
    """Return whether the procedures are as the condition asks; it asks something."""
    tests = condition.procedure
    wanted = condition.procedure_list
    starts, lists = scheme.procedure_list_start, scheme.procedure_lists
    main_valid = scheme.procedure_word[case.main] & uint32(VALID) != 0
    any_valid = case.procedure_flags & VALID != 0
    holds = True
    if tests & MAIN != 0:
        holds = _code_in_list(case.main, wanted, starts, lists)
    if tests & MAIN_VALID != 0:
        holds = holds and main_valid
    if tests & MAIN_NOT_VALID != 0:
        holds = holds and not main_valid
    if tests & ANY_VALID != 0:
        holds = holds and any_valid
    if tests & NONE_VALID != 0:
        holds = holds and not any_valid
    if holds and tests & ANY_OR_OTHER != 0:
        first = case.procedure_start if tests & OTHER == 0 else case.procedure_start + 1
        holds = _some_in_list(columns.procedures, first, case.procedure_end, wanted, starts, lists)
    if holds and tests & COMBO != 0:
        holds = _formula_holds(scheme, columns, case, condition)
    return holds


@uncounted_inlined
def _within(is_limited: bool, is_known: bool, value: int, low: int, high: int) -> bool:
    """Return whether a limit holds; a missing number satisfies none."""
    return not is_limited or (is_known and low <= value and value <= high)


@uncounted_inlined
def _intervals_hold(columns: GroupColumns, case: Case, condition: Any) -> bool:
    """Return whether age, weight, stay and hours in intensive care are within the limits of a condition."""
    c = condition
    limited = c.limited
    stay_days, icu_hours = columns.stay_days[case.record], columns.icu_hours[case.record]
    years, days, weight_g = case.age_years, case.age_days, case.weight_g
    return (
        _within(limited & AGE_YEARS != 0, True, years, c.age_years_low, c.age_years_high)
        and _within(limited & AGE_DAYS != 0, days >= 0, days, c.age_days_low, c.age_days_high)
        and _within(limited & WEIGHT_G != 0, weight_g > 0, weight_g, c.weight_g_low, c.weight_g_high)
        and _within(limited & STAY_DAYS != 0, stay_days >= 0, stay_days, c.stay_days_low, c.stay_days_high)
        and _within(limited & ICU_HOURS != 0, icu_hours >= 0, icu_hours, c.icu_hours_low, c.icu_hours_high)
    )


@uncounted_inlined
def _limits_hold(scheme: SchemeArrays, columns: GroupColumns, case: Case, condition: Any) -> bool:
    """Return whether the numbers of a record are within the limits of a condition; it has some."""
    limited = condition.limited
    holds = _intervals_hold(columns, case, condition) and (limited & SEX == 0 or case.sex == condition.sex)
    if holds and limited & DISCHARGE_WAY != 0:
        way = columns.discharge_way[case.record]
        holds = way >= 0 and way <= 9 and (condition.way_mask >> way) & 1 != 0
    if holds and limited & DEPARTMENT != 0:
        holds = False
        for entry in range(condition.department_start, condition.department_end):
            holds |= scheme.departments[entry] == columns.department[case.record]
    return holds


@uncounted_inlined
def _condition_holds(scheme: SchemeArrays, columns: GroupColumns, case: Case, condition: Any) -> bool:
    """Return whether all of a condition (CONDITION) holds for a record."""
    holds = (condition.severity_mask >> case.severity) & 1 != 0
    if holds and condition.diagnosis != 0:
        holds = _diagnosis_holds(scheme, columns, case, condition)
    if holds and condition.procedure != 0:
        holds = _procedure_holds(scheme, columns, case, condition)
    if holds and condition.limited != 0:
        holds = _limits_hold(scheme, columns, case, condition)
    return holds


@uncounted_inlined
def _drg_of(scheme: SchemeArrays, columns: GroupColumns, case: Case, rule: int) -> int:
    """Return the row of the first DRG of a rule that holds, -1 where the rule or all of its DRGs do not.

    A rule and its DRGs are the same kind of row: one loop runs over both, so that their test is compiled once.
    """
    found = int64(-1)
    row, last = int64(rule), int64(rule) + 1
    is_rule = True
    while row < last:
        condition = scheme.conditions[row]
        holds = _condition_holds(scheme, columns, case, condition)
        row += 1
        if is_rule:
            is_rule = False
            if holds:
                row, last = int64(condition.drg_start), int64(condition.drg_end)
        elif holds:
            found = row - 1
            row = last
    return found


@uncounted_inlined
def _next_in_order(rules: np.ndarray, position: int, end: int, rule: int) -> int:
    """Return the position of the first of ``rules[position:end]``, in ascending order, that is not before ``rule``."""
    while position < end and rules[position] < rule:
        position += 1
    return position


@uncounted_inlined
def _first_of_codes(codes: np.ndarray, start: int, end: int, rule: int, starts: np.ndarray, rules: np.ndarray) -> int:
    """Return the first rule from ``rule`` on that one of ``codes[start:end]`` proposes, NOTHING where none does."""
    proposed = int64(NOTHING)
    for position in range(start, end):
        code = codes[position] + 1
        for entry in range(starts[code], starts[code + 1]):
            if rules[entry] >= rule:
                proposed = min(proposed, int64(rules[entry]))
    return proposed


@uncounted_inlined
def _drg_in_mdc(scheme: SchemeArrays, columns: GroupColumns, case: Case, mdc: Any) -> int:
    """Return the row of the first DRG of an MDC that holds, -1 where none does."""
    main_rules, principal_rules, general_rules = scheme.main_rules, scheme.principal_rules, scheme.general_rules
    main = int64(scheme.procedure_key[case.main].start)
    main_end = int64(scheme.procedure_key[case.main].end)
    principal = int64(scheme.diagnosis_key[case.principal].start)
    principal_end = int64(scheme.diagnosis_key[case.principal].end)
    general, general_end = int64(mdc.general_start), int64(mdc.general_end)
    found = int64(-1)
    rule, end = int64(mdc.rule_start), int64(mdc.rule_end)
    while rule < end and found < 0:
        # The next rule of this MDC that some code, or no code, proposes.
        proposed = int64(NOTHING)
        main = _next_in_order(main_rules, main, main_end, rule)
        if main < main_end:
            proposed = int64(main_rules[main])
        principal = _next_in_order(principal_rules, principal, principal_end, rule)
        if principal < principal_end:
            proposed = min(proposed, int64(principal_rules[principal]))
        general = _next_in_order(general_rules, general, general_end, rule)
        if general < general_end:
            proposed = min(proposed, int64(general_rules[general]))
        if case.procedure_flags & ANY_LIST != 0:
            by_code = _first_of_codes(
                columns.procedures, case.procedure_start, case.procedure_end, rule, scheme.procedure_any_start,
                scheme.procedure_any_rules,
            )  # fmt: skip
            proposed = min(proposed, by_code)
        if case.diagnosis_flags & ANY_LIST != 0:
            by_code = _first_of_codes(
                columns.diagnoses, case.diagnosis_start, case.diagnosis_end, rule, scheme.diagnosis_any_start,
                scheme.diagnosis_any_rules,
            )  # fmt: skip
            proposed = min(proposed, by_code)
        if proposed < end:
            found = _drg_of(scheme, columns, case, proposed)
        rule = proposed + 1
    return found


@uncounted_inlined
def _is_open(scheme: SchemeArrays, columns: GroupColumns, case: Case, mdc: Any) -> bool:
    """Return whether an MDC admits the record: sex, age, and diagnoses in enough regions of the body."""
    is_open = (mdc.sex == 0 or mdc.sex == case.sex) and case.age_years <= mdc.age_years_max
    if is_open and mdc.region_row >= 0:
        regions = uint32(0)
        for position in range(case.diagnosis_start, case.diagnosis_end):
            regions |= scheme.regions[mdc.region_row, columns.diagnoses[position] + 1]
        count = 0
        while regions != 0:
            regions &= regions - uint32(1)
            count += 1
        is_open = count >= mdc.min_regions
    return is_open


@uncounted_inlined
def _drg_in_mask(scheme: SchemeArrays, columns: GroupColumns, case: Case, mask: int) -> int:
    """Return the row of the first DRG that holds in the MDCs of a bit mask, in order, -1 where none does."""
    found = int64(-1)
    while mask != 0 and found < 0:
        lowest = mask & (~mask + uint64(1))
        mask ^= lowest
        mdc = scheme.mdcs[BIT_POSITION[(lowest * DE_BRUIJN) >> uint64(58)]]
        if _is_open(scheme, columns, case, mdc):
            found = _drg_in_mdc(scheme, columns, case, mdc)
    return found


@uncounted_inlined
def _is_invalid(columns: GroupColumns, record: int) -> bool:
    """Return whether sex, age or principal diagnosis is missing, or a newborn has no age in days or no weight."""
    sex, years, days = columns.sex[record], columns.age_years[record], columns.age_days[record]
    newborn_unclear = years == 0 and (days < 0 or (days <= NEWBORN_DAYS and columns.birth_weight_g[record] <= 0))
    has_diagnosis = columns.diagnosis_offsets[record] < columns.diagnosis_offsets[record + 1]
    return (sex != 1 and sex != 2) or years < 0 or newborn_unclear or not has_diagnosis


@uncounted_inlined
def _marks_of(scheme: SchemeArrays, diagnoses: np.ndarray, start: int, end: int) -> Marks:
    """Return flags of all diagnoses and severity of the secondary ones, in one pass.

    A complication (MCC, CC) whose exclusion table is that of the principal diagnosis does not count. A principal
    diagnosis without exclusion table has 0 here, which no MCC or CC has.
    """
    principal = diagnoses[start] + 1
    table = scheme.diagnosis_key[principal].table
    word = scheme.diagnosis_word[principal]
    flags = word
    found = uint32(0)
    for position in range(start + 1, end):
        word = scheme.diagnosis_word[diagnoses[position] + 1]
        flags |= word
        if (word >> TABLE_SHIFT) != table:
            found |= word
    severity = ((found & uint32(1)) << uint32(1)) | ((found >> uint32(1)) & uint32(1))
    return Marks(int64(flags), int64(severity))


@uncounted_inlined
def _flags_of(words: np.ndarray, codes: np.ndarray, start: int, end: int) -> int:
    """Return the flags that the codes of ``codes[start:end]`` have between them."""
    flags = uint32(0)
    for position in range(start, end):
        flags |= words[codes[position] + 1]
    return int64(flags)


@uncounted_inlined
def _diagnosis_mdcs(scheme: SchemeArrays, columns: GroupColumns, record: int, flags: int) -> int:
    """Return the bit mask of MDCs that open always, by the principal diagnosis or by any."""
    start, end = columns.diagnosis_offsets[record], columns.diagnosis_offsets[record + 1]
    mask = scheme.diagnosis_key[columns.diagnoses[start] + 1].mdc_mask | scheme.always_mask[0]
    if scheme.always_mask[1] != 0 and flags & GATE != 0:
        for position in range(start, end):
            mask |= scheme.diagnosis_gate[columns.diagnoses[position] + 1]
    return mask


@uncounted_inlined
def _drg_of_record(scheme: SchemeArrays, columns: GroupColumns, record: int) -> int:
    """Return the row of a record's DRG, -1 none.

    Some variants of the scheme try every other procedure as the only one when nothing fits.
    """
    d_start, d_end = columns.diagnosis_offsets[record], columns.diagnosis_offsets[record + 1]
    all_start, all_end = columns.procedure_offsets[record], columns.procedure_offsets[record + 1]
    marks = _marks_of(scheme, columns.diagnoses, d_start, d_end)
    diagnosis_mask = _diagnosis_mdcs(scheme, columns, record, marks.flags)
    sex, years, days = columns.sex[record], columns.age_years[record], columns.age_days[record]
    found = int64(-1)
    p_start, p_end = all_start, all_end
    attempt = all_start
    while attempt >= 0:
        mask = diagnosis_mask
        main = int64(0)
        if p_start < p_end:
            main = int64(columns.procedures[p_start]) + 1
            mask |= scheme.procedure_key[main].mdc_mask
        case = Case(
            record, sex, years, days, columns.birth_weight_g[record], d_start, d_end, p_start, p_end,
            int64(columns.diagnoses[d_start]) + 1, main, marks.flags,
            _flags_of(scheme.procedure_word, columns.procedures, p_start, p_end), marks.severity,
        )  # fmt: skip
        found = _drg_in_mask(scheme, columns, case, mask)
        again = found < 0 and scheme.always_mask[2] != 0 and attempt + 1 < all_end
        attempt = attempt + 1 if again else int64(-1)
        p_start, p_end = attempt, attempt + 1
    return found


@uncounted_kernel
def group_records(scheme: SchemeArrays, columns: GroupColumns, out: np.ndarray) -> None:
    """Group every record; ``out`` GROUP rows are fully overwritten."""
    for record in range(len(out)):
        answer = out[record]
        found = int64(-1)
        status = UNGROUPED
        if _is_invalid(columns, record):
            status = INVALID
        else:
            found = _drg_of_record(scheme, columns, record)
        if found >= 0:
            condition = scheme.conditions[found]
            answer.status = condition.status
            answer.mdc = condition.mdc
            answer.adrg = condition.adrg
            answer.drg = condition.drg
        else:
            answer.status = status
            answer.mdc = -1
            answer.adrg = -1
            answer.drg = -1


@kernel
def translate_codes(
    offsets: np.ndarray, codes: np.ndarray, mapping: np.ndarray, translated: np.ndarray, unmappable: np.ndarray
) -> None:
    """Translate ids by the code map; note records with a code that has no translation.

    ``mapping``: id + 1 to id, UNMAPPABLE_CODE, or DROPPED_CODE (only allowed where it is not the first code of a
    record). ``unmappable``: uint8 by record, set to 1 and never cleared.
    """
    for record in range(len(offsets) - 1):
        for position in range(offsets[record], offsets[record + 1]):
            target = mapping[codes[position] + 1]
            if target == UNMAPPABLE_CODE or (target == DROPPED_CODE and position == offsets[record]):
                unmappable[record] = 1
            translated[position] = target if target >= 0 else -1
