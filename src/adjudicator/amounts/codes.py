"""What the codes of a table mean in one pack of a bundle: tables from codes to the numbers of ``columns.CLAIM``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from adjudicator.claim.resolve import LEAST_AREA, WHOLE_DEPARTMENT
from adjudicator.codes import HOSPITAL_LEVELS, PERSON_TYPES, SCHEME_CODES, CareKind, Place
from adjudicator.errors import AdjudicatorError, E, Problem
from adjudicator.limits import MAX_AGE_YEARS
from adjudicator.rules.bundle import Bundle

UNKNOWN = -9
"""No meaning."""
WIDTHS = {"hospital_level": 2, "insured_area": 6, "care_area": 6, "person_type": 2, "care_type": 2}
"""Digits of a code that is given as a number."""


@dataclass(frozen=True, slots=True)
class Code:
    """What the codes of a column become."""

    word: str
    """Word of the row; "" where the code is only checked."""
    meaning: Callable[[str], int]
    error: E
    least: int = 0
    most: int = 10**9
    empty: int | None = None
    """What no code means; None: there must be one."""


def _position(listed: tuple[str, ...] | list[str]) -> Callable[[str], int]:
    places = {name: place for place, name in enumerate(listed) if name}
    return lambda code: places.get(code, UNKNOWN)


class Codes:
    """The codes of one pack."""

    def __init__(self, bundle: Bundle, number: int) -> None:
        self.number, self.bundle, self.pack = number, bundle, bundle.packs[number]
        lookup = bundle.lookup
        self.areas = {int(area.code) for area in self.pack.areas}
        self.hospitals = {
            code: list(rows) for code, rows in groupby(self.pack.hospitals, key=lambda hospital: hospital.code)
        }
        care = {code: int(kind) for pack, code, kind in lookup.care_types if pack == number}
        levels = lookup.level_of_hospital_level[number]
        accepted = lookup.schemes_accepted[number]
        schemes = {code: int(scheme) for code, scheme in SCHEME_CODES.items() if accepted[int(scheme)]}
        self.codes: dict[str, Code] = {
            "insured_area": Code("", self._is_area, E.UNKNOWN_AREA),
            "care_area": Code("place", self.place_of, E.UNKNOWN_CARE_AREA, empty=int(Place.LOCAL)),
            "scheme": Code("scheme", lambda code: schemes.get(code, UNKNOWN), E.UNKNOWN_SCHEME, least=1),
            "person_type": Code("person_type", _position(PERSON_TYPES), E.UNKNOWN_PERSON_TYPE, least=1),
            "care_type": Code("care_kind", lambda code: care.get(code, UNKNOWN), E.UNKNOWN_CARE_TYPE, least=1),
            "level": Code("deductible_level", _position(self.pack.level_ids), E.UNKNOWN_HOSPITAL_LEVEL),
            "institution_code": Code("deductible_level", self._level_of_hospital, E.UNKNOWN_INSTITUTION),
            "hospital_level": Code(
                "deductible_level",
                lambda code: int(levels[HOSPITAL_LEVELS.index(code)]) if code in HOSPITAL_LEVELS[1:] else UNKNOWN,
                E.UNKNOWN_HOSPITAL_LEVEL,
            ),
            "assistance_category": Code(
                "assistance", _position(lookup.assistance[number]), E.UNKNOWN_ASSISTANCE_CATEGORY, empty=0
            ),
            "disease_code": Code("disease", _position(lookup.diseases[number]), E.UNKNOWN_DISEASE, empty=-1),
            "department": Code("ward", self._ward_of, E.INVALID_CODE_VALUE, least=-1, empty=-1),
            "programme": Code("programme", _position(lookup.programmes[number]), E.UNKNOWN_PROGRAMME, empty=0),
            "referral_from_encounter": Code("chain_continues", lambda code: 1, E.INVALID_ID, empty=0),
            "age_years": Code(
                "age_years", lambda code: _number(code, MAX_AGE_YEARS), E.AGE_OUT_OF_RANGE, empty=-1
            ),
            "maternity_type": Code(
                "maternity_type", lambda code: UNKNOWN if code == "8" else _number(code, 9), E.INVALID_CODE_VALUE,
                empty=0,
            ),
            "enrolment_status": Code(
                "suspended", lambda code: {"0": 0, "1": 0, "2": 1, "4": 1}.get(code, UNKNOWN), E.INVALID_CODE_VALUE,
                empty=0,
            ),
        }  # fmt: skip

    def _is_area(self, code: str) -> int:
        return 0 if code.isdigit() and int(code) in self.areas else UNKNOWN

    def place_of(self, code: str) -> int:
        """Return where care in an area is, seen from the pack (``claim.resolve.resolve_place``)."""
        if not code.isdigit() or len(code) != 6 or int(code) < LEAST_AREA:
            return UNKNOWN
        insured = next(iter(sorted(self.areas)))
        if int(code) // self.pack.span == insured // self.pack.span:
            return int(Place.LOCAL)
        return int(Place.PROVINCE if int(code) // 10_000 == insured // 10_000 else Place.OUTSIDE)

    def place_of_hospital(self, code: str) -> int:
        """Return where a registered hospital is; one that is not registered is taken as local."""
        areas = {hospital.area for hospital in self.hospitals.get(code, ())}
        return self.place_of(f"{_only(areas, code, 'care_area'):06d}") if areas else int(Place.LOCAL)

    def _level_of_hospital(self, code: str) -> int:
        levels = {hospital.deductible_level for hospital in self.hospitals.get(code, ())}
        return _only(levels, code, "level") if levels else UNKNOWN

    def _ward_of(self, code: str) -> int:
        wards = dict(self.bundle.lookup.wards[self.number])
        return wards.get(code, wards.get(code[:WHOLE_DEPARTMENT], -1))

    def is_inpatient(self, kinds: tuple[CareKind, ...]) -> Callable[[str], int]:
        """Return whether a medical category is one of some kinds of care."""
        meaning = self.codes["care_type"].meaning
        return lambda code: int(meaning(code) in kinds)


def _only(values: set[int], code: str, column: str) -> int:
    """Return what an institution has in all periods of the register; one that changed needs a column of its own."""
    if len(values) > 1:
        detail = f"the register of {code} changes with the day; give {column} instead of institution_code"
        detail_zh = f"{code} 的登记随日期变化，请改用 {column} 列"
        raise AdjudicatorError(Problem(int(E.INPUT_UNREADABLE), "institution_code", detail, detail_zh=detail_zh))
    return next(iter(values))


def _number(code: str, most: int) -> int:
    return int(code) if code.isdigit() and int(code) <= most else UNKNOWN


def table_of(code: Code, name: str, texts: list[str] | None, values: np.ndarray) -> np.ndarray:
    """Return int64[:]: what each place in ``texts``, or each number that occurs in ``values``, means.

    The last entry is what a missing code means.
    """
    empty = UNKNOWN if code.empty is None else code.empty
    if texts is not None:
        found = [code.meaning(text) if text else empty for text in texts]
        return np.array([*found, empty], np.int64)
    most = int(values.max(initial=0))
    if most >= 1_000_000 or int(values.min(initial=0)) < 0:
        used, most = np.zeros(0, np.int64), 0
    else:
        used = np.flatnonzero(np.bincount(values.astype(np.int64, copy=False), minlength=1))
    table = np.full(most + 2, UNKNOWN, np.int64)
    width = WIDTHS.get(name, 1)
    for number in used.tolist():
        table[number] = code.meaning(f"{number:0{width}d}")
    table[-1] = empty
    return table
