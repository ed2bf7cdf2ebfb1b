"""What the funds of each county spent, month by month, from the totals of the ledger or from a file (基金支出).

Which accounts count (docs/budget.md, reading R49): the basic fund spends what it owes institutions. That is
``provider_final`` of a month that is settled, else the provisional ``provider_due``, each less what other clearing
funds pay by item; the year's clearing and what goes by the head come on top of the months, apart. ``provider_prior``
counts in the month whose closing posted it, unless the clearing of its own year took it in. ``provider_prepaid`` is a
payment of the same money and never counts. Every other fund spends what settlements say it pays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from adjudicator.ledger.acts import Act
from adjudicator.ledger.names import scheme_text
from adjudicator.ledger.totals import Total
from adjudicator.payers import FUNDS, Fund
from adjudicator.pooling.budget.terms import POOLED, Place
from adjudicator.pooling.periods.closing import closings

MONTHS = 12
FIRST_MONTH = 10_000
"""A period from here on is a month YYYYMM, below it a year YYYY."""
YEARLY = (Fund.PROVIDER_YEAR, Fund.PROVIDER_CAPITATION)
"""Accounts of the whole year, which the ledger keeps in its December."""


@dataclass(slots=True)
class Spending:
    """Spending of the funds of a pool; amounts in fen."""

    by_month: dict[Place, dict[int, int]] = field(default_factory=dict)
    """Place -> month YYYYMM -> amount. A month of the ledger without an entry is 0."""
    clearing: dict[Place, dict[int, int]] = field(default_factory=dict)
    """Place -> year -> what the year's clearing and the payments by the head add to the months."""
    ledger_months: frozenset[int] = frozenset()
    """Months that the ledger has: all places of the pool are known in them."""
    provisional: frozenset[int] = frozenset()
    """Months of the ledger that are not settled with the hospitals."""
    cleared: frozenset[int] = frozenset()
    """Years whose clearing is posted."""

    def places(self, years: Iterable[int]) -> set[Place]:
        """Return the places that spent something in some years."""
        wanted = set(years)
        found = {place for place, months in self.by_month.items() if any(month // 100 in wanted for month in months)}
        return found | {place for place, years_of in self.clearing.items() if wanted & set(years_of)}

    def month_fen(self, place: Place, month: int) -> int | None:
        """Return what a place spent in a month; ``None``: neither the ledger nor a file knows."""
        amount = self.by_month.get(place, {}).get(month)
        return 0 if amount is None and month in self.ledger_months else amount

    def months_fen(self, place: Place, year: int) -> list[int | None]:
        """Return the twelve months of a year."""
        return [self.month_fen(place, year * 100 + number) for number in range(1, MONTHS + 1)]

    def clearing_fen(self, place: Place, year: int) -> int:
        """Return what the clearing of a year adds to its months."""
        return self.clearing.get(place, {}).get(year, 0)

    def last_month(self, year: int) -> int:
        """Return the number of the last month of a year that is known of any place, 0 without one."""
        known = set(self.ledger_months).union(*self.by_month.values())
        return max((month % 100 for month in known if month // 100 == year), default=0)


def of_totals(rows: Sequence[Total], clearing_funds: Iterable[str]) -> Spending:
    """Return the spending that the totals of a ledger say.

    ``clearing_funds``: ids of the funds whose payments by item ``provider_due`` and ``provider_final`` replace
    (payment.toml); the difference between both is the basic fund's.
    """
    accounts: dict[tuple[str, str, int], dict[Fund, int]] = {}
    for row in rows:
        accounts.setdefault((row.scheme_code, row.county, row.month), {})[row.fund] = row.amount_fen
    settled = frozenset(row.month for row in rows if row.fund == Fund.PROVIDER_FINAL and row.amount_fen)
    cleared = frozenset(row.month // 100 for row in rows if row.fund == Fund.PROVIDER_YEAR and row.amount_fen)
    months = frozenset(row.month for row in rows)
    replaced = set(clearing_funds)
    result = Spending(ledger_months=months, provisional=months - settled, cleared=cleared)
    for (scheme, county, month), amounts in accounts.items():
        owed = amounts.get(Fund.PROVIDER_FINAL if month in settled else Fund.PROVIDER_DUE, 0)
        owed += amounts.get(Fund.PROVIDER_PRIOR, 0)
        for payer in FUNDS:
            by_item = amounts.get(payer.fund, 0) if payer.fund is not None else 0
            if payer.id in replaced:
                owed -= by_item
            if by_item and payer.id != POOLED:
                _add(result.by_month, Place(scheme, county, payer.id), month, by_item)
        _add(result.by_month, Place(scheme, county), month, owed + amounts.get(Fund.POOLED, 0))
        _add_yearly(result, Place(scheme, county), month, amounts, settled)
    return result


def _add_yearly(result: Spending, place: Place, month: int, amounts: dict[Fund, int], settled: frozenset[int]) -> None:
    """Add what belongs to the year as a whole.

    A month that was cleared without having been settled keeps its provisional amount, so the clearing, which holds all
    of its money, gives that amount back: the year is right and its months can be compared.
    """
    year = month // 100
    _add(result.clearing, place, year, sum(amounts.get(account, 0) for account in YEARLY))
    if year in result.cleared and month not in settled:
        _add(result.clearing, place, year, -amounts.get(Fund.PROVIDER_DUE, 0))


def with_closings(spending: Spending, acts: Iterable[Act]) -> Spending:
    """Return spending that knows which months and years are closed, in the order of their acts.

    What a closing carried of an earlier year counts for that year where the year was not closed yet, because its
    clearing took it in; else for the month that posted it.
    """
    result = Spending(
        {place: dict(months) for place, months in spending.by_month.items()},
        {place: dict(years) for place, years in spending.clearing.items()},
        spending.ledger_months, spending.provisional, spending.cleared,
    )  # fmt: skip
    years: set[int] = set()
    months: set[int] = set()
    for closed in closings(acts).values():
        if closed.period < FIRST_MONTH:
            years.add(closed.period)
            continue
        months.add(closed.period)
        for period, lines in closed.carried.items():
            year = period if period < FIRST_MONTH else period // 100
            if year == closed.period // 100 or year in years:
                continue
            for (county, scheme, *_), amount in lines.items():
                place = Place(scheme_text(scheme), f"{county:06d}")
                _add(result.by_month, place, closed.period, -amount)
                _add(result.clearing, place, year, amount)
    result.provisional, result.cleared = spending.provisional - months, spending.cleared | years
    return result


def _add(into: dict[Place, dict[int, int]], place: Place, period: int, amount_fen: int) -> None:
    if amount_fen:
        periods = into.setdefault(place, {})
        periods[period] = periods.get(period, 0) + amount_fen
