"""The compiled form of package tables."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class PackageFormula(IntEnum):
    """What is due for a package; each is described in docs/payment.md."""

    FIXED = 0
    PACKAGE = 1
    CEILING = 2
    FUND_ON_LIMIT = 3
    QUOTA_BANDS = 4
    COST_BANDS = 5
    ACTUAL_UP_TO = 6
    AVERAGE_LIMIT = 7
    POINTS = 8
    DRG_SHARE = 9


class PackageKey(IntEnum):
    """The fact of a claim that finds its price in the table."""

    NONE = 0
    DISEASE = 1
    MATERNITY_TYPE = 2
    CARE = 3
    DRG = 4


PACKAGE_SET = np.dtype(
    [
        ("formula", "i8"), ("key", "i8"),  # PackageFormula, PackageKey
        ("keys", "i8"), ("classes", "i8"), ("index_start", "i8"),
        ("reward_ppm", "i8"), ("reward_cap_ppm", "i8"), ("band_ppm", "i8"), ("band_share_ppm", "i8"),
        ("above_defined", "i8"), ("per_head", "i8"), ("unverified", "i8"),
    ],
    align=True,
)  # fmt: skip
"""One table; its prices are found in ``package_index`` at [key][payment class + 1], position 0 is any class."""

PACKAGE_PRICE = np.dtype(
    [
        ("price_fen", "i8"), ("fund_fen", "i8"), ("second_fen", "i8"), ("first_ppm", "i8"), ("second_ppm", "i8"),
        ("points_e8", "i8"), ("extra_fetus_fen", "i8"), ("unverified", "i8"),
    ],
    align=True,
)  # fmt: skip

ARRAYS = {"package_sets": PACKAGE_SET, "package_prices": PACKAGE_PRICE, "package_index": "i8"}
