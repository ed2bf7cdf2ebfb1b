"""Quotas, fixed prices and terms of stays of the diseases and wards of a pack, in compiled form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from adjudicator.benefit.plan.keys import RANGE
from adjudicator.rulefile.dated import DatedValue
from adjudicator.rulefile.pack import NO_DEDUCTIBLE, Pack

DISEASE_VALUE = np.dtype(
    [
        ("scheme", "i8"), ("group", "i8"), ("from_date", "i8"), ("to_date", "i8"), ("quota_fen", "i8"),
        ("price_fen", "i8"), ("period_days", "i8"), ("no_deductible", "i8"), ("care", "i8"), ("unverified", "i8"),
    ]
)  # fmt: skip
"""One dated value of a disease or a ward: a quota, a fixed price or the terms of a stay; the others are -1.

Scheme 0 and group -1 hold for all. A stay is charged again after ``period_days`` (0: never), or has no deductible.

``care`` names the kinds of care for which it holds, as bits ``1 << CareKind``.
"""


def values_of(pack: Pack) -> Iterator[DatedValue]:
    """Yield the dated values of the diseases and the wards of a pack, in the order in which they are compiled."""
    for disease in pack.diseases:
        yield from (*disease.quotas, *disease.fixed_prices, *disease.stays)
    for ward in pack.wards:
        yield from ward.stays


class DiseaseValues(NamedTuple):
    """The dated values of the diseases and the wards of some packs."""

    values: np.ndarray
    """DISEASE_VALUE[k], at least one row."""
    of_disease: np.ndarray
    """RANGE[packs, diseases] of ``values``."""
    of_ward: np.ndarray
    """RANGE[packs, wards] of ``values``."""


def compile_diseases(packs: Sequence[Pack]) -> DiseaseValues:
    """Return the compiled values of the diseases and the wards of some packs."""
    of_disease = np.zeros((len(packs), max((len(pack.diseases) for pack in packs), default=0) or 1), RANGE)
    of_ward = np.zeros((len(packs), max((len(pack.wards) for pack in packs), default=0) or 1), RANGE)
    rows: list[tuple[int, ...]] = []
    for number, pack in enumerate(packs):
        for position, disease in enumerate(pack.diseases):
            start = len(rows)
            rows += map(_row, (*disease.quotas, *disease.fixed_prices, *disease.stays))
            of_disease[number, position] = start, len(rows)
        for position, ward in enumerate(pack.wards):
            start = len(rows)
            rows += map(_row, ward.stays)
            of_ward[number, position] = start, len(rows)
    return DiseaseValues(np.array(rows, DISEASE_VALUE) if rows else np.zeros(1, DISEASE_VALUE), of_disease, of_ward)


def _row(value: DatedValue) -> tuple[int, ...]:
    """Return a dated value in the order of DISEASE_VALUE."""
    scheme, group, number, care = value.value
    terms = {"quota": (number, -1, -1, 0), "fixed_price": (-1, number, -1, 0)}.get(value.name)
    if terms is None:
        terms = (-1, -1, 0, 1) if number == NO_DEDUCTIBLE else (-1, -1, number, 0)
    days = (value.source.from_date, value.source.to_date)
    return (scheme, group, *days, *terms, care, int(not value.source.verified))
