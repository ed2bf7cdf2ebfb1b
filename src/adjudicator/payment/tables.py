"""The compiled payment rules of a bundle as the kernel takes them: one array a name, defined here once.

The arrays of the methods come with their registration (``payment.registry``).
"""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np

from adjudicator.codes import CareKind
from adjudicator.payment.condition_terms import CONDITION
from adjudicator.payment.methods.capitation.formula import CONTRACT
from adjudicator.payment.point_values import MONTH_SHAPE, POINT_VALUE
from adjudicator.payment.registry import TABLE_KINDS

PACK = np.dtype(
    [
        ("epoch_start", "i8"), ("epoch_end", "i8"),
        ("deciding_date", "i8"),  # DecidingDate
        ("clearing_funds", "u8"),  # bit n: the fund at place n of payers.FUNDS
        ("first_month", "i8"), ("months", "i8"), ("month_start", "i8"),  # point_values[month]
        ("class_start", "i8"), ("hospitals", "i8"),  # hospital_ranks[hospital]
        ("contract_start", "i8"), ("contract_end", "i8"),
    ],
    align=True,
)  # fmt: skip
"""One pack: its epochs, point values, hospital classes and contracts."""

EPOCH = np.dtype([("from_date", "i8"), ("to_date", "i8"), ("by_kind", "i8"), ("drg", "i8")], align=True)
"""Rules of one pack from one day to another.

``by_kind``: first of the places in ``kind_rows`` where the rows for each kind of care begin, highest priority first.
``drg``: row of ``drg_terms``, -1 none.
"""

KINDS = max(CareKind) + 1
"""Kinds of care: so many lists of method rows an epoch has."""

ARRAYS: dict[str, Any] = {
    "packs": PACK,
    "epochs": EPOCH,
    "conditions": CONDITION,
    "kind_starts": "i8",
    "kind_rows": "i8",
    "hospital_ranks": "i8",
    "point_values": POINT_VALUE,
    "contracts": CONTRACT,
} | {name: dtype for kind in TABLE_KINDS.values() for name, dtype in kind.arrays.items()}
"""dtype of each array that grows with the packs of a bundle."""
SHAPES: dict[str, tuple[int, ...]] = {"point_values": MONTH_SHAPE}
"""Dimensions after the first, of the arrays that have more than one."""


def _named_by_data(names: tuple[str, ...]) -> Any:
    return namedtuple("Tables", names, module=__name__)


Tables = _named_by_data((*ARRAYS, "set_starts", "set_members"))
"""The arrays by name; sets are those of ``conditions.SetPool``."""
