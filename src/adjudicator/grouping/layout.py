"""What the grouping kernel reads: a compiled scheme and records in columns, with the bits that the two share.

``grouping.scheme.compile`` writes the arrays of a scheme, ``grouping.kernel`` reads them. Row 0 of every array by code
is that of an unknown code (id -1 + 1), which is in no list.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import NamedTuple

import numpy as np


class DiagnosisTest(IntEnum):
    """What a condition asks of the diagnoses and its list."""

    NONE = 0
    PRINCIPAL = 1
    ANY = 2
    SECONDARY = 3
    NOT_PRINCIPAL = 4


class ProcedureTest(IntFlag):
    """What a condition asks of the procedures and its list; all bits that are set must hold."""

    MAIN = 1
    ANY = 2
    OTHER = 4
    MAIN_VALID = 8
    ANY_VALID = 16
    NONE_VALID = 32
    MAIN_NOT_VALID = 64
    COMBO = 128


class Limit(IntFlag):
    """Which limits a condition has."""

    AGE_YEARS = 1
    AGE_DAYS = 2
    WEIGHT_G = 4
    STAY_DAYS = 8
    ICU_HOURS = 16
    SEX = 32
    DISCHARGE_WAY = 64
    DEPARTMENT = 128


INTERVALS = ("age_years", "age_days", "weight_g", "stay_days", "icu_hours")
"""Limits that are an interval: columns ``…_low`` and ``…_high`` of a condition."""

CONDITION = np.dtype(
    [
        ("diagnosis", "i4"), ("procedure", "i4"),  # DiagnosisTest, bits of ProcedureTest
        ("diagnosis_list", "i4"), ("procedure_list", "i4"),  # id of list 1; list n is n - 1 further on
        ("formula_start", "i4"), ("formula_end", "i4"),  # conjunctions, as bit sets of list numbers
        ("severity_mask", "i4"),
        ("limited", "i4"),  # bits of Limit
        *((f"{limit}_{end}", "i4") for limit in INTERVALS for end in ("low", "high")),
        ("sex", "i4"), ("way_mask", "i4"), ("department_start", "i4"), ("department_end", "i4"),
        ("drg_start", "i4"), ("drg_end", "i4"),  # conditions of the rule's DRGs, in order
        ("mdc", "i4"), ("adrg", "i4"), ("drg", "i4"), ("status", "i4"),
    ],
    align=True,
)  # fmt: skip
"""One rule or one DRG: all of it must hold."""

MDC = np.dtype(
    [
        ("sex", "i4"), ("age_years_max", "i4"), ("min_regions", "i4"), ("region_row", "i4"),
        ("rule_start", "i4"), ("rule_end", "i4"), ("general_start", "i4"), ("general_end", "i4"),
    ],
    align=True,
)  # fmt: skip

DIAGNOSIS_KEY = np.dtype([("mdc_mask", "u8"), ("start", "u4"), ("end", "u4"), ("table", "u4")], align=True)
PROCEDURE_KEY = np.dtype([("mdc_mask", "u8"), ("start", "u4"), ("end", "u4")], align=True)


class DiagnosisFlag(IntFlag):
    """Low bits of ``SchemeArrays.diagnosis_word``; the exclusion table is in the bits from ``TABLE_SHIFT`` up."""

    MCC = 1
    CC = 2
    ANY_LIST = 4
    GATE = 8


TABLE_SHIFT = 8


class ProcedureFlag(IntFlag):
    """Bits of ``SchemeArrays.procedure_word``; ``ANY_LIST`` is the bit that diagnoses have for the same."""

    VALID = 1
    ANY_LIST = 4


class SchemeOption(IntFlag):
    """Bits of the third word of ``SchemeArrays.always_mask``."""

    RETRY_OTHER_PROCEDURES = 1


class SchemeArrays(NamedTuple):
    """A compiled scheme, as the grouping kernel reads it."""

    conditions: np.ndarray  # CONDITION: rules in order of evaluation, then DRGs
    formulas: np.ndarray  # uint32: a conjunction as bits of list numbers (bit 0 is list 1)
    departments: np.ndarray  # int32 department ids
    mdcs: np.ndarray  # MDC in order of evaluation
    always_mask: np.ndarray  # uint64[3]: MDCs that always open, that any_diagnosis may open, options (bit 0 retry)
    diagnosis_word: np.ndarray  # uint32 by code: MCC, CC, any-list and gate bits, exclusion table << 8
    diagnosis_key: np.ndarray  # DIAGNOSIS_KEY by code, as principal diagnosis
    diagnosis_gate: np.ndarray  # uint64 by code: MDCs that any diagnosis opens
    principal_rules: np.ndarray  # int32 rules, in order, that read the principal diagnosis
    diagnosis_any_start: np.ndarray  # uint32 by code, ranges of diagnosis_any_rules
    diagnosis_any_rules: np.ndarray
    diagnosis_list_start: np.ndarray  # uint32 by code, ranges of diagnosis_lists
    diagnosis_lists: np.ndarray
    regions: np.ndarray  # uint32[MDCs with regions, codes]: one bit of a region
    procedure_word: np.ndarray  # uint32 by code: valid and any-list bits
    procedure_key: np.ndarray  # PROCEDURE_KEY by code, as main procedure
    main_rules: np.ndarray
    procedure_any_start: np.ndarray
    procedure_any_rules: np.ndarray
    procedure_list_start: np.ndarray
    procedure_lists: np.ndarray
    general_rules: np.ndarray  # rules that no code list can propose
    diagnosis_map: np.ndarray  # int32 by code: id after the code map, -1 unmappable, -2 dropped
    procedure_map: np.ndarray


class GroupColumns(NamedTuple):
    """Records in columns; code lists as ranges of flat id arrays, the first code is the principal one.

    int32 each; unknown: ``age_years`` -1, ``age_days`` -1, ``birth_weight_g`` 0, ``stay_days`` -1, ``icu_hours`` -1,
    ``department`` 0, code ids -1. Offsets are int64 and have one entry more than there are records.
    """

    sex: np.ndarray
    age_years: np.ndarray
    age_days: np.ndarray
    birth_weight_g: np.ndarray
    department: np.ndarray
    stay_days: np.ndarray
    discharge_way: np.ndarray
    icu_hours: np.ndarray
    diagnosis_offsets: np.ndarray
    diagnoses: np.ndarray
    procedure_offsets: np.ndarray
    procedures: np.ndarray

    @property
    def count(self) -> int:  # type: ignore[override]  # records, not how often a value occurs
        """Number of records."""
        return len(self.sex)
