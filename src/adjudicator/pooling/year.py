"""The pooling year of a city: gaps, shares, levies, old gaps and warnings of all counties, scheme by scheme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adjudicator.errors import E, refuse
from adjudicator.pooling.deficit import CountyShares, CountyYear, Levy, levy_fen, old_gap_plan, share_gaps
from adjudicator.pooling.rules import PoolingRules
from adjudicator.pooling.warning import Lines, Warning, capacity_class, months_of_capacity, surplus_rate, warnings
from adjudicator.rounding import divide_half_up, share


@dataclass(slots=True)
class CountyRow:
    """Everything about one county and scheme."""

    shares: CountyShares
    levies_fen: dict[str, int]
    months_e2: int
    """Months of payment capacity after the year, in hundredths."""
    capacity: str
    surplus_ppm: int
    warnings: list[Warning]
    old_gap_fen: list[int]


@dataclass(frozen=True, slots=True)
class FundYear:
    """One fund with a balance in the year, fen."""

    scheme: str
    fund: str
    before_fen: int
    paid_fen: int
    """To the counties' gaps."""
    levied_fen: int
    """What the counties owe it for the year."""

    @property
    def after_fen(self) -> int:
        """Balance once the levies are in."""
        return self.before_fen - self.paid_fen + self.levied_fen


@dataclass(slots=True)
class PoolYear:
    """A pool's year."""

    name: str
    year: int
    rows: list[CountyRow] = field(default_factory=list)
    warnings: list[Warning] = field(default_factory=list)
    """Of the pool as a whole."""
    unverified: list[str] = field(default_factory=list)
    lines: Lines = field(default_factory=Lines)
    funds: list[FundYear] = field(default_factory=list)
    documents: list[str] = field(default_factory=list)
    """Documents of the rules in use."""

    @property
    def payers(self) -> list[str]:
        """Everybody who pays some part of a gap, in order of appearance."""
        return list(dict.fromkeys(payer for row in self.rows for payer in row.shares.payments))


def pool_year(
    rules: PoolingRules, year: int, counties: Sequence[CountyYear], funds_fen: Mapping[str, int], at_date: int = 0
) -> PoolYear:
    """Shares the gaps of a year and finds its warnings.

    ``funds_fen``: balance of each fund, ``reserve`` or ``310:reserve`` where several schemes have one. Rules are those
    of ``at_date`` or the last day of the year. Errors: E.PAYMENT_RULE_UNDEFINED, E.CANNOT_CLEAR.
    """
    date = at_date or year * 10_000 + 1231
    result = PoolYear(rules.name, year, unverified=rules.unverified(date), documents=rules.documents(date))
    schemes = list(dict.fromkeys(county.scheme for county in counties))
    for scheme in schemes:
        own = [county for county in counties if county.scheme == scheme]
        balances = _balances(funds_fen, scheme, schemes)
        lines = rules.pick("warnings", date, scheme) if _has(rules.warnings, date, scheme) else Lines()
        result.lines = lines
        shared = _shares(rules, date, scheme, own, balances)
        for shares in shared:
            levies = _levies(rules, date, shares.year, own, balances)
            result.rows.append(_row(rules, date, shares, levies, lines))
        result.funds += _funds(scheme, balances, [row for row in result.rows if row.shares.year.scheme == scheme])
        balance = sum(shares.carried_after_fen for shares in shared)
        last = [county.last_expenditure_fen for county in own]
        result.warnings += warnings(
            f"{rules.name} {scheme}", sum(c.income_fen for c in own), sum(c.expenditure_fen for c in own), balance,
            sum(last) if min(last) >= 0 else 0, lines,
        )  # fmt: skip
    return result


def _funds(scheme: str, balances: Mapping[str, int], rows: list[CountyRow]) -> list[FundYear]:
    """Funds whose balance was given; a fund that holds a balance for each county is left out."""
    return [
        FundYear(
            scheme, fund, before, sum(row.shares.payments.get(fund, 0) for row in rows),
            sum(row.levies_fen.get(fund, 0) for row in rows),
        )
        for fund, before in balances.items() if "@" not in fund
    ]  # fmt: skip


def _has(entries: list[Any], date: int, scheme: str) -> bool:
    return any(
        (not entry.schemes or scheme in entry.schemes) and entry.source.from_date <= date <= entry.source.to_date
        for entry in entries
    )


def _balances(funds: Mapping[str, int], scheme: str, schemes: list[str]) -> dict[str, int]:
    result = {}
    for name, amount in funds.items():
        prefix, colon, fund = name.partition(":")
        if not colon:
            if len(schemes) > 1:
                raise refuse(E.CANNOT_CLEAR, "fund", f"say whose fund it is: {scheme}:{name}=…")
            result[name] = amount
        elif prefix == scheme:
            result[fund] = amount
    return result


def _shares(
    rules: PoolingRules, date: int, scheme: str, own: list[CountyYear], balances: Mapping[str, int]
) -> list[CountyShares]:
    """Refuse a gap in a city without a known rule; while nobody has a gap, its warnings can be shown."""
    if not _has(rules.deficit, date, scheme) and all(county.gap_fen <= 0 for county in own):
        return [CountyShares(county) for county in own]
    return share_gaps(rules.pick("deficit", date, scheme), own, balances)


def _levies(
    rules: PoolingRules, date: int, county: CountyYear, own: Sequence[CountyYear], balances: Mapping[str, int]
) -> dict[str, int]:
    """Return what a county pays into each fund.

    Where the county's own balance is given (``reserve@330102``) it decides whether the levy has stopped; else the
    fund's balance against the financing of all counties does.
    """
    levies: dict[str, int] = {}
    for entry in rules.levies:
        levy = entry.value
        fits = not entry.schemes or county.scheme in entry.schemes
        if not fits or not entry.source.from_date <= date <= entry.source.to_date or not _levy_known(levy, county):
            continue
        balance = balances.get(f"{levy.fund}@{county.county}")
        if balance is not None:
            levies[levy.fund] = levy_fen(levy, county, balance)
            continue
        financing = sum(max(0, other.financing_fen) for other in own)
        stopped = levy.cap_ppm >= 0 and balances.get(levy.fund, 0) >= share(financing, levy.cap_ppm)
        levies[levy.fund] = 0 if stopped else levy_fen(levy, county, 0)
    return levies


def _row(rules: PoolingRules, date: int, shares: CountyShares, levies: dict[str, int], lines: Lines) -> CountyRow:
    county = shares.year
    months = months_of_capacity(shares.carried_after_fen, county.expenditure_fen)
    rate = surplus_rate(county.income_fen, county.expenditure_fen)
    return CountyRow(
        shares,
        levies,
        divide_half_up(months.numerator * 100, months.denominator),
        capacity_class(months, lines),
        int(rate * 1_000_000),
        warnings(
            f"{county.name} {county.scheme}", county.income_fen, county.expenditure_fen, shares.carried_after_fen,
            max(0, county.last_expenditure_fen), lines,
        ),
        _old_gaps(rules, date, county),
    )  # fmt: skip


def _old_gaps(rules: PoolingRules, date: int, county: CountyYear) -> list[int]:
    if not county.old_gap_fen:
        return []
    return old_gap_plan(county.old_gap_fen, rules.pick("old_gap_years", date, county.scheme))


def _levy_known(levy: Levy, county: CountyYear) -> bool:
    """Whether the county brings the figures that its levy is measured on."""
    needs = {"last_financing": "last_financing_fen", "financing": "financing_fen", "months": "last_expenditure_fen"}
    measured: int = getattr(county, needs[levy.basis])
    return measured >= 0 and (levy.cap_ppm < 0 or county.financing_fen >= 0)


def as_data(result: PoolYear) -> dict[str, Any]:
    """Return the year as plain data for JSON."""
    return {
        "pool": result.name,
        "year": result.year,
        "unverified": result.unverified,
        "counties": [
            {
                "county": row.shares.year.county,
                "name": row.shares.year.name,
                "scheme": row.shares.year.scheme,
                "income_fen": row.shares.year.income_fen,
                "expenditure_fen": row.shares.year.expenditure_fen,
                "gap_fen": max(0, row.shares.year.gap_fen),
                "payments_fen": row.shares.payments,
                "carried_after_fen": row.shares.carried_after_fen,
                "levies_fen": row.levies_fen,
                "old_gap_fen": row.old_gap_fen,
                "capacity_months": f"{row.months_e2 // 100}.{row.months_e2 % 100:02d}",
                "capacity": row.capacity,
                "surplus_ppm": row.surplus_ppm,
                "cut_fen": [list(entry) for entry in row.shares.cut],
                "warnings": [_warning(entry) for entry in row.warnings],
            }
            for row in result.rows
        ],
        "funds": [
            {"scheme": one.scheme, "fund": one.fund, "before_fen": one.before_fen, "paid_fen": one.paid_fen,
             "levied_fen": one.levied_fen, "after_fen": one.after_fen}
            for one in result.funds
        ],
        "warnings": [_warning(entry) for entry in result.warnings],
    }  # fmt: skip


def _warning(entry: Warning) -> dict[str, Any]:
    return {slot: getattr(entry, slot) for slot in entry.__slots__}
