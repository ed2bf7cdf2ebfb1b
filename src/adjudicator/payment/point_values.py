"""Provisional values of a point in their compiled form: by month of settlement, scheme and kind of points."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np

from adjudicator.codes import Scheme
from adjudicator.compiled.jit import uncounted_inlined
from adjudicator.payment.case import NO_POINT_VALUE, UNVERIFIED_VALUE, Case
from adjudicator.payment.exact import points_value_fen


class PointKind(IntEnum):
    """Kinds of points; each has values and a share of the budget of its own."""

    DRG = 0
    OUTPATIENT = 1


POINT_KINDS = tuple(kind.name.lower() for kind in PointKind)
POOL_SUFFIXES = tuple("" if kind is PointKind.DRG else f"/{kind.name.lower()}" for kind in PointKind)
"""How each kind is written behind the scheme code where money of a scheme is divided: ``310``, ``310/outpatient``."""
DRG_POINT, OUTPATIENT_POINT = int(PointKind.DRG), int(PointKind.OUTPATIENT)

POINT_VALUE = np.dtype([("value_e4", "i8"), ("unverified", "i8")], align=True)
"""One value, 1/10000 fen; a table of them has the dimensions month, scheme and kind (``MONTH_SHAPE``). 0: none."""
MONTH_SHAPE = (max(Scheme) + 1, len(PointKind))


def month_number(date: int) -> int:
    """Return the months since year 0 of a date YYYYMMDD.

    >>> month_number(20250301) - month_number(20241231)
    3
    """
    return date // 10_000 * 12 + date // 100 % 100 - 1


month_of = uncounted_inlined(month_number)
"""Compiled: :func:`month_number`."""


@uncounted_inlined
def point_value_e4(rules: Any, case: Case, kind: int) -> Any:
    """Return the provisional value of a point for a claim, 0 where there is none."""
    value = 0
    if case.month >= 0 and case.claim.scheme < rules.point_values.shape[1]:
        value = rules.point_values[case.month, case.claim.scheme, kind].value_e4
    return value


@uncounted_inlined
def price_points(rules: Any, case: Case, kind: int, points_e8: int, due: Any) -> None:
    """Write points, their value and their worth into a row of PAYMENT; an error where the month has no value."""
    value_e4 = point_value_e4(rules, case, kind)
    if value_e4 <= 0:
        due.error = NO_POINT_VALUE
    else:
        due.points_e8, due.point_value_e4 = points_e8, value_e4
        due.due_fen = points_value_fen(points_e8, value_e4)
        if rules.point_values[case.month, case.claim.scheme, kind].unverified:
            due.unverified |= UNVERIFIED_VALUE
