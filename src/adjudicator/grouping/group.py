"""Groups records: columns in, GROUP rows out; look-up of codes, texts of an answer.

The scheme's tables decide everything (``grouping.scheme.load``); the kernel (``grouping.kernel``) runs over whole
batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from adjudicator.codes import GroupStatus
from adjudicator.columns import GROUP
from adjudicator.grouping import kernel
from adjudicator.grouping.layout import GroupColumns
from adjudicator.grouping.scheme.load import Scheme
from adjudicator.wire.codetable import CodeTable

if TYPE_CHECKING:
    from adjudicator.v1 import grouping_pb2

STATUS_TEXTS = {
    GroupStatus.NOT_ASKED: "",
    GroupStatus.GROUPED: "grouped",
    GroupStatus.UNGROUPED: "ungrouped",
    GroupStatus.INVALID: "invalid",
    GroupStatus.AMBIGUOUS: "ambiguous",
    GroupStatus.UNMAPPABLE: "unmappable",
}
NO_GROUP = ("0000", "00", "0000")


def diagnosis_table(scheme: Scheme) -> CodeTable:
    """Look-up of the diagnosis codes that the scheme knows."""
    return _table(scheme, "diagnosis", scheme.texts.diagnosis_codes)


def procedure_table(scheme: Scheme) -> CodeTable:
    """Look-up of the procedure codes that the scheme knows."""
    return _table(scheme, "procedure", scheme.texts.procedure_codes)


def department_table(scheme: Scheme) -> CodeTable:
    """Look-up of the departments that the scheme asks for."""
    return _table(scheme, "department", scheme.departments)


def _table(scheme: Scheme, name: str, codes: tuple[str, ...]) -> CodeTable:
    if name not in scheme.tables:
        scheme.tables[name] = CodeTable(codes)
    table: CodeTable = scheme.tables[name]
    return table


def department_ids(scheme: Scheme, departments: Sequence[str]) -> np.ndarray:
    """int32 ids for the ``department`` column: the position in ``scheme.departments`` plus one, 0 any other."""
    known = {name: number for number, name in enumerate(scheme.departments, 1)}
    return np.array([known.get(name, 0) for name in departments], "i4")


def group(scheme: Scheme, columns: GroupColumns, out: np.ndarray, translate: bool = False) -> None:
    """Group every record of ``columns`` into ``out`` (GROUP rows, fully overwritten).

    ``translate``: codes are of the clinical edition (国临版) and go through the scheme's code map first; a record
    with a code that has no translation is ``UNMAPPABLE``.
    """
    assert out.dtype == GROUP and len(out) == columns.count
    if not translate:
        kernel.group_records(scheme.arrays, columns, out)
        return
    unmappable = np.zeros(columns.count, "u1")
    kernel.group_records(scheme.arrays, translated(scheme, columns, unmappable), out)
    out[unmappable != 0] = (GroupStatus.UNMAPPABLE, -1, -1, -1)


def translated(scheme: Scheme, columns: GroupColumns, unmappable: np.ndarray | None = None) -> GroupColumns:
    """Columns with every code through the scheme's code map; notes records that have a code without translation."""
    noted = np.zeros(columns.count, "u1") if unmappable is None else unmappable
    diagnoses, procedures = np.empty_like(columns.diagnoses), np.empty_like(columns.procedures)
    maps = scheme.arrays.diagnosis_map, scheme.arrays.procedure_map
    kernel.translate_codes(columns.diagnosis_offsets, columns.diagnoses, maps[0], diagnoses, noted)
    kernel.translate_codes(columns.procedure_offsets, columns.procedures, maps[1], procedures, noted)
    return columns._replace(diagnoses=diagnoses, procedures=procedures)


def describe(scheme: Scheme, row: np.void) -> tuple[str, str, str]:
    """Texts (MDC, ADRG, DRG) of one GROUP row, e.g. ``("MDCF", "FR2", "FR21")``; without group ``NO_GROUP``."""
    if row["drg"] < 0:
        return NO_GROUP
    texts = scheme.texts
    return texts.mdc_codes[row["mdc"]], texts.adrg_codes[row["adrg"]], texts.drg_codes[row["drg"]]


def offsets_of(lists: Sequence[Sequence[object]]) -> np.ndarray:
    """int64 offsets of a list of lists laid end to end."""
    offsets = np.zeros(len(lists) + 1, "i8")
    np.cumsum([len(entry) for entry in lists], out=offsets[1:])
    return offsets


def columns_from_codes(
    scheme: Scheme,
    numbers: dict[str, Sequence[int]],
    departments: Sequence[str],
    diagnoses: Sequence[Sequence[str]],
    procedures: Sequence[Sequence[str]],
) -> GroupColumns:
    """Columns from Python lists, for small batches. ``numbers`` holds the numeric columns by name."""
    return GroupColumns(
        **{name: np.minimum(values, 2**31 - 1).astype("i4") for name, values in numbers.items()},
        department=department_ids(scheme, departments),
        diagnosis_offsets=offsets_of(diagnoses),
        diagnoses=code_ids(diagnosis_table(scheme), [code for codes in diagnoses for code in codes]),
        procedure_offsets=offsets_of(procedures),
        procedures=code_ids(procedure_table(scheme), [code for codes in procedures for code in codes]),
    )


def code_ids(table: CodeTable, codes: Sequence[str]) -> np.ndarray:
    """int32 ids of codes, -1 unknown."""
    octets = [code.encode() for code in codes]
    sizes = np.array([len(code) for code in octets], "i4")
    starts = np.cumsum(sizes, dtype="i8") - sizes
    return table.find_all(np.frombuffer(b"".join(octets), "u1"), starts, sizes).astype("i4")


def columns_from_records(scheme: Scheme, records: Sequence[grouping_pb2.GroupRecord]) -> GroupColumns:
    """Columns of ``GroupRecord`` messages."""
    numbers: dict[str, Sequence[int]] = {
        "sex": [record.sex for record in records],
        "age_years": [record.age_years if record.HasField("age_years") else -1 for record in records],
        "age_days": [record.age_days if record.HasField("age_days") else -1 for record in records],
        "birth_weight_g": [record.birth_weight_g for record in records],
        "stay_days": [record.stay_days for record in records],
        "discharge_way": [record.discharge_way for record in records],
        "icu_hours": [record.icu_hours for record in records],
    }
    return columns_from_codes(
        scheme, numbers, [record.department for record in records],
        [record.diagnoses for record in records], [record.procedures for record in records],
    )  # fmt: skip


def invalid_reason(columns: GroupColumns, row: int) -> str:
    """Why a record is ``INVALID``: a text without any value of the record."""
    if columns.sex[row] not in (1, 2):
        return "sex is neither 1 nor 2"
    if columns.age_years[row] < 0:
        return "age_years is missing"
    if columns.diagnosis_offsets[row] == columns.diagnosis_offsets[row + 1]:
        return "no diagnosis"
    if columns.age_days[row] < 0:
        return "age_years is 0 and age_days is missing"
    return "a newborn of at most 28 days without birth_weight_g"
