"""What the kernel of the cascade is given: the compiled rules, and the claims of a call with their years."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from adjudicator.benefit.records import PART, YEAR, years_of
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


class Stays(NamedTuple):
    """Stays that go on, m of them: what is known of their earlier parts."""

    years: np.ndarray
    """int64[m, ACCUMULATOR_COUNT]: the years before their first parts."""
    parts: np.ndarray
    """PART[1 + m]: sums over their earlier parts; row 0, all zero, is that of a claim that begins its stay."""

    @property
    def years_or_none(self) -> np.ndarray:
        """Return ``years``, or one year of zeros where there is none: kernels are never given an empty table."""
        return self.years if len(self.years) else _NO_YEARS


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
    stay_parts: np.ndarray
    """PART[1 + m]: sums over their earlier parts; row 0 is all zero."""
    part_words: np.ndarray
    """int64[n, words of PART]: what each claim is as a part of its stay, overwritten; no row where nobody asks."""

    @classmethod
    def over(
        cls, claims: np.ndarray, splits: np.ndarray, lines: np.ndarray, slots: np.ndarray, quotas: np.ndarray,
        stays: Stays | None = None, parts: np.ndarray | None = None,
    ) -> Claims:  # fmt: skip
        """Return claims over persons' years ``slots`` int64[k, ACCUMULATOR_COUNT] and ``quotas`` QUOTA[q].

        ``stays``: those that go on, where there are any. ``parts`` PART[n] takes what each claim is as a part of one.
        """
        slots = slots if len(slots) else _NO_YEARS
        begun, earlier = NO_STAYS if stays is None else stays
        assert len(earlier) == len(begun) + 1
        quotas = quotas if len(quotas) else _NO_QUOTAS
        own = _NO_PARTS if parts is None else parts
        return cls(
            claims, splits, lines, years_of(slots), slots, quotas, _EMPTY_YEAR,
            years_of(begun) if len(begun) else _EMPTY_YEAR, earlier, part_words(own),
        )  # fmt: skip


def part_words(parts: np.ndarray) -> np.ndarray:
    """Return ``parts`` PART[n] as int64[n, words]; both are the same memory."""
    return parts.view(np.int64).reshape(len(parts), -1) if len(parts) else np.zeros((0, PART_WIDTH), np.int64)


PART_WIDTH = PART.itemsize // 8
"""Words of a part of a stay."""
NO_STAYS = Stays(np.zeros((0, ACCUMULATOR_COUNT), np.int64), np.zeros(1, PART))
"""No stay goes on."""


_NO_YEARS = np.zeros((1, ACCUMULATOR_COUNT), np.int64)
_NO_QUOTAS = np.zeros(1, QUOTA)
_EMPTY_YEAR = np.zeros(1, YEAR)
_NO_PARTS = np.zeros(0, PART)
