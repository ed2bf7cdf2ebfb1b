"""The final account of a year by county and fund (决算), and what of it `adjudicator pool` reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from adjudicator.money import fen_to_yuan
from adjudicator.pooling.budget.figures import (
    Lacking,
    added,
    in_order,
    lacking_months,
    listed,
    missing_months,
    not_in_plan,
    place_zh,
)
from adjudicator.pooling.budget.files import cell, scheme_word
from adjudicator.pooling.budget.performance import Assessed, Assessment, assess
from adjudicator.pooling.budget.plan import Known, Plan, PlanLine
from adjudicator.pooling.budget.spending import Spending
from adjudicator.pooling.budget.terms import POOLED, Place
from adjudicator.pooling.counties.figures import NOT_GIVEN, CountyYear
from adjudicator.pooling.counties.insurances import parts_of
from adjudicator.pooling.counties.warning import Figures, Warning, months_of_capacity, surplus_rate, warnings
from adjudicator.pooling.rules import PoolingRules

COUNTY_COLUMNS = (
    "county", "name", "scheme", "insurance", "income_yuan", "expenditure_yuan", "carried_yuan", "financing_yuan",
    "last_financing_yuan", "last_expenditure_yuan", "plan_expenditure_yuan",
)  # fmt: skip
"""Columns of `adjudicator pool --counties` that a final account fills."""


@dataclass(slots=True)
class Account:
    """The year of one fund of a county, fen; ``None`` is not known."""

    place: Place
    name: str
    income_fen: int | None
    months_fen: int | None
    """Spending of the twelve months."""
    clearing_fen: int
    """What the year's clearing and payments by the head add."""
    carried_fen: int | None
    plan_income_fen: int | None
    plan_spending_fen: int | None
    last_spending_fen: int | None
    financing_fen: int | None
    last_financing_fen: int | None
    warnings: list[Warning] = field(default_factory=list)

    @property
    def spending_fen(self) -> int | None:
        """Spending of the year."""
        return None if self.months_fen is None else self.months_fen + self.clearing_fen

    @property
    def balance_fen(self) -> int | None:
        """Balance at the year's end, before levies and shares of a gap: carried + income - spending."""
        if self.carried_fen is None or self.income_fen is None or self.spending_fen is None:
            return None
        return self.carried_fen + self.income_fen - self.spending_fen

    @property
    def income_difference_fen(self) -> int | None:
        """Income less planned income."""
        return _less(self.income_fen, self.plan_income_fen)

    @property
    def spending_difference_fen(self) -> int | None:
        """Spending less planned spending."""
        return _less(self.spending_fen, self.plan_spending_fen)

    @property
    def figures(self) -> Figures:
        """What warning lines and indicators are compared with."""
        spent, last, income = self.spending_fen, self.last_spending_fen, self.income_fen
        months = None if self.balance_fen is None or spent is None else months_of_capacity(self.balance_fen, spent)
        surplus = None if income is None or spent is None else surplus_rate(income, spent)
        growth = Fraction(spent - last, last) if spent is not None and last is not None and last > 0 else None
        return Figures(months, surplus, growth)

    @property
    def plan_share(self) -> Fraction | None:
        """Spending / planned spending."""
        spent, plan = self.spending_fen, self.plan_spending_fen
        return None if spent is None or not plan else Fraction(spent, plan)

    @property
    def measures(self) -> dict[str, Fraction | None]:
        """Figures that an indicator of [[performance]] may name."""
        figures = self.figures
        return {
            "growth": figures.growth, "surplus_rate": figures.surplus, "capacity_months": figures.months,
            "plan_share": self.plan_share,
        }  # fmt: skip


def _less(amount: int | None, other: int | None) -> int | None:
    return None if amount is None or other is None else amount - other


@dataclass(slots=True)
class Final:
    """The final account of a pool's year."""

    name: str
    year: int
    accounts: list[Account] = field(default_factory=list)
    """By scheme, county and fund."""
    is_provisional: bool = False
    lacking: list[Lacking] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    assessments: list[Assessment] = field(default_factory=list)
    """One a scheme that has [[performance]]."""


def close_year(rules: PoolingRules, plan: Plan, known: Known, date: int) -> Final:
    """Return the final account of a year: income, spending of the ledger, carried over, differences to the plan."""
    result, year, spending = Final(rules.name, plan.year), plan.year, known.spending
    for place in in_order({*(line.place for line in plan.lines), *spending.places([year])}):
        account = _account(result, place, plan.of(place), known)
        if place.pooled_as:
            lines = rules.lines(date, place.pooled_as)
            account.warnings = warnings(place_zh(place, account.name), account.figures, lines)
        result.accounts.append(account)
    result.notes = provisional_notes(spending, year)
    result.is_provisional = bool(result.notes)
    return result


def provisional_notes(spending: Spending, year: int) -> list[str]:
    """Return why the ledger's spending of a year may still change; nothing once the year is cleared."""
    of_ledger = any(month // 100 == year for month in spending.ledger_months)
    if year in spending.cleared or not of_ledger:
        return []
    found = [f"暂定：台账中没有 {year} 年的年度清算差额（settle-year --post），清算后数字会变"]
    months = sorted(month for month in spending.provisional if month // 100 == year)
    if months:
        found.append(f"暂定：{listed(months)} 尚未月结，统筹基金支出按预付口径计")
    return found


def _account(result: Final, place: Place, line: PlanLine | None, known: Known) -> Account:
    year, name = result.year, known.name(place.county) if line is None else line.name
    months, income = known.spending.months_fen(place, year), known.income.months_fen(place, year)
    last = added(known.spending.months_fen(place, year - 1))
    if last is not None:
        last += known.spending.clearing_fen(place, year - 1)
    elif line is not None:
        last = line.last_spending_fen
    financing, last_financing = (known.income.financing_fen(place, one) for one in (year, year - 1))
    account = Account(
        place, name, added(income), added(months), known.spending.clearing_fen(place, year),
        None if line is None else line.carried_fen, None if line is None else line.income_fen,
        None if line is None else line.spending_fen, last,
        financing, line.last_financing_fen if last_financing is None and line is not None else last_financing,
    )  # fmt: skip
    if account.months_fen is None:
        result.lacking.append(lacking_months("spending", "expenditure_yuan", place, name, missing_months(months, year)))
    if line is None and place.fund != POOLED:
        return account  # a fund without a budget: its spending is all that there is
    if account.income_fen is None:
        result.lacking.append(lacking_months("income", "income_yuan", place, name, missing_months(income, year)))
    for what, column, amount in (
        ("balance", "carried_yuan", account.carried_fen), ("plan", "expenditure_yuan", account.plan_spending_fen),
        ("plan", "income_yuan", account.plan_income_fen),
    ):  # fmt: skip
        if amount is None:
            result.lacking.append(not_in_plan(what, column, place, name))
    return account


def assess_year(rules: PoolingRules, result: Final, scores: Mapping[tuple[Place, str], int], date: int) -> None:
    """Add the assessment of each scheme that has [[performance]], by the figures of the final account."""
    for scheme in dict.fromkeys(one.place.scheme for one in result.accounts):
        if rules.has("performance", date, scheme):
            own = [one for one in result.accounts if one.place == Place(scheme, one.place.county)]
            counties = [Assessed(one.place, one.name, one.plan_spending_fen, one.measures) for one in own]
            found, lacking = assess(scheme, rules.pick("performance", date, scheme), counties, scores)
            result.assessments.append(found)
            result.lacking += lacking


def county_rows(result: Final) -> list[list[str]]:
    """Return the funds that are pooled as rows of `adjudicator pool --counties` (:data:`COUNTY_COLUMNS`).

    A fund beside the basic one has a row where its budget has a line, for it may be pooled elsewhere.
    """
    return [
        [
            one.place.county, one.name, scheme_word(one.place.scheme), parts_of(one.place.pooled_as)[1],
            cell(one.income_fen), cell(one.spending_fen),
            cell(one.carried_fen), cell(one.financing_fen), cell(one.last_financing_fen), cell(one.last_spending_fen),
            cell(one.plan_spending_fen),
        ]
        for one in result.accounts
        if one.place.pooled_as and (one.place.fund == POOLED or one.plan_spending_fen is not None)
    ]  # fmt: skip


def with_spending(
    counties: Sequence[CountyYear], year: int, spending: Spending
) -> tuple[list[CountyYear], list[Lacking]]:
    """Return counties with the spending that the ledger knows, where their file leaves it out.

    Spending that is typed although the ledger knows another amount is named, and counts as not given.
    """
    found, lacking = [], []
    for county in counties:
        place = Place.of_key(county.county, county.scheme)
        changes: dict[str, Any] = {}
        for name, one in (("expenditure", year), ("last_expenditure", year - 1)):
            typed, months = getattr(county, f"{name}_fen"), added(spending.months_fen(place, one))
            if months is None:
                continue
            amount = months + spending.clearing_fen(place, one)
            if typed not in (NOT_GIVEN, amount):
                both = fen_to_yuan(typed), fen_to_yuan(amount)
                reason = f"it is typed as {both[0]}, the ledger says {both[1]}; leave the cell empty"
                reason_zh = f"{name}_yuan 填写为 {both[0]} 元，台账为 {both[1]} 元，请将该格留空"
                lacking.append(Lacking(place, county.name, "spending", f"{name}_yuan", reason, reason_zh))
            changes[f"{name}_fen"] = amount if typed in (NOT_GIVEN, amount) else NOT_GIVEN
        found.append(replace(county, **changes))
    return found, lacking
