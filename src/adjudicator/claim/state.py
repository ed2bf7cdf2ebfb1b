"""A person's year while claims are priced: accumulators in rows, disease quotas by key."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from adjudicator.benefit.records import PART
from adjudicator.benefit.tables import part_words
from adjudicator.claim.care_days import StoredDays
from adjudicator.claim.kin import Kin
from adjudicator.columns import ACCUMULATOR_COUNT, ACCUMULATORS
from adjudicator.wire.digest import digest_bytes


class StoredOrder(NamedTuple):
    """How the accumulators of a row are stored: under permanent numbers, in the order of these numbers."""

    numbers: np.ndarray
    """int64[accumulators], ascending."""
    places: np.ndarray
    """int64[accumulators]: place in memory of each number."""
    place_of: np.ndarray
    """int64[highest number + 1]: place in memory, -1 for a number that this version does not know."""


def stored_order(accumulators: Iterable[tuple[int, str]]) -> StoredOrder:
    """Return the stored order of a table of accumulators (number, name) in the order of memory.

    >>> order = stored_order([(3, "cost"), (1, "stays")])
    >>> order.numbers.tolist(), order.places.tolist(), order.place_of.tolist()
    ([1, 3], [1, 0], [-1, 1, -1, 0])
    """
    memory = np.array([number for number, _ in accumulators], np.int64)
    places = np.argsort(memory)
    numbers = memory[places]
    if numbers[0] < 1 or (np.diff(numbers) == 0).any():
        raise ValueError("each accumulator needs a number of its own, from 1")
    place_of = np.full(int(numbers[-1]) + 1, -1, np.int64)
    place_of[numbers] = places
    return StoredOrder(numbers, places, place_of)


STORED = stored_order(ACCUMULATORS)


def quota_key(disease_code: str, period: int) -> int:
    """Return the number that stands for a disease quota in one period (YYYY, YYYYQ or YYYYMM); never 0.

    >>> quota_key("M03900", 202405) == quota_key("M03900", 202406)
    False
    """
    digest = digest_bytes(f"{disease_code}\x1f{period}".encode())
    return int.from_bytes(digest[:8], "little") or 1


UNKNOWN_CHAIN = -1
"""The ledger has no stay of the person's year that the claim names as the one before in its referral chain."""


class StayParts(NamedTuple):
    """What the ledger knows of a stay that was settled in parts so far (mid-stay settlement, 中途结算)."""

    begun: np.ndarray | None
    """int64[ACCUMULATOR_COUNT]: the year before the first part that counts in the claim's benefit year, None: none."""
    charged_fen: int
    """Deductible that these parts were charged."""
    begun_over_years: np.ndarray
    """The year before the first part of all."""
    charged_over_years_fen: int
    sums: np.ndarray
    """PART[1]: the sum over the parts that count in the claim's benefit year."""
    sums_over_years: np.ndarray
    """PART[1]: the sum over all parts."""


class Part(NamedTuple):
    """An earlier part of a stay."""

    year: Hashable
    """Which person-year it counts in."""
    begun: np.ndarray
    """int64[ACCUMULATOR_COUNT]: the year that it was priced over."""
    charged_fen: int
    """Deductible that it was charged."""
    amounts: np.ndarray
    """PART[1]: what it was."""


def stay_of_parts(parts: Sequence[Part], year: Hashable) -> StayParts:
    """Return what pricing needs of the earlier parts of a stay (at least one, in order), for a claim of a year."""
    own = [part for part in parts if part.year == year]
    charged = sum(part.charged_fen for part in own)
    all_charged = sum(part.charged_fen for part in parts)
    sums = sum_of_parts(own), sum_of_parts(parts)
    return StayParts(own[0].begun if own else None, charged, parts[0].begun, all_charged, *sums)


def sum_of_parts(parts: Sequence[Part]) -> np.ndarray:
    """Return PART[1]: the sum over some parts of a stay."""
    total = np.zeros(1, PART)
    for part in parts:
        part_words(total)[:] += part_words(np.ascontiguousarray(part.amounts))
    return total


@dataclass(slots=True)
class PersonYears:
    """States of the persons of a batch, one row each; ``price`` updates them in place.

    slots: int64[m, ACCUMULATOR_COUNT], see columns.ACCUMULATORS; quotas: (row, quota key) -> fen paid; stays: row of
    the batch -> the earlier parts of the claim's stay; chains: row of the batch -> deductible in fen that the ledger
    knows of the claim's referral chain, UNKNOWN_CHAIN: the earlier stay is not in the person's year. days: the days
    that are taken, None: nobody looks for overlaps; kin: the person's other years among the rows, one entry a claim of
    the call, None: none are known; took: CARE_DAYS of the latest call, one entry a claim; parts: PART of the latest
    call, one entry a claim, or none where no claim was a part of a stay that goes on.
    """

    slots: np.ndarray
    quotas: dict[tuple[int, int], int] = field(default_factory=dict)
    stays: Mapping[int, StayParts] = field(default_factory=dict)
    chains: Mapping[int, int] = field(default_factory=dict)
    days: StoredDays | None = None
    kin: Kin | None = None
    took: np.ndarray | None = None
    parts: np.ndarray | None = None

    @classmethod
    def new(cls, rows: int) -> PersonYears:
        """Years without a settlement."""
        return cls(np.zeros((rows, ACCUMULATOR_COUNT), np.int64))

    @classmethod
    def read(cls, slots: np.ndarray, quotas: Iterable[Mapping[int, int]] = ()) -> PersonYears:
        """Years as the ledger has them; ``slots`` is copied."""
        used = {(row, key): fen for row, mapping in enumerate(quotas) for key, fen in mapping.items()}
        return cls(slots.copy(), used)
