"""The budget of a year by county and fund (预算编制): from last year's spending and the agreed growth, or typed.

Rounding: an amount times its growth is rounded half away from zero to the fen. What the plan means for reserves, gaps
and warning lines is computed as a pooling year of the planned figures (:mod:`adjudicator.pooling.counties.year`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from adjudicator.money import fen_to_yuan
from adjudicator.pooling.budget.estimates import expected_fen
from adjudicator.pooling.budget.figures import (
    Lacking,
    added,
    fund_zh,
    in_order,
    lacking_months,
    missing_months,
    not_in_plan,
)
from adjudicator.pooling.budget.files import Income, PlanRow, cell, place_of, scheme_word
from adjudicator.pooling.budget.spending import Spending
from adjudicator.pooling.budget.terms import Growth, Place
from adjudicator.pooling.counties.figures import NOT_GIVEN, CountyYear
from adjudicator.pooling.counties.year import PoolYear, pool_year
from adjudicator.pooling.rules import PoolingRules
from adjudicator.rounding import PPM, share

COLUMNS = (
    "county", "name", "scheme", "fund", "income_yuan", "income_growth_percent", "expenditure_yuan",
    "expenditure_growth_percent", "carried_yuan", "last_income_yuan", "last_expenditure_yuan", "financing_yuan",
    "last_financing_yuan",
)  # fmt: skip
"""Columns of a budget's file, which `budget plan --output` writes and the other commands read."""


@dataclass(slots=True)
class PlanLine:
    """The budget of one fund of a county, fen; ``None`` is not known."""

    place: Place
    name: str
    income_fen: int | None = None
    income_growth_ppm: int | None = None
    spending_fen: int | None = None
    growth_ppm: int | None = None
    """Agreed growth of spending; ``None`` where the amount was typed."""
    carried_fen: int | None = None
    last_income_fen: int | None = None
    last_spending_fen: int | None = None
    is_expected: bool = False
    """Last year's spending is in part expected, because the year was not over."""
    financing_fen: int | None = None
    last_financing_fen: int | None = None

    @property
    def growth(self) -> Fraction | None:
        """Growth of spending on last year, as it comes out."""
        if self.spending_fen is None or not self.last_spending_fen or self.last_spending_fen < 0:
            return None
        return Fraction(self.spending_fen - self.last_spending_fen, self.last_spending_fen)

    @property
    def balance_fen(self) -> int | None:
        """Planned balance at the year's end, before levies and shares of a gap."""
        if self.carried_fen is None or self.income_fen is None or self.spending_fen is None:
            return None
        return self.carried_fen + self.income_fen - self.spending_fen


@dataclass(slots=True)
class Plan:
    """The budget of a pool's year."""

    name: str
    year: int
    lines: list[PlanLine] = field(default_factory=list)
    """By scheme, county and fund."""
    lacking: list[Lacking] = field(default_factory=list)
    pool: PoolYear | None = None
    """The pooling year of the planned figures: gaps, levies, warnings."""
    notes: list[str] = field(default_factory=list)

    def of(self, place: Place) -> PlanLine | None:
        """Return the line of a place."""
        return next((line for line in self.lines if line.place == place), None)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a pool beside its rules."""

    areas: Mapping[str, str]
    spending: Spending
    income: Income
    has_income: bool = True
    takes_expected: bool = False
    """Where last year is not over, its expected spending is taken."""

    def name(self, county: str) -> str:
        """Return the name of a county."""
        return self.areas.get(county, county)


def make_plan(
    rules: PoolingRules, year: int, rows: Sequence[PlanRow], known: Known, date: int, funds_fen: Mapping[str, int]
) -> Plan:
    """Make the budget of a year.

    ``rows`` are what was agreed or typed; places that spent last year and have a growth in the pack are added.
    ``funds_fen`` are balances of the reserves as `adjudicator pool` takes them. Errors: those of ``pool_year``.
    """
    result = Plan(rules.name, year)
    given = {place_of(row): row for row in rows}
    spent = known.spending.places([year - 1])
    agreed = {place for place in spent if rules.growth(date, place.scheme, place.fund) is not None}
    planned = {(place.scheme, place.fund) for place in {*given, *agreed}}
    places = {*given, *(place for place in spent if (place.scheme, place.fund) in planned)}
    for scheme, fund in sorted({(place.scheme, place.fund) for place in spent} - planned):
        result.notes.append(
            f"{fund_zh(scheme, fund)}：上年有支出，但没有商定增幅（[[county_budget]]）或预算文件，未编制预算"
        )
    for place in in_order(places):
        growth = rules.growth(date, place.scheme, place.fund)
        result.lines.append(_line(result, place, given.get(place), growth, known))
    if any(line.is_expected for line in result.lines):
        result.notes.append(f"{year - 1} 年尚未结束，上年支出为预计数")
    for line in result.lines:
        if not line.place.pooled_as and line.carried_fen is None:  # the others are named by the pooling year
            result.lacking.append(not_in_plan("balance", "carried_yuan", line.place, line.name))
    result.pool = pool_year(rules, year, _as_counties(result.lines), funds_fen, date)
    _add_open_points(result, result.pool)
    return result


def _add_open_points(result: Plan, pool: PoolYear) -> None:
    """Add what the pooling year lacks, but for what the plan has named already."""
    named_already = {(one.place, one.field.removeprefix("last_")) for one in result.lacking}
    for point in pool.open:
        place, problem = Place.of_key(point.county, point.scheme), point.problem
        if (place, problem.field.removeprefix("last_")) not in named_already:
            one = Lacking(place, point.name, point.what, problem.field, problem.detail, problem.detail_zh)
            result.lacking.append(one)


def typed_plan(name: str, year: int, rows: Iterable[PlanRow], areas: Mapping[str, str]) -> Plan:
    """Return a budget as its file gives it, for execution and final account."""
    result = Plan(name, year)
    given = {place_of(row): row for row in rows}
    for place in in_order(given):
        row = given[place]
        line = _typed(place, row, areas.get(row.county, row.county))
        line.income_fen, line.spending_fen = row.income_yuan, row.expenditure_yuan
        line.last_income_fen, line.last_spending_fen = row.last_income_yuan, row.last_expenditure_yuan
        result.lines.append(line)
    return result


def _typed(place: Place, row: PlanRow | None, name: str) -> PlanLine:
    """Return a line with what a file says beside the amounts of both years."""
    if row is None:
        return PlanLine(place, name)
    return PlanLine(
        place, row.name or name, income_growth_ppm=row.income_growth_percent, growth_ppm=row.expenditure_growth_percent,
        carried_fen=row.carried_yuan, financing_fen=row.financing_yuan, last_financing_fen=row.last_financing_yuan,
    )  # fmt: skip


def _line(plan: Plan, place: Place, row: PlanRow | None, growth: Growth | None, known: Known) -> PlanLine:
    line, year = _typed(place, row, known.name(place.county)), plan.year
    line.last_spending_fen = _last_spending(plan, line, None if row is None else row.last_expenditure_yuan, known)
    typed_last = None if row is None else row.last_income_yuan
    line.last_income_fen = _one(
        plan, line, "last_income_yuan", added(known.income.months_fen(place, year - 1)), typed_last
    )
    last_financing = known.income.financing_fen(place, year - 1)
    line.last_financing_fen = _one(plan, line, "last_financing_yuan", last_financing, line.last_financing_fen)
    typed = (None, None) if row is None else (row.income_yuan, row.expenditure_yuan)
    if growth is not None and typed[1] is None and line.growth_ppm is None:
        line.growth_ppm = growth.spending_ppm
    if growth is not None and typed[0] is None and line.income_growth_ppm is None:
        line.income_growth_ppm = growth.income_ppm
    line.income_fen = _amount(plan, line, "income", (typed[0], line.income_growth_ppm, line.last_income_fen))
    line.spending_fen = _amount(plan, line, "expenditure", (typed[1], line.growth_ppm, line.last_spending_fen))
    return line


def _last_spending(plan: Plan, line: PlanLine, typed_fen: int | None, known: Known) -> int | None:
    """Return last year's spending from the ledger, expected where that is wanted, or typed."""
    place, year = line.place, plan.year - 1
    months = known.spending.months_fen(place, year)
    actual = added(months)
    if actual is not None:
        return _one(plan, line, "last_expenditure_yuan", actual + known.spending.clearing_fen(place, year), typed_fen)
    if known.takes_expected and (expected := expected_fen(known.spending, place, year)) is not None:
        line.is_expected = True
        return _one(plan, line, "last_expenditure_yuan", expected, typed_fen)
    needed = line.growth_ppm is not None or typed_fen is None
    if typed_fen is None and needed:
        missing = missing_months(months, year)
        plan.lacking.append(lacking_months("last spending", "expenditure_yuan", place, line.name, missing))
    return typed_fen


def _one(plan: Plan, line: PlanLine, column: str, known_fen: int | None, typed_fen: int | None) -> int | None:
    """Return a figure that may be known and typed; two that differ are none, and named."""
    if known_fen is None or typed_fen is None or known_fen == typed_fen:
        return typed_fen if known_fen is None else known_fen
    what = "last spending" if column == "last_expenditure_yuan" else "financing" if "financing" in column else "income"
    both = f"{fen_to_yuan(typed_fen)}", f"{fen_to_yuan(known_fen)}"
    reason = f"{column} is typed as {both[0]}, but {both[1]} is known; leave the cell empty"
    reason_zh = f"{column} 填写为 {both[0]} 元，已有数据为 {both[1]} 元，请将该格留空"
    plan.lacking.append(Lacking(line.place, line.name, what, column, reason, reason_zh))
    return None


def _amount(plan: Plan, line: PlanLine, column: str, known: tuple[int | None, int | None, int | None]) -> int | None:
    """Return a planned amount of (typed, growth, last year's); where both are typed they must agree."""
    typed_fen, growth_ppm, last_fen = known
    grown = None if growth_ppm is None or last_fen is None else share(last_fen, PPM + growth_ppm)
    if typed_fen is not None and (grown is None or grown == typed_fen):
        return typed_fen
    if typed_fen is None and grown is not None:
        return grown
    field_name = f"{column}_yuan"
    if typed_fen is not None and grown is not None:
        both = f"{fen_to_yuan(typed_fen)}", f"{fen_to_yuan(grown)}"
        reason = f"{field_name} is typed as {both[0]}, its growth gives {both[1]}; fill one of the two"
        reason_zh = f"{field_name} 填写为 {both[0]} 元，按增幅应为 {both[1]} 元，请只填其一"
    elif growth_ppm is None:
        reason = f"there is neither an amount nor an agreed growth; fill {field_name} or {column}_growth_percent"
        reason_zh = f"没有金额也没有商定增幅，请填写 {field_name} 或 {column}_growth_percent"
    else:
        reason = f"there is a growth but no figure of last year; fill last_{field_name} or give its months"
        reason_zh = f"有增幅但缺上年数，请填写 last_{field_name} 或给出上年各月"
    what = "income" if column == "income" else "spending"
    plan.lacking.append(Lacking(line.place, line.name, what, field_name, reason, reason_zh))
    return None


def _as_counties(lines: Iterable[PlanLine]) -> list[CountyYear]:
    """Return the planned figures of the funds that are pooled, as a pooling year reads them."""
    return [
        CountyYear(
            line.place.county, line.name, line.place.pooled_as, _given(line.income_fen), _given(line.spending_fen),
            line.carried_fen, financing_fen=_given(line.financing_fen),
            last_financing_fen=_given(line.last_financing_fen), last_expenditure_fen=_given(line.last_spending_fen),
        )
        for line in lines if line.place.pooled_as
    ]  # fmt: skip


def _given(fen: int | None) -> int:
    return NOT_GIVEN if fen is None else fen


def table_rows(plan: Plan) -> list[list[str]]:
    """Return the rows of a budget's file (:data:`COLUMNS`)."""
    return [
        [
            line.place.county, line.name, scheme_word(line.place.scheme), line.place.fund, cell(line.income_fen),
            _percent(line.income_growth_ppm), cell(line.spending_fen), _percent(line.growth_ppm),
            cell(line.carried_fen), cell(line.last_income_fen), cell(line.last_spending_fen),
            cell(line.financing_fen), cell(line.last_financing_fen),
        ]
        for line in plan.lines
    ]  # fmt: skip


def _percent(ppm: int | None) -> str:
    """Return a rate as a cell in percent, exact.

    >>> _percent(75_000), _percent(-5_000), _percent(None)
    ('7.5', '-0.5', '')
    """
    if ppm is None:
        return ""
    whole, rest = divmod(abs(ppm), 10_000)
    text = f"{whole}.{rest:04d}".rstrip("0").rstrip(".")
    return f"-{text}" if ppm < 0 else text
