"""The grouping kernel: one pass over a record's codes, then the few rules that its codes propose.

For every record the MDCs whose gate may open are a bit mask. Inside an MDC the rules to try come, in order, from short
lists: those that the main procedure proposes, those of the principal diagnosis, those of any other code (only where a
code has one), and those that no list proposes. The first that holds and has a DRG decides. Array layout:
``grouping.scheme.compile``. Unknown codes have id -1 and row 0, which is in no list.

Source: chs-drg, sections 2 to 5, 7 and 10.
"""

from __future__ import annotations

import numpy as np

from adjudicator.codes import GroupStatus
from adjudicator.compiled.jit import inlined, kernel

GROUPED, UNGROUPED, INVALID, UNMAPPABLE = (
    int(GroupStatus.GROUPED),
    int(GroupStatus.UNGROUPED),
    int(GroupStatus.INVALID),
    int(GroupStatus.UNMAPPABLE),
)
NEWBORN_DAYS = 28
ANY_LIST_BIT, GATE_BIT = np.uint32(4), np.uint32(8)
NOTHING = 2**31 - 1
DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
BIT_POSITION = np.zeros(64, np.int64)
for _position in range(64):
    BIT_POSITION[((1 << _position) * 0x03F79D71B4CB0A89 % 2**64) >> 58] = _position


@inlined
def _code_in_list(code, wanted, list_start, lists):
    """Whether the code with row ``code`` is in list ``wanted``; a code is in a handful of lists."""
    found = False
    for position in range(list_start[code], list_start[code + 1]):
        found |= lists[position] == wanted
    return found


@inlined
def _some_in_list(codes, start, end, wanted, list_start, lists):
    """Whether some code of ``codes[start:end]`` is in list ``wanted``."""
    found = False
    position = start
    while position < end and not found:
        found = _code_in_list(codes[position] + 1, wanted, list_start, lists)
        position += 1
    return found


@inlined
def _formula_holds(codes, start, end, first_list, formula_start, formula_end, formulas, list_start, lists):
    """Whether some conjunction of lists is touched by the codes, at any positions."""
    touched = np.uint32(0)
    for position in range(start, end):
        code = codes[position] + 1
        for entry in range(list_start[code], list_start[code + 1]):
            number = lists[entry] - first_list
            if number >= 0 and number < 31:
                touched |= np.uint32(1) << np.uint32(number)
    holds = False
    for conjunction in range(formula_start, formula_end):
        holds |= (formulas[conjunction] & ~touched) == 0
    return holds


@inlined
def _within(limited, bit, known, value, low, high):
    """Whether a limit holds; a missing number satisfies none."""
    return (limited >> bit) & 1 == 0 or (known and low <= value and value <= high)


@kernel
def group_records(scheme, columns, out):
    """Groups every record.

    ``scheme``: ``SchemeArrays``; ``columns``: ``GroupColumns``; ``out``: GROUP rows, fully overwritten.
    """
    conditions = scheme.conditions
    mdcs = scheme.mdcs
    always, anyone, retry = scheme.always_mask[0], scheme.always_mask[1], scheme.always_mask[2]
    diagnosis_word, diagnosis_key = scheme.diagnosis_word, scheme.diagnosis_key
    procedure_word, procedure_key = scheme.procedure_word, scheme.procedure_key
    principal_rules, main_rules, general_rules = scheme.principal_rules, scheme.main_rules, scheme.general_rules
    d_list_start, d_lists = scheme.diagnosis_list_start, scheme.diagnosis_lists
    p_list_start, p_lists = scheme.procedure_list_start, scheme.procedure_lists
    d_any_start, d_any_rules = scheme.diagnosis_any_start, scheme.diagnosis_any_rules
    p_any_start, p_any_rules = scheme.procedure_any_start, scheme.procedure_any_rules
    diagnoses, procedures = columns.diagnoses, columns.procedures
    for record in range(len(out)):
        sex, age_years, age_days = columns.sex[record], columns.age_years[record], columns.age_days[record]
        weight_g = columns.birth_weight_g[record]
        d_start, d_end = columns.diagnosis_offsets[record], columns.diagnosis_offsets[record + 1]
        all_p_start, all_p_end = columns.procedure_offsets[record], columns.procedure_offsets[record + 1]
        newborn_unclear = age_years == 0 and (age_days < 0 or (age_days <= NEWBORN_DAYS and weight_g <= 0))
        status, found = UNGROUPED, -1
        if (sex != 1 and sex != 2) or age_years < 0 or newborn_unclear or d_end <= d_start:
            status = INVALID
        else:
            # Severity and flags over the secondary diagnoses, in one pass. A principal diagnosis without exclusion
            # table has 0 here, which no MCC or CC has.
            principal = diagnoses[d_start] + 1
            table = diagnosis_key[principal].table
            word = diagnosis_word[principal]
            d_flags = word
            severity = np.uint32(0)
            for position in range(d_start + 1, d_end):
                word = diagnosis_word[diagnoses[position] + 1]
                d_flags |= word
                if (word >> 8) != table:
                    severity |= word
            severity = ((severity & np.uint32(1)) << np.uint32(1)) | ((severity >> np.uint32(1)) & np.uint32(1))
            diagnosis_mask = diagnosis_key[principal].mdc_mask | always
            if anyone != 0 and d_flags & GATE_BIT != 0:
                for position in range(d_start, d_end):
                    diagnosis_mask |= scheme.diagnosis_gate[diagnoses[position] + 1]
            p_start, p_end = all_p_start, all_p_end
            attempt = all_p_start
            while attempt >= 0:
                p_flags = np.uint32(0)
                for position in range(p_start, p_end):
                    p_flags |= procedure_word[procedures[position] + 1]
                mask = diagnosis_mask
                main, main_start, main_end = 0, 0, 0
                if p_start < p_end:
                    main = procedures[p_start] + 1
                    mask |= procedure_key[main].mdc_mask
                    main_start, main_end = np.int64(procedure_key[main].start), np.int64(procedure_key[main].end)
                principal_start = np.int64(diagnosis_key[principal].start)
                principal_end = np.int64(diagnosis_key[principal].end)
                while mask != 0 and found < 0:
                    lowest = mask & (~mask + np.uint64(1))
                    mask ^= lowest
                    mdc = BIT_POSITION[(lowest * DE_BRUIJN) >> np.uint64(58)]
                    gate = mdcs[mdc]
                    is_open = (gate.sex == 0 or gate.sex == sex) and age_years <= gate.age_years_max
                    if is_open and gate.region_row >= 0:
                        regions = np.uint32(0)
                        for position in range(d_start, d_end):
                            regions |= scheme.regions[gate.region_row, diagnoses[position] + 1]
                        count = 0
                        while regions != 0:
                            regions &= regions - np.uint32(1)
                            count += 1
                        is_open = count >= gate.min_regions
                    if not is_open:
                        continue
                    rule, end = gate.rule_start, gate.rule_end
                    general, general_end = gate.general_start, gate.general_end
                    while rule < end and found < 0:
                        # The next rule of this MDC that some code, or no code, proposes.
                        proposed = NOTHING
                        while main_start < main_end and main_rules[main_start] < rule:
                            main_start += 1
                        if main_start < main_end:
                            proposed = main_rules[main_start]
                        while principal_start < principal_end and principal_rules[principal_start] < rule:
                            principal_start += 1
                        if principal_start < principal_end:
                            proposed = min(proposed, principal_rules[principal_start])
                        while general < general_end and general_rules[general] < rule:
                            general += 1
                        if general < general_end:
                            proposed = min(proposed, general_rules[general])
                        if p_flags & ANY_LIST_BIT != 0:
                            for position in range(p_start, p_end):
                                code = procedures[position] + 1
                                for entry in range(p_any_start[code], p_any_start[code + 1]):
                                    if p_any_rules[entry] >= rule:
                                        proposed = min(proposed, p_any_rules[entry])
                        if d_flags & ANY_LIST_BIT != 0:
                            for position in range(d_start, d_end):
                                code = diagnoses[position] + 1
                                for entry in range(d_any_start[code], d_any_start[code + 1]):
                                    if d_any_rules[entry] >= rule:
                                        proposed = min(proposed, d_any_rules[entry])
                        if proposed >= end:
                            break
                        # The rule, and then its DRGs: the same kind of row, so the same test.
                        row, last = np.int64(proposed), np.int64(proposed) + 1
                        in_rule = True
                        while row < last:
                            condition = conditions[row]
                            holds = (condition.severity_mask >> severity) & 1 != 0
                            kind = condition.diagnosis
                            if holds and kind != 0:
                                wanted = condition.diagnosis_list
                                if kind == 1:
                                    holds = _code_in_list(principal, wanted, d_list_start, d_lists)
                                elif kind == 4:
                                    holds = not _code_in_list(principal, wanted, d_list_start, d_lists)
                                else:
                                    first = d_start if kind == 2 else d_start + 1
                                    holds = _some_in_list(diagnoses, first, d_end, wanted, d_list_start, d_lists)
                            kind = condition.procedure
                            if holds and kind != 0:
                                wanted = condition.procedure_list
                                main_valid = procedure_word[main] & np.uint32(1) != 0
                                if kind & 1 != 0:
                                    holds = _code_in_list(main, wanted, p_list_start, p_lists)
                                if kind & 8 != 0:
                                    holds = holds and main_valid
                                if kind & 16 != 0:
                                    holds = holds and p_flags & np.uint32(1) != 0
                                if kind & 32 != 0:
                                    holds = holds and p_flags & np.uint32(1) == 0
                                if kind & 64 != 0:
                                    holds = holds and not main_valid
                                if holds and kind & 6 != 0:
                                    first = p_start if kind & 4 == 0 else p_start + 1
                                    holds = _some_in_list(procedures, first, p_end, wanted, p_list_start, p_lists)
                                if holds and kind & 128 != 0:
                                    holds = _formula_holds(
                                        procedures, p_start, p_end, wanted, condition.formula_start,
                                        condition.formula_end, scheme.formulas, p_list_start, p_lists,
                                    )  # fmt: skip
                            limited = condition.limited
                            if holds and limited != 0:
                                stay_days, icu_hours = columns.stay_days[record], columns.icu_hours[record]
                                c = condition
                                holds = (
                                    _within(limited, 0, True, age_years, c.age_years_low, c.age_years_high)
                                    and _within(limited, 1, age_days >= 0, age_days, c.age_days_low, c.age_days_high)
                                    and _within(limited, 2, weight_g > 0, weight_g, c.weight_g_low, c.weight_g_high)
                                    and _within(
                                        limited, 3, stay_days >= 0, stay_days, c.stay_days_low, c.stay_days_high
                                    )
                                    and _within(
                                        limited, 4, icu_hours >= 0, icu_hours, c.icu_hours_low, c.icu_hours_high
                                    )
                                    and _within(limited, 5, True, sex, c.sex, c.sex)
                                )
                                if holds and limited & 64 != 0:
                                    way = columns.discharge_way[record]
                                    holds = way >= 0 and way <= 9 and (condition.way_mask >> way) & 1 != 0
                                if holds and limited & 128 != 0:
                                    department, holds = columns.department[record], False
                                    for entry in range(condition.department_start, condition.department_end):
                                        holds |= scheme.departments[entry] == department
                            row += 1
                            if in_rule:
                                in_rule = False
                                if holds:
                                    row, last = np.int64(condition.drg_start), np.int64(condition.drg_end)
                            elif holds:
                                found = row - 1
                                row = last
                        rule = proposed + 1
                    # Some variants try every other procedure as the only one when nothing fits.
                attempt = attempt + 1 if found < 0 and retry != 0 and attempt + 1 < all_p_end else -1
                p_start, p_end = attempt, attempt + 1
        if found >= 0:
            condition = conditions[found]
            out[record].status = condition.status
            out[record].mdc = condition.mdc
            out[record].adrg = condition.adrg
            out[record].drg = condition.drg
        else:
            out[record].status = status
            out[record].mdc = -1
            out[record].adrg = -1
            out[record].drg = -1


@kernel
def translate_codes(offsets, codes, mapping, translated, unmappable):
    """Translates ids by the code map; notes records with a code that has no translation.

    ``mapping``: id + 1 to id, -1 unmappable, -2 dropped (only allowed where it is not the first code of a record).
    ``unmappable``: uint8 by record, set to 1 and never cleared.
    """
    for record in range(len(offsets) - 1):
        for position in range(offsets[record], offsets[record + 1]):
            target = mapping[codes[position] + 1]
            if target == -1 or (target == -2 and position == offsets[record]):
                unmappable[record] = 1
            translated[position] = target if target >= 0 else -1
