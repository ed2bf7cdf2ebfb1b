"""The tables of ``pooling.toml`` as they are written; :mod:`adjudicator.pooling.rules` turns them into rules."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from adjudicator.payers import FUNDS
from adjudicator.payment.point_values import PointKind
from adjudicator.pooling.budget.terms import POOLED
from adjudicator.pooling.counties.deficit import COUNTY
from adjudicator.pooling.counties.insurances import BASIC, INSURANCES
from adjudicator.rounding import PPM
from adjudicator.rulefile.dated import Source
from adjudicator.rulefile.fields import (
    Decimals,
    FundYuan,
    Member,
    Months,
    Number,
    Percent,
    Points,
    Schemes,
    Times,
    Where,
    Word,
    Yuan,
    count,
    factor,
)

NO_END = 200
"""Age of a band without end."""
ALL_POINTS = 10**14
"""Points of a band without end, in 1e-8."""
NO_AMOUNT = -1

Multiple = Annotated[int, factor(50)]
Weight = Annotated[int, factor(100)]
Growth = Annotated[int, Number("percent", 4, -PPM, 10 * PPM)]
"""Growth on last year, negative for a cut; read as parts per million."""
FundWord = Annotated[str, Word(tuple(payer.id for payer in FUNDS))]
"""A fund of a scheme."""
Score = Annotated[int, factor(100, 2)]
"""A score from 0 to 100, read as hundredths."""


class Dated(msgspec.Struct, frozen=True, kw_only=True):
    """What every table says: for whom, from when, on what ground."""

    source: Source
    where: Where
    scheme: Schemes = ()
    note: str = ""


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """Quality scores from here on release this part of the deposit."""

    score_from: Annotated[int, count(0, 1000)]
    released_percent: Percent


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """A deposit that quality scores release."""

    where: Where
    deposit_percent: Percent
    forfeited: Literal["fund", "redistribute"]
    """Where the part goes that is not released."""
    band: tuple[Band, ...]


class Clearing(Dated, frozen=True, kw_only=True):
    """How points are cleared in a month and a year."""

    kind: Annotated[PointKind, Member(PointKind)] = PointKind.DRG
    mode: Literal["total_cost", "fund_only"]
    prepay_percent: Percent
    reserve_percent: Percent = 0
    year_total: Literal["budget", "shared"] = "budget"
    surplus_kept_percent: Percent | None = None
    overspend_borne_percent: Percent | None = None
    quality: Quality | None = None


class Budget(Dated, frozen=True, kw_only=True):
    """The fund's budget of a year."""

    kind: Annotated[PointKind, Member(PointKind)] = PointKind.DRG
    amount_yuan: FundYuan


class Upper(msgspec.Struct, frozen=True, kw_only=True):
    """Cases over this multiple of the average are dropped, for groups of up to these points."""

    up_to_points: Points = ALL_POINTS
    multiple: Multiple


class CalibrationTable(Dated, frozen=True, kw_only=True):
    """How past costs become points."""

    scale_points: Points = 100 * 10**8
    decimals: Decimals = 4
    trim: Literal["none", "multiples", "middle"]
    upper: tuple[Upper, ...] = ()
    lower_multiple: Annotated[int, factor(1)] | None = None
    drop_percent: Annotated[int, Number("percent", 4, 0, 499_999)] | None = None
    min_cases: Annotated[int, count(1, 1000)]
    cv_max: Annotated[int, factor(10)]
    own_weight: Annotated[int, factor(1)] = PPM
    level_weight: Annotated[int, factor(1)] = 0
    coefficient_decimals: Decimals = 4


class ReviewTable(Dated, frozen=True, kw_only=True):
    """Which cases may go to special-case review (特例单议)."""

    multiple: Multiple
    """A case that costs more than this multiple of its group's average may be applied for."""


class Age(msgspec.Struct, frozen=True, kw_only=True):
    """Weight of persons up to an age."""

    up_to_years: Annotated[int, count(0, NO_END)] = NO_END
    weight: Weight


class Capitation(Dated, frozen=True, kw_only=True):
    """Terms of capitation."""

    quota_per_person_yuan: Yuan
    surplus_kept_percent: Percent
    overspend_shared_percent: Percent
    year_1_weight: Annotated[int, factor(1)] = 0
    """Weight of the oldest of three past years."""
    year_2_weight: Annotated[int, factor(1)] = 0
    year_3_weight: Annotated[int, factor(1)] = 0
    growth_percent: Percent = 0
    chronic_weight: Weight = PPM
    age: tuple[Age, ...] = ()


class QuotaYear(Dated, frozen=True, kw_only=True):
    """Total cost of a hospital's year against its quota."""

    band_percent: Percent
    band_share_percent: Percent
    reward_percent: Percent
    reward_cap_percent: Percent
    no_reward_above_percent: Percent = PPM


class OfAnInsurance(Dated, frozen=True, kw_only=True):
    """A table about the money of one insurance; each keeps its own income, spending and balance."""

    insurance: Annotated[str, Word(tuple(INSURANCES))] = BASIC


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """A payer and its part."""

    payer: str
    rate_percent: Percent


class GapBand(msgspec.Struct, frozen=True, kw_only=True):
    """Shares of a gap up to this part of the financing."""

    up_to_percent: Times = -1
    shares: tuple[Share, ...]


class StepTable(msgspec.Struct, frozen=True, kw_only=True):
    """One step over what is left of a county's gap."""

    where: Where
    kind: Literal["own_surplus", "share", "bands", "eligible", "matched"]
    counties: tuple[int, ...] | None = None
    shares: tuple[Share, ...] = ()
    shortage: tuple[Share, ...] = ()
    reading: Literal["whole", "marginal"] = "whole"
    band: tuple[GapBand, ...] = ()
    over_plan_up_to_percent: Annotated[int, Number("percent", 4, 0, 10 * PPM)] | None = None
    rest: str = COUNTY
    months: Months | None = None
    base_rate_percent: Percent | None = None
    fund: str = ""


class Deficit(OfAnInsurance, frozen=True, kw_only=True):
    """Who pays a county's gap."""

    id: str
    funds: tuple[str, ...] = ()
    step: tuple[StepTable, ...]


class LevyTable(OfAnInsurance, frozen=True, kw_only=True):
    """How a fund is filled."""

    fund: str
    basis: Literal["last_financing", "financing", "months"]
    rate_percent: Percent | None = None
    months: Months | None = None
    stops_at_percent: Annotated[int, Number("percent", 4, 0, 10 * PPM)] = -1
    cut_at_cap: bool = False
    booked_as: Literal["spending", "balance"] = "balance"
    """Spending of the year, so that it is part of the gap; or a transfer of what is left after the gap (R47)."""


class Warning(OfAnInsurance, frozen=True, kw_only=True):
    """Lines of the months that a balance can pay."""

    low_months: Months = 300
    normal_from_months: Months = 600
    normal_to_months: Months = 900
    high_months: Months = 1500
    target_months: Months = NO_AMOUNT
    target_surplus_percent: Percent = NO_AMOUNT
    growth_at_most_percent: Percent = NO_AMOUNT
    ahead_at_most_percent: Percent = 0
    """How far the share of the budget that is spent may be ahead of the share of the year that is gone."""


class OldGaps(OfAnInsurance, frozen=True, kw_only=True):
    """Over how many years old gaps are spread."""

    years: Annotated[int, count(1, 50)]


class CountyBudget(Dated, frozen=True, kw_only=True):
    """Growth that city and counties agreed on for the budget of a fund (总额及增长率)."""

    fund: FundWord = POOLED
    expenditure_growth_percent: Growth
    income_growth_percent: Growth | None = None


class FundingTable(Dated, frozen=True, kw_only=True):
    """How the city funds the county agencies: a float at the start of the year, made up again after each period."""

    float_months: Annotated[int, Number("months", 2, 1, 1200)]
    """Months of planned spending that an agency holds at the start of each period (周转金)."""
    every_months: Annotated[int, count(1, 12)] = 3


class ScoreBand(msgspec.Struct, frozen=True, kw_only=True):
    """The score of a measured figure up to a limit, in percent or months; the last band has none."""

    up_to: Annotated[int, Number("", 2, -1_000_000, 1_000_000)] | None = None
    score: Score


class IndicatorTable(msgspec.Struct, frozen=True, kw_only=True):
    """One indicator of the assessment of counties."""

    where: Where
    id: str
    name_zh: str
    weight_percent: Percent
    basis: str
    """On what ground the score is given (评分依据), for people."""
    measure: Literal["scored", "growth", "surplus_rate", "capacity_months", "plan_share"] = "scored"
    """scored: a file gives the score. The others are figures of the final account, which the bands score."""
    band: tuple[ScoreBand, ...] = ()


class PerformanceTable(Dated, frozen=True, kw_only=True):
    """Assessment of the counties (目标考核、预算绩效) and what it does to money."""

    pot_percent: Percent
    """Part of the budgets' spending that is paid by score (激励资金)."""
    forfeited: Literal["fund", "redistribute"]
    """What becomes of the parts that are not paid."""
    band: tuple[Band, ...]
    """Part of a county's share of the pot that its score releases."""
    indicator: tuple[IndicatorTable, ...]


class PoolingFile(msgspec.Struct, frozen=True, kw_only=True):
    """Clearing, budgets, capitation, deficit sharing, levies and warning lines of a pool."""

    name: str = ""
    name_zh: str = ""
    note: str = ""
    clearing: tuple[Clearing, ...] = ()
    budget: tuple[Budget, ...] = ()
    calibration: tuple[CalibrationTable, ...] = ()
    review: tuple[ReviewTable, ...] = ()
    capitation: tuple[Capitation, ...] = ()
    quota_year: tuple[QuotaYear, ...] = ()
    deficit: tuple[Deficit, ...] = ()
    levy: tuple[LevyTable, ...] = ()
    warning: tuple[Warning, ...] = ()
    old_gaps: tuple[OldGaps, ...] = ()
    county_budget: tuple[CountyBudget, ...] = ()
    funding: tuple[FundingTable, ...] = ()
    performance: tuple[PerformanceTable, ...] = ()
