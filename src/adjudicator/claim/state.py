"""A person's year while claims are priced: accumulators in rows, disease quotas by key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from adjudicator.columns import ACCUMULATOR_COUNT
from adjudicator.wire.digest import digest_bytes


def quota_key(disease_code: str, period: int) -> int:
    """Number that stands for a disease quota in one period (YYYY, YYYYQ or YYYYMM); never 0.

    >>> quota_key("M03900", 202405) == quota_key("M03900", 202406)
    False
    """
    digest = digest_bytes(f"{disease_code}\x1f{period}".encode())
    return int.from_bytes(digest[:8], "little") or 1


@dataclass(slots=True)
class PersonYears:
    """States of the persons of a batch, one row each; ``price`` updates them in place.

    slots: int64[m, ACCUMULATOR_COUNT], see columns.ACCUMULATORS; quotas: (row, quota key) -> fen paid.
    """

    slots: np.ndarray
    quotas: dict[tuple[int, int], int] = field(default_factory=dict)

    @classmethod
    def new(cls, rows: int) -> PersonYears:
        """Years without a settlement."""
        return cls(np.zeros((rows, ACCUMULATOR_COUNT), np.int64))

    @classmethod
    def read(cls, slots: np.ndarray, quotas: Iterable[Mapping[int, int]] = ()) -> PersonYears:
        """Years as the ledger has them; ``slots`` is copied."""
        used = {(row, key): fen for row, mapping in enumerate(quotas) for key, fen in mapping.items()}
        return cls(slots.copy(), used)
