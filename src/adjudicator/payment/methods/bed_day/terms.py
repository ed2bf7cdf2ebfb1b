"""The compiled form of bed-day tables."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class BedDayFormula(IntEnum):
    """What is due for a stay; each is described in docs/payment.md."""

    LESS_PATIENT = 0
    FUND_SHARE = 1
    CLASS_SHARE = 2
    POINTS = 3


BED_DAY_SET = np.dtype(
    [
        ("formula", "i8"),  # BedDayFormula
        ("rate_start", "i8"), ("rate_end", "i8"), ("factor_start", "i8"), ("factor_end", "i8"),
        ("fund_ppm", "i8"), ("rate_a_ppm", "i8"), ("rate_b_ppm", "i8"), ("cap_ppm", "i8"), ("unverified", "i8"),
    ],
    align=True,
)  # fmt: skip
"""One table: rows of ``bed_day_rates`` and, for the factors, of ``conditions``."""

BED_DAY_RATE = np.dtype([("rank", "i8"), ("day_from", "i8"), ("day_to", "i8"), ("rate", "i8")], align=True)
"""``rank``: payment class, -1 any. ``rate``: fen a day, or points of 1e-8 a day in the points form."""

ARRAYS = {"bed_day_sets": BED_DAY_SET, "bed_day_rates": BED_DAY_RATE}
