"""Grouping inside settlement: each inpatient claim by the scheme that its pack names for the day of discharge."""

from __future__ import annotations

import numpy as np

from adjudicator.claim.lookup import INPATIENT_KINDS
from adjudicator.codes import CareKind
from adjudicator.columns import GROUP
from adjudicator.grouping.group import GroupColumns, diagnosis_table, group, procedure_table
from adjudicator.grouping.scheme.load import Scheme
from adjudicator.rules.bundle import Bundle
from adjudicator.wire.codetable import CodeTable

_IS_INPATIENT = np.array([kind in INPATIENT_KINDS for kind in CareKind], np.bool_)


def group_claims(
    bundle: Bundle, heap: np.ndarray, tables: dict[str, np.ndarray], claims: np.ndarray, out: np.ndarray,
    scheme_out: np.ndarray,
) -> GroupColumns | None:  # fmt: skip
    """Groups the inpatient claims of a batch; ``out`` GROUP[n] and ``scheme_out`` int64[n] (-1 not grouped) are filled.

    Returns the code columns of all claims, ids of each claim's own scheme (of the bundle's first one where a claim has
    none), for the payment rules that look at diagnoses and procedures; None where nothing needs them.
    """
    scheme_out[:] = scheme_of_claims(bundle, claims)
    used = sorted(set(scheme_out.tolist()) - {-1})
    if not used:
        if not bundle.payment.needs_codes:
            return None
        return code_columns(bundle.schemes[0] if bundle.schemes else None, heap, tables, claims)
    result = None
    for number in used:
        scheme = bundle.schemes[number]
        columns = code_columns(scheme, heap, tables, claims)
        rows = scheme_out == number
        grouped = np.zeros(claims.shape[0], GROUP)
        group(scheme, columns, grouped)
        out[rows] = grouped[rows]
        result = columns if result is None else _merge(result, columns, rows)
    return result


def scheme_of_claims(bundle: Bundle, claims: np.ndarray) -> np.ndarray:
    """int64[n]: position in ``bundle.schemes`` of the scheme that groups the claim, -1 none.

    Inpatient-like claims without an error are grouped; the discharge date decides, in mid-stay the settlement date.
    """
    result = np.full(claims.shape[0], -1, np.int64)
    names = [scheme.name for scheme in bundle.schemes]
    inpatient = (claims["error"] == 0) & _IS_INPATIENT[claims["care_kind"]]
    if not inpatient.any():
        return result
    date = np.where(claims["discharge_date"] > 0, claims["discharge_date"], claims["settlement_date"])
    for number, pack in enumerate(bundle.packs):
        of_pack = inpatient & (claims["pack"] == number)
        for grouping in pack.groupings:
            chosen = of_pack & (date >= grouping.from_date) & (date <= grouping.to_date)
            result[chosen] = names.index(grouping.scheme)
    return result


def code_columns(
    scheme: Scheme | None, heap: np.ndarray, tables: dict[str, np.ndarray], claims: np.ndarray
) -> GroupColumns:
    """Records of a batch in the grouper's columns, code ids of ``scheme`` (all unknown without one)."""
    wire = tables[""]
    count = claims.shape[0]
    diagnoses = _ids(diagnosis_table(scheme) if scheme else None, heap, tables["diagnoses"])
    procedures = _ids(procedure_table(scheme) if scheme else None, heap, tables["procedures"])
    return GroupColumns(
        sex=_copy(claims, "sex"), age_years=_copy(claims, "age_years"), age_days=_copy(claims, "age_days"),
        birth_weight_g=_copy(claims, "birth_weight_g"), department=_departments(scheme, heap, wire, count),
        stay_days=_copy(claims, "stay_days"), discharge_way=_copy(claims, "discharge_way"),
        icu_hours=_copy(claims, "icu_hours"), diagnosis_offsets=_offsets(wire, "diagnoses"), diagnoses=diagnoses,
        procedure_offsets=_offsets(wire, "procedures"), procedures=procedures,
    )  # fmt: skip


def _copy(claims: np.ndarray, name: str) -> np.ndarray:
    return np.ascontiguousarray(claims[name])


def _offsets(wire: np.ndarray, name: str) -> np.ndarray:
    """int64[n + 1]: rows of one claim follow those of the claim before, so the starts and the last end say all."""
    if wire.shape[0] == 0:
        return np.zeros(1, np.int64)
    return np.append(wire[f"{name}_start"], wire[f"{name}_end"][-1]).astype(np.int64)


def _ids(table: CodeTable | None, heap: np.ndarray, texts: np.ndarray) -> np.ndarray:
    if table is None or texts.shape[0] == 0:
        return np.full(texts.shape[0], -1, np.int32)
    starts, sizes = np.ascontiguousarray(texts["start"]), np.ascontiguousarray(texts["size"])
    return table.find_all(heap, starts, sizes).astype(np.int32)


def _departments(scheme: Scheme | None, heap: np.ndarray, wire: np.ndarray, count: int) -> np.ndarray:
    """int32 department ids of the scheme, 0 any other."""
    if scheme is None or not scheme.departments:
        return np.zeros(count, np.int32)
    if "department" not in scheme.tables:
        scheme.tables["department"] = CodeTable(scheme.departments)
    starts, sizes = np.ascontiguousarray(wire["department_start"]), np.ascontiguousarray(wire["department_size"])
    return (scheme.tables["department"].find_all(heap, starts, sizes) + 1).astype(np.int32)


def _merge(first: GroupColumns, second: GroupColumns, rows: np.ndarray) -> GroupColumns:
    """``first`` with the code ids of ``rows`` taken from ``second``."""
    diagnoses, procedures = first.diagnoses.copy(), first.procedures.copy()
    of_diagnosis = np.repeat(rows, np.diff(first.diagnosis_offsets))
    of_procedure = np.repeat(rows, np.diff(first.procedure_offsets))
    diagnoses[of_diagnosis] = second.diagnoses[of_diagnosis]
    procedures[of_procedure] = second.procedures[of_procedure]
    return first._replace(diagnoses=diagnoses, procedures=procedures)
