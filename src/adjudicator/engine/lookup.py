"""What the codes of a claim mean in a bundle, as arrays for ``kernels.resolve``."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from adjudicator.codes import HOSPITAL_LEVELS, PERSON_TYPES, SCHEME_CODES, CareKind, Scheme
from adjudicator.kernels.resolve import CodeArrays, LookupArrays
from adjudicator.rules.bundle import Bundle
from adjudicator.rules.pack import Pack
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


class Lookup:
    """Code tables of a bundle. ``arrays`` and the CodeArrays go to the resolve kernel."""

    def __init__(self, bundle: Bundle):
        packs = bundle.packs
        self.hospital_codes = [hospital.code for pack in packs for hospital in pack.hospitals]
        self.hospitals = code_arrays(self.hospital_codes or ["-"])
        names = sorted({name for pack in packs for name in _names(pack)})
        self.names = code_arrays(names or ["-"])
        self.items = code_arrays(bundle.catalogue.codes)
        self.areas = [(area.code, number, county) for number, pack in enumerate(packs) for county, area in _areas(pack)]
        self.arrays = _arrays(packs, self.areas, names)

    def area_code(self, pack: int, county: int) -> int:
        """Six-digit code of a county of a pack."""
        return next(code for code, number, index in self.areas if number == pack and index == county)


def code_arrays(codes: Iterable[str]) -> CodeArrays:
    """A code table as the kernels take it."""
    return CodeArrays(*CodeTable(list(codes)).arrays)


def _areas(pack: Pack) -> list[tuple[int, object]]:
    return list(enumerate(pack.areas))


def _names(pack: Pack) -> list[str]:
    """Names and codes of a pack that claims spell out: assistance categories, programmes, diseases."""
    return [
        *(category.id for category in pack.assistance),
        *(programme.id for programme in pack.programmes),
        *(disease.code for disease in pack.diseases),
    ]


def _arrays(packs: tuple[Pack, ...], areas: list[tuple[int, int, int]], names: list[str]) -> LookupArrays:
    area_row = np.full(1_000_000, -1, np.int32)
    for row, (code, _, _) in enumerate(areas):
        area_row[code] = row
    hospitals = [
        (number, row, hospital) for number, pack in enumerate(packs) for row, hospital in enumerate(pack.hospitals)
    ]

    def of_hospitals(value) -> np.ndarray:
        return np.array([value(number, row, hospital) for number, row, hospital in hospitals] or [-1], np.int32)

    return LookupArrays(
        area_row=area_row,
        area_pack=np.array([pack for _, pack, _ in areas], np.int32),
        area_county=np.array([county for _, _, county in areas], np.int32),
        hospital_pack=of_hospitals(lambda number, row, hospital: number),
        hospital_county=of_hospitals(lambda number, row, hospital: hospital.county),
        hospital_area=of_hospitals(lambda number, row, hospital: hospital.area),
        hospital_level=of_hospitals(lambda number, row, hospital: HOSPITAL_LEVELS.index(hospital.hosp_lv)),
        hospital_deductible_level=of_hospitals(lambda number, row, hospital: hospital.deductible_level),
        hospital_price_level=of_hospitals(lambda number, row, hospital: hospital.price_level),
        hospital_row=of_hospitals(lambda number, row, hospital: row),
        scheme_of_code=_scheme_of_code(),
        scheme_accepted=np.array([[scheme in pack.schemes for scheme in Scheme] for pack in packs], np.bool_),
        person_type_of_code=_person_type_of_code(),
        care_kind_of_code=_care_kinds(packs),
        level_of_hospital_level=_outside_levels(packs),
        assistance_of_name=_positions(packs, names, lambda pack: [category.id for category in pack.assistance], 1),
        programme_of_name=_positions(packs, names, lambda pack: [programme.id for programme in pack.programmes], 1),
        disease_of_name=_positions(packs, names, lambda pack: [disease.code for disease in pack.diseases], 0),
        needs_diagnosis=np.array([kind in INPATIENT_KINDS for kind in CareKind], np.bool_),
    )


def _scheme_of_code() -> np.ndarray:
    table = np.zeros(1000, np.int32)
    for code, scheme in SCHEME_CODES.items():
        table[int(code)] = scheme
    return table


def _person_type_of_code() -> np.ndarray:
    table = np.zeros(10_000, np.int32)
    for position, code in enumerate(PERSON_TYPES):
        if code:
            table[int(code)] = position
    return table


def _care_kinds(packs: tuple[Pack, ...]) -> np.ndarray:
    """int8[packs, 1_000_000]; a medical category has at most six digits and no leading zero."""
    table = np.zeros((len(packs), 1_000_000), np.int8)
    for number, pack in enumerate(packs):
        for code, kind in pack.care_types.items():
            table[number, int(code)] = kind
    return table


def _outside_levels(packs: tuple[Pack, ...]) -> np.ndarray:
    table = np.full((len(packs), len(HOSPITAL_LEVELS)), -1, np.int32)
    for number, pack in enumerate(packs):
        for group, level in enumerate(pack.levels):
            for code in level.hosp_lv:
                table[number, HOSPITAL_LEVELS.index(code)] = group
    return table


def _positions(packs: tuple[Pack, ...], names: list[str], listed, first: int) -> np.ndarray:
    """int32[packs, names]: position of a name in a pack's list, counted from ``first``; -1 where it is not there."""
    table = np.full((len(packs), max(len(names), 1)), -1, np.int32)
    for number, pack in enumerate(packs):
        for position, name in enumerate(listed(pack)):
            table[number, names.index(name)] = position + first
    return table
