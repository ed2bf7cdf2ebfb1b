"""Why a record has its group: a second pass in plain Python over the same arrays, on demand.

It names the gates that were tried, the rule that fitted, the complications and which of them the exclusion tables
struck out, and what the group rests on: each code without which the record would fall elsewhere, and where. Its answer
is compared with the kernel's; a difference is a fault of this program and raises ``AssertionError``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from adjudicator.codes import GroupStatus
from adjudicator.columns import GROUP
from adjudicator.grouping.group import STATUS_TEXTS, describe, group, invalid_reason, translated
from adjudicator.grouping.layout import INTERVALS, TABLE_SHIFT, DiagnosisFlag, GroupColumns, ProcedureFlag
from adjudicator.grouping.scheme.compile import DIAGNOSIS, PROCEDURE
from adjudicator.grouping.scheme.load import Scheme

LIMIT_TEXTS = {
    "age_years": "age in years", "age_days": "age in days", "weight_g": "birth weight in g",
    "stay_days": "days of stay", "icu_hours": "hours in intensive care",
}  # fmt: skip
MATCH_TEXTS = {number: name for name, number in DIAGNOSIS.items()}


class Person(NamedTuple):
    """The numbers of one record, as in ``GroupColumns``."""

    sex: int
    age_years: int
    age_days: int
    weight_g: int
    stay_days: int
    icu_hours: int
    discharge_way: int
    department: int


@dataclass(frozen=True)
class Rest:
    """One code that the group rests on: without it the record would be ``instead``."""

    system: str
    position: int
    code: str
    instead: str


def trace_records(
    scheme: Scheme, columns: GroupColumns, groups: np.ndarray, translate: bool = False
) -> list[list[str]]:
    """Trace lines of every record; ``groups`` is what ``grouping.group.group`` answered for these columns."""
    if translate:
        columns = translated(scheme, columns)
    rests = rests_on(scheme, columns, groups)
    return [_Tracer(scheme, columns, row).lines(groups[row], rests[row]) for row in range(columns.count)]


def rests_on(scheme: Scheme, columns: GroupColumns, groups: np.ndarray) -> list[list[Rest]]:
    """For every record the codes without which it would fall into another group.

    Each distinct code is taken out wherever it stands; a code that the scheme does not know only at its own place. All
    variants of all records are grouped in one run.
    """
    cases: list[tuple[int, str, int]] = []
    numbers: list[int] = []
    lists: dict[str, list[np.ndarray]] = {"D": [], "P": []}
    for row in range(columns.count):
        codes = {
            "D": columns.diagnoses[columns.diagnosis_offsets[row] : columns.diagnosis_offsets[row + 1]],
            "P": columns.procedures[columns.procedure_offsets[row] : columns.procedure_offsets[row + 1]],
        }
        for system, ids in codes.items():
            other = "P" if system == "D" else "D"
            for position, code in enumerate(ids.tolist()):
                if code >= 0 and code in ids[:position]:
                    continue
                cases.append((row, system, position))
                numbers.append(row)
                lists[system].append(ids[ids != code] if code >= 0 else np.delete(ids, position))
                lists[other].append(codes[other])
    result: list[list[Rest]] = [[] for _ in range(columns.count)]
    if not cases:
        return result
    variants = _variants(columns, np.array(numbers), lists)
    out = np.zeros(len(cases), GROUP)
    group(scheme, variants, out)
    for (row, system, position), answer in zip(cases, out, strict=True):
        if (answer["status"], answer["drg"]) != (groups[row]["status"], groups[row]["drg"]):
            code = code_text(scheme, columns, row, system, position)
            result[row].append(Rest(system, position, code, answer_text(scheme, answer)))
    return result


def _variants(columns: GroupColumns, rows: np.ndarray, lists: dict[str, list[np.ndarray]]) -> GroupColumns:
    taken = {name: getattr(columns, name)[rows] for name in GroupColumns._fields[:8]}
    offsets = {
        system: np.concatenate(([0], np.cumsum([len(ids) for ids in entries]))).astype("i8")
        for system, entries in lists.items()
    }
    return GroupColumns(
        **taken, diagnosis_offsets=offsets["D"], diagnoses=np.concatenate(lists["D"]).astype("i4"),
        procedure_offsets=offsets["P"], procedures=np.concatenate(lists["P"]).astype("i4"),
    )  # fmt: skip


def answer_text(scheme: Scheme, answer: np.void) -> str:
    """Return a group in one word: the DRG, or the status where there is none."""
    return describe(scheme, answer)[2] if answer["drg"] >= 0 else STATUS_TEXTS[GroupStatus(answer["status"])]


def code_text(scheme: Scheme, columns: GroupColumns, row: int, system: str, position: int) -> str:
    """Return a code of a record; one that the scheme does not know has no text here."""
    texts, ids, offsets = {
        "D": (scheme.texts.diagnosis_codes, columns.diagnoses, columns.diagnosis_offsets),
        "P": (scheme.texts.procedure_codes, columns.procedures, columns.procedure_offsets),
    }[system]
    code = int(ids[offsets[row] + position])
    return texts[code] if code >= 0 else "unknown code"


class _Tracer:
    """Walks the rules for one record."""

    def __init__(self, scheme: Scheme, columns: GroupColumns, row: int):
        self.scheme, self.arrays, self.texts = scheme, scheme.arrays, scheme.texts
        self.columns, self.row = columns, row
        self.diagnoses = columns.diagnoses[columns.diagnosis_offsets[row] : columns.diagnosis_offsets[row + 1]].tolist()
        self.procedures = columns.procedures[
            columns.procedure_offsets[row] : columns.procedure_offsets[row + 1]
        ].tolist()
        self.person = Person(
            *(int(getattr(columns, name)[row]) for name in ("sex", "age_years", "age_days", "birth_weight_g",
            "stay_days", "icu_hours", "discharge_way", "department")),
        )  # fmt: skip
        self.found: list[str] = []

    def lines(self, answer: np.void, rests: list[Rest]) -> list[str]:
        """Return the whole trace."""
        if answer["status"] == GroupStatus.UNMAPPABLE:
            return ["a code has no translation in the code map"]
        if answer["status"] == GroupStatus.INVALID:
            return [f"invalid: {invalid_reason(self.columns, self.row)}"]
        decided = self._walk(self.procedures)
        if decided < 0 and self.arrays.always_mask[2]:
            for position, code in enumerate(self.procedures[1:], 1):
                if decided < 0:
                    self.found.append(f"nothing fits; procedure {position + 1} alone ({self._procedure(code)}):")
                    decided = self._walk([code])
        drg = -1 if decided < 0 else int(self.arrays.conditions[decided]["drg"])
        assert drg == answer["drg"], f"the trace leads to DRG {drg}, the kernel to {answer['drg']}"
        mdc, adrg, text = describe(self.scheme, answer)
        name = self.texts.drg_names[drg] if drg >= 0 else ""
        self.found.append(f"{STATUS_TEXTS[GroupStatus(answer['status'])]}: {mdc} {adrg} {text} {name}".rstrip())
        for rest in rests:
            kind = {("D", 0): "principal diagnosis", ("P", 0): "main procedure"}.get((rest.system, rest.position))
            kind = kind or ("diagnosis" if rest.system == "D" else "procedure") + f" {rest.position + 1}"
            self.found.append(f"rests on {kind} {rest.code}: without it {rest.instead}")
        return self.found

    def _diagnosis(self, code: int) -> str:
        return self.texts.diagnosis_codes[code] if code >= 0 else "an unknown code"

    def _procedure(self, code: int) -> str:
        return self.texts.procedure_codes[code] if code >= 0 else "an unknown code"

    def _is_valid(self, code: int) -> bool:
        return bool(self.arrays.procedure_word[code + 1] & ProcedureFlag.VALID)

    def _walk(self, procedures: list[int]) -> int:
        """Row of the DRG that decides, -1 none."""
        for mdc in range(len(self.arrays.mdcs)):
            gate, reason = self._gate(mdc, procedures)
            if reason:
                title = f"{self.texts.mdc_codes[mdc]} {self.texts.mdc_names[mdc]}".rstrip()
                self.found.append(f"{title}: {'opens' if gate else 'closed'}, {reason}")
            if gate:
                decided = self._rules(mdc, procedures)
                if decided >= 0:
                    return decided
                self.found.append(f"{self.texts.mdc_codes[mdc]}: no rule fits")
        return -1

    def _gate(self, mdc: int, procedures: list[int]) -> tuple[bool, str]:
        """Whether the gate opens, and why (or why not, where only sex, age or regions close it)."""
        arrays, person, gate = self.arrays, self.person, self.arrays.mdcs[mdc]
        bit = np.uint64(1 << mdc)
        reason = ""
        if arrays.always_mask[0] & bit:
            reason = "always"
        elif arrays.diagnosis_key[self.diagnoses[0] + 1]["mdc_mask"] & bit:
            reason = f"principal diagnosis {self._diagnosis(self.diagnoses[0])}"
        elif procedures and arrays.procedure_key[procedures[0] + 1]["mdc_mask"] & bit:
            reason = f"main procedure {self._procedure(procedures[0])} counts as an operation"
        else:
            opening = [code for code in self.diagnoses if arrays.diagnosis_gate[code + 1] & bit]
            if opening:
                reason = f"diagnosis {self._diagnosis(opening[0])}"
        if not reason:
            return False, ""
        if gate["sex"] not in (0, person.sex):
            return False, f"{reason}, but of the other sex"
        if person.age_years > gate["age_years_max"]:
            return False, f"{reason}, but older than {gate['age_years_max']} years"
        if gate["region_row"] >= 0:
            regions = np.bitwise_or.reduce(arrays.regions[gate["region_row"]][np.array(self.diagnoses) + 1])
            count = int(regions).bit_count()
            reason = f"{reason}, {count} regions touched, {gate['min_regions']} needed"
            return count >= gate["min_regions"], reason
        return True, reason

    def _rules(self, mdc: int, procedures: list[int]) -> int:
        gate = self.arrays.mdcs[mdc]
        for rule in range(gate["rule_start"], gate["rule_end"]):
            row = self.arrays.conditions[rule]
            reasons = self._reasons(row, procedures)
            if reasons is None:
                continue
            name = self.texts.rule_names[rule]
            self.found.append(f"{name} {self.texts.adrg_names[row['adrg']]}".rstrip() + f": fits, {_joined(reasons)}")
            decided = self._drg(row, procedures)
            if decided >= 0:
                return decided
            self.found.append(f"{name}: no DRG fits, the next rule is tried")
        return -1

    def _drg(self, rule: np.void, procedures: list[int]) -> int:
        conditions = self.arrays.conditions
        rows = range(rule["drg_start"], rule["drg_end"])
        severity = 0
        if any(conditions[row]["severity_mask"] != 15 for row in rows):
            severity = self._severity()
        for row in rows:
            condition = conditions[row]
            if condition["severity_mask"] >> severity & 1:
                reasons = self._reasons(condition, procedures)
                if reasons is not None:
                    level = {15: "", 12: "MCC", 14: "MCC or CC", 10: "CC"}[int(condition["severity_mask"])]
                    reasons = [level, *reasons] if level else reasons
                    self.found.append(f"{self.texts.drg_codes[condition['drg']]}: {_joined(reasons)}")
                    return row
        return -1

    def _severity(self) -> int:
        """Bits 1 CC, 2 MCC; names every complication, also those that were struck out."""
        words = self.arrays.diagnosis_word
        table = int(self.arrays.diagnosis_key[self.diagnoses[0] + 1]["table"])
        severity = 0
        for position, code in enumerate(self.diagnoses[1:], 2):
            word = int(words[code + 1])
            if not word & (DiagnosisFlag.MCC | DiagnosisFlag.CC):
                continue
            kind = "MCC" if word & DiagnosisFlag.MCC else "CC"
            text = f"diagnosis {position} {self._diagnosis(code)}: {kind}"
            if table and word >> TABLE_SHIFT == table:
                self.found.append(f"{text}, struck out: same exclusion table as the principal diagnosis")
            else:
                self.found.append(text)
                severity |= (2 if word & DiagnosisFlag.MCC else 0) | (1 if word & DiagnosisFlag.CC else 0)
        return severity

    def _reasons(self, row: np.void, procedures: list[int]) -> list[str] | None:
        """Why a condition holds, None where it does not."""
        parts = (self._diagnosis_reason(row), self._procedure_reasons(row, procedures), self._limit_reasons(row))
        if any(part is None for part in parts):
            return None
        return [reason for part in parts for reason in part]  # type: ignore[union-attr]

    def _diagnosis_reason(self, row: np.void) -> list[str] | None:
        match = MATCH_TEXTS[int(row["diagnosis"])]
        if match == "-":
            return []
        wanted = row["diagnosis_list"]
        inside = [code for code in self.diagnoses if self._in_list("diagnosis", code, wanted)]
        principal = self.diagnoses[0]
        if match == "not_principal":
            return None if principal in inside else ["principal diagnosis not in the list"]
        if match == "principal":
            return [f"principal diagnosis {self._diagnosis(principal)}"] if principal in inside else None
        if match == "secondary":
            inside = [code for code in self.diagnoses[1:] if self._in_list("diagnosis", code, wanted)]
        return [f"diagnosis {self._diagnosis(inside[0])}"] if inside else None

    def _procedure_reasons(self, row: np.void, procedures: list[int]) -> list[str] | None:
        kind, wanted = int(row["procedure"]), row["procedure_list"]
        main_valid = bool(procedures) and self._is_valid(procedures[0])
        some_valid = [code for code in procedures if self._is_valid(code)]
        inside = [self._in_list("procedure", code, wanted) for code in procedures]
        checks = {
            "main": (bool(inside) and inside[0], "main procedure {0}"),
            "any": (any(inside), "a procedure of the list"),
            "other": (any(inside[1:]), "a further procedure of the list"),
            "main_valid": (main_valid, "main procedure {0} counts as an operation"),
            "any_valid": (bool(some_valid), "a procedure counts as an operation"),
            "none_valid": (not some_valid, "no procedure counts as an operation"),
            "main_not_valid": (not main_valid, "the main procedure is no operation"),
            "combo": (kind & PROCEDURE["combo"] and self._formula(row, procedures), "the combination of procedures"),
        }
        reasons = []
        for name, bit in PROCEDURE.items():
            if kind & bit:
                holds, text = checks[name]
                if not holds:
                    return None
                reasons.append(text.format(self._procedure(procedures[0]) if procedures else ""))
        return reasons

    def _formula(self, row: np.void, procedures: list[int]) -> bool:
        first = int(row["procedure_list"])
        touched = 0
        for code in procedures:
            touched |= sum(1 << number - first for number in self._lists("procedure", code) if 0 <= number - first < 31)
        masks = self.arrays.formulas[row["formula_start"] : row["formula_end"]]
        return any(int(mask) & ~touched == 0 for mask in masks)

    def _limit_reasons(self, row: np.void) -> list[str] | None:
        limited, person = int(row["limited"]), self.person
        reasons = []
        known = {"age_years": 0, "age_days": 0, "weight_g": 1, "stay_days": 0, "icu_hours": 0}
        for bit, name in enumerate(INTERVALS):
            if limited >> bit & 1:
                value = getattr(person, name)
                if value < known[name] or not row[f"{name}_low"] <= value <= row[f"{name}_high"]:
                    return None
                reasons.append(LIMIT_TEXTS[name])
        if limited & 32 and row["sex"] != person.sex:
            return None
        if limited & 64:
            if not 0 <= person.discharge_way <= 9 or not row["way_mask"] >> person.discharge_way & 1:
                return None
            reasons.append("way of discharge")
        if limited & 128:
            if person.department not in self.arrays.departments[row["department_start"] : row["department_end"]]:
                return None
            reasons.append("department")
        return reasons

    def _lists(self, system: str, code: int) -> list[int]:
        starts = getattr(self.arrays, f"{system}_list_start")
        numbers: list[int] = getattr(self.arrays, f"{system}_lists")[starts[code + 1] : starts[code + 2]].tolist()
        return numbers

    def _in_list(self, system: str, code: int, wanted: int) -> bool:
        return int(wanted) in self._lists(system, code)


def _joined(reasons: list[str]) -> str:
    return ", ".join(reasons) or "without condition"
