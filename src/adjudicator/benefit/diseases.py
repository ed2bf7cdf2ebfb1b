"""Quotas and fixed prices of the diseases of a pack, in compiled form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
"""One dated value of a disease: a quota, a fixed price or the terms of a stay; the others are -1.

Scheme 0 and group -1 hold for all. A stay is charged again after ``period_days`` (0: never), or has no deductible.

``care`` names the kinds of care for which it holds, as bits ``1 << CareKind``.
"""


def values_of(pack: Pack) -> Iterator[DatedValue]:
    """Yield the dated values of the diseases of a pack, in the order in which they are compiled."""
    for disease in pack.diseases:
        yield from (*disease.quotas, *disease.fixed_prices, *disease.stays)


def compile_diseases(packs: Sequence[Pack]) -> tuple[np.ndarray, np.ndarray]:
    """Return DISEASE_VALUE[k], at least one row, and RANGE[packs, diseases] of it."""
    most = max((len(pack.diseases) for pack in packs), default=0) or 1
    ranges = np.zeros((len(packs), most), RANGE)
    rows: list[tuple[int, ...]] = []
    for number, pack in enumerate(packs):
        for position, disease in enumerate(pack.diseases):
            start = len(rows)
            for value in (*disease.quotas, *disease.fixed_prices, *disease.stays):
                scheme, group, number_of, care = value.value
                terms = {"quota": (number_of, -1, -1, 0), "fixed_price": (-1, number_of, -1, 0)}.get(value.name)
                if terms is None:
                    terms = (-1, -1, 0, 1) if number_of == NO_DEDUCTIBLE else (-1, -1, number_of, 0)
                days = (value.source.from_date, value.source.to_date)
                rows.append((scheme, group, *days, *terms, care, int(not value.source.verified)))
            ranges[number, position] = start, len(rows)
    return np.array(rows, DISEASE_VALUE) if rows else np.zeros(1, DISEASE_VALUE), ranges
