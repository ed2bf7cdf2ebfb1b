"""Funding of the county agencies: the city keeps income by county and funds payments by period (统收统支).

At the start of each period the city makes the agency's float (周转金) up to some months of planned spending: the first
transfer is the float itself, each later one what the agency has spent since. What a year's transfers and spending
differ by at its end is made up to the agency, or stays with it for the next year.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adjudicator.money import split_by_weight
from adjudicator.pooling.budget.plan import Plan
from adjudicator.pooling.budget.spending import MONTHS
from adjudicator.pooling.budget.terms import POOLED, Funding, Place
from adjudicator.pooling.rules import PoolingRules
from adjudicator.rounding import divide_half_up


@dataclass(frozen=True, slots=True)
class Period:
    """One period of funding, fen."""

    first_month: int
    """Number of its first month, 1 to 12."""
    last_month: int
    transfer_fen: int
    """What the city transfers at its start."""
    spent_fen: int
    """What is paid in it: actual where all its months are known, else actual so far and planned for the rest."""
    is_actual: bool
    """Whether the transfer follows from actual spending alone."""


@dataclass(frozen=True, slots=True)
class Funded:
    """The funding of one county and scheme in a year, fen."""

    place: Place
    name: str
    float_fen: int
    periods: tuple[Period, ...]
    through: int
    """Months of actual spending, 0 for a plan."""
    spent_fen: int
    """Actual spending in them."""
    supply_fen: int | None
    """What the city holds for the county before transfers: its balance of the year before and the income moved up."""

    @property
    def transferred_fen(self) -> int:
        """Return the transfers due up to the last month of actual spending (for a plan: the first one)."""
        return sum(one.transfer_fen for one in self.periods if one.first_month <= max(1, self.through))

    @property
    def agency_fen(self) -> int:
        """What the agency still has of them; negative where it paid more than it was given."""
        return self.transferred_fen - self.spent_fen

    @property
    def city_fen(self) -> int | None:
        """What the city keeps for the county (分县记账): with what the agency has, the county's balance."""
        return None if self.supply_fen is None else self.supply_fen - self.transferred_fen

    @property
    def to_fund_fen(self) -> int:
        """What is still to be funded until the year's end: the later transfers and what the end settles."""
        return sum(one.spent_fen for one in self.periods) - self.transferred_fen

    @property
    def settled_at_end_fen(self) -> int:
        """What the end of the year settles: spending less all transfers; negative stays with the agency."""
        return sum(one.spent_fen - one.transfer_fen for one in self.periods)


def fund(
    place: Place, name: str, terms: Funding, plan_fen: int, spent: Sequence[int], supply_fen: int | None = None
) -> Funded:
    """Return the transfers of a year.

    ``spent``: actual spending of the year's first months; empty for a plan. The year's plan is split over the months
    in equal parts (largest remainder, R32); months without actual spending count as planned. A transfer is never
    negative: an agency that has more than its float gets nothing.
    """
    planned = split_by_weight(plan_fen, [1] * MONTHS)
    months = [*spent, *planned[len(spent) :]]
    float_fen = divide_half_up(plan_fen * terms.float_months_e2, 100 * MONTHS)
    periods, held = [], 0
    for first in range(1, MONTHS + 1, terms.every_months):
        last = first + terms.every_months - 1
        transfer, paid = max(0, float_fen - held), sum(months[first - 1 : last])
        periods.append(Period(first, last, transfer, paid, is_actual=first - 1 <= len(spent)))
        held += transfer - paid
    return Funded(place, name, float_fen, tuple(periods), len(spent), sum(spent), supply_fen)


def plan_funding(rules: PoolingRules, plan: Plan, date: int) -> list[Funded]:
    """Return the planned transfers of each county whose scheme has [[funding]] and whose budget is known."""
    return [
        fund(line.place, line.name, rules.pick("funding", date, line.place.scheme), line.spending_fen, [])
        for line in plan.lines
        if line.place.fund == POOLED and line.spending_fen is not None and rules.has("funding", date, line.place.scheme)
    ]
