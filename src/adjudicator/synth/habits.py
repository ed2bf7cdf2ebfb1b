"""How a synthetic city differs from the usual one: percentages of what is usual, 100 for no difference."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import NamedTuple


class Bounds(NamedTuple):
    """Least and most of a habit."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Habits:
    """Percentages; ``synth --calibrate`` looks for those that come nearest to published figures."""

    employee_cost: int = 100
    """Fee lines of an employee's stay."""
    resident_cost: int = 100
    """Fee lines of a resident's stay."""
    employee_spread: int = 100
    """How far the costs of employees' stays lie apart: 100 as the usual lines come out, 200 a standard deviation of 1
    in the logarithm of their quantities."""
    resident_spread: int = 100
    high_levels: int = 100
    """Weight of hospitals of the third level [hosp_lv 01 to 04] among stays."""
    low_levels: int = 100
    """Weight of hospitals below the second level [hosp_lv 08 to 11] among stays."""
    stay_days: int = 100
    """Length of a stay."""
    retired: int = 100
    """Share of retired persons among employees."""
    employees: int = 100
    """Share of employees among the insured."""

    def as_table(self) -> dict[str, int]:
        """Return the percentages by name."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


USUAL = Habits()
BOUNDS: dict[str, Bounds] = {
    "employee_cost": Bounds(40, 175), "resident_cost": Bounds(40, 175), "employee_spread": Bounds(100, 300),
    "resident_spread": Bounds(100, 300), "high_levels": Bounds(10, 1000),
    "low_levels": Bounds(10, 1000), "stay_days": Bounds(20, 300), "retired": Bounds(20, 300),
    "employees": Bounds(20, 300),
}  # fmt: skip
"""A habit outside them would give no city that anybody knows."""
