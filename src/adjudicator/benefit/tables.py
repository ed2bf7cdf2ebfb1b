"""What the kernel of the cascade is given: the compiled rules, and the claims of a call with their years."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from adjudicator.benefit.records import YEAR, years_of
from adjudicator.columns import ACCUMULATOR_COUNT, QUOTA


class Rules(NamedTuple):
    """The compiled rules of some packs; a claim's ``pack`` is the first index."""

    plans: np.ndarray
    """PLAN[n], at least one row."""
    selector: np.ndarray
    """RANGE[packs, schemes, kinds, places, filings, channels]: the spans of a plan in ``spans``."""
    spans: np.ndarray
    """SPAN[m]: plan row by days."""
    person_group: np.ndarray
    """int8[packs, schemes, person types, tiers]: person group of the pack, -1 none."""
    disease_values: np.ndarray
    """DISEASE_VALUE[d]"""
    disease_ranges: np.ndarray
    """RANGE[packs, diseases]: the values of a disease in ``disease_values``."""
    ward_ranges: np.ndarray
    """RANGE[packs, wards]: the values of a ward in ``disease_values``."""
    programmes: np.ndarray
    """PROGRAMME[packs, programmes]; programme 0 is empty."""


class Claims(NamedTuple):
    """Claims of one call, in the order in which they are priced; rows of ``claims``, ``splits`` and ``out`` agree."""

    claims: np.ndarray
    """CLAIM[n]; ``state`` and ``quota`` are rows of the arrays below, -1 none."""
    splits: np.ndarray
    """SPLIT[n]"""
    lines_in_scope: np.ndarray
    """int64[lines]: in-scope amount of every line, or empty (R25 line by line)."""
    years: np.ndarray
    """YEAR[k]; updated in place."""
    slots: np.ndarray
    """int64[k, ACCUMULATOR_COUNT]: the same memory as ``years``."""
    quotas: np.ndarray
    """QUOTA[q]; updated in place."""
    empty_year: np.ndarray
    """YEAR[1], all zero: the year of a claim without state."""
    stay_years: np.ndarray
    """YEAR[m]: the years before the first parts of stays that go on."""

    @classmethod
    def over(
        cls, claims: np.ndarray, splits: np.ndarray, lines: np.ndarray, slots: np.ndarray, quotas: np.ndarray,
        stay_slots: np.ndarray | None = None,
    ) -> Claims:  # fmt: skip
        """Return claims over persons' years ``slots`` int64[k, ACCUMULATOR_COUNT] and ``quotas`` QUOTA[q].

        ``stay_slots`` int64[m, ACCUMULATOR_COUNT]: the years before stays that go on, where there are any.
        """
        slots = slots if len(slots) else _NO_YEARS
        begun = _EMPTY_YEAR if stay_slots is None or not len(stay_slots) else years_of(stay_slots)
        quotas = quotas if len(quotas) else _NO_QUOTAS
        return cls(claims, splits, lines, years_of(slots), slots, quotas, _EMPTY_YEAR, begun)


_NO_YEARS = np.zeros((1, ACCUMULATOR_COUNT), np.int64)
_NO_QUOTAS = np.zeros(1, QUOTA)
_EMPTY_YEAR = np.zeros(1, YEAR)
