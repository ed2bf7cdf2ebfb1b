"""The execution of a budget, month by month: spent, share of the plan, growth, expected year, balance (预算执行)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from adjudicator.pooling.budget.estimates import by_last_year_fen, straight_line_fen
from adjudicator.pooling.budget.figures import (
    Lacking,
    added,
    fund_zh,
    in_order,
    lacking_months,
    listed,
    missing_months,
    not_in_plan,
    place_zh,
)
from adjudicator.pooling.budget.funding import Funded, fund
from adjudicator.pooling.budget.plan import Known, Plan, PlanLine
from adjudicator.pooling.budget.spending import MONTHS
from adjudicator.pooling.budget.terms import POOLED, Place
from adjudicator.pooling.counties.warning import UNWATCHED, Figures, Warning, percent, surplus_rate, warnings
from adjudicator.pooling.rules import PoolingRules


@dataclass(slots=True)
class Executed:
    """One fund of a county, or the sum of some, in the first months of a year; fen, ``None`` is not known."""

    place: Place
    name: str
    months: list[int | None]
    """Spending of each month."""
    last_months: list[int | None]
    """The twelve months of last year."""
    plan_fen: int | None
    plan_income_fen: int | None
    carried_fen: int | None
    income_fen: int | None
    straight_line_fen: int | None = None
    by_last_year_fen: int | None = None
    warnings: list[Warning] = field(default_factory=list)

    @property
    def spent_fen(self) -> int | None:
        """Spending so far."""
        return added(self.months)

    @property
    def last_spent_fen(self) -> int | None:
        """Spending in the same months of last year."""
        return added(self.last_months[: len(self.months)])

    @property
    def share(self) -> Fraction | None:
        """Share of the budget that is spent."""
        return None if self.spent_fen is None or not self.plan_fen else Fraction(self.spent_fen, self.plan_fen)

    @property
    def time(self) -> Fraction:
        """Share of the year that is gone."""
        return Fraction(len(self.months), MONTHS)

    @property
    def balance_fen(self) -> int | None:
        """Balance after these months: carried + income - spending; levies and shares of gaps are the pooling year's."""
        return None if self.supply_fen is None or self.spent_fen is None else self.supply_fen - self.spent_fen

    @property
    def supply_fen(self) -> int | None:
        """What the county had at the start of the year and its income since."""
        return None if self.carried_fen is None or self.income_fen is None else self.carried_fen + self.income_fen

    @property
    def growth(self) -> Fraction | None:
        """Growth on the same months of last year."""
        spent, last = self.spent_fen, self.last_spent_fen
        return Fraction(spent - last, last) if spent is not None and last is not None and last > 0 else None

    @property
    def capacity(self) -> Fraction | None:
        """Months of spending that the balance covers, at the average of the months so far."""
        balance, spent = self.balance_fen, self.spent_fen
        return Fraction(balance * len(self.months), spent) if balance is not None and spent and spent > 0 else None

    @property
    def figures(self) -> Figures:
        """What the warning lines are compared with."""
        known = self.income_fen is not None and self.spent_fen is not None
        surplus = surplus_rate(self.income_fen or 0, self.spent_fen or 0) if known else None
        ahead = None if self.share is None else self.share - self.time
        return Figures(self.capacity, surplus, self.growth, ahead)


@dataclass(slots=True)
class Execution:
    """The execution of a pool's budget."""

    name: str
    year: int
    months: int
    """Number of months, 1 to 12."""
    rows: list[Executed] = field(default_factory=list)
    """By scheme, county and fund."""
    sums: list[Executed] = field(default_factory=list)
    """One a scheme and fund: the sum of the counties whose figures are all known, county code empty."""
    funding: list[Funded] = field(default_factory=list)
    lacking: list[Lacking] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def execute(rules: PoolingRules, plan: Plan, known: Known, months: int, date: int) -> Execution:
    """Compare the first ``months`` of a year with its budget; a figure that cannot be computed is named."""
    result = Execution(rules.name, plan.year, months)
    unplanned = []
    planned = {(line.place.scheme, line.place.fund) for line in plan.lines}
    for place in in_order({*(line.place for line in plan.lines), *known.spending.places([plan.year, plan.year - 1])}):
        line = plan.of(place)
        if line is None and (place.scheme, place.fund) not in planned:
            unplanned.append((place.scheme, place.fund))
        row = _row(result, place, line, known, (place.scheme, place.fund) in planned)
        _estimate(result, row)
        row.warnings = _warnings(row, rules, date)
        result.rows.append(row)
        if place.fund == POOLED and rules.has("funding", date, place.scheme):
            _fund(result, rules, date, row)
    for scheme, fund_id in dict.fromkeys(unplanned):
        result.notes.append(f"{fund_zh(scheme, fund_id)}：没有预算，只列支出")
    result.sums = _sums(rules, result, date)
    if not known.has_income:
        result.notes.append("未给出收入（--income），结余、支付能力与结余率未算")
    provisional = [month for month in sorted(known.spending.provisional) if month // 100 == plan.year]
    counted = [month for month in provisional if month % 100 <= months]
    if counted:
        result.notes.append(f"{listed(counted)} 尚未月结，统筹基金支出按预付口径计")
    return result


def _row(result: Execution, place: Place, line: PlanLine | None, known: Known, is_planned: bool) -> Executed:
    """Return the figures of a place and name what is missing of them."""
    year, name = result.year, known.name(place.county) if line is None else line.name
    months = known.spending.months_fen(place, year)[: result.months]
    last_months = known.spending.months_fen(place, year - 1)
    income = known.income.months_fen(place, year)[: result.months]
    row = Executed(
        place, name, months, last_months,
        None if line is None else line.spending_fen, None if line is None else line.income_fen,
        None if line is None else line.carried_fen, added(income),
    )  # fmt: skip
    if row.spent_fen is None:
        missing = missing_months(months, year)
        result.lacking.append(lacking_months("spending", "expenditure_yuan", place, name, missing))
    if row.last_spent_fen is None:
        missing = missing_months(last_months[: result.months], year - 1)
        result.lacking.append(lacking_months("growth", "expenditure_yuan", place, name, missing))
    if not is_planned:
        return row
    if not row.plan_fen:
        result.lacking.append(not_in_plan("plan", "expenditure_yuan", place, name))
    if not known.has_income:
        return row
    if row.income_fen is None:
        result.lacking.append(lacking_months("income", "income_yuan", place, name, missing_months(income, year)))
    if row.carried_fen is None:
        result.lacking.append(not_in_plan("balance", "carried_yuan", place, name))
    return row


def _estimate(result: Execution, row: Executed) -> None:
    """Fill in the expected spending of the year, in the ways that the figures allow."""
    spent = row.spent_fen
    if spent is None:
        return
    row.straight_line_fen = straight_line_fen(spent, result.months)
    same, whole = row.last_spent_fen, added(row.last_months)
    if same is None:
        return  # named as the growth that is lacking
    if whole is None:
        missing = missing_months(row.last_months, result.year - 1)
        result.lacking.append(lacking_months("profile", "expenditure_yuan", row.place, row.name, missing))
        return
    row.by_last_year_fen = by_last_year_fen(spent, same, whole)
    if row.by_last_year_fen is None:
        reason = f"nothing was spent in the same months of {result.year - 1}, so nothing can be compared"
        reason_zh = f"{result.year - 1} 年同期没有支出，无法比较"
        result.lacking.append(Lacking(row.place, row.name, "growth", "expenditure_yuan", reason, reason_zh))


def _warnings(row: Executed, rules: PoolingRules, date: int) -> list[Warning]:
    """Return the lines that a row crosses.

    Above the budget by a straight line is the same as ahead of the year, so only last year's share has a line here.
    """
    subject = place_zh(row.place, row.name)
    found = warnings(subject, row.figures, rules.lines(date, row.place.pooled_as) if row.place.pooled_as else UNWATCHED)
    expected = row.by_last_year_fen
    if expected is not None and row.plan_fen and expected > row.plan_fen:
        figure = percent(Fraction(expected, row.plan_fen))
        text = "the year is expected above the budget by last year's share"
        found.append(Warning(subject, "expected", figure, "100.00%", text, "按上年同期进度预计全年超预算"))
    return found


def _fund(result: Execution, rules: PoolingRules, date: int, row: Executed) -> None:
    """Add the funding of a county whose plan and spending are known; both are named where they are not."""
    months = [amount for amount in row.months if amount is not None]
    if row.plan_fen is not None and len(months) == len(row.months):
        terms = rules.pick("funding", date, row.place.scheme)
        result.funding.append(fund(row.place, row.name, terms, row.plan_fen, months, row.supply_fen))


def _sums(rules: PoolingRules, result: Execution, date: int) -> list[Executed]:
    """Return the sum of each scheme and fund, over the counties whose spending is known; others are named."""
    found = []
    for scheme, fund_id in dict.fromkeys((row.place.scheme, row.place.fund) for row in result.rows):
        own = [row for row in result.rows if (row.place.scheme, row.place.fund) == (scheme, fund_id)]
        known = [row for row in own if row.spent_fen is not None]
        if not known:
            continue
        if len(known) < len(own):
            names = "、".join(row.name for row in own if row.spent_fen is None)
            result.notes.append(f"{fund_zh(scheme, fund_id)}：{names} 支出不全，合计未含其数")
        whole = Executed(
            Place(scheme, "", fund_id), "合计",
            _by_month([row.months for row in known]), _by_month([row.last_months for row in known]),
            added([row.plan_fen for row in known]), added([row.plan_income_fen for row in known]),
            added([row.carried_fen for row in known]), added([row.income_fen for row in known]),
            added([row.straight_line_fen for row in known]), added([row.by_last_year_fen for row in known]),
        )  # fmt: skip
        whole.warnings = _warnings(whole, rules, date)
        found.append(whole)
    return found


def _by_month(rows: Sequence[Iterable[int | None]]) -> list[int | None]:
    return [added(list(amounts)) for amounts in zip(*rows, strict=True)]
