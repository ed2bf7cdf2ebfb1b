"""What the codes of a claim mean in a bundle, as dense arrays and code tables for ``claim.resolve``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from adjudicator.catalogue.section import Catalogue
from adjudicator.claim.fields import plain_fields
from adjudicator.claim.resolve import CodeArrays, LookupArrays
from adjudicator.codes import PERSON_TYPES, SCHEME_CODES, CareKind
from adjudicator.rules import lookup as compiled
from adjudicator.rules.bundle import Bundle
from adjudicator.wire.codetable import CodeTable

INPATIENT_KINDS = (
    CareKind.INPATIENT,
    CareKind.HOME_BED,
    CareKind.DAY_SURGERY,
    CareKind.MATERNITY_INPATIENT,
    CareKind.BED_DAY_INPATIENT,
    CareKind.SINGLE_DISEASE,
)
"""Kinds of care with an admission and a discharge: they need diagnoses and a discharge date."""

Departments = Sequence[Sequence[tuple[str, int]]]
"""Of each pack the codes of departments, each with a number."""
AREA_CODES = 1_000_000
"""Six digits: every area code is an index."""


class Lookup:
    """Code tables of a bundle: ``arrays`` for the kernel, and the area codes of counties."""

    def __init__(self, bundle: Bundle):
        table = bundle.lookup
        lists = (*table.assistance, *table.diseases, *table.programmes)
        asked = [tuple(source.view.departments.items()) for source in bundle.payment.sources]
        departments = {code for listed in (*table.wards, *asked) for code, _ in listed}
        names = sorted({name for listed in lists for name in listed if name} | departments)
        self.arrays = _arrays(table, names, bundle.catalogue, asked)
        self.area_codes = np.zeros((len(table.schemes_accepted), int(table.area_county.max(initial=0)) + 1), np.uint32)
        """uint32[packs, counties]: six-digit code of a county of insurance."""
        self.area_codes[table.area_pack, table.area_county] = table.area_codes


def code_arrays(codes: Iterable[str]) -> CodeArrays:
    """Return a code table as the kernels take it; an empty one knows no code."""
    return CodeArrays(*CodeTable(list(codes) or ["-"]).arrays)


def _arrays(
    table: compiled.Lookup, names: Sequence[str], catalogue: Catalogue, departments: Departments
) -> LookupArrays:
    hospitals = table.hospitals if len(table.hospitals) else np.full(1, -1, "i4").astype(compiled.HOSPITAL)

    def of_hospitals(name: str) -> np.ndarray:
        return np.ascontiguousarray(hospitals[name])

    return LookupArrays(
        area_row=_area_rows(table),
        area_pack=table.area_pack,
        area_county=table.area_county,
        pool_span=table.pool_span,
        area_catalogue=_catalogue_groups(catalogue),
        hospital_first=table.hospital_first,
        hospital_from=of_hospitals("from_date"),
        hospital_to=of_hospitals("to_date"),
        rule_date=table.rule_date,
        hospital_pack=of_hospitals("pack"),
        hospital_area=of_hospitals("area"),
        hospital_level=of_hospitals("hosp_lv"),
        hospital_deductible_level=of_hospitals("deductible_level"),
        hospital_price_level=of_hospitals("price_level"),
        hospital_row=of_hospitals("row"),
        scheme_of_code=_dense(1000, ((code, scheme) for code, scheme in SCHEME_CODES.items())),
        scheme_accepted=table.schemes_accepted,
        person_type_of_code=_dense(10_000, ((code, number) for number, code in enumerate(PERSON_TYPES) if code)),
        care_kind_of_code=_care_kinds(table),
        level_of_hospital_level=table.level_of_hospital_level,
        assistance_of_name=_positions(names, table.assistance),
        programme_of_name=_positions(names, table.programmes),
        disease_of_name=_positions(names, table.diseases),
        ward_of_name=_of_departments(names, table.wards),
        has_wards=np.array([len(listed) > 0 for listed in table.wards], np.bool_),
        department_of_name=_of_departments(names, departments),
        has_departments=np.array([len(listed) > 0 for listed in departments], np.bool_),
        needs_diagnosis=np.array([kind in INPATIENT_KINDS for kind in CareKind], np.bool_),
        hospitals=code_arrays(table.hospital_codes),
        names=code_arrays(names),
        items=code_arrays(catalogue.codes),
        price_rounding=int(catalogue.rules.options["price_rounding"].max(initial=0)),
        plain=plain_fields(),
    )


def _dense(size: int, pairs: Iterable[tuple[str, int]]) -> np.ndarray:
    """int32[size]: the number of each code, 0 unknown."""
    result = np.zeros(size, np.int32)
    for code, number in pairs:
        result[int(code)] = number
    return result


def _area_rows(table: compiled.Lookup) -> np.ndarray:
    rows = np.full(AREA_CODES, -1, np.int32)
    rows[table.area_codes] = np.arange(len(table.area_codes))
    return rows


def _catalogue_groups(catalogue: Catalogue) -> np.ndarray:
    """int32[1_000_000]: 1 + catalogue area group of each place of care, 0 not known; the most specific area wins."""
    groups = np.zeros(AREA_CODES, np.int32)
    done = np.zeros(AREA_CODES, np.int8)
    for number, area in reversed(list(enumerate(catalogue.group_areas))):
        width, rank = {"0000": (10_000, 1)}.get(area[2:], (100, 2) if area.endswith("00") else (1, 3))
        part = slice(int(area), int(area) + width)
        chosen = done[part] <= rank
        groups[part][chosen] = number + 1
        done[part][chosen] = rank
    return groups


def _care_kinds(table: compiled.Lookup) -> np.ndarray:
    """int8[packs, 1_000_000]; a medical category has at most six digits."""
    kinds = np.zeros((len(table.schemes_accepted), AREA_CODES), np.int8)
    for pack, code, kind in table.care_types:
        kinds[pack, int(code)] = kind
    return kinds


def _positions(names: Sequence[str], listed: Sequence[Sequence[str]]) -> np.ndarray:
    """int32[packs, names]: position of a name in each pack's list, -1 where it is not there."""
    result = np.full((len(listed), max(len(names), 1)), -1, np.int32)
    index = {name: number for number, name in enumerate(names)}
    for pack, entries in enumerate(listed):
        for position, name in enumerate(entries):
            if name:
                result[pack, index[name]] = position
    return result


def _of_departments(names: Sequence[str], listed: Departments) -> np.ndarray:
    """int32[packs, names]: number of a department in each pack, -1 where it has none."""
    result = np.full((len(listed), max(len(names), 1)), -1, np.int32)
    for pack, entries in enumerate(listed):
        for code, number in entries:
            result[pack, names.index(code)] = number
    return result
