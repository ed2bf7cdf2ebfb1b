"""The compiled form of ``[[drg]]`` tables, and what clearing takes from them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np


class Mode(IntEnum):
    """What the value of a point stands for, and so what is due; each is described in docs/payment.md."""

    TOTAL_COST = 0
    FUND_ONLY = 1
    RATE = 2


class RatioTo(IntEnum):
    """What the cost of a case is compared with."""

    GROUP_AVERAGE = 0
    LEVEL_AVERAGE = 1
    STANDARD_POINTS = 2
    STANDARD_MONEY = 3


class High(IntEnum):
    """What becomes of the points of a case with a high cost."""

    NONE = 0
    REVIEW = 1
    EXTRA = 2
    EXCESS = 3
    CONTINUOUS = 4


class Low(IntEnum):
    """What becomes of the points of a case with a low cost."""

    NONE = 0
    REVIEW = 1
    ACTUAL = 2


class Ungrouped(IntEnum):
    """How a case without DRG is paid."""

    UNDEFINED = 0
    BY_ITEM = 1
    COST_POINTS = 2


class Cap(IntEnum):
    """What the points of an incomplete stay may not pass."""

    NONE = 0
    BASE = 1
    FULL = 2


class GroupKind(IntEnum):
    """What a result of the grouping scheme is for payment."""

    CASE = 0
    BED_DAY = 1
    NO_DRG = 2
    """A bare ADRG or an ambiguous result: paid as an ungrouped case."""


DRG_TERMS = np.dtype(
    [
        ("mode", "i8"),  # Mode
        ("rounding_unit_e8", "i8"),  # 10 ** (8 - decimals)
        ("scale_e8", "i8"), ("all_average_fen", "i8"),
        ("incomplete_ways", "u8"),  # bit n: discharge way n is an incomplete stay
        ("incomplete_mid_stay", "i8"), ("incomplete_coefficient", "i8"),
        ("incomplete_cap", "i8"),  # Cap
        ("high_strategy", "i8"), ("high_ratio_to", "i8"), ("high_inclusive", "i8"), ("high_coefficient", "i8"),
        ("low_strategy", "i8"), ("low_ratio_to", "i8"), ("low_inclusive", "i8"), ("low_coefficient", "i8"),
        ("low_multiple_ppm", "i8"),
        ("ungrouped", "i8"),  # Ungrouped
        ("unverified_incomplete", "i8"), ("unverified_high", "i8"), ("unverified_low", "i8"),
        ("unverified_points", "i8"), ("unverified_coefficient", "i8"),
        ("groups", "i8"), ("hospitals", "i8"), ("classes", "i8"),  # dimensions of the tables below
        ("group_start", "i8"),  # drg_groups[group]
        ("hospital_start", "i8"),  # drg_hospitals[hospital][group]
        ("level_start", "i8"),  # drg_level_average_fen[group][class]
        ("band_start", "i8"), ("band_end", "i8"),  # drg_high_bands
        ("support_start", "i8"), ("support_end", "i8"),  # conditions
    ],
    align=True,
)  # fmt: skip
"""Terms of DRG payment that hold for one pack in one period."""

DRG_GROUP = np.dtype([("base_e8", "i8"), ("average_fen", "i8"), ("kind", "i8")], align=True)
"""One group: base points (-1 none), average cost (0 none), GroupKind."""

DRG_HOSPITAL = np.dtype([("coefficient_e8", "i8"), ("full_e8", "i8")], align=True)
"""Coefficient and points of a complete stay of one hospital and group; -1 none."""

DRG_BAND = np.dtype([("points_up_to_e8", "i8"), ("multiple_ppm", "i8")], align=True)
"""Multiple above which a case of a group with so many base points is high."""


@dataclass(frozen=True, slots=True)
class Readmission:
    """A second stay within some days in the same group takes points from the earlier one (R31)."""

    days: int
    factor_ppm: int
    exempt_drgs: frozenset[str]
    exempt_diagnoses: tuple[str, ...]
    verified: bool


@dataclass(frozen=True, slots=True)
class SpecialCases:
    """Special-case review (特例单议): how many cases may apply, how fractions round, how many may be swapped."""

    limit_ppm: int
    limit_by_class_ppm: dict[str, int]
    rounding: str
    swap_ppm: int
    verified: bool


ARRAYS = {
    "drg_terms": DRG_TERMS, "drg_groups": DRG_GROUP, "drg_hospitals": DRG_HOSPITAL, "drg_level_average_fen": "i8",
    "drg_high_bands": DRG_BAND,
}  # fmt: skip
