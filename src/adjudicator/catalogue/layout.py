"""What the compiled catalogue looks like: the arrays that ``catalogue.compile`` writes and the line kernels read."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import NamedTuple

import numpy as np

from adjudicator import limits

LEVEL_COLUMNS = limits.MAX_HOSPITAL_LEVELS + 1
"""Columns of a ceiling set: one a level group of the pack; the last is for a hospital of an unknown group."""


class VersionFlag(IntFlag):
    """Bits of ``VERSION.flags`` that change how a line is split; bits from 32 up only describe the item."""

    RESTRICTED = 1
    CO_PAY_FREE = 2
    SPECIAL_DRUG = 4
    UNVERIFIED = 8
    LAST = 16


class Handling(IntEnum):
    """How a price over its ceiling is treated (超限处理方式) [overlmt_dspo_way]; the last limits the line's amount."""

    EXCESS_TO_PATIENT = 0
    ITEM_SELF_PAID = 1
    EXCESS_TO_HOSPITAL = 2
    EXCESS_IN_CATALOGUE = 3
    LINE_CEILING = 4


VERSION = np.dtype(
    [("from", "i4"), ("to", "i4"), ("ceiling", "i4"), ("ratio", "i4"), ("item_class", "i4"), ("flags", "i4")],
    align=True,
)
"""One version of an item: days inclusive, rows of the ceiling and ratio sets, bits of :class:`VersionFlag`."""


class LineRules(NamedTuple):
    """The arrays that the line kernels read.

    ``first`` int32 (groups, items); ``versions`` VERSION; ``ceiling_e4`` and ``handling`` (sets, level columns), a
    ceiling on the line as -1 less its amount, so that every price is above it;
    ``ratio_ppm`` int32 (sets, person classes); ``group_of`` int32 (packs, counties + 1), column 0 the pool itself;
    ``level_column`` int8 (packs, groups, level columns); ``options`` ``settings.OPTION`` with ``option_start``
    (packs + 1); ``covers`` uint8 (packs, items), bit k: covered by programme k + 1; ``person_types``: how many there
    are.
    """

    first: np.ndarray
    versions: np.ndarray
    ceiling_e4: np.ndarray
    handling: np.ndarray
    ratio_ppm: np.ndarray
    group_of: np.ndarray
    level_column: np.ndarray
    options: np.ndarray
    option_start: np.ndarray
    covers: np.ndarray
    person_types: int
