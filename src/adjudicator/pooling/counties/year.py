"""The pooling year of a city: gaps, shares, levies, old gaps and warnings of all counties, scheme by scheme."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from adjudicator.dates import iso
from adjudicator.errors import AdjudicatorError, E, Problem, refuse
from adjudicator.pooling.counties.deficit import CountyShares, lacking, old_gap_plan, share_gaps
from adjudicator.pooling.counties.figures import CountyYear, figure
from adjudicator.pooling.counties.insurances import BASIC, name_zh, parts_of
from adjudicator.pooling.counties.levy import SPENDING, Levy, levies_fen
from adjudicator.pooling.counties.warning import (
    Figures,
    Lines,
    Warning,
    capacity_class,
    decimal,
    growth_rate,
    months_of_capacity,
    surplus_rate,
    warnings,
)
from adjudicator.pooling.rules import PoolingRules
from adjudicator.rounding import PPM
from adjudicator.rulefile.dated import Source

Note = Callable[[str, Problem], None]
"""Takes what cannot be computed of a county, and why."""
UNKNOWN = "unknown"
"""Class of a capacity that cannot be computed."""


@dataclass(frozen=True, slots=True)
class OpenPoint:
    """A figure of a county that cannot be computed, and why; the rest of the year comes out without it."""

    county: str
    name: str
    scheme: str
    what: str
    """gap, levy, old gap: money; capacity, surplus rate, growth: a line that is not watched."""
    problem: Problem

    @property
    def is_money(self) -> bool:
        """Whether money is missing from the result, not only a figure."""
        return self.what in ("gap", "levy", "old gap")


@dataclass(frozen=True, slots=True)
class LevyPaid:
    """What a county owes a fund for the year, and what of it is paid; ``None``: that depends on its open gap."""

    due_fen: int
    paid_fen: int | None

    @property
    def owed_fen(self) -> int:
        """What the county cannot pay."""
        return 0 if self.paid_fen is None else self.due_fen - self.paid_fen

    @property
    def open_fen(self) -> int:
        """What nobody can say yet whether it is paid."""
        return self.due_fen if self.paid_fen is None else 0


@dataclass(slots=True)
class CountyRow:
    """Everything about one county and scheme; ``None`` where a figure cannot be computed."""

    shares: CountyShares
    levies: dict[str, LevyPaid]
    """By fund; a levy that is not known is an open point."""
    balance_fen: int | None
    """Accumulated balance after the year, its gap and its levies."""
    figures: Figures
    capacity: str
    warnings: list[Warning]
    old_gap_fen: list[int]

    @property
    def gap_fen(self) -> int | None:
        """What is shared, 0 for a surplus."""
        return None if self.shares.problem else max(0, self.shares.year.gap_fen)


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
    owed_fen: int
    """What of it the counties cannot pay."""
    open_fen: int
    """What of it nobody can say yet, because the gap of its county is open."""

    @property
    def received_fen(self) -> int:
        """What of it the counties pay."""
        return self.levied_fen - self.owed_fen - self.open_fen

    @property
    def after_fen(self) -> int:
        """Balance once the levies that can be paid are in."""
        return self.before_fen - self.paid_fen + self.received_fen


@dataclass(slots=True)
class PoolYear:
    """A pool's year."""

    name: str
    year: int
    rows: list[CountyRow] = field(default_factory=list)
    """By scheme and county code, whatever the order of the file."""
    warnings: list[Warning] = field(default_factory=list)
    """Of the pool as a whole."""
    open: list[OpenPoint] = field(default_factory=list)
    unverified: list[str] = field(default_factory=list)
    lines: Lines = field(default_factory=Lines)
    funds: list[FundYear] = field(default_factory=list)
    documents: list[str] = field(default_factory=list)
    """Documents of the rules in use."""
    ended: list[Source] = field(default_factory=list)
    """Rules that ended in the year and have no successor on its last day; no figure here is by them."""
    remarks: list[str] = field(default_factory=list)
    """What must be known of where its figures come from."""

    @property
    def payers(self) -> list[str]:
        """Everybody who pays some part of a gap, in order of appearance."""
        return list(dict.fromkeys(payer for row in self.rows for payer in row.shares.payments))

    def refuse_open(self) -> None:
        """Refuse a year in which money of some county is not known, for those who need all of it."""
        problems = list(dict.fromkeys(point.problem for point in self.open if point.is_money))
        if problems:
            raise AdjudicatorError(*problems)


def pool_year(
    rules: PoolingRules, year: int, counties: Sequence[CountyYear], funds_fen: Mapping[str, int], at_date: int = 0
) -> PoolYear:
    """Share the gaps of a year and find its warnings; the order of the counties changes nothing.

    ``funds_fen``: balance of each fund at the start of the year, ``reserve`` or ``310:reserve`` where several schemes
    have one, ``reserve@330102`` for a county's own. Rules are those of ``at_date`` or the last day of the year. A
    county that lacks a figure or a rule is an open point of the result. Errors: E.CANNOT_CLEAR for a balance of a fund
    that no rule has.
    """
    date = at_date or year * 10_000 + 1231
    result = PoolYear(rules.name, year, unverified=rules.unverified(date), documents=rules.documents(date))
    ordered = sorted(counties, key=lambda county: (county.scheme, county.county))
    for scheme, balances in _balances(rules, date, ordered, funds_fen).items():
        own = [county for county in ordered if county.scheme == scheme]
        basic = parts_of(scheme)[1] == BASIC
        lines = rules.lines(date, scheme)
        if basic or not result.rows:
            result.lines = lines
        result.ended += [source for source in rules.ended(date, scheme) if not at_date and source not in result.ended]
        rows = _rows(result, _Day(rules, date, lines), own, balances)
        result.rows += rows
        result.funds += [_fund_year(scheme, fund, before, rows) for fund, before in balances.items() if "@" not in fund]
        result.warnings += warnings(f"{rules.name} {scheme}", _city(rows), lines)
        result.warnings += _reserve_warnings(result, rules.levies_on(date, scheme), rows)
    return result


def _reserve_warnings(result: PoolYear, levies: Sequence[Levy], rows: Sequence[CountyRow]) -> list[Warning]:
    """Return the lines that a reserve crosses at the year's end: one year's levy, and where its levy stops."""
    financing = [row.shares.year.financing_fen for row in rows]
    if not rows or min(financing) < 0 or sum(financing) == 0:
        return []
    scheme, found = rows[0].shares.year.scheme, []
    for levy in levies:
        after = [one.after_fen for one in result.funds if (one.scheme, one.fund) == (scheme, levy.fund)]
        if levy.cap_ppm >= 0 and after:
            lines = Lines(reserve_from_ppm=levy.rate_ppm, reserve_to_ppm=levy.cap_ppm)
            figures = Figures(None, None, None, reserve=Fraction(after[0], sum(financing)))
            found += warnings(f"{result.name} {scheme}", figures, lines)
    return found


def _balances(
    rules: PoolingRules, date: int, counties: Sequence[CountyYear], funds_fen: Mapping[str, int]
) -> dict[str, dict[str, int]]:
    """Return the balances of each scheme by fund; one that no rule of the year reads is refused by its name."""
    schemes = list(dict.fromkeys(county.scheme for county in counties))
    found: dict[str, dict[str, int]] = {scheme: {} for scheme in schemes}
    for name, amount in sorted(funds_fen.items()):
        prefix, colon, fund = name.rpartition(":")
        if not colon and len(schemes) > 1:
            raise _bad_fund(f"say whose fund it is: {schemes[0]}:{name}=…", f"请注明险种，如 {schemes[0]}:{name}=…")
        scheme = prefix if colon else "".join(schemes)
        if scheme not in found:
            listed = ", ".join(schemes)
            raise _bad_fund(
                f"{name}: no county of the scheme {scheme} is in the file; its schemes are {listed}",
                f"{name}：区县文件中没有险种 {scheme}，文件中的险种为 {listed}",
            )
        kind, _, code = fund.partition("@")
        names = rules.funds(date, scheme)
        if kind not in names:
            listed = ", ".join(names) or "none"
            raise _bad_fund(
                f"{name}: no rule of the scheme {scheme} has a fund {kind}; its funds: {listed}",
                f"{name}：险种 {name_zh(scheme)} 的规则中没有基金 {kind}，可用的基金：{', '.join(names) or '无'}",
            )
        if code and code not in {county.county for county in counties if county.scheme == scheme}:
            raise _bad_fund(
                f"{name}: the county {code} is not in the file; correct the code",
                f"{name}：区县文件中没有 {code}，请更正代码",
            )
        found[scheme][fund] = amount
    return found


def _fund_year(scheme: str, fund: str, before_fen: int, rows: Sequence[CountyRow]) -> FundYear:
    levies = [row.levies[fund] for row in rows if fund in row.levies]
    paid = sum(row.shares.payments.get(fund, 0) for row in rows)
    due, owed = (sum(levy.due_fen for levy in levies), sum(levy.owed_fen for levy in levies))
    return FundYear(scheme, fund, before_fen, paid, due, owed, sum(levy.open_fen for levy in levies))


def _bad_fund(detail: str, detail_zh: str) -> AdjudicatorError:
    return refuse(E.CANNOT_CLEAR, "fund", detail, detail_zh)


@dataclass(frozen=True, slots=True)
class _Day:
    """The rules of a pool, the day on which they hold, and the lines of the scheme in hand."""

    rules: PoolingRules
    date: int
    lines: Lines


def _rows(result: PoolYear, on: _Day, own: Sequence[CountyYear], balances: Mapping[str, int]) -> list[CountyRow]:
    """Return the rows of one scheme and note its open points."""
    rules, date = on.rules, on.date
    dues = [(levy, levies_fen(levy, own, balances)) for levy in rules.levies_on(date, own[0].scheme)]
    blocked: dict[int, Problem] = {}
    years = []
    for place, county in enumerate(own):
        booked = [amounts[place] for levy, amounts in dues if levy.booked_as == SPENDING]
        for amount in booked:
            if isinstance(amount, Problem):
                blocked.setdefault(place, lacking(county) or amount)
        years.append(replace(county, levied_fen=sum(amount for amount in booked if not isinstance(amount, Problem))))
    shared = _shares(rules, date, years, balances, blocked)
    rows = []
    for place, shares in enumerate(shared):
        levies = [(levy, amounts[place]) for levy, amounts in dues]
        rows.append(_row(result, on, shares, levies))
    return rows


def _shares(
    rules: PoolingRules,
    date: int,
    years: Sequence[CountyYear],
    balances: Mapping[str, int],
    blocked: Mapping[int, Problem],
) -> list[CountyShares]:
    """Share the gaps of the counties that are not blocked; without a rule, those who have a gap are open points."""
    scheme = years[0].scheme
    free = [place for place in range(len(years)) if place not in blocked]
    if rules.has("deficit", date, scheme):
        found = share_gaps(rules.pick("deficit", date, scheme), [years[place] for place in free], balances)
    else:
        none = rules.no_rule("deficit", date, scheme).problems[0]
        found = [CountyShares(years[place]) for place in free]
        for shares in found:
            shares.problem = lacking(shares.year) or (none if shares.year.gap_fen > 0 else None)
    by_place = dict(zip(free, found, strict=True))
    return [
        by_place[place] if place in by_place else CountyShares(year, problem=blocked[place])
        for place, year in enumerate(years)
    ]


def _row(result: PoolYear, on: _Day, shares: CountyShares, dues: Sequence[tuple[Levy, int | Problem]]) -> CountyRow:
    """Return the row of a county: what it pays of its levies, what is left, its lines; and note its open points."""
    county = shares.year

    def note(what: str, problem: Problem) -> None:
        result.open.append(OpenPoint(county.county, county.name, county.scheme, what, problem))

    if shares.problem:
        note("gap", shares.problem)
    balance = None if shares.problem else shares.carried_after_fen
    levies = {}
    for levy, due in dues:
        if isinstance(due, Problem):
            balance = None
            if due != shares.problem:
                note("levy", due)
        elif shares.problem or balance is None:
            levies[levy.fund] = LevyPaid(due, None)
        elif levy.booked_as == SPENDING:
            levies[levy.fund] = LevyPaid(due, due)
        else:
            paid = min(due, max(0, balance))
            levies[levy.fund] = LevyPaid(due, paid)
            balance -= paid
    figures = _figures(county, balance, on.lines, note)
    return CountyRow(
        shares, levies, balance, figures,
        UNKNOWN if figures.months is None else capacity_class(figures.months, on.lines),
        warnings(f"{county.name} {county.scheme}", figures, on.lines),
        _old_gaps(on.rules, on.date, county, note),
    )  # fmt: skip


def _figures(county: CountyYear, balance_fen: int | None, lines: Lines, note: Note) -> Figures:
    """Return what a county's lines are compared with; levies are not payments and count in none of them (R47)."""
    months = surplus = growth = None
    at = county.county
    if balance_fen is not None:
        months = months_of_capacity(balance_fen, county.expenditure_fen)
        surplus = surplus_rate(county.income_fen, county.expenditure_fen)
        if months is None:
            detail = f"county {at} has spent nothing, so its months of capacity have no meaning; check the column"
            detail_zh = f"区县 {at} 当年支出为 0，无法计算支付能力月数，请核对该列"
            note("capacity", _zero("expenditure_yuan", detail, detail_zh))
        if surplus is None:
            detail = f"county {at} has no income, so it has no surplus rate; check the column"
            note("surplus rate", _zero("income_yuan", detail, f"区县 {at} 当年收入为 0，无法计算结余率，请核对该列"))
    if lines.growth_at_most_ppm >= 0 and county.expenditure_fen >= 0:
        try:
            growth = growth_rate(county.expenditure_fen, figure(county, "last_expenditure"))
            if growth is None:
                detail = f"county {at} spent nothing last year, so its growth has no meaning; check the column"
                raise AdjudicatorError(
                    _zero("last_expenditure_yuan", detail, f"区县 {at} 上年支出为 0，无法计算支出增幅，请核对该列")
                )
        except AdjudicatorError as error:
            note("growth", error.problems[0])
    return Figures(months, surplus, growth)


def _zero(field: str, detail: str, detail_zh: str) -> Problem:
    return refuse(E.CANNOT_CLEAR, field, detail, detail_zh).problems[0]


def _city(rows: Sequence[CountyRow]) -> Figures:
    """Return the figures of the city: each over the counties for which it is known, and no other."""
    whole = [row for row in rows if row.balance_fen is not None]
    given = [row.shares.year for row in rows if min(row.shares.year.income_fen, row.shares.year.expenditure_fen) >= 0]
    grown = [year for year in given if year.last_expenditure_fen > 0]
    balance, spent = (sum(row.balance_fen or 0 for row in whole), sum(row.shares.year.expenditure_fen for row in whole))
    return Figures(
        months_of_capacity(balance, spent),
        surplus_rate(sum(year.income_fen for year in given), sum(year.expenditure_fen for year in given)),
        growth_rate(sum(year.expenditure_fen for year in grown), sum(year.last_expenditure_fen for year in grown)),
    )


def _old_gaps(rules: PoolingRules, date: int, county: CountyYear, note: Note) -> list[int]:
    if not county.old_gap_fen:
        return []
    if not rules.has("old_gap_years", date, county.scheme):
        note("old gap", rules.no_rule("old_gap_years", date, county.scheme).problems[0])
        return []
    return old_gap_plan(county.old_gap_fen, rules.pick("old_gap_years", date, county.scheme))


def as_data(result: PoolYear) -> dict[str, Any]:
    """Return the year as plain data for JSON; ``null`` is what cannot be computed."""
    return {
        "pool": result.name,
        "year": result.year,
        "unverified": result.unverified,
        "ended": [
            {"document": source.document, "table": source.key, "to": iso(source.to_date)} for source in result.ended
        ],
        "remarks": result.remarks,
        "counties": [_row_data(row) for row in result.rows],
        "funds": [
            {**_of(one.scheme), "fund": one.fund, "before_fen": one.before_fen, "paid_fen": one.paid_fen,
             "levied_fen": one.levied_fen, "received_fen": one.received_fen, "owed_fen": one.owed_fen,
             "open_fen": one.open_fen, "after_fen": one.after_fen}
            for one in result.funds
        ],
        "warnings": [_warning(entry) for entry in result.warnings],
        "open": [
            {"county": point.county, "name": point.name, **_of(point.scheme), "what": point.what,
             "is_money": point.is_money, "code": point.problem.row.code, "field": point.problem.field,
             "message": point.problem.message, "message_zh": point.problem.message_zh}
            for point in result.open
        ],
    }  # fmt: skip


def _row_data(row: CountyRow) -> dict[str, Any]:
    year, months, surplus = row.shares.year, row.figures.months, row.figures.surplus
    return {
        "county": year.county,
        "name": year.name,
        **_of(year.scheme),
        "income_fen": _given(year.income_fen),
        "expenditure_fen": _given(year.expenditure_fen),
        "carried_fen": year.carried_fen,
        "levied_as_spending_fen": year.levied_fen,
        "gap_fen": row.gap_fen,
        "payments_fen": row.shares.payments,
        "carried_after_fen": row.balance_fen,
        "levies_fen": {fund: levy.due_fen for fund, levy in row.levies.items()},
        "levies_owed_fen": {fund: levy.owed_fen for fund, levy in row.levies.items() if levy.owed_fen},
        "old_gap_fen": row.old_gap_fen,
        "capacity_months": None if months is None else decimal(months),
        "capacity": row.capacity,
        "surplus_ppm": None if surplus is None else int(surplus * PPM),
        "cut_fen": [list(entry) for entry in row.shares.cut],
        "warnings": [_warning(entry) for entry in row.warnings],
    }


def _of(key: str) -> dict[str, str]:
    scheme, insurance = parts_of(key)
    return {"scheme": scheme, "insurance": insurance}


def _given(amount_fen: int) -> int | None:
    return None if amount_fen < 0 else amount_fen


def _warning(entry: Warning) -> dict[str, Any]:
    return {slot: getattr(entry, slot) for slot in entry.__slots__}
