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
from adjudicator.claim.near_codes import FIELDS, NearCodes, is_silent
from adjudicator.codes import CareKind, GroupStatus
from adjudicator.columns import GROUP
from adjudicator.compiled.held import Held, hold
from adjudicator.compiled.jit import inlined, int64, kernel, uncounted_inlined, uncounted_kernel
from adjudicator.errors import E, Problem
from adjudicator.grouping import coding
from adjudicator.grouping.coding_checks import CheckSeverity
from adjudicator.grouping.coding_kernel import CodeTexts
from adjudicator.grouping.group import department_table, diagnosis_table, invalid_reason, procedure_table
from adjudicator.grouping.kernel import group_records
from adjudicator.grouping.layout import GroupColumns, SchemeArrays
from adjudicator.grouping.scheme.load import Scheme
from adjudicator.rules.bundle import Bundle
from adjudicator.wire.codetable import find_code

_IS_INPATIENT = np.array([kind in INPATIENT_KINDS for kind in CareKind], np.bool_)
INVALID = int(GroupStatus.INVALID)
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


class SchemeRules(NamedTuple):
    """What the kernels read of a scheme."""

    codes: SchemeCodes
    arrays: SchemeArrays
    clinical: tuple[np.ndarray, ...]  # of diagnoses and of procedures, as NearCodes; the next as well
    silent: tuple[np.ndarray, ...]


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
) -> None:
    """Write the id of each code to ``out`` int32[n], -1 unknown."""
    for index in range(out.shape[0]):
        text = texts[_U64(index)]
        out[_U64(index)] = find_code(heap, text.start, text.size, table[0], table[1], table[2], table[3])


@uncounted_inlined
def _fill_records(wire: WireCodes, claims: np.ndarray, codes: SchemeCodes, out: RecordColumns) -> None:
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


@inlined
def _doubtful(
    wire: WireCodes, codes: tuple[np.ndarray, np.ndarray], offsets: np.ndarray, chosen: np.ndarray,
    near: tuple[np.ndarray, np.ndarray], out: np.ndarray,
) -> int:  # fmt: skip
    """Write to ``out`` the places of the codes of the ``chosen`` records that something may be told of; how many.

    ``codes``: ids and texts of one system; ``near``: clinical codes and silent ones.
    """
    ids, texts = codes
    found = 0
    for record in range(chosen.shape[0]):
        if chosen[record]:
            for place in range(offsets[record], offsets[record + 1]):
                code = ids[place]
                if code >= 0:
                    doubtful = near[0][code]
                else:
                    doubtful = not is_silent(near[1], wire.heap, texts[place].start, int64(texts[place].size))
                if doubtful:
                    out[found] = place
                    found += 1
    return found


@kernel
def group_claims(
    held: Held, wire: WireCodes, claims: np.ndarray, chosen: np.ndarray, out: RecordColumns, groups: np.ndarray,
    doubtful: np.ndarray,
) -> tuple[int, int]:  # fmt: skip
    """Make the records of a batch with the code ids of a scheme, and group those that are ``chosen`` (bool[n]).

    Their rows of ``groups`` (GROUP[n]) are written. ``doubtful`` int64[2, codes] takes the places of diagnoses and of
    procedures that something may be told of; returns how many each.
    """
    rules = held.it
    _fill_records(wire, claims, rules.codes, out)
    numbers, offsets = out.numbers, out.offsets
    columns = GroupColumns(
        numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5], numbers[6], numbers[7], offsets[0],
        out.diagnoses, offsets[1], out.procedures,
    )  # fmt: skip
    found = np.empty(claims.shape[0], GROUP)
    group_records(rules.arrays, columns, found)
    for record in range(claims.shape[0]):
        if chosen[record]:
            groups[record] = found[record]
    clinical, silent = rules.clinical, rules.silent
    first = _doubtful(wire, (out.diagnoses, wire.diagnoses), offsets[0], chosen, (clinical[0], silent[0]), doubtful[0])
    second = _doubtful(
        wire, (out.procedures, wire.procedures), offsets[1], chosen, (clinical[1], silent[1]), doubtful[1]
    )
    return first, second


class ClaimGrouper:
    """Groups and checks the claims of a bundle; its tables are made once."""

    def __init__(self, bundle: Bundle):
        self.bundle = bundle
        self._spans = scheme_spans(bundle)
        self._near = [NearCodes(scheme) for scheme in bundle.schemes]
        self._rules = [_scheme_rules(*pair) for pair in zip(bundle.schemes, self._near, strict=True)]

    def group(self, incoming: Incoming, claims: np.ndarray) -> Grouped:
        """Group the inpatient claims of a batch (CLAIM[n]) and run the coding checks over those that are grouped.

        Where the pack refuses what a check finds, ``claims["error"]`` is set. A record that cannot be grouped for want
        of a sex, an age or a birth weight gets a warning as well.
        """
        count = claims.shape[0]
        groups, schemes = np.zeros(count, GROUP), np.empty(count, np.int64)
        grouped = Grouped(groups, schemes, None, {})
        has_some = choose_schemes(claims, self._spans, schemes) > 0
        needs_codes = self.bundle.payment.needs_codes
        if not has_some and not (needs_codes and self._rules):
            return grouped._replace(codes=_without_codes(claims)) if needs_codes else grouped
        for number in range(len(self._rules)):
            chosen = schemes == number
            if number > 0 and not chosen.any():
                continue
            columns, places = self._group_by(number, incoming, claims, chosen, groups)
            self._note_unknown(grouped, incoming, number, columns, places)
            codes = columns if grouped.codes is None else _merge(grouped.codes, columns, np.flatnonzero(chosen))
            grouped = grouped._replace(codes=codes)
        if not has_some:
            return grouped
        self._check_coding(grouped, incoming, claims)
        invalid = (groups["status"] == INVALID).nonzero()[0]
        if invalid.size:
            _note_invalid(grouped, invalid)
        return grouped

    def _group_by(
        self, number: int, incoming: Incoming, claims: np.ndarray, chosen: np.ndarray, groups: np.ndarray
    ) -> tuple[GroupColumns, tuple[np.ndarray, np.ndarray]]:
        """Group the chosen claims (bool[n]) by a scheme; return the records of the batch with the scheme's code ids.

        And the places of diagnoses and of procedures that something may be told of.
        """
        count, tables = claims.shape[0], incoming.decoded.tables
        diagnoses, procedures = tables["diagnoses"], tables["procedures"]
        out = RecordColumns(
            np.empty((len(_NUMBERS), count), np.int32), np.zeros((2, count + 1), np.int64),
            np.empty(diagnoses.shape[0], np.int32), np.empty(procedures.shape[0], np.int32),
        )  # fmt: skip
        doubtful = np.empty((2, max(diagnoses.shape[0], procedures.shape[0])), np.int64)
        wire = WireCodes(incoming.heap, incoming.claims, diagnoses, procedures)
        first, second = group_claims(self._rules[number], wire, claims, chosen, out, groups, doubtful)
        lists = (out.offsets[0], out.diagnoses, out.offsets[1], out.procedures)
        columns = GroupColumns._make((*out.numbers, *lists))
        return columns, (doubtful[0, :first], doubtful[1, :second])

    def _check_coding(self, grouped: Grouped, incoming: Incoming, claims: np.ndarray) -> None:
        """Run the coding checks of each pack over its claims that have a scheme."""
        if self.bundle.coding is None or grouped.codes is None:
            return
        tables, by_pack = incoming.decoded.tables, self.bundle.coding.by_pack
        texts = coding.texts_of_wire(incoming.heap, tables["diagnoses"], tables["procedures"])
        numbers = set(claims["pack"][grouped.scheme >= 0].tolist()) if len(by_pack) > 1 else {0}
        for number in numbers:
            failed = coding.check(by_pack[number], grouped.codes, texts)
            if failed.size:
                records = failed["record"]
                of_pack = (grouped.scheme[records] >= 0) & (claims["pack"][records] == number)
                self._note(grouped, claims, number, failed[of_pack], texts)

    def _note(self, grouped: Grouped, claims: np.ndarray, pack: int, failed: np.ndarray, texts: CodeTexts) -> None:
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

    def _note_unknown(
        self, grouped: Grouped, incoming: Incoming, scheme: int, columns: GroupColumns,
        places: tuple[np.ndarray, np.ndarray],
    ) -> None:  # fmt: skip
        """Note the codes at some places that a scheme does not know, where that is worth telling."""
        near, heap = self._near[scheme], incoming.heap.data
        for system, offsets in enumerate((columns.diagnosis_offsets, columns.procedure_offsets)):
            if not places[system].size:
                continue
            rows = np.searchsorted(offsets, places[system], "right") - 1
            texts = incoming.decoded.tables[FIELDS[system]].take(places[system])
            owned = zip(
                rows.tolist(), places[system].tolist(), texts["start"].tolist(), texts["size"].tolist(), strict=True
            )
            for row, place, start, size in owned:
                told = near.verdict(system, heap[start : start + size].tobytes())
                if told is not None:
                    field = f"{FIELDS[system]}[{place - int(offsets[row])}]"
                    problem = Problem(int(E.UNKNOWN_CODE), field, told[0], warning=True, detail_zh=told[1])
                    grouped.warnings.setdefault(row, []).append(problem)


def _scheme_rules(scheme: Scheme, near: NearCodes) -> Held:
    tables = (diagnosis_table, procedure_table, department_table)
    codes = SchemeCodes(*(table(scheme).arrays for table in tables))
    return hold(SchemeRules(codes, scheme.arrays, near.clinical, near.silent))


def _without_codes(claims: np.ndarray) -> GroupColumns:
    """Return records without codes, where no scheme knows any."""
    count, none = len(claims), np.zeros(0, np.int32)
    numbers, offsets = np.zeros((len(_NUMBERS), count), np.int32), np.zeros(count + 1, np.int64)
    return GroupColumns._make((*numbers, offsets, none, offsets, none))


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
