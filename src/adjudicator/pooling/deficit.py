"""A county's gap and who pays it, by the city's own rule as data (统筹区缺口分担); reserves and their levies.

A rule is a list of steps over what is left of the gap: the county's own surplus, fixed shares, shares by bands of
gap / financing, an eligible part, or a grant that matches the treasury. Sources: docs/law.md, "Pooling"; readings R41
(Zhuzhou), R42 (rounding: the first payer half-up, the last takes the rest), R43 (Guangyuan).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from adjudicator.errors import E, refuse
from adjudicator.money import split_by_weight
from adjudicator.rounding import PPM, divide_half_up, share

COUNTY = "county"
OWN_SURPLUS = "own_surplus"


@dataclass(frozen=True, slots=True)
class CountyYear:
    """One county and scheme in one year; amounts in fen, -1 where not given."""

    county: str
    name: str
    scheme: str
    income_fen: int
    expenditure_fen: int
    carried_fen: int
    """Accumulated surplus at the start of the year."""
    financing_fen: int = -1
    """Pooled financing of the year (统筹基金筹资)."""
    last_financing_fen: int = -1
    last_expenditure_fen: int = -1
    plan_expenditure_fen: int = -1
    contribution_base_fen: int = -1
    """Last year's contribution base (缴费基数)."""
    treasury_paid_fen: int = -1
    insured: int = -1
    old_gap_fen: int = 0

    @property
    def gap_fen(self) -> int:
        """Expenditure less income; a surplus is negative."""
        return self.expenditure_fen - self.income_fen


Shares = tuple[tuple[str, int], ...]
"""Payers in order with their rates in ppm; together 1."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a rule; which fields it uses depends on ``kind``."""

    kind: str
    """own_surplus, share, bands, eligible, matched"""
    counties: frozenset[str] | None = None
    """Counties it is for; ``None``: all."""
    shares: Shares = ()
    shortage: Shares = ()
    """Who pays what a fund cannot."""
    reading: str = "whole"
    """bands: "whole" takes one ratio for the whole remainder, "marginal" each band its own."""
    bands: tuple[tuple[int, Shares], ...] = ()
    """(up to this ratio of the financing in ppm, shares); -1 is without end."""
    eligible_ppm: int = 0
    """eligible: overspend counts up to this share above the plan."""
    rest: str = COUNTY
    """eligible: who pays what does not count."""
    months_e2: int = 0
    """matched: the duty begins where the balance is below these months of last year's payments."""
    base_ppm: int = 0
    """matched: what the county's treasury adds, of last year's contribution base."""
    fund: str = ""
    """matched: the fund that grants at most what the treasury paid."""
    document: str = ""
    verified: bool = True


@dataclass(frozen=True, slots=True)
class Rule:
    """A city's rule for some schemes."""

    id: str
    schemes: tuple[str, ...]
    funds: tuple[str, ...]
    """Payers with a balance: reserve, collected fund, risk fund."""
    steps: tuple[Step, ...]
    document: str = ""
    verified: bool = True


@dataclass(slots=True)
class CountyShares:
    """Who pays a county's gap; the payments add up to it."""

    year: CountyYear
    payments: dict[str, int] = field(default_factory=dict)
    cut: list[tuple[str, int, int]] = field(default_factory=list)
    """Funds that could not pay all: (fund, paid, asked) in fen."""

    def add(self, payer: str, amount_fen: int) -> None:
        """Add to what a payer pays."""
        if amount_fen:
            self.payments[payer] = self.payments.get(payer, 0) + amount_fen

    @property
    def carried_after_fen(self) -> int:
        """Accumulated surplus after the year."""
        surplus = max(0, -self.year.gap_fen)
        return self.year.carried_fen - self.payments.get(OWN_SURPLUS, 0) + surplus


def check_year(year: CountyYear) -> None:
    """Refuse a county without its income and expenditure; nothing is assumed."""
    if year.income_fen < 0:
        raise refuse(E.CANNOT_CLEAR, "income", f"county {year.county} has no income; fill the column income")
    if year.expenditure_fen < 0:
        raise refuse(E.CANNOT_CLEAR, "expenditure", f"county {year.county} has no expenditure; fill it")
    if year.carried_fen < 0:
        raise refuse(E.CANNOT_CLEAR, "carried", f"county {year.county} has no carried surplus; write 0 or more")


def share_gaps(rule: Rule, years: Sequence[CountyYear], balances_fen: Mapping[str, int]) -> list[CountyShares]:
    """Shares the gaps of all counties under one rule.

    ``balances_fen`` holds the balance of each fund of the rule. A fund that cannot pay is cut in proportion to the
    demands (largest remainder) and ``shortage`` says who pays the rest. Errors: E.PAYMENT_RULE_UNDEFINED.
    """
    results = [CountyShares(year) for year in years]
    for year in years:
        check_year(year)
    left = {fund: _balance(rule, balances_fen, fund) for fund in rule.funds}
    remainders = [max(0, year.gap_fen) for year in years]
    for step in rule.steps:
        demands = [_step(step, result, remainder) for result, remainder in zip(results, remainders, strict=True)]
        for place, demand in enumerate(demands):
            remainders[place] -= sum(demand.values())
        for fund in rule.funds:
            _cut(rule, step, fund, left, results, demands)
        for result, demand in zip(results, demands, strict=True):
            for payer, amount in demand.items():
                result.add(payer, amount)
    for result, remainder in zip(results, remainders, strict=True):
        if remainder:
            raise refuse(
                E.PAYMENT_RULE_UNDEFINED, "deficit", f"rule {rule.id} leaves a rest of county {result.year.county}"
            )
        assert sum(result.payments.values()) == max(0, result.year.gap_fen)
    return results


def _balance(rule: Rule, balances: Mapping[str, int], fund: str) -> int:
    if fund not in balances:
        raise refuse(E.CANNOT_CLEAR, "funds", f"rule {rule.id} needs the balance of the fund {fund}")
    return balances[fund]


def _step(step: Step, result: CountyShares, remainder: int) -> dict[str, int]:
    """Return what a step asks of each payer for one county."""
    year = result.year
    if remainder <= 0 or (step.counties is not None and year.county not in step.counties):
        return {}
    if step.kind == "own_surplus":
        return {OWN_SURPLUS: min(remainder, year.carried_fen)}
    if step.kind == "share":
        return divide(remainder, step.shares)
    if step.kind == "bands":
        return _bands(step, year, remainder)
    if step.kind == "eligible":
        return _eligible(step, year, remainder)
    return _matched(step, year, remainder)


def divide(amount_fen: int, shares: Shares) -> dict[str, int]:
    """Divides an amount: every payer but the last half-up, the last takes the remainder (R42).

    >>> divide(101, (("city", 500_000), ("district", 500_000)))
    {'city': 51, 'district': 50}
    """
    result: dict[str, int] = {}
    for payer, rate in shares[:-1]:
        result[payer] = min(share(amount_fen, rate), amount_fen - sum(result.values()))
    last = shares[-1][0]
    result[last] = result.get(last, 0) + amount_fen - sum(result.values())
    return result


def _bands(step: Step, year: CountyYear, remainder: int) -> dict[str, int]:
    """Zhuzhou: shares by the ratio of the remainder to the county's pooled financing (R41)."""
    if year.financing_fen <= 0:
        raise refuse(E.CANNOT_CLEAR, "financing", f"county {year.county} has no pooled financing; fill the column")
    limits = [limit for limit, _ in step.bands]
    scaled = remainder * PPM
    if step.reading == "whole":
        if any(limit >= 0 and scaled == limit * year.financing_fen for limit in limits):
            raise refuse(
                E.PAYMENT_RULE_UNDEFINED, "deficit", f"county {year.county} is exactly on a limit of the bands"
            )
        for limit, shares in step.bands:
            if limit < 0 or scaled < limit * year.financing_fen:
                return divide(remainder, shares)
        raise refuse(E.PAYMENT_RULE_UNDEFINED, "deficit", f"county {year.county} is above the last band")
    if limits[-1] >= 0 and scaled > limits[-1] * year.financing_fen:
        raise refuse(E.PAYMENT_RULE_UNDEFINED, "deficit", f"county {year.county} is above the last band")
    first = step.bands[0][1][0][0]
    exact, start = Fraction(0), Fraction(0)
    for limit, shares in step.bands:
        end = Fraction(remainder) if limit < 0 else min(Fraction(remainder), Fraction(limit * year.financing_fen, PPM))
        exact += max(Fraction(0), end - start) * dict(shares)[first] / PPM
        start = max(start, end)
    paid = divide_half_up(exact.numerator, exact.denominator)
    return {first: paid, step.bands[0][1][-1][0]: remainder - paid}


def _eligible(step: Step, year: CountyYear, remainder: int) -> dict[str, int]:
    """Guangyuan: the overspend counts up to a share above the plan; the fund pays its rate of that (R43)."""
    if year.plan_expenditure_fen <= 0:
        raise refuse(E.CANNOT_CLEAR, "plan_expenditure", f"county {year.county} has no planned expenditure")
    counted = min(remainder, share(year.plan_expenditure_fen, step.eligible_ppm))
    result = divide(counted, step.shares)
    result[step.rest] = result.get(step.rest, 0) + remainder - counted
    return result


def _matched(step: Step, year: CountyYear, remainder: int) -> dict[str, int]:
    """Lishui: below some months of payments the treasury adds; the fund grants at most what the treasury paid."""
    if min(year.last_expenditure_fen, year.contribution_base_fen) < 0:
        raise refuse(E.CANNOT_CLEAR, "contribution_base", f"county {year.county} lacks last year's figures")
    treasury = max(share(year.contribution_base_fen, step.base_ppm), max(0, year.treasury_paid_fen))
    balance = year.carried_fen - max(0, year.gap_fen)
    if balance * 1200 >= year.last_expenditure_fen * step.months_e2:
        treasury = 0
    treasury = min(treasury, remainder)
    grant = min(remainder - treasury, treasury)
    return {COUNTY: remainder - grant, step.fund: grant}


def _cut(
    rule: Rule, step: Step, fund: str, left: dict[str, int], results: list[CountyShares], demands: list[dict[str, int]]
) -> None:
    """Cuts what counties get of a fund to its balance and moves the shortage to those who pay it."""
    wanted = [demand.get(fund, 0) for demand in demands]
    total = sum(wanted)
    granted = min(total, max(0, left[fund]))
    left[fund] -= granted
    if granted == total:
        return
    if not step.shortage:
        raise refuse(
            E.PAYMENT_RULE_UNDEFINED, "shortage", f"the fund {fund} of rule {rule.id} lacks {total - granted} fen"
        )
    parts = split_by_weight(granted, wanted)
    for place, (want, part) in enumerate(zip(wanted, parts, strict=True)):
        if want == part:
            continue
        demands[place][fund] = part
        for payer, amount in divide(want - part, step.shortage).items():
            demands[place][payer] = demands[place].get(payer, 0) + amount
        results[place].cut.append((fund, part, want))


# --- reserves -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Levy:
    """How a fund is filled: a rate of a basis each year up to a share of the financing, or months of payments."""

    fund: str
    schemes: tuple[str, ...]
    basis: str = "last_financing"
    """last_financing, financing or months"""
    rate_ppm: int = 0
    months_e2: int = 0
    cap_ppm: int = -1
    """Stops when the balance has reached this share of this year's financing; -1 never."""
    cut_at_cap: bool = False
    document: str = ""
    verified: bool = True


def levy_fen(levy: Levy, year: CountyYear, balance_fen: int) -> int:
    """Return what a county pays into a fund this year. The levy is not cut at the cap unless ``cut_at_cap`` (R41).

    >>> zhuzhou = Levy("reserve", ("310",), rate_ppm=100_000, cap_ppm=300_000)
    >>> county = CountyYear("430202", "", "310", 1, 1, 0, financing_fen=1_100, last_financing_fen=1_000)
    >>> levy_fen(zhuzhou, county, 250), levy_fen(zhuzhou, county, 330)
    (100, 0)
    """
    cap = -1
    if levy.cap_ppm >= 0:
        cap = share(_needed(year, "financing"), levy.cap_ppm)
        if balance_fen >= cap:
            return 0
    if levy.basis == "months":
        amount = divide_half_up(_needed(year, "last_expenditure") * levy.months_e2, 1200)
        return max(0, amount - balance_fen)
    amount = share(_needed(year, levy.basis), levy.rate_ppm)
    return min(amount, cap - balance_fen) if levy.cut_at_cap and cap >= 0 else amount


def _needed(year: CountyYear, name: str) -> int:
    value: int = getattr(year, f"{name}_fen")
    if value < 0:
        raise refuse(E.CANNOT_CLEAR, name, f"county {year.county} has no {name}; fill the column")
    return value


def old_gap_plan(gap_fen: int, years: int) -> list[int]:
    """Old gaps: paid by the county alone within some years, in equal parts that add up.

    >>> old_gap_plan(1_002, 5)
    [201, 201, 200, 200, 200]
    """
    return split_by_weight(gap_fen, [1] * years)
