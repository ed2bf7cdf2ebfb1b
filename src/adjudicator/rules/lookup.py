"""What codes mean in a bundle, as tables: areas, hospitals, kinds of care, persons, levels, diseases, wards,
programmes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adjudicator.codes import HOSPITAL_LEVELS, PERSON_TYPES, CareKind, Scheme
from adjudicator.limits import FIRST_DATE, LAST_DATE
from adjudicator.rulefile.pack import Pack

NO_END = 2**31 - 1
"""Last day of a row that has none: a claim without a date is refused for the date, not for its institution."""

HOSPITAL = np.dtype(
    [
        ("pack", "i4"), ("row", "i4"),  # pack, and row in that pack's register, -1 for a hospital outside the pool
        ("area", "i4"), ("county", "i4"),  # six-digit code, and index in the pack's areas
        ("hosp_lv", "i4"),  # position in codes.HOSPITAL_LEVELS
        ("deductible_level", "i4"), ("price_level", "i4"),  # level groups of that pack
        ("payment_class", "i4"),  # position in Pack.payment_classes, -1 none
        ("from_date", "i4"), ("to_date", "i4"),  # days of the row, both inclusive; 0 and NO_END where it has none
    ],
    align=True,
)  # fmt: skip
"""One hospital of a register, in one period."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """Codes to dense numbers, for resolving claims. Lists of names are to be put into code tables by the caller."""

    area_codes: np.ndarray
    """int32[areas]: six-digit codes, ascending."""
    area_pack: np.ndarray
    """int32[areas]: pack of the area."""
    area_county: np.ndarray
    """int32[areas]: index of the area in its pack's ``areas``."""
    pool_span: np.ndarray
    """int64[packs]: what divides the six digits of an area so that the pool is left (``Pack.span``)."""
    hospital_codes: tuple[str, ...]
    """Institution codes over all packs, each once."""
    hospital_first: np.ndarray
    """int32[codes + 1]: code n has the rows ``hospital_first[n]`` to ``hospital_first[n + 1]`` of ``hospitals``."""
    hospitals: np.ndarray
    """HOSPITAL[n], the rows of a code one behind the other."""
    rule_date: np.ndarray
    """int64[packs]: options.YearBy, the day of a claim whose register holds."""
    care_types: tuple[tuple[int, str, CareKind], ...]
    """(pack, med_type, kind): the national defaults with each pack's own on top."""
    assistance: tuple[tuple[str, ...], ...]
    """For each pack the category names; a claim's number is the position, 0 is "" (none)."""
    diseases: tuple[tuple[str, ...], ...]
    """For each pack the disease-list codes; a claim's ``disease`` is the position, -1 none."""
    wards: tuple[tuple[tuple[str, int], ...], ...]
    """For each pack the codes of departments, each with its ward: the position in the pack's wards."""
    programmes: tuple[tuple[str, ...], ...]
    """For each pack the programme names; a claim's number is the position, 0 is ""."""
    person_types: tuple[str, ...]
    """codes.PERSON_TYPES; the dense number is the position."""
    schemes_accepted: np.ndarray
    """bool[packs, schemes]."""
    level_of_hospital_level: np.ndarray
    """int32[packs, 12]: level group of a national level outside the register, -1 none."""


def compile_lookup(packs: Sequence[Pack]) -> Lookup:
    """Return the tables of some packs; a pack's number is its position."""
    areas = sorted(
        (area.code, number, county) for number, pack in enumerate(packs) for county, area in enumerate(pack.areas)
    )
    codes = dict.fromkeys(hospital.code for pack in packs for hospital in pack.hospitals)
    rows = Counter(hospital.code for pack in packs for hospital in pack.hospitals)
    return Lookup(
        area_codes=np.array([code for code, _, _ in areas], np.int32),
        area_pack=np.array([number for _, number, _ in areas], np.int32),
        area_county=np.array([county for _, _, county in areas], np.int32),
        pool_span=np.array([pack.span for pack in packs], np.int64),
        hospital_codes=tuple(codes),
        hospital_first=np.cumsum([0, *(rows[code] for code in codes)], dtype=np.int32),
        hospitals=_hospitals(packs, list(codes)),
        rule_date=np.array([int(pack.rule_date) for pack in packs], np.int64),
        care_types=tuple(
            (number, code, kind) for number, pack in enumerate(packs) for code, kind in pack.care_types.items()
        ),
        assistance=tuple(pack.assistance_ids for pack in packs),
        diseases=tuple(tuple(disease.code for disease in pack.diseases) for pack in packs),
        wards=tuple(
            tuple((code, number) for number, ward in enumerate(pack.wards) for code in ward.departments)
            for pack in packs
        ),
        programmes=tuple(("", *(programme.id for programme in pack.programmes)) for pack in packs),
        person_types=PERSON_TYPES,
        schemes_accepted=np.array([[scheme in pack.schemes for scheme in Scheme] for pack in packs], np.bool_),
        level_of_hospital_level=_levels(packs),
    )


def _hospitals(packs: Sequence[Pack], codes: Sequence[str]) -> np.ndarray:
    """Return the rows of all registers in the order of ``codes``."""
    place = {code: number for number, code in enumerate(codes)}
    rows = [
        (
            place[hospital.code],
            number, row if hospital.county >= 0 else -1, hospital.area, hospital.county,
            HOSPITAL_LEVELS.index(hospital.hosp_lv), hospital.deductible_level, hospital.price_level,
            pack.payment_classes.index(hospital.payment_class) if hospital.payment_class else -1,
            0 if hospital.from_date == FIRST_DATE else hospital.from_date,
            NO_END if hospital.to_date == LAST_DATE else hospital.to_date,
        )
        for number, pack in enumerate(packs)
        for row, hospital in enumerate(pack.hospitals)
    ]  # fmt: skip
    return np.array([row[1:] for row in sorted(rows, key=lambda row: row[0])], HOSPITAL)


def _levels(packs: Sequence[Pack]) -> np.ndarray:
    table = np.full((len(packs), len(HOSPITAL_LEVELS)), -1, np.int32)
    for number, pack in enumerate(packs):
        for position, level in enumerate(pack.levels):
            for code in level.hosp_lv:
                table[number, HOSPITAL_LEVELS.index(code)] = position
    return table
