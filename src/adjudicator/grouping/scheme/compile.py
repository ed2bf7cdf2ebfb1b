"""Compiles a grouping scheme to arrays: dense code ids, ordered candidate lists by code, one row for each condition.

A record's codes are looked up once; after that everything is array indexing. Row 0 of every array by code stands for
the unknown code (id -1 + 1), which is in no list. The reader of the arrays is ``grouping.kernel``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from adjudicator.codes import GroupStatus
from adjudicator.grouping.layout import (
    CONDITION,
    DIAGNOSIS_KEY,
    INTERVALS,
    MDC,
    PROCEDURE_KEY,
    TABLE_SHIFT,
    DiagnosisFlag,
    DiagnosisTest,
    Limit,
    ProcedureFlag,
    ProcedureTest,
    SchemeArrays,
    SchemeOption,
)
from adjudicator.grouping.scheme.check import admits_all
from adjudicator.grouping.scheme.model import Condition, Drg, Interval, Mdc, Rule, SchemeModel

DIAGNOSIS = {"-": int(DiagnosisTest.NONE)} | {test.name.lower(): int(test) for test in DiagnosisTest if test}
PROCEDURE = {test.name.lower(): int(test) for test in ProcedureTest if test.name}
"""The words of the tables for what a condition asks, and their numbers in CONDITION."""
SEVERITY_MASK = {"any": 0b1111, "mcc": 0b1100, "mcc_or_cc": 0b1110, "cc": 0b1010}
"""Bit v is set where a record with severity bits v (1 CC, 2 MCC) is admitted."""


class SchemeTexts(NamedTuple):
    """Texts of a scheme, by id."""

    diagnosis_codes: tuple[str, ...]
    procedure_codes: tuple[str, ...]
    mdc_codes: tuple[str, ...]  # "MDCF"
    adrg_codes: tuple[str, ...]
    drg_codes: tuple[str, ...]
    departments: tuple[str, ...]
    mdc_names: tuple[str, ...]
    adrg_names: tuple[str, ...]
    drg_names: tuple[str, ...]
    rule_names: tuple[str, ...]  # "AH1" or "AH1/2" by rule


class _Ids:
    """Numbers texts in the order of their first use."""

    def __init__(self, texts: Iterable[str] = ()):
        self.ids: dict[str, int] = {}
        self.names: list[str] = []
        for text in texts:
            self(text)

    def __call__(self, text: str, name: str = "") -> int:
        if text not in self.ids:
            self.ids[text] = len(self.ids)
            self.names.append(name)
        return self.ids[text]


class _Streams:
    """Lists of small numbers by code: rules that a code proposes, lists that it is in."""

    def __init__(self, ids: dict[str, int]):
        self.ids = ids
        self.members: list[list[int]] = [[] for _ in range(len(ids) + 1)]

    def put(self, codes: Iterable[str], number: int) -> None:
        for code in codes:
            self.members[self.ids[code] + 1].append(number)

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Start (uint32, one more than codes) and the numbers, ascending and without duplicates for each code."""
        members = [sorted(set(numbers)) for numbers in self.members]
        starts = np.zeros(len(members) + 1, "u4")
        np.cumsum([len(numbers) for numbers in members], out=starts[1:])
        flat = [number for numbers in members for number in numbers]
        return starts, np.array(flat or [0], "i4")


class SchemeCompiler:
    """Compiles one model; see :func:`compile_scheme`."""

    def __init__(self, model: SchemeModel):
        self.model = model
        self.diagnoses = {code: number for number, code in enumerate(_vocabulary(model, "D"))}
        self.procedures = {code: number for number, code in enumerate(_vocabulary(model, "P"))}
        self.adrgs, self.drgs, self.departments = _Ids(), _Ids(), _Ids()
        self.formulas: list[int] = []
        self.department_rows: list[int] = []
        self.next_list = {"D": 0, "P": 0}
        self.lists = {"D": _Streams(self.diagnoses), "P": _Streams(self.procedures)}
        self.principal, self.any_diagnosis = _Streams(self.diagnoses), _Streams(self.diagnoses)
        self.main, self.any_procedure = _Streams(self.procedures), _Streams(self.procedures)
        self.general: list[list[int]] = [[] for _ in model.mdcs]

    def compile(self) -> tuple[SchemeArrays, SchemeTexts]:
        """Return the arrays and the texts."""
        rows, rule_names = self._rules()
        principal_start, principal_rules = self.principal.arrays()
        main_start, main_rules = self.main.arrays()
        mdcs, general_rules, regions = self._mdc_rows(rows[: len(rule_names)])
        arrays = SchemeArrays(
            rows, np.array(self.formulas or [0], "u4"), np.array(self.department_rows or [0], "i4"),
            mdcs, self._masks(), self._diagnosis_words(), self._diagnosis_keys(principal_start), self._gates(),
            principal_rules, *self.any_diagnosis.arrays(), *self.lists["D"].arrays(), regions, self._procedure_words(),
            self._procedure_keys(main_start), main_rules, *self.any_procedure.arrays(), *self.lists["P"].arrays(),
            general_rules, self._map("D", self.diagnoses), self._map("P", self.procedures),
        )  # fmt: skip
        letters = tuple(f"MDC{mdc.mdc}" for mdc in self.model.mdcs)
        texts = SchemeTexts(
            tuple(self.diagnoses), tuple(self.procedures), letters, tuple(self.adrgs.ids), tuple(self.drgs.ids),
            tuple(self.departments.ids), tuple(mdc.name for mdc in self.model.mdcs),
            tuple(self.adrgs.names), tuple(self.drgs.names), tuple(rule_names),
        )  # fmt: skip
        return arrays, texts

    def _rules(self) -> tuple[np.ndarray, list[str]]:
        """Rows of rules in order of evaluation, with the ambiguity check between the sections; then those of DRGs."""
        planned: list[tuple[int, Rule | None]] = []
        for position, mdc in enumerate(self.model.mdcs):
            sections = [[rule for rule in mdc.rules if rule.section == part] for part in ("surgical", "medical")]
            planned += [(position, rule) for rule in sections[0]]
            planned += [(position, None)] if mdc.ambiguity else []
            planned += [(position, rule) for rule in sections[1]]
        for mdc in self.model.mdcs:
            for named in mdc.rules:
                self.adrgs(named.adrg, named.name)
                for drg in named.drgs:
                    self.drgs(drg.drg, drg.name)
        rows = np.zeros(len(planned), CONDITION)
        names: list[str] = []
        groups: list[np.void] = []
        known: dict[int, tuple[int, int]] = {}
        for number, (position, rule) in enumerate(planned):
            mdc = self.model.mdcs[position]
            adrg = "QY" if rule is None else rule.adrg
            condition = Condition(procedure=frozenset([mdc.ambiguity])) if rule is None else rule.condition
            self._fill(rows[number], condition, known)
            self._propose(number, condition, position)
            row = rows[number]
            row["mdc"], row["adrg"], row["drg"], row["severity_mask"] = position, self.adrgs(adrg, "歧义病案"), -1, 15
            row["status"] = GroupStatus.AMBIGUOUS if rule is None else GroupStatus.GROUPED
            row["drg_start"] = len(planned) + len(groups)
            groups += self._drg_rows(mdc, rule, row, known)
            row["drg_end"] = len(planned) + len(groups)
            names.append(adrg if rule is None or not rule.rule else f"{adrg}/{rule.rule}")
        return np.concatenate([rows, np.array(groups, CONDITION)]) if groups else rows, names

    def _drg_rows(
        self, mdc: Mdc, rule: Rule | None, rule_row: np.void, known: dict[int, tuple[int, int]]
    ) -> list[np.void]:
        """Rows of a rule's DRGs; a last one without condition stands for the bare ADRG, or for an ambiguous record."""
        drgs: list[tuple[Drg | None, str, str]] = [(drg, drg.drg, drg.name) for drg in (rule.drgs if rule else [])]
        if rule is None:
            drgs.append((None, f"{mdc.mdc}QY", "歧义病案"))
        elif not rule.next_adrg_without_drg and not any(admits_all(drg) for drg in rule.drgs):
            drgs.append((None, rule.adrg, rule.name))
        rows = np.zeros(len(drgs), CONDITION)
        for row, (drg, text, name) in zip(rows, drgs, strict=True):
            self._fill(row, Condition() if drg is None else drg.condition, known)
            row["severity_mask"] = SEVERITY_MASK["any" if drg is None else drg.severity]
            for column in ("mdc", "adrg", "status"):
                row[column] = rule_row[column]
            row["drg"] = self.drgs(text, name)
        return list(rows)

    def _fill(self, row: np.void, condition: Condition, known: dict[int, tuple[int, int]]) -> None:
        row["diagnosis"] = DIAGNOSIS[condition.diagnosis]
        row["procedure"] = sum(PROCEDURE[atom] for atom in condition.procedure)
        if id(condition) not in known:
            known[id(condition)] = (self._number_lists("D", condition), self._number_lists("P", condition))
        row["diagnosis_list"], row["procedure_list"] = known[id(condition)]
        row["formula_start"] = len(self.formulas)
        self.formulas += [sum(1 << (number - 1) for number in conjunction) for conjunction in condition.formula]
        row["formula_end"] = len(self.formulas)
        limits = condition.limits
        limited = 0
        for bit, name in enumerate(INTERVALS):
            interval: Interval = getattr(limits, name)
            row[f"{name}_low"], row[f"{name}_high"] = interval
            limited |= interval.bounded << bit  # in the order of Limit
        limited |= Limit.SEX * bool(limits.sex) | Limit.DISCHARGE_WAY * bool(limits.discharge_ways)
        limited |= Limit.DEPARTMENT * bool(limits.departments)
        row["limited"], row["sex"] = limited, limits.sex
        row["way_mask"] = sum(1 << way for way in limits.discharge_ways)
        row["department_start"] = len(self.department_rows)
        self.department_rows += [self.departments(department) + 1 for department in sorted(limits.departments)]
        row["department_end"] = len(self.department_rows)

    def _number_lists(self, system: str, condition: Condition) -> int:
        """Give ids to the lists of a condition; return the id of list 1."""
        first = self.next_list[system]
        for number, codes in condition.codes[system].items():
            self.lists[system].put(codes, first + number - 1)
        self.next_list[system] += max([*condition.codes[system], *condition.list_numbers[system], 1])
        return first

    def _propose(self, number: int, condition: Condition, position: int) -> None:
        """Enters the rule where a code of the record will propose it: the narrowest list that must be touched."""
        codes = condition.codes
        if "main" in condition.procedure:
            self.main.put(codes["P"].get(1, ()), number)
        elif condition.diagnosis == "principal":
            self.principal.put(codes["D"].get(1, ()), number)
        elif condition.procedure & {"any", "other"}:
            self.any_procedure.put(codes["P"].get(1, ()), number)
        elif condition.formula:
            for conjunction in condition.formula:
                narrowest: set[str] = min((codes["P"].get(n, set()) for n in conjunction), key=len)
                self.any_procedure.put(narrowest, number)
        elif condition.diagnosis in ("any", "secondary"):
            self.any_diagnosis.put(codes["D"].get(1, ()), number)
        else:
            self.general[position].append(number)

    def _mdc_rows(self, rules: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rows = np.zeros(len(self.model.mdcs), MDC)
        flat: list[int] = []
        regions: list[np.ndarray] = []
        for position, mdc in enumerate(self.model.mdcs):
            row = rows[position]
            row["sex"], row["age_years_max"], row["min_regions"] = mdc.sex, mdc.age_years_max, mdc.min_regions
            row["rule_start"], row["rule_end"] = np.searchsorted(rules["mdc"], [position, position + 1])
            row["general_start"] = len(flat)
            flat += self.general[position]
            row["general_end"] = len(flat)
            row["region_row"] = -1
            if mdc.gate.endswith("regions"):
                row["region_row"] = len(regions)
                bits = {region: 1 << bit for bit, region in enumerate(sorted(set(mdc.codes.values())))}
                regions.append(np.zeros(len(self.diagnoses) + 1, "u4"))
                for code, region in mdc.codes.items():
                    regions[-1][self.diagnoses[code] + 1] = bits[region]
        return rows, np.array(flat or [0], "i4"), np.array(regions or [np.zeros(1, "u4")], "u4")

    def _masks(self) -> np.ndarray:
        always = sum(1 << i for i, mdc in enumerate(self.model.mdcs) if mdc.gate == "always")
        anyone = sum(1 << i for i, mdc in enumerate(self.model.mdcs) if mdc.gate.startswith("any_diagnosis"))
        return np.array(
            [always, anyone, self.model.options.retry_other_procedures * SchemeOption.RETRY_OTHER_PROCEDURES], "u8"
        )

    def _diagnosis_words(self) -> np.ndarray:
        words = np.zeros(len(self.diagnoses) + 1, "u4")
        tables = self._exclusion_tables()
        for bit, codes in ((DiagnosisFlag.MCC, self.model.mcc), (DiagnosisFlag.CC, self.model.cc)):
            for code, table in codes.items():
                words[self.diagnoses[code] + 1] |= int(bit) | tables[table] << TABLE_SHIFT
        starts, _ = self.any_diagnosis.arrays()
        words[np.diff(starts) > 0] |= int(DiagnosisFlag.ANY_LIST)
        words[self._gates() != 0] |= int(DiagnosisFlag.GATE)
        return words

    def _exclusion_tables(self) -> dict[str, int]:
        names = {*self.model.mcc.values(), *self.model.cc.values(), *self.model.exclusion.values()}
        return {name: number for number, name in enumerate(sorted(names), 1)}

    def _diagnosis_keys(self, starts: np.ndarray) -> np.ndarray:
        keys = np.zeros(len(self.diagnoses) + 1, DIAGNOSIS_KEY)
        keys["start"], keys["end"] = starts[:-1], starts[1:]
        for position, mdc in enumerate(self.model.mdcs):
            if mdc.gate.startswith("principal"):
                for code in mdc.codes:
                    keys["mdc_mask"][self.diagnoses[code] + 1] |= np.uint64(1 << position)
        tables = self._exclusion_tables()
        for code, table in self.model.exclusion.items():
            keys["table"][self.diagnoses[code] + 1] = tables[table]
        return keys

    def _gates(self) -> np.ndarray:
        gates = np.zeros(len(self.diagnoses) + 1, "u8")
        for position, mdc in enumerate(self.model.mdcs):
            if mdc.gate.startswith("any_diagnosis"):
                for code in mdc.codes:
                    gates[self.diagnoses[code] + 1] |= np.uint64(1 << position)
        return gates

    def _procedure_words(self) -> np.ndarray:
        words = np.zeros(len(self.procedures) + 1, "u4")
        for code in self.model.valid_procedures:
            words[self.procedures[code] + 1] |= int(ProcedureFlag.VALID)
        starts, _ = self.any_procedure.arrays()
        words[np.diff(starts) > 0] |= int(ProcedureFlag.ANY_LIST)
        return words

    def _procedure_keys(self, starts: np.ndarray) -> np.ndarray:
        keys = np.zeros(len(self.procedures) + 1, PROCEDURE_KEY)
        keys["start"], keys["end"] = starts[:-1], starts[1:]
        for position, mdc in enumerate(self.model.mdcs):
            if mdc.gate == "main_procedure_valid":
                for code in self.model.valid_procedures | mdc.procedures:
                    keys["mdc_mask"][self.procedures[code] + 1] |= np.uint64(1 << position)
        return keys

    def _map(self, system: str, ids: dict[str, int]) -> np.ndarray:
        """Id after translation from the clinical edition (国临版); a known code without a row keeps its id."""
        mapped = np.full(len(ids) + 1, -1, "i4")
        moves = self.model.code_map[system]
        mapped[1:] = [ids[moves.get(code, code)] if moves.get(code) != "-" else -2 for code in ids]
        return mapped


def _vocabulary(model: SchemeModel, system: str) -> list[str]:
    conditions = [rule.condition for rule in model.rules]
    conditions += [drg.condition for rule in model.rules for drg in rule.drgs]
    codes = {code for condition in conditions for listed in condition.codes[system].values() for code in listed}
    if system == "D":
        codes.update(*(mdc.codes for mdc in model.mdcs), model.mcc, model.cc, model.exclusion)
    else:
        codes.update(model.valid_procedures, *(mdc.procedures for mdc in model.mdcs))
    codes.update(model.code_map[system], model.code_map[system].values(), model.names.get(system, ()))
    return sorted(codes - {"-"})


def compile_scheme(model: SchemeModel) -> tuple[SchemeArrays, SchemeTexts]:
    """Arrays for the kernel and texts by id. The model must be free of faults."""
    return SchemeCompiler(model).compile()
