"""Grouping and coding checks (病案审核) inside settlement.

Each inpatient claim is grouped by the scheme that its pack names for the day of discharge. What its codes contradict is
a warning of the answer; such a finding never changes a group, and refuses a claim only where the pack gives the check
the severity ``refuse``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from adjudicator.claim.batch import Incoming
from adjudicator.claim.lookup import INPATIENT_KINDS
from adjudicator.codes import CareKind, GroupStatus
from adjudicator.columns import GROUP
from adjudicator.errors import E, Problem
from adjudicator.grouping import coding
from adjudicator.grouping.coding_checks import CheckSeverity
from adjudicator.grouping.group import diagnosis_table, invalid_reason, procedure_table
from adjudicator.grouping.kernel import group_records
from adjudicator.grouping.layout import GroupColumns
from adjudicator.grouping.scheme.load import Scheme
from adjudicator.rules.bundle import Bundle
from adjudicator.wire.codetable import CodeTable, find_all

_IS_INPATIENT = np.array([kind in INPATIENT_KINDS for kind in CareKind], np.bool_)


class Grouped(NamedTuple):
    """GROUP[n], scheme of the bundle int64[n] (-1 not grouped), and the code columns of all claims.

    The code ids are those of each claim's own scheme (of the bundle's first one where a claim has none); None where no
    rule asks for codes.
    """

    groups: np.ndarray
    scheme: np.ndarray
    codes: GroupColumns | None


class Findings(NamedTuple):
    """What the coding checks say, by row of the batch: warnings, and what a refusal is about."""

    warnings: dict[int, list[Problem]]
    details: dict[int, str]


def group_claims(bundle: Bundle, incoming: Incoming, claims: np.ndarray) -> Grouped:
    """Group the inpatient claims of a batch; ``claims`` CLAIM[n]."""
    schemes = scheme_of_claims(bundle, claims)
    out = np.zeros(claims.shape[0], GROUP)
    used = np.unique(schemes)
    used = used[used >= 0].tolist()
    if not used:
        if not bundle.payment.needs_codes:
            return Grouped(out, schemes, None)
        first = bundle.schemes[0] if bundle.schemes else None
        return Grouped(out, schemes, code_columns(first, incoming, claims))
    result = None
    for number in used:
        scheme = bundle.schemes[number]
        columns = code_columns(scheme, incoming, claims)
        rows = schemes == number
        grouped = np.zeros(claims.shape[0], GROUP)
        group_records(scheme.arrays, columns, grouped)
        out[rows] = grouped[rows]
        result = columns if result is None else _merge(result, columns, rows)
    return Grouped(out, schemes, result)


def scheme_of_claims(bundle: Bundle, claims: np.ndarray) -> np.ndarray:
    """Return int64[n]: position in ``bundle.schemes`` of the scheme that groups the claim, -1 none.

    Inpatient-like claims without an error are grouped; the discharge date decides, in mid-stay the settlement date.
    """
    result = np.full(claims.shape[0], -1, np.int64)
    inpatient = (claims["error"] == 0) & _IS_INPATIENT[claims["care_kind"]]
    if not inpatient.any():
        return result
    date = np.where(claims["discharge_date"] > 0, claims["discharge_date"], claims["settlement_date"])
    for number, pack in enumerate(bundle.packs):
        of_pack = inpatient & (claims["pack"] == number)
        for grouping in pack.groupings:
            chosen = of_pack & (date >= grouping.from_date) & (date <= grouping.to_date)
            for position, scheme in enumerate(bundle.schemes):
                if scheme.name == grouping.scheme:
                    result[chosen] = position
    return result


def code_columns(scheme: Scheme | None, incoming: Incoming, claims: np.ndarray) -> GroupColumns:
    """Return the records of a batch in the grouper's columns, code ids of ``scheme`` (all unknown without one)."""
    wire, tables = incoming.claims, incoming.decoded.tables
    # Rows of one claim follow those of the claim before, so the starts and the last end are the offsets.
    return GroupColumns(
        sex=np.ascontiguousarray(claims["sex"]),
        age_years=np.ascontiguousarray(claims["age_years"]),
        age_days=np.ascontiguousarray(claims["age_days"]),
        birth_weight_g=np.ascontiguousarray(claims["birth_weight_g"]),
        department=_departments(scheme, incoming),
        stay_days=np.ascontiguousarray(claims["stay_days"]),
        discharge_way=np.ascontiguousarray(claims["discharge_way"]),
        icu_hours=np.ascontiguousarray(claims["icu_hours"]),
        diagnosis_offsets=np.concatenate((wire["diagnoses_start"], wire["diagnoses_end"][-1:])),
        diagnoses=_ids(scheme, "diagnosis", incoming.heap, tables["diagnoses"]),
        procedure_offsets=np.concatenate((wire["procedures_start"], wire["procedures_end"][-1:])),
        procedures=_ids(scheme, "procedure", incoming.heap, tables["procedures"]),
    )


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


def check_claims(bundle: Bundle, incoming: Incoming, claims: np.ndarray, grouped: Grouped) -> Findings:
    """Return what the coding checks find in the claims that are grouped.

    Where the pack refuses, ``claims["error"]`` is set. A record that cannot be grouped for want of a sex, an age or a
    birth weight is a warning as well.
    """
    findings = Findings({}, {})
    if grouped.codes is None:
        return findings
    for row in np.flatnonzero((grouped.scheme >= 0) & (grouped.groups["status"] == GroupStatus.INVALID)).tolist():
        problem = Problem(int(E.GROUPING_INVALID_RECORD), "", invalid_reason(grouped.codes, row), warning=True)
        findings.warnings.setdefault(row, []).append(problem)
    if bundle.coding is None:
        return findings
    tables, has_group = incoming.decoded.tables, grouped.scheme >= 0
    texts = coding.texts_of_wire(incoming.heap, tables["diagnoses"], tables["procedures"])
    for number in np.unique(claims["pack"][has_group]).tolist():
        rules = bundle.coding.by_pack[number]
        failed = coding.check(rules, grouped.codes, texts)
        for finding in failed[has_group[failed["record"]] & (claims["pack"][failed["record"]] == number)]:
            row, severity = int(finding["record"]), coding.severity_of(rules, finding)
            if severity == CheckSeverity.NOTE:
                continue
            detail = coding.describe(rules, finding, grouped.codes, texts)
            if severity == CheckSeverity.REFUSE and claims["error"][row] == 0:
                claims["error"][row] = int(E.CODING_CHECK_FAILED)
                findings.details[row] = detail
                continue
            problem = Problem(int(E.CODING_CHECK_FAILED), coding.field_of(finding), detail, warning=True)
            findings.warnings.setdefault(row, []).append(problem)
    return findings


def _ids(scheme: Scheme | None, system: str, heap: np.ndarray, texts: np.ndarray) -> np.ndarray:
    """Return int32 ids of the codes of a scheme ("diagnosis" or "procedure"), -1 unknown."""
    if scheme is None or texts.shape[0] == 0:
        return np.full(texts.shape[0], -1, np.int32)
    if system not in scheme.tables:
        diagnosis_table(scheme), procedure_table(scheme)
    starts, sizes = np.ascontiguousarray(texts["start"]), np.ascontiguousarray(texts["size"])
    ids = np.empty(texts.shape[0], np.int64)
    find_all(heap, starts, sizes, scheme.tables[system].arrays, ids)
    return ids.astype(np.int32)


def _departments(scheme: Scheme | None, incoming: Incoming) -> np.ndarray:
    """Return int32 department ids of the scheme, 0 any other."""
    wire = incoming.claims
    if scheme is None or not scheme.departments:
        return np.zeros(wire.shape[0], np.int32)
    if "department" not in scheme.tables:
        scheme.tables["department"] = CodeTable(scheme.departments)
    starts, sizes = np.ascontiguousarray(wire["department_start"]), np.ascontiguousarray(wire["department_size"])
    ids = np.empty(wire.shape[0], np.int64)
    find_all(incoming.heap, starts, sizes, scheme.tables["department"].arrays, ids)
    return (ids + 1).astype(np.int32)


def _merge(first: GroupColumns, second: GroupColumns, rows: np.ndarray) -> GroupColumns:
    """Return ``first`` with the code ids of ``rows`` taken from ``second``."""
    diagnoses, procedures = first.diagnoses.copy(), first.procedures.copy()
    of_diagnosis = np.repeat(rows, np.diff(first.diagnosis_offsets))
    of_procedure = np.repeat(rows, np.diff(first.procedure_offsets))
    diagnoses[of_diagnosis] = second.diagnoses[of_diagnosis]
    procedures[of_procedure] = second.procedures[of_procedure]
    return first._replace(diagnoses=diagnoses, procedures=procedures)
