"""Terms of county budgets as a pack gives them: agreed growth, funding of the agencies, assessment of the counties."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from adjudicator.pooling.counties.insurances import BASIC, INSURANCES, key_of, parts_of

POOLED = "pooled"
"""The basic fund, the word of ``payers.PAYERS``; the other funds of a scheme have budgets of their own."""


class Place(NamedTuple):
    """One fund of a county: what a budget has a line for."""

    scheme: str
    """National code."""
    county: str
    """Area code of six digits."""
    fund: str = POOLED
    """Id of one of ``payers.FUNDS``."""

    @property
    def pooled_as(self) -> str:
        """Key of the pooling year that the fund has (``pooling.insurances``); "" for a fund that is not pooled."""
        insurance = BASIC if self.fund == POOLED else self.fund
        return key_of(self.scheme, insurance) if insurance in INSURANCES else ""

    @classmethod
    def of_key(cls, county: str, key: str) -> Place:
        """Return the place of a county's row in a pooling year.

        >>> Place.of_key("990001", "310/large_sum").pooled_as, Place("310", "990001", "assistance").pooled_as
        ('310/large_sum', '')
        """
        scheme, insurance = parts_of(key)
        return cls(scheme, county, POOLED if insurance == BASIC else insurance)


@dataclass(frozen=True, slots=True)
class Growth:
    """Growth on last year, agreed between city and counties, in ppm."""

    fund: str
    spending_ppm: int
    income_ppm: int | None
    """``None``: not agreed; income is typed."""


@dataclass(frozen=True, slots=True)
class Funding:
    """How the city funds the county agencies."""

    float_months_e2: int
    """Months of planned spending that an agency holds at the start of each period, in hundredths."""
    every_months: int
    """Length of a period."""


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator of the assessment of counties."""

    id: str
    name_zh: str
    weight_ppm: int
    basis: str
    measure: str
    """scored, growth, surplus_rate, capacity_months, plan_share"""
    bands: tuple[tuple[int | None, int], ...]
    """(up to this figure in hundredths of a percent or month, score in hundredths); ``None`` is without end."""


@dataclass(frozen=True, slots=True)
class Performance:
    """Assessment of the counties and what it does to money."""

    pot_ppm: int
    """Part of the budgets' spending that is paid by score."""
    redistributes: bool
    """What is not paid goes to the other counties; else it stays in the fund."""
    bands: tuple[tuple[int, int], ...]
    """Score from which a share of a county's part is paid: (score, ppm), the lowest first."""
    indicators: tuple[Indicator, ...]
