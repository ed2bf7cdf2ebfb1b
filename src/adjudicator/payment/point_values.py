"""Provisional values of a point: by month of settlement, scheme and kind of points (``[[point_value]]``)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np

from adjudicator.codes import SCHEME_CODES, Scheme
from adjudicator.compiled.jit import uncounted_inlined
from adjudicator.limits import LAST_DATE
from adjudicator.payment.case import NO_POINT_VALUE, UNVERIFIED_VALUE, Case
from adjudicator.payment.exact import points_value_fen
from adjudicator.payment.reader import Node
from adjudicator.rulefile.dated import Source
from adjudicator.rulefile.faults import Faults


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


@dataclass(frozen=True, slots=True)
class PointValue:
    """A provisional value of a point for one scheme and kind of points."""

    scheme: int
    kind: int
    value_e4: int
    source: Source


def read_point_value(node: Node) -> PointValue:
    """Read a provisional point value; ``value`` is yuan a point with up to six decimals."""
    scheme = node.choice("scheme", SCHEME_CODES)
    kind = POINT_KINDS.index(node.choice("kind", POINT_KINDS, POINT_KINDS[DRG_POINT]))
    value = node.scaled("value", 6, low=1)
    source = node.source()
    node.text("note", "")
    node.finish()
    return PointValue(int(SCHEME_CODES.get(scheme, 0)), kind, value, source)


def check_point_values(file: str, values: list[PointValue], faults: Faults) -> None:
    """Add a fault for two values of one scheme and kind that hold on one day."""
    for position, one in enumerate(values):
        for other in values[:position]:
            if (one.scheme, one.kind) == (other.scheme, other.kind) and one.source.overlaps(other.source):
                day = max(one.source.from_date, other.source.from_date)
                faults.add(
                    file, f"point_value[{position}]", f"two values hold on {day}", "end the earlier one the day before"
                )


def dense_point_values(values: list[PointValue]) -> tuple[int, np.ndarray]:
    """Return the first month (12 x year + month - 1) and the values from it on, POINT_VALUE[months, *MONTH_SHAPE]."""
    if not values:
        return 0, np.zeros((0, *MONTH_SHAPE), POINT_VALUE)
    last_date = max(min(value.source.to_date, LAST_DATE) for value in values)
    first, last = month_number(min(value.source.from_date for value in values)), month_number(last_date)
    table = np.zeros((last - first + 1, *MONTH_SHAPE), POINT_VALUE)
    for value in values:
        months = slice(month_number(value.source.from_date) - first, month_number(value.source.to_date) - first + 1)
        table[months, value.scheme, value.kind] = (value.value_e4, int(not value.source.verified))
    return first, table


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
