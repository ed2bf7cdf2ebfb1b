"""Grouping and coding checks (病案审核) inside settlement.

Each inpatient claim is grouped by the scheme that its pack names for the day of discharge. What its codes contradict is
a warning of the answer; such a finding never changes a group, and refuses a claim only where the pack gives the check
the severity ``refuse``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from adjudicator.claim.incoming import Incoming
from adjudicator.claim.lookup import INPATIENT_KINDS
from adjudicator.claim.near_codes import FIELDS, NearCodes
from adjudicator.codes import CareKind, GroupStatus
from adjudicator.columns import GROUP
from adjudicator.compiled.jit import uncounted_inlined, uncounted_kernel
from adjudicator.errors import E, Problem
from adjudicator.grouping import coding
from adjudicator.grouping.coding_checks import CheckSeverity
from adjudicator.grouping.group import department_table, diagnosis_table, invalid_reason, procedure_table
from adjudicator.grouping.kernel import group_records
from adjudicator.grouping.layout import GroupColumns
from adjudicator.rules.bundle import Bundle
from adjudicator.wire.codetable import CodeTable, find_code

_IS_INPATIENT = np.array([kind in INPATIENT_KINDS for kind in CareKind], np.bool_)
_U64 = np.uint64
_NUMBERS = (
    "sex", "age_years", "age_days", "birth_weight_g", "department", "stay_days", "discharge_way", "icu_hours",
)  # fmt: skip
"""The columns of a record that are numbers, in the order of ``GroupColumns``."""

REASONS_ZH = {
    "sex is neither 1 nor 2": "性别不是 1 或 2",
    "age_years is missing": "缺少年龄 age_years",
    "no diagnosis": "没有诊断",
    "age_years is 0 and age_days is missing": "不满一岁而缺少日龄 age_days",
    "a newborn of at most 28 days without birth_weight_g": "出生 28 天内的新生儿缺少出生体重 birth_weight_g",
}
"""What ``grouping.group.invalid_reason`` says, in Chinese."""

SCHEME_SPAN = np.dtype([("pack", "i8"), ("from_date", "i8"), ("to_date", "i8"), ("scheme", "i8")])
"""The scheme of the bundle that groups the claims of a pack on the days from and to (YYYYMMDD)."""


class Grouped(NamedTuple):
    """Groups of the claims of a batch, and what the coding checks found."""

    groups: np.ndarray
    """GROUP[n]"""
    scheme: np.ndarray
    """int64[n]: scheme of the bundle that grouped the claim, -1 not grouped."""
    codes: GroupColumns | None
    """The code columns of all claims, None where no rule asks for codes. The ids are those of each claim's own scheme
    (of the bundle's first one where a claim has none)."""
    warnings: dict[int, list[Problem]]
    """By row of the batch."""


class WireCodes(NamedTuple):
    """The claims of a batch as decoded, as far as a record is made of them."""

    heap: np.ndarray
    claims: np.ndarray
    diagnoses: np.ndarray
    procedures: np.ndarray


class SchemeCodes(NamedTuple):
    """``CodeTable.arrays`` of the codes that a scheme knows."""

    diagnoses: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
    procedures: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
    departments: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


class RecordColumns(NamedTuple):
    """Where the records go; ``GroupColumns`` is made of views of these."""

    numbers: np.ndarray  # int32[8, n] as _NUMBERS
    offsets: np.ndarray  # int64[2, n + 1] of diagnoses and of procedures
    diagnoses: np.ndarray  # int32 ids
    procedures: np.ndarray


@uncounted_kernel
def choose_schemes(claims: np.ndarray, spans: np.ndarray, out: np.ndarray) -> int:
    """Write to ``out`` int64[n] the scheme that groups each claim, -1 none; return how many claims have one.

    Inpatient-like claims without an error are grouped; the discharge date decides, in mid-stay the settlement date.
    """
    count = 0
    for index in range(claims.shape[0]):
        row = _U64(index)
        claim = claims[row]
        scheme = -1
        if claim.error == 0 and _IS_INPATIENT[claim.care_kind]:
            date = claim.discharge_date if claim.discharge_date > 0 else claim.settlement_date
            for place in range(spans.shape[0]):
                span = spans[_U64(place)]
                if span.pack == claim.pack and span.from_date <= date and date <= span.to_date:
                    scheme = span.scheme
        out[row] = scheme
        count += 1 if scheme >= 0 else 0
    return count


@uncounted_inlined
def _find_ids(
    heap: np.ndarray, texts: np.ndarray, table: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray], out: np.ndarray
) -> int:
    """Write the id of each code to ``out`` int32[n], -1 unknown; return how many codes there are."""
    for index in range(out.shape[0]):
        text = texts[_U64(index)]
        out[_U64(index)] = find_code(heap, text.start, text.size, table[0], table[1], table[2], table[3])
    return int(out.shape[0])


@uncounted_kernel
def fill_records(wire: WireCodes, claims: np.ndarray, codes: SchemeCodes, out: RecordColumns) -> None:
    """Write the records of a batch, with the code ids of one scheme (-1 unknown; department 0: any other)."""
    count = claims.shape[0]
    for index in range(count):
        row = _U64(index)
        claim, came = claims[row], wire.claims[row]
        out.numbers[0, row] = claim.sex
        out.numbers[1, row] = claim.age_years
        out.numbers[2, row] = claim.age_days
        out.numbers[3, row] = claim.birth_weight_g
        out.numbers[4, row] = 1 + find_code(
            wire.heap, came.department_start, came.department_size,
            codes.departments[0], codes.departments[1], codes.departments[2], codes.departments[3],
        )  # fmt: skip
        out.numbers[5, row] = claim.stay_days
        out.numbers[6, row] = claim.discharge_way
        out.numbers[7, row] = claim.icu_hours
        # Rows of one claim follow those of the claim before, so the starts and the last end are the offsets.
        out.offsets[0, row] = came.diagnoses_start
        out.offsets[1, row] = came.procedures_start
        if index == count - 1:
            out.offsets[0, row + _U64(1)] = came.diagnoses_end
            out.offsets[1, row + _U64(1)] = came.procedures_end
    _find_ids(wire.heap, wire.diagnoses, codes.diagnoses, out.diagnoses)
    _find_ids(wire.heap, wire.procedures, codes.procedures, out.procedures)


class ClaimGrouper:
    """Groups and checks the claims of a bundle; its tables are made once."""

    def __init__(self, bundle: Bundle):
        self.bundle = bundle
        self._spans = scheme_spans(bundle)
        tables = (diagnosis_table, procedure_table, department_table)
        self._codes = [SchemeCodes(*(table(scheme).arrays for table in tables)) for scheme in bundle.schemes]
        self._near = [NearCodes(scheme) for scheme in bundle.schemes]
        self._codes = self._codes or [SchemeCodes(*3 * (CodeTable(()).arrays,))]

    def group(self, incoming: Incoming, claims: np.ndarray) -> Grouped:
        """Group the inpatient claims of a batch (CLAIM[n]) and run the coding checks over those that are grouped.

        Where the pack refuses what a check finds, ``claims["error"]`` is set. A record that cannot be grouped for want
        of a sex, an age or a birth weight gets a warning as well.
        """
        count = claims.shape[0]
        groups, schemes = np.zeros(count, GROUP), np.empty(count, np.int64)
        grouped = Grouped(groups, schemes, None, {})
        if not choose_schemes(claims, self._spans, schemes):
            needed = self.bundle.payment.needs_codes
            return grouped._replace(codes=self._records(0, incoming, claims)) if needed else grouped
        result = None
        for number, scheme in enumerate(self.bundle.schemes):
            rows = schemes == number
            if not rows.any():
                continue
            columns = self._records(number, incoming, claims)
            of_scheme = np.zeros(count, GROUP)
            group_records(scheme.arrays, columns, of_scheme)
            groups[rows] = of_scheme[rows]
            self._note_unknown(grouped, incoming, number, columns)
            result = columns if result is None else _merge(result, columns, rows)
        grouped = grouped._replace(codes=result)
        if self.bundle.coding is not None and result is not None:
            tables, has_group = incoming.decoded.tables, schemes >= 0
            texts = coding.texts_of_wire(incoming.heap, tables["diagnoses"], tables["procedures"])
            for number in set(claims["pack"][has_group].tolist()):
                failed = coding.check(self.bundle.coding.by_pack[number], result, texts)
                if failed.size:
                    of_pack = has_group[failed["record"]] & (claims["pack"][failed["record"]] == number)
                    self._note(grouped, claims, number, failed[of_pack], texts)
        invalid = np.flatnonzero(groups["status"] == GroupStatus.INVALID)
        if invalid.size:
            _note_invalid(grouped, invalid)
        return grouped

    def _records(self, scheme: int, incoming: Incoming, claims: np.ndarray) -> GroupColumns:
        """Return the records of a batch in the grouper's columns, with the code ids of a scheme."""
        count, tables = claims.shape[0], incoming.decoded.tables
        diagnoses, procedures = tables["diagnoses"], tables["procedures"]
        out = RecordColumns(
            np.empty((len(_NUMBERS), count), np.int32), np.zeros((2, count + 1), np.int64),
            np.empty(diagnoses.shape[0], np.int32), np.empty(procedures.shape[0], np.int32),
        )  # fmt: skip
        fill_records(WireCodes(incoming.heap, incoming.claims, diagnoses, procedures), claims, self._codes[scheme], out)
        numbers = dict(zip(_NUMBERS, out.numbers, strict=True))
        return GroupColumns(
            **numbers, diagnosis_offsets=out.offsets[0], diagnoses=out.diagnoses, procedure_offsets=out.offsets[1],
            procedures=out.procedures,
        )  # fmt: skip

    def _note(
        self, grouped: Grouped, claims: np.ndarray, pack: int, failed: np.ndarray, texts: coding.CodeTexts
    ) -> None:
        """Note what the checks of a pack found: a refusal, a warning, or nothing where the pack only counts it."""
        assert grouped.codes is not None and self.bundle.coding is not None
        rules = self.bundle.coding.by_pack[pack]
        for finding in failed:
            row, severity = int(finding["record"]), coding.severity_of(rules, finding)
            if severity == CheckSeverity.NOTE:
                continue
            detail = coding.describe(rules, finding, grouped.codes, texts)
            chinese = coding.describe(rules, finding, grouped.codes, texts, chinese=True)
            refused = severity == CheckSeverity.REFUSE
            if refused and claims["error"][row] == 0:
                claims["error"][row] = int(E.CODING_CHECK_FAILED)
            problem = Problem(
                int(E.CODING_CHECK_FAILED), coding.field_of(finding), detail, warning=not refused, detail_zh=chinese
            )
            grouped.warnings.setdefault(row, []).append(problem)

    def _note_unknown(self, grouped: Grouped, incoming: Incoming, scheme: int, columns: GroupColumns) -> None:
        """Note the codes of the claims of a scheme that it does not know, where that is worth telling."""
        near, heap = self._near[scheme], incoming.heap.data
        for system, offsets in enumerate((columns.diagnosis_offsets, columns.procedure_offsets)):
            places = near.doubtful(system, columns)
            if not places.size:
                continue
            rows = np.searchsorted(offsets, places, "right") - 1
            of_scheme = grouped.scheme[rows] == scheme
            texts = incoming.decoded.tables[FIELDS[system]][places[of_scheme]]
            starts, sizes = texts["start"].tolist(), texts["size"].tolist()
            owned = zip(rows[of_scheme].tolist(), places[of_scheme].tolist(), starts, sizes, strict=True)
            for row, place, start, size in owned:
                told = near.verdict(system, heap[start : start + size].tobytes())
                if told is not None:
                    field = f"{FIELDS[system]}[{place - int(offsets[row])}]"
                    problem = Problem(int(E.UNKNOWN_CODE), field, told[0], warning=True, detail_zh=told[1])
                    grouped.warnings.setdefault(row, []).append(problem)


def _note_invalid(grouped: Grouped, invalid: np.ndarray) -> None:
    """Note first of all why the records of some rows cannot be grouped."""
    assert grouped.codes is not None
    for row in invalid.tolist():
        reason = invalid_reason(grouped.codes, row)
        chinese = REASONS_ZH.get(reason, "")
        problem = Problem(int(E.GROUPING_INVALID_RECORD), "", reason, warning=True, detail_zh=chinese)
        grouped.warnings.setdefault(row, []).insert(0, problem)


def scheme_spans(bundle: Bundle) -> np.ndarray:
    """Return SCHEME_SPAN[m]: which scheme of the bundle groups the claims of a pack, and from when to when."""
    places = {scheme.name: place for place, scheme in enumerate(bundle.schemes)}
    spans = [
        (number, grouping.from_date, grouping.to_date, places[grouping.scheme])
        for number, pack in enumerate(bundle.packs)
        for grouping in pack.groupings
        if grouping.scheme in places
    ]
    return np.array(spans, SCHEME_SPAN)


def codes_of_rows(codes: GroupColumns, rows: np.ndarray) -> GroupColumns:
    """Return the code columns of some claims alone (int64[k] rows), for a round that does not price them all."""
    offsets, lists = [], []
    for ends, ids in ((codes.diagnosis_offsets, codes.diagnoses), (codes.procedure_offsets, codes.procedures)):
        counts = ends[rows + 1] - ends[rows]
        own = np.zeros(len(rows) + 1, np.int64)
        np.cumsum(counts, out=own[1:])
        offsets.append(own)
        lists.append(ids[np.repeat(ends[rows] - own[:-1], counts) + np.arange(own[-1])])
    numbers = (column[rows] for column in codes[:8])
    return GroupColumns._make((*numbers, offsets[0], lists[0], offsets[1], lists[1]))


def _merge(first: GroupColumns, second: GroupColumns, rows: np.ndarray) -> GroupColumns:
    """Return ``first`` with the code ids of ``rows`` taken from ``second``."""
    diagnoses, procedures = first.diagnoses.copy(), first.procedures.copy()
    of_diagnosis = np.repeat(rows, np.diff(first.diagnosis_offsets))
    of_procedure = np.repeat(rows, np.diff(first.procedure_offsets))
    diagnoses[of_diagnosis] = second.diagnoses[of_diagnosis]
    procedures[of_procedure] = second.procedures[of_procedure]
    return first._replace(diagnoses=diagnoses, procedures=procedures)
