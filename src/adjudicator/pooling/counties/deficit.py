"""A county's gap and who pays it, by the city's own rule as data (统筹区缺口分担).

A rule is a list of steps over what is left of the gap: the county's own surplus, fixed shares, shares by bands of
gap / financing, an eligible part, or a grant that matches the treasury. Sources: docs/law.md, "Pooling"; readings R41
(Zhuzhou), R42 (rounding: the first payer half-up, the last takes the rest), R43 (Guangyuan).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from adjudicator.errors import AdjudicatorError, E, Problem, refuse
from adjudicator.money import fen_to_yuan, split_by_weight
from adjudicator.pooling.counties.figures import CountyYear, figure
from adjudicator.pooling.counties.levy import no_balance
from adjudicator.rounding import PPM, divide_half_up, share

COUNTY = "county"
OWN_SURPLUS = "own_surplus"

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
    problem: Problem | None = None
    """Why nobody can say who pays it; then there are no payments."""

    def add(self, payer: str, amount_fen: int) -> None:
        """Add to what a payer pays."""
        if amount_fen:
            self.payments[payer] = self.payments.get(payer, 0) + amount_fen

    @property
    def carried_after_fen(self) -> int:
        """Accumulated surplus after the year."""
        surplus = max(0, -self.year.gap_fen)
        return self.year.opening_fen - self.payments.get(OWN_SURPLUS, 0) + surplus


def lacking(county: CountyYear) -> Problem | None:
    """Return what is missing to measure a county's gap; nothing is assumed."""
    try:
        for name in ("income", "expenditure", "carried"):
            figure(county, name)
    except AdjudicatorError as error:
        return error.problems[0]
    return None


def share_gaps(rule: Rule, years: Sequence[CountyYear], balances_fen: Mapping[str, int]) -> list[CountyShares]:
    """Share the gaps of all counties under one rule.

    ``balances_fen`` holds the balance of each fund of the rule. A fund that cannot pay is cut in proportion to the
    demands (largest remainder, so give the counties in a fixed order) and ``shortage`` says who pays the rest. A
    county that lacks a figure, or whose gap the rule does not settle, has a ``problem`` (E.CANNOT_CLEAR,
    E.PAYMENT_RULE_UNDEFINED); the others are shared without it.
    """
    problems = {place: problem for place, year in enumerate(years) if (problem := lacking(year)) is not None}
    while True:
        results, found = _share(rule, years, balances_fen, problems)
        if not found:
            return results
        problems |= found


def _share(
    rule: Rule, years: Sequence[CountyYear], balances_fen: Mapping[str, int], problems: Mapping[int, Problem]
) -> tuple[list[CountyShares], dict[int, Problem]]:
    """Share the gaps of the counties without a problem; also return the problems that this brings up."""
    results = [CountyShares(year, problem=problems.get(place)) for place, year in enumerate(years)]
    found: dict[int, Problem] = {}
    left = {fund: balances_fen.get(fund) for fund in rule.funds}
    remainders = [0 if result.problem else max(0, result.year.gap_fen) for result in results]
    for step in rule.steps:
        demands: list[dict[str, int]] = []
        for place, (result, remainder) in enumerate(zip(results, remainders, strict=True)):
            try:
                demands.append(_step(step, result, remainder))
            except AdjudicatorError as error:
                found[place] = error.problems[0]
                demands.append({})
        for place, demand in enumerate(demands):
            remainders[place] -= sum(demand.values())
        for fund in rule.funds:
            found |= _cut(rule, step, fund, left, results, demands)
        for result, demand in zip(results, demands, strict=True):
            for payer, amount in demand.items():
                result.add(payer, amount)
    for place, (result, remainder) in enumerate(zip(results, remainders, strict=True)):
        if remainder and place not in found:
            code = result.year.county
            found[place] = refuse(
                E.PAYMENT_RULE_UNDEFINED, "deficit", f"rule {rule.id} leaves a rest of county {code}",
                f"规则 {rule.id} 未规定区县 {code} 剩余缺口由谁承担",
            ).problems[0]  # fmt: skip
        assert result.problem or place in found or sum(result.payments.values()) == max(0, result.year.gap_fen)
    return results, found


def _step(step: Step, result: CountyShares, remainder: int) -> dict[str, int]:
    """Return what a step asks of each payer for one county."""
    year = result.year
    if remainder <= 0 or (step.counties is not None and year.county not in step.counties):
        return {}
    if step.kind == "own_surplus":
        return {OWN_SURPLUS: min(remainder, max(0, year.opening_fen))}
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
    financing = figure(year, "financing")
    limits = [limit for limit, _ in step.bands]
    scaled = remainder * PPM
    if step.reading == "whole":
        if any(limit >= 0 and scaled == limit * financing for limit in limits):
            raise _undefined(
                f"county {year.county} is exactly on a limit of the bands",
                f"区县 {year.county} 的缺口与筹资之比恰为分档界限，文件未规定",
            )
        for limit, shares in step.bands:
            if limit < 0 or scaled < limit * financing:
                return divide(remainder, shares)
    if limits[-1] >= 0 and scaled > limits[-1] * financing:
        raise _undefined(
            f"county {year.county} is above the last band",
            f"区县 {year.county} 的缺口与筹资之比超过最高一档，文件未规定",
        )
    first = step.bands[0][1][0][0]
    exact, start = Fraction(0), Fraction(0)
    for limit, shares in step.bands:
        end = Fraction(remainder) if limit < 0 else min(Fraction(remainder), Fraction(limit * financing, PPM))
        exact += max(Fraction(0), end - start) * dict(shares)[first] / PPM
        start = max(start, end)
    paid = divide_half_up(exact.numerator, exact.denominator)
    return {first: paid, step.bands[0][1][-1][0]: remainder - paid}


def _undefined(detail: str, detail_zh: str, field: str = "deficit") -> AdjudicatorError:
    return refuse(E.PAYMENT_RULE_UNDEFINED, field, detail, detail_zh)


def _eligible(step: Step, year: CountyYear, remainder: int) -> dict[str, int]:
    """Guangyuan: what was spent above plan counts up to a share of the plan; the fund pays its rate of that (R43).

    Income under plan is no overspend: that part of the gap is for ``rest``.
    """
    plan = figure(year, "plan_expenditure")
    overspend = max(0, year.expenditure_fen - plan)
    counted = min(remainder, overspend, share(plan, step.eligible_ppm))
    result = divide(counted, step.shares)
    result[step.rest] = result.get(step.rest, 0) + remainder - counted
    return result


def _matched(step: Step, year: CountyYear, remainder: int) -> dict[str, int]:
    """Lishui: below some months of payments the treasury adds; the fund grants at most what the treasury paid."""
    last = figure(year, "last_expenditure")
    treasury = max(share(figure(year, "contribution_base"), step.base_ppm), figure(year, "treasury_paid"))
    balance = year.opening_fen - max(0, year.gap_fen)
    if balance * 1200 >= last * step.months_e2:
        treasury = 0
    treasury = min(treasury, remainder)
    grant = min(remainder - treasury, treasury)
    return {COUNTY: remainder - grant, step.fund: grant}


def _cut(
    rule: Rule, step: Step, fund: str, left: dict[str, int | None], results: list[CountyShares],
    demands: list[dict[str, int]],
) -> dict[int, Problem]:  # fmt: skip
    """Cut what counties get of a fund to its balance and move the shortage to those who pay it.

    Returns a problem for each county that asks a fund whose balance was not given, or one that lacks money where the
    rule does not say who pays instead.
    """
    wanted = [demand.get(fund, 0) for demand in demands]
    total, balance = sum(wanted), left[fund]
    asking = [place for place, want in enumerate(wanted) if want]
    if not asking:
        return {}
    if balance is None:
        return dict.fromkeys(asking, no_balance(fund, results[asking[0]].year.scheme, rule.id).problems[0])
    granted = min(total, max(0, balance))
    left[fund] = balance - granted
    if granted == total:
        return {}
    if not step.shortage:
        lack = fen_to_yuan(total - granted)
        detail = f"the fund {fund} of rule {rule.id} lacks {lack} yuan, and the rule does not say who pays them"
        detail_zh = f"规则 {rule.id} 的基金 {fund} 余额不足，差 {lack} 元，规则未规定由谁补足"
        return dict.fromkeys(asking, _undefined(detail, detail_zh, "shortage").problems[0])
    parts = split_by_weight(granted, wanted)
    for place, (want, part) in enumerate(zip(wanted, parts, strict=True)):
        if want == part:
            continue
        demands[place][fund] = part
        for payer, amount in divide(want - part, step.shortage).items():
            demands[place][payer] = demands[place].get(payer, 0) + amount
        results[place].cut.append((fund, part, want))
    return {}


def old_gap_plan(gap_fen: int, years: int) -> list[int]:
    """Old gaps: paid by the county alone within some years, in equal parts that add up.

    >>> old_gap_plan(1_002, 5)
    [201, 201, 200, 200, 200]
    """
    return split_by_weight(gap_fen, [1] * years)
