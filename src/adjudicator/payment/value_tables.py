"""Reads ``[[point_value]]`` tables: provisional values of a point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
import numpy as np

from adjudicator.codes import Scheme
from adjudicator.limits import LAST_DATE
from adjudicator.payment.point_values import MONTH_SHAPE, POINT_VALUE, PointKind, month_number
from adjudicator.rulefile.dated import Source
from adjudicator.rulefile.faults import Faults
from adjudicator.rulefile.fields import Member, Number, Schemes, Where


class PointValueTable(msgspec.Struct, frozen=True, kw_only=True):
    """The provisional value of a point for some schemes and one kind of points, yuan with up to six decimals."""

    where: Where
    source: Source
    scheme: Schemes = ()
    kind: Annotated[PointKind, Member(PointKind)] = PointKind.DRG
    value_yuan: Annotated[int, Number("yuan", 6, 1)]
    note: str = ""


@dataclass(frozen=True, slots=True)
class PointValue:
    """A provisional value of a point for one scheme and kind of points."""

    scheme: int
    kind: int
    value_e4: int
    source: Source

    @property
    def is_open(self) -> bool:
        """Whether the value has no end (``to``)."""
        return self.source.to_date == LAST_DATE


def point_values_of(table: PointValueTable) -> list[PointValue]:
    """Return the value of each scheme of a table; a table that names none is for all."""
    schemes = table.scheme or tuple(int(scheme) for scheme in Scheme if scheme)
    return [PointValue(scheme, int(table.kind), table.value_yuan, table.source) for scheme in schemes]


def check_point_values(file: str, values: Sequence[PointValue], faults: Faults) -> None:
    """Add a fault for two values of one scheme and kind that hold on one day.

    A value without an end holds on the days on which no value with an end does, so that the values of single months
    are added without a change of it.
    """
    for position, one in enumerate(values):
        for other in values[:position]:
            alike = (one.scheme, one.kind, one.is_open) == (other.scheme, other.kind, other.is_open)
            if alike and one.source.overlaps(other.source):
                day = max(one.source.from_date, other.source.from_date)
                faults.add(file, one.source.key, f"two values hold on {day}", "end the earlier one the day before")


def dense_point_values(values: Sequence[PointValue]) -> tuple[int, np.ndarray]:
    """Return the first month (12 x year + month - 1) and the values from it on, POINT_VALUE[months, *MONTH_SHAPE]."""
    if not values:
        return 0, np.zeros((0, *MONTH_SHAPE), POINT_VALUE)
    last_date = max(min(value.source.to_date, LAST_DATE) for value in values)
    first, last = month_number(min(value.source.from_date for value in values)), month_number(last_date)
    table = np.zeros((last - first + 1, *MONTH_SHAPE), POINT_VALUE)
    for value in sorted(values, key=lambda one: not one.is_open):
        months = slice(month_number(value.source.from_date) - first, month_number(value.source.to_date) - first + 1)
        table[months, value.scheme, value.kind] = (value.value_e4, int(not value.source.verified))
    return first, table
